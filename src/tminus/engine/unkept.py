"""Steps that are remembered by nobody: for acts of a launch that are done outside one, such as a drill's rollback."""

from collections.abc import Awaitable, Callable

from tminus.control.ports import Clock, Json
from tminus.errors import OutOfSequenceError


class UnkeptSteps:
    """See `control.ports.Engine`; each step is run once, nobody sends anything, and nothing rests."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def step(self, name: str, act: Callable[[], Awaitable[Json]]) -> Json:
        """See `Steps.step`."""
        del name
        return await act()

    async def act(self, name: str, act: Callable[[], Awaitable[Json]]) -> Json:
        """See `Engine.act`."""
        del name
        return await act()

    async def receive(self, topic: str, until: float) -> Json | None:
        """See `Steps.receive`; no message can come."""
        del topic
        await self.sleep_until(until)
        return None

    async def now(self) -> float:
        """See `Steps.now`."""
        return self._clock.now()

    async def patched(self, change: str) -> bool:
        """See `Steps.patched`; nothing here is older than this code."""
        del change
        return True

    async def rest(self, until: float) -> None:
        """See `Engine.rest`; there is no other run that could begin."""
        raise OutOfSequenceError(
            f"nothing here can rest until {until:g}", hint="report this: only a launch of its own rests"
        )

    async def sleep_until(self, until: float) -> None:
        """See `Engine.sleep_until`."""
        if (left := until - self._clock.now()) > 0:
            await self._clock.sleep(left)
