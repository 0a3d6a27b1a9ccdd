"""A test message to somebody on call, followed to its answer: whoever sends it, and whatever it is sent by."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tminus.alerting.oncall import Person
from tminus.errors import UnreachableError

LOOK_SECONDS = 1.0
"""From one look at a message to the next, at the least."""
LOOKS_A_SECOND = 4
"""At all messages together; PagerDuty takes 960 requests a minute of one token, whoever else asks with it."""
MARK = "tminus test"
"""What every test message begins with."""


@dataclass(frozen=True, slots=True)
class Told:
    """What became of one test message."""

    id: str
    """Its name where it was sent."""
    at: float
    """When it was sent."""
    entry: str = ""
    """What shows that it was delivered: the id of an entry in a log, or of the message."""
    way: str = ""
    """`sms` or `phone`; empty as long as it is not delivered."""
    failed: str = ""
    """Why it will never be delivered, in words; empty while it may be."""
    waits: str = ""
    """What a message that is not delivered waits for, in words."""
    answered: float | None = None
    """After how many seconds whoever got it answered."""
    other: str = ""
    """Who answered in that person's place."""
    open: bool = False
    """Whether it still asks for an answer, where somebody has to end that."""

    @property
    def settled(self) -> bool:
        """Whether nothing more will come of it."""
        return bool(self.failed) or (bool(self.way) and self.answered is not None)


class Messenger(Protocol):
    """What sends a test message, and tells what became of it."""

    async def last(self, person: Person, since: float) -> Told | None:
        """The newest test message to somebody that was sent since then, to a number that is still used."""
        ...

    async def send(self, person: Person) -> Told:
        """Send one."""
        ...

    async def look(self, person: Person, told: Told) -> Told:
        """The same message as it stands now."""
        ...

    async def end(self, told: Told) -> None:
        """Ask for no answer any more."""
        ...


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the messages to some people are followed."""

    now: Callable[[], float]
    since: float
    """Since when an answer counts."""
    seconds: float
    people: int

    @property
    def pause(self) -> float:
        """Seconds from one look at a message to the next."""
        return max(LOOK_SECONDS, self.people / LOOKS_A_SECOND)


async def followed(messenger: Messenger, person: Person, patience: Patience) -> Told:
    """A test message that somebody answered since then; or a new one, followed until it is settled or time is over.

    One that still asks for an answer is followed on, so that nobody gets a second one meanwhile. One that is settled
    asks no more. Raises what the last look raises: who cannot answer once, or asks to wait, is asked again.
    """
    told = await messenger.last(person, patience.since)
    if told is None or not (told.open or (told.settled and not told.failed)):
        told = await messenger.send(person)
    end = patience.now() + patience.seconds
    while True:
        last = patience.now() >= end
        try:
            told = await messenger.look(person, told)
        except UnreachableError:
            if last:
                raise
        if told.settled or last:
            break
        await asyncio.sleep(max(0.0, min(patience.pause, end - patience.now())))
    if told.settled and told.open:
        await messenger.end(told)
    return told
