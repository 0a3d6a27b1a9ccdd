"""A countdown that remembers nothing: each turn begins from the record, and between two turns the launch is at rest.

What waits for days is then a row in the database that nobody runs, and costs no memory. A turn that a death has cut off
is done again from its beginning, so whatever it does must be found in the record before it is done a second time.
"""

from collections.abc import Awaitable, Callable

from tminus.control.ports import Clock, Engine, Json

Settle = Callable[[float], Awaitable[float]]
"""Brings to its end what runs beside a launch that would rest until an instant; until when it may rest."""


class Rested(BaseException):
    """This run of a launch is over, and the launch is not; nothing in a launch may catch it."""


class Turns:
    """The engine as a countdown sees it that needs no memory; after GO a launch remembers its steps again."""

    def __init__(self, engine: Engine, clock: Clock, settle: Settle | None = None) -> None:
        self._engine = engine
        self._clock = clock
        self._settle = settle

    async def step(self, name: str, act: Callable[[], Awaitable[Json]]) -> Json:
        """See `Engine.act`."""
        return await self._engine.act(name, act)

    async def receive(self, topic: str, until: float) -> Json | None:
        """See `Engine.rest`; whoever was told something looks at the record, whatever the topic was."""
        del topic
        if self._settle is not None:
            until = await self._settle(until)
            if until <= self._clock.now():
                return None
        await self._engine.rest(until)
        return None

    async def patched(self, change: str) -> bool:
        """Always the new way: what remembers no step has no old one."""
        del change
        return True

    async def now(self) -> float:
        """The instant, in seconds of the epoch."""
        return self._clock.now()
