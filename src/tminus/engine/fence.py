"""Whether this process may act: only while its heartbeat is younger than others wait before they take its work.

Nobody else can stop a process that was frozen, or that lost its way to the database, from going on with what it was
about to do. So it asks itself before each act, and gives up an act under way as soon as it is in doubt. Doubt ends in
one of two ways: the next heartbeat is written, or the database says that others took over, and then the process ends
(see `keeper`).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from math import inf
from typing import TypeVar

T = TypeVar("T")

LOOK_SECONDS = 0.1
"""How often a process in doubt looks whether its heart beats again."""


def elapsed() -> float:
    """Seconds of a clock that nobody sets and that goes on while the machine is suspended."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Fence:
    """Holds back every act while the newest heartbeat is older than `seconds`; never by default."""

    def __init__(self, seconds: float = inf, clock: Callable[[], float] = elapsed) -> None:
        self._seconds = seconds
        self._clock = clock
        self._heard = clock()

    def heard(self, begun: float) -> None:
        """A heartbeat is written that was begun at this reading of the clock."""
        self._heard = max(self._heard, begun)

    def silent(self) -> float:
        """For how many seconds the heart has been silent."""
        return self._clock() - self._heard

    def rest(self) -> float:
        """For how many seconds this process may still act; none or fewer: it is in doubt."""
        return self._heard + self._seconds - self._clock()

    async def run(self, act: Callable[[], Awaitable[T]]) -> T:
        """Act while there is no doubt; an act in which doubt arises is cancelled, and begun again after it."""
        while True:
            while self.rest() <= 0:  # noqa: ASYNC110 - another thread's clock reading ends it, not an event
                await asyncio.sleep(LOOK_SECONDS)
            task = asyncio.ensure_future(act())
            try:
                if await self._finished(task):
                    return task.result()
            finally:
                task.cancel()
            await asyncio.wait({task})

    async def _finished(self, task: "asyncio.Future[T]") -> bool:
        while not task.done():
            rest = self.rest()
            if rest <= 0:
                return False
            await asyncio.wait({task}, timeout=None if rest == inf else rest)
        return True
