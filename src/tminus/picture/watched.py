"""One launch as this process sees it: its record and its trace read on, and the picture that they make."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from tminus.domain.guard import GuardLimits
from tminus.domain.plan import Plan
from tminus.domain.record import Event
from tminus.errors import RecordError
from tminus.picture.reading import Plans, RecordTail, Tail, TraceTail, plan_digest
from tminus.picture.traffic import Traffic
from tminus.picture.view import Picture, Told, picture

LOOK = 0.25
"""Seconds between two looks at the record."""

A = TypeVar("A")
R = TypeVar("R")

Limits = Callable[[Plan | None], GuardLimits]
"""The guard's limits by a plan."""

Doubt = Callable[[Sequence[Event]], Sequence[str]]
"""Says what keeps one from believing a record as it stands, in sentences; it may take its time."""

_BROKEN = (LookupError, TypeError, ValueError, AttributeError)
"""What a record of another version, or of another hand, makes of code that reads its fields."""


@contextmanager
def readable(*more: type[Exception]) -> Iterator[None]:
    """Say of a record that it holds what cannot be shown; raises `RecordError` then, and in the place of `more`."""
    caught: tuple[type[Exception], ...] = (*_BROKEN, *more)
    try:
        yield
    except caught as error:
        raise RecordError(
            f"the record holds something that cannot be shown: {type(error).__name__} {error}",
            hint="`tminus verify` says whether it is whole; another version of tminus may have written it",
        ) from error


def undoubted(_: Sequence[Event]) -> Sequence[str]:
    """Nothing is doubted, since nobody here could."""
    return ()


async def whole(work: Callable[[A], R], what: A) -> R:
    """Do it in a thread, to its end also when who waited for it is gone: the next look goes on from there."""
    running = asyncio.ensure_future(asyncio.to_thread(work, what))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise


class Watched:
    """One launch as this process sees it; shared by all who watch it.

    Its record is read in its own folder, unless `record` says where else.
    """

    def __init__(
        self,
        folder: Path,
        plans: Plans,
        limits: Limits,
        now: Callable[[], float],
        record: Tail | None = None,
    ) -> None:
        self._folder = folder
        self._plans = plans
        self._limits = limits
        self._now = now
        self._record = record or RecordTail(folder)
        self._trace = TraceTail(folder)
        self.doubt: Doubt = undoubted
        """Set before the first look."""
        self._plan: Plan | None = None
        self._traffic: Traffic | None = None
        self._shown: tuple[int, Picture] | None = None
        """Of how many events, and the picture that they made."""
        self._reading = asyncio.Lock()

    async def newest(self) -> Event | None:
        """The last event that is recorded now; raises a `TminusError` where the launch cannot be read."""
        async with self._reading:
            await self._read()
            return self._record.events[-1] if self._record.events else None

    async def told(self) -> Told:
        """All that is known now; raises a `TminusError` where the launch cannot be read."""
        async with self._reading:
            await self._read()
            return await self._told()

    async def look(self) -> Picture:
        """What is true now; raises a `TminusError` where the launch cannot be read."""
        async with self._reading:
            await self._read()
            at = self._now()
            events = self._record.events
            if self._shown and self._shown[0] == len(events) and 0 <= at - self._shown[1].moment.at < LOOK:
                return self._shown[1]  # another who watches has just looked
            told = await self._told()
            with readable():
                self._shown = len(events), picture(told, at)
            return self._shown[1]

    async def _read(self) -> None:
        with readable():
            await self._record.read()

    async def _told(self) -> Told:
        events = self._record.events
        if self._traffic is None:
            digest = plan_digest(events)
            self._plan = await asyncio.to_thread(self._plans.find, digest, self._folder)
            self._traffic = Traffic(self._limits(self._plan))
        # A long trace takes its time; others who watch must not wait for it.
        await whole(self._count, self._traffic)
        doubts = tuple(await whole(self.doubt, events))
        return Told(events, self._record.unbroken, self._plan, self._traffic, self._trace.unread, doubts)

    def _count(self, traffic: Traffic) -> None:
        traffic.take(self._trace.read())
