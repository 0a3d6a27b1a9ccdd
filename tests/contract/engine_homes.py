"""Every engine behind one way of starting it again and of letting time pass."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tminus.control.ports import Engine, Json
from tminus.engine.durable import DurableEngine
from tminus.engine.memory import MemoryEngine
from tminus.engine.outbox import send_from_outside
from tminus.testing import FakeClock, Fate
from tminus.wiring import SystemClock

if TYPE_CHECKING:
    from tests.conftest import Cluster

Bodies = Mapping[str, Callable[[Engine, str], Awaitable[Json]]]


def database(request: pytest.FixtureRequest, folder: Path) -> str:
    """An empty database of the kind that the fixture is for: `sqlite` or `postgresql`."""
    if request.param == "sqlite":
        return f"sqlite:///{folder / 'tminus.db'}"
    cluster: Cluster = request.getfixturevalue("postgres")
    return cluster.engine_database()


class MemoryHome:
    """Launches in memory, in virtual time."""

    def __init__(self, bodies: Bodies) -> None:
        self.engine = MemoryEngine(bodies, FakeClock(), Fate())

    async def start(self, bodies: Bodies | None = None) -> None:
        self.engine._bodies = bodies or self.engine._bodies
        await self.engine.start()

    async def stop(self) -> None:
        await self.engine.stop()

    async def finish(self, launch: str) -> Json:
        return await self.engine.finish(launch)

    async def until(self, condition: Callable[[], bool]) -> None:
        await self.engine.settle()
        assert condition()

    async def send(self, launch: str, message: Json, key: str) -> None:
        await self.engine.send(launch, "control", message, key)


class DurableHome:
    """Launches in a database, in real time; each start is another process to the database."""

    def __init__(self, url: str, bodies: Bodies) -> None:
        self.url = url
        self._bodies = bodies
        self.engine = DurableEngine(url, bodies, SystemClock(), alone=True)
        self._runs = False

    async def start(self, bodies: Bodies | None = None) -> None:
        self._bodies = bodies or self._bodies
        self.engine = DurableEngine(self.url, self._bodies, SystemClock(), alone=True)
        await self.engine.start()
        self._runs = True

    async def stop(self) -> None:
        if self._runs:
            await self.engine.stop()
        self._runs = False

    async def finish(self, launch: str) -> Json:
        async with asyncio.timeout(30):
            while (result := await self.engine.result(launch)) is None:  # noqa: ASYNC110 - it runs elsewhere
                await asyncio.sleep(0.02)
        return result

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not condition():  # noqa: ASYNC110 - the launch runs on another loop
                await asyncio.sleep(0.02)

    async def send(self, launch: str, message: Json, key: str) -> None:
        # What comes within one millisecond has no order.
        begun = time.time_ns() // 1_000_000
        while time.time_ns() // 1_000_000 == begun:  # noqa: ASYNC110 - time passes by itself
            await asyncio.sleep(0)
        await asyncio.to_thread(send_from_outside, self.url, launch, message, key)


Home = MemoryHome | DurableHome
