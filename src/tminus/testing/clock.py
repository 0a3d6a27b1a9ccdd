"""A clock whose time passes only while somebody sleeps."""

import asyncio
from collections.abc import Callable
from heapq import heappop, heappush
from math import inf, nextafter


class FakeClock:
    """Time that passes only while somebody sleeps.

    Whoever is still asleep after `patience` seconds waits for what never comes: that is an `AssertionError`.
    """

    def __init__(self, now: float = 1_800_000_000.0, patience: float = 1800.0) -> None:
        self._now = now
        self._ends = now + patience
        self._alarms: list[tuple[float, int, Callable[[], None]]] = []
        self._set = 0

    def now(self) -> float:
        """See `Clock.now`."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """See `Clock.sleep`; whatever was planned for the time that passes happens in its order."""
        # A wait too short for this size of number would otherwise never end.
        until = max(self._now + seconds, nextafter(self._now, inf)) if seconds > 0 else self._now
        assert until <= self._ends, "nothing ends this wait"  # noqa: S101 - see the class
        while self._alarms and self._alarms[0][0] <= until:
            at, _, act = heappop(self._alarms)
            self._now = max(self._now, at)
            act()
        self._now = max(self._now, until)
        await asyncio.sleep(0)

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Plan something for a moment to come."""
        self._set += 1
        heappush(self._alarms, (self._now + seconds, self._set, act))

    def planned(self) -> float:
        """The instant of what is planned next; infinity where nothing is."""
        return self._alarms[0][0] if self._alarms else inf
