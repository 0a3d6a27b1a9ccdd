"""Look for a trigger's condition every so often while a release meets users, beside the judging of requests.

A look never delays a judgement: it is taken up when it is done. One that saw nothing proves nothing; when that lasts,
it holds the shift.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tminus.control.ports import Clock, Json
from tminus.domain.canonical import timestamp

PAUSE = 5.0
"""Seconds in which nobody asked; only while somebody watches can a condition be found not to be observed."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one look saw of a trigger's condition."""

    at: float
    """When it began, in seconds of the epoch."""
    breached: bool | None
    """Whether the condition holds; nothing when that was not seen."""
    text: str
    """What was seen, or why nothing was, in one sentence."""
    found: str = ""
    """What a decision says of it; empty where the condition does not hold."""
    data: Json | None = None
    """More of it, for the record."""


class Source(Protocol):
    """Who looks for one trigger's condition."""

    trigger: str
    """The trigger's id."""

    async def look(self) -> Sighting:
        """Look now. It has a time limit, and what cannot be seen is a sighting of nothing."""
        ...

    def accept(self) -> None:
        """A person has let the launch go on in spite of what was found so far: that alone is no new finding."""
        ...


class Looks:
    """One source's looks, one after the other."""

    def __init__(self, source: Source, clock: Clock, every: float, *, patience: float, retry: float) -> None:
        self._source = source
        self._clock = clock
        self.every = every
        """Seconds from the beginning of one look to that of the next."""
        self._patience = patience
        self._retry = min(retry, every)
        self._task: asyncio.Task[Sighting] | None = None
        self._next = 0.0
        self._last: Sighting | None = None
        self._seen_at: float | None = None
        self._asked_at = float("-inf")

    @property
    def trigger(self) -> str:
        """The trigger that the looks are for."""
        return self._source.trigger

    def poll(self, now: float) -> Sighting | None:
        """The look that was done since the last time this was asked, if one was; begins the next when it is due."""
        if self._seen_at is None or now - self._asked_at > PAUSE:
            self._seen_at = now
        self._asked_at = now
        done = self._taken()
        if self._task is None and now >= self._next:
            self._next = now + self.every
            self._task = asyncio.create_task(self._source.look())
        return done

    def blindness(self, now: float) -> str:
        """Why the condition counts as not observed; empty while it is seen, or nobody has begun to look."""
        if self._seen_at is None or now - self._seen_at <= self._patience:
            return ""
        why = self._last.text if self._last and self._last.breached is None else "no look has ended"
        return f"{self.trigger} has not been observed for {self._patience:g} s: {why}"

    def accept(self) -> None:
        """See `Source.accept`."""
        self._source.accept()

    def gauge(self) -> Json:
        """The newest look, for people and for the record."""
        if self._last is None:
            return {"trigger": self.trigger, "looked": "", "text": "no look has ended yet"}
        more = self._last.data or {}
        looked = timestamp(self._last.at)
        return {"trigger": self.trigger, "looked": looked, "text": self._last.text, **more}

    async def stop(self) -> None:
        """Look no more; a look under way is given up."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def _taken(self) -> Sighting | None:
        if self._task is None or not self._task.done():
            return None
        sighting, self._task = self._task.result(), None
        self._last = sighting
        if sighting.breached is None:
            self._next = min(self._next, sighting.at + self._retry)
        else:
            self._seen_at = max(self._seen_at or sighting.at, sighting.at)
        return sighting


def unseen(looks: Sequence[Looks], now: float) -> str:
    """Why one of these conditions counts as not observed; empty while each is seen."""
    return next((why for one in looks if (why := one.blindness(now))), "")
