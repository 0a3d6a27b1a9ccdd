"""By what the people of a plan are told, from its references."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from tminus.channels.mail import Mail
from tminus.channels.slack import Slack
from tminus.config import resolve
from tminus.control.ports import Clock, Notifier
from tminus.domain.message import Message
from tminus.domain.plan import Plan
from tminus.domain.reach import Channel

AT_ONCE = 8
"""How many messages one worker sends at the same time: a milestone of a thousand launches must flood nobody."""


@dataclass(frozen=True, slots=True)
class InTurn:
    """A notifier of many launches that sends a few messages at a time."""

    notifier: Notifier
    places: asyncio.Semaphore

    async def send(self, message: Message) -> str:
        """See `Notifier.send`."""
        async with self.places:
            return await self.notifier.send(message)


def notifiers(
    plan: Plan, environment: Mapping[str, str], clock: Clock, places: asyncio.Semaphore
) -> dict[Channel, Notifier]:
    """What tells the people of this plan; references are followed when something is sent."""

    def led(reference: str) -> str:
        return resolve(reference, environment)

    return {
        Channel.MAIL: InTurn(Mail(plan.notify.mail, plan.notify.sender, led, clock), places),
        Channel.SLACK: InTurn(Slack(led, clock), places),
    }
