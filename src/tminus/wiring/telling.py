"""By what the people of a plan are told, from its references."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from tminus.channels.mail import Mail
from tminus.channels.pager import Pager
from tminus.channels.slack import Slack
from tminus.config import resolve
from tminus.control.ports import Clock, Notifier
from tminus.domain.message import Message
from tminus.domain.plan import Plan
from tminus.domain.reach import Channel
from tminus.errors import UndeliveredError
from tminus.wiring.curtain import Curtain

AT_ONCE = 8
"""How many messages one worker sends at the same time: a milestone of a thousand launches must flood nobody."""
LONGEST = 60.0
"""Seconds that one message may take, whatever a system does with each of its answers."""

Fenced = Callable[[Callable[[], Awaitable[str]]], Awaitable[str]]
"""Acts while this process may: see `engine.fence`."""


@dataclass(frozen=True, slots=True)
class Counter:
    """Where the messages of all launches of one worker go out."""

    fenced: Fenced
    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))


@dataclass(frozen=True, slots=True)
class InTurn:
    """A notifier that waits for a place at the counter, and leaves it in time."""

    notifier: Notifier
    counter: Counter

    async def send(self, message: Message) -> str:
        """See `Notifier.send`."""
        async with self.counter.places:
            try:
                async with asyncio.timeout(LONGEST):
                    return await self.counter.fenced(lambda: self.notifier.send(message))
            except TimeoutError as error:
                raise UndeliveredError(
                    f"the message was not taken within {LONGEST:g} s", hint="see whether the system is well"
                ) from error


@dataclass(frozen=True, slots=True)
class Discreet:
    """A notifier whose system's own words are told without a secret that it repeats."""

    notifier: Notifier
    curtain: Curtain

    async def send(self, message: Message) -> str:
        """See `Notifier.send`."""
        try:
            return self.curtain.text(await self.notifier.send(message))
        except UndeliveredError as error:
            hint = self.curtain.text(error.hint)
            raise UndeliveredError(self.curtain.text(str(error)), hint=hint, after=error.after) from None


def notifiers(
    plan: Plan, environment: Mapping[str, str], clock: Clock, counter: Counter
) -> dict[Channel, Notifier]:
    """What tells the people of this plan; references are followed when something is sent.

    What a system answers is told without what stands behind them.
    """
    curtain = Curtain()

    def led(reference: str, *, hook: bool) -> str:
        value = resolve(reference, environment)
        curtain.draw(reference, value.strip(), hook=hook)
        return value

    mail = Mail(plan.notify.mail, plan.notify.sender, partial(led, hook=False), clock)
    return {
        Channel.MAIL: InTurn(Discreet(mail, curtain), counter),
        Channel.PAGER: InTurn(Discreet(Pager(partial(led, hook=False)), curtain), counter),
        Channel.SLACK: InTurn(Discreet(Slack(partial(led, hook=True), clock), curtain), counter),
    }
