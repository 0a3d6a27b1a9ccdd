"""By what the people of a plan are told, from its references."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from tminus.channels.mail import Mail
from tminus.channels.slack import Slack
from tminus.config import resolve
from tminus.control.ports import Clock, Notifier
from tminus.domain.message import Message
from tminus.domain.plan import Plan
from tminus.domain.reach import Channel
from tminus.errors import UndeliveredError

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


def notifiers(
    plan: Plan, environment: Mapping[str, str], clock: Clock, counter: Counter
) -> dict[Channel, Notifier]:
    """What tells the people of this plan; references are followed when something is sent."""

    def led(reference: str) -> str:
        return resolve(reference, environment)

    return {
        Channel.MAIL: InTurn(Mail(plan.notify.mail, plan.notify.sender, led, clock), counter),
        Channel.SLACK: InTurn(Slack(led, clock), counter),
    }
