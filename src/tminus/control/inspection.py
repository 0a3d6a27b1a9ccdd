"""Look at a service's data every so often while a release meets users, and say which invariants are broken.

A look never delays the judging of requests: it runs beside it and is taken up when it is done. What cannot be read is
*not observed*: that is never a hit, and holds when it lasts.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from tminus.control.ports import Clock, Invariants, Json
from tminus.domain.canonical import JsonValue, timestamp
from tminus.domain.invariant import UNSEEN_TURNS, Broken, Invariant, Values, broken, floors
from tminus.errors import ProbeError, RolloutError

PAUSE = 5.0
"""Seconds in which nobody asked; only while somebody watches the data can be found not to be observed."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the data."""

    at: float
    """When it began, in seconds of the epoch."""
    broken: tuple[Broken, ...] = ()
    unseen: str = ""
    """Why nothing could be seen; empty when it was."""

    @property
    def breached(self) -> bool | None:
        """Whether an invariant is broken; nothing when that was not seen."""
        return None if self.unseen else bool(self.broken)

    def data(self, total: int) -> Json:
        """As the record keeps it; `total` is how many invariants there are."""
        rows: list[JsonValue] = [one.data() for one in self.broken]
        seen: Json = {"invariants": total, "broken": rows, "unseen": self.unseen}
        return {"looked": timestamp(self.at), "text": self._text(total), **seen}

    def _text(self, total: int) -> str:
        if self.unseen:
            return f"the data is not observed: {self.unseen}"
        if not self.broken:
            return f"all {total} invariants of the data hold"
        return f"{len(self.broken)} of {total} invariants of the data are broken: {_told(self.broken)}"


class Inspection:
    """The invariants of one launch, and what the newest looks at them found."""

    def __init__(
        self, invariants: Sequence[Invariant], source: Invariants, clock: Clock, every: float
    ) -> None:
        self.invariants = tuple(invariants)
        self.every = every
        self._source = source
        self._clock = clock
        self._floors: Values | None = None
        self._task: asyncio.Task[Look] | None = None
        self._next = 0.0
        self._last: Look | None = None
        self._hit_since: float | None = None
        self._seen_at = 0.0
        self._asked_at = 0.0

    async def begin(self) -> Json:
        """Read everything before the release meets anything of it; the values, for `remember`.

        Raises `RolloutError` when an invariant is broken already: no release would be to blame.
        """
        values, found = await self.read()
        if found:
            raise RolloutError(
                f"the data is damaged before the release has met it: {_told(found)}",
                hint="have a person look at the data; nothing of it was changed by this launch",
            )
        return {"invariants": len(self.invariants), "floors": {**floors(self.invariants, values)}}

    def remember(self, begun: Json) -> None:
        """Take up what `begin` read, in this process or in one before it; from now on the data is looked at."""
        kept = begun["floors"]
        assert isinstance(kept, dict)  # noqa: S101 - begin() made it
        self._floors = kept

    async def read(self) -> tuple[Values, tuple[Broken, ...]]:
        """What every invariant gives now, and which of them do not hold; raises `ProbeError` when that is not seen.

        Before `remember` a floor need only be a number, as nothing is known that it could have fallen from.
        """
        values = await self._source.values()
        found = broken(self.invariants, values, self._floors or {})
        return values, found

    async def look(self) -> Look:
        """Look at the data now."""
        at = self._clock.now()
        try:
            return Look(at, (await self.read())[1])
        except ProbeError as error:
            return Look(at, unseen=f"{error} ({error.hint})")

    def poll(self, now: float) -> Look | None:
        """The look that was done since the last time this was asked, if one was; begins the next when it is due."""
        if self._floors is None:
            return None
        if now - self._asked_at > PAUSE:
            self._seen_at = now
        self._asked_at = now
        done = self._taken()
        if self._task is None and now >= self._next:
            self._next = now + self.every
            self._task = asyncio.create_task(self.look())
        return done

    def blindness(self, now: float) -> str:
        """Why the data counts as not observed; empty while it is seen, or nobody has begun to look."""
        patience = UNSEEN_TURNS * self.every
        if self._floors is None or now - self._seen_at <= patience:
            return ""
        why = self._last.unseen if self._last else ""
        return (
            f"the data's invariants have not been observed for {patience:g} s: {why or 'no look has ended'}"
        )

    def found(self) -> str:
        """What the newest look found broken, on which numbers, and since when; empty when all holds."""
        if self._last is None or self._hit_since is None:
            return ""
        again = self._last.at - self._hit_since
        told = f", and again {again:.1f} s later" if again else ""
        return f"{_told(self._last.broken)}; first seen at {timestamp(self._hit_since)}{told}"

    def gauge(self) -> JsonValue:
        """The newest look, for people and for the record; nothing before there was one."""
        return self._last.data(len(self.invariants)) if self._last else None

    async def stop(self) -> None:
        """Look no more; a look under way is given up."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def _taken(self) -> Look | None:
        if self._task is None or not self._task.done():
            return None
        look, self._task = self._task.result(), None
        self._last = look
        if look.breached is not None:
            self._seen_at = max(self._seen_at, look.at)
        if not look.broken:
            self._hit_since = None
        elif self._hit_since is None:
            self._hit_since = look.at
        return look


def _told(found: Sequence[Broken]) -> str:
    return "; ".join(map(str, found))
