"""The database is locked, has no room, or is gone for a while: nothing is lost, it is said, and work goes on."""

import asyncio
import resource
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from tminus.domain.record import Entry
from tminus.engine.keeper import TTL_SECONDS
from tminus.engine.outbox import DurableOutbox
from tminus.engine.survey import survey
from tminus.processes import wait_until
from tminus.store import Order, RecordStore, connect
from tminus.wiring import SystemClock

if TYPE_CHECKING:
    from tests.conftest import Cluster
    from tests.integration import trouble_child
else:
    import trouble_child

pytestmark = pytest.mark.slow

AT = "2026-01-31T12:00:00.000Z"
LAUNCHES = ("a", "b")
STEPS = (f"{moment} {number}" for number in range(trouble_child.STEPS) for moment in ("begins", "ends"))
WHOLE = ["opened", *STEPS, "ended"]
SECONDS = 120


@dataclass
class Trouble:
    """One worker, what it says, and the records of its launches."""

    url: str
    store: RecordStore
    process: asyncio.subprocess.Process
    said: list[str] = field(default_factory=list)

    async def listen(self) -> None:
        assert self.process.stderr is not None
        while line := await self.process.stderr.readline():
            self.said.append(line.decode())

    async def when(self, true: Callable[[], bool], what: str) -> None:
        async def seen() -> bool:
            assert self.process.returncode is None, "".join(self.said)
            return true()

        await wait_until(seen, SECONDS, f"{what}; it said {self.said}")

    async def hears(self, *words: str) -> None:
        """Wait until one line that it has said holds all of these words."""
        await self.when(
            lambda: any(all(word in line for word in words) for line in self.said), " ".join(words)
        )

    async def silent(self) -> None:
        """Wait until its heart is silent for longer than others would wait before they take its launches."""

        async def seen() -> bool:
            (heart,) = (await asyncio.to_thread(survey, self.url, SystemClock().now)).hearts or ()
            return heart.age > TTL_SECONDS

        await wait_until(seen, SECONDS, "a heart that is silent")

    async def keys(self, launch: str) -> list[str]:
        return [event.key for event in await self.store.events(launch)]

    async def begun(self) -> None:
        async def seen() -> bool:
            return all([len(await self.keys(launch)) > 2 for launch in LAUNCHES])

        await wait_until(seen, SECONDS, "both launches to be under way")

    async def landed(self) -> None:
        """Wait until both have ended, each step recorded once and in order."""

        async def seen() -> bool:
            return all([(await self.keys(launch))[-1] == "ended" for launch in LAUNCHES])

        await wait_until(seen, SECONDS, f"both to land; it said {self.said}")
        for launch in LAUNCHES:
            assert await self.keys(launch) == WHOLE
        assert self.process.returncode is None


@asynccontextmanager
async def working(url: str) -> AsyncIterator[Trouble]:
    """A worker on this database with two launches under way."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, trouble_child.__file__, url, stderr=pipe)
    engine = connect(url)
    made = Trouble(url, RecordStore(engine, DurableOutbox(engine)), process)
    listening = asyncio.create_task(made.listen())
    try:
        await made.hears("works")
        for launch in LAUNCHES:
            opened = {"launch": launch, "plan": {"digest": "a" * 64}}
            await made.store.open(launch, Entry("launch.opened", "opened", opened, AT), Order(launch, {}, {}))
        await made.begun()
        yield made
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await listening
        engine.dispose()


async def test_while_the_file_is_locked_a_worker_waits_and_says_so(tmp_path: Path) -> None:
    file = tmp_path / "tminus.db"
    async with working(f"sqlite:///{file}") as trouble:
        with closing(sqlite3.connect(file, isolation_level=None, timeout=30)) as holder:
            holder.execute("begin immediate")
            await trouble.hears("the heart of ", "database is locked", "it tries again every second")
            await trouble.silent()
            holder.execute("rollback")
        await trouble.hears("the heart of ", "goes on: what it met is over")
        await trouble.landed()


async def test_while_there_is_no_room_a_worker_waits_and_says_so(tmp_path: Path) -> None:
    async with working(f"sqlite:///{tmp_path / 'tminus.db'}") as trouble:
        worker = psutil.Process(trouble.process.pid)
        _, most = worker.rlimit(psutil.RLIMIT_FSIZE)
        worker.rlimit(psutil.RLIMIT_FSIZE, (1, most))
        await trouble.hears("the heart of ", "disk I/O error", "it tries again every second")
        await trouble.silent()
        worker.rlimit(psutil.RLIMIT_FSIZE, (resource.RLIM_INFINITY if most < 0 else most, most))
        await trouble.hears("the heart of ", "goes on: what it met is over")
        await trouble.landed()


async def test_while_postgresql_is_gone_a_worker_waits_and_says_so(own_postgres: "Cluster") -> None:
    async with working(own_postgres.database()) as trouble:
        await asyncio.to_thread(own_postgres.stop)
        await trouble.hears("the heart of ", "it tries again every second")
        await asyncio.to_thread(own_postgres.start)
        await trouble.hears("the heart of ", "goes on: what it met is over")
        await trouble.landed()
