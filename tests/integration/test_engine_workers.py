"""Several workers on one database: one dies, freezes, or loses the database, and the launches go on."""

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from tminus.domain.record import Entry
from tminus.engine.keeper import FENCED
from tminus.engine.outbox import DurableOutbox
from tminus.processes import wait_until
from tminus.store import Order, RecordStore, connect

if TYPE_CHECKING:
    from tests.conftest import Cluster
    from tests.integration import worker_child
else:
    import worker_child

pytestmark = pytest.mark.slow

AT = "2026-01-31T12:00:00.000Z"
LAUNCHES = ("launch-0", "launch-1", "launch-2")
TAKE_OVER_SECONDS = 10.0


@dataclass
class Yard:
    """Workers in processes of their own, and what they have written down."""

    url: str
    folder: Path
    workers: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)

    async def start(self, *names: str) -> None:
        for name in names:
            with (self.folder / "log").open("ab") as log:
                command = (sys.executable, worker_child.__file__, self.url, str(self.folder), name)
                self.workers[name] = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log)
        for name in names:
            await self.until(f"{name} works", 120)

    async def open(self, *launches: str) -> None:
        engine = connect(self.url)
        store = RecordStore(engine, DurableOutbox(engine))
        for launch in launches:
            opened = {"launch": launch, "plan": {"digest": "a" * 64}}
            order = Order(launch, {}, {})
            await store.open(launch, Entry("launch.opened", "opened", opened, AT), order)
        engine.dispose()

    def lines(self) -> list[str]:
        file = self.folder / "done"
        return file.read_text().splitlines() if file.exists() else []

    async def when(self, true: Callable[[], bool], what: str, seconds: float) -> None:
        async def seen() -> bool:
            return true()

        await wait_until(seen, seconds, what, log=self.folder / "log")

    async def until(self, start: str, seconds: float) -> None:
        await self.when(lambda: any(line.startswith(start) for line in self.lines()), start, seconds)

    def at_work(self) -> dict[str, str]:
        """By launch: who began its newest step."""
        return {line.split()[2]: line.split()[0] for line in self.lines() if " begins " in line}

    async def all_landed(self) -> None:
        for launch in LAUNCHES:
            await self.when(partial(self.landed, launch), f"{launch} to land", 90)

    def landed(self, launch: str) -> bool:
        """Whether somebody brought this launch to its end."""
        return any(line.endswith(f"lands {launch}") for line in self.lines())

    def signal(self, name: str, number: signal.Signals) -> None:
        os.kill(self.workers[name].pid, number)

    async def taken_from(self, name: str) -> None:
        """Wait until each of its launches is begun upon by somebody else."""
        await self.when(
            lambda: name not in self.at_work().values(), f"the launches of {name}", TAKE_OVER_SECONDS
        )

    def repeated(self) -> Counter[str]:
        """The steps that ended more than once."""
        ends = Counter(line.split(" ", 1)[1] for line in self.lines() if " ends " in line)
        return Counter({step: count for step, count in ends.items() if count > 1})

    async def end(self) -> None:
        for process in self.workers.values():
            if process.returncode is None:
                process.kill()
                await process.wait()


Make = Callable[[str], Awaitable[Yard]]


@asynccontextmanager
async def yard_at(url: str, folder: Path) -> AsyncIterator[Yard]:
    yard = Yard(url, folder)
    try:
        yield yard
    finally:
        await yard.end()


@pytest.fixture(params=["sqlite", "postgresql"])
async def yard(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Yard]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'tminus.db'}"
    else:
        cluster: Cluster = request.getfixturevalue("postgres")
        url = cluster.engine_database()
    async with yard_at(url, tmp_path) as made:
        yield made


async def both_at_work(yard: Yard) -> str:
    """Start two workers on three launches; one of those that have work."""
    await yard.start("w1", "w2")
    await yard.open(*LAUNCHES)
    await yard.when(lambda: len(yard.at_work()) == len(LAUNCHES), "every launch", 30)
    return yard.at_work()["launch-0"]


async def test_the_launches_of_a_killed_worker_go_on_at_another_and_no_finished_step_is_repeated(
    yard: Yard,
) -> None:
    victim = await both_at_work(yard)
    yard.signal(victim, signal.SIGKILL)
    await yard.workers[victim].wait()
    await yard.taken_from(victim)
    await yard.all_landed()
    # The kill may fall between the end of an act and the moment it is remembered: at most that one.
    assert all(count == 2 for count in yard.repeated().values())
    assert len(yard.repeated()) <= len(LAUNCHES)


async def test_a_frozen_worker_whose_launches_were_taken_runs_no_further_step_and_ends(yard: Yard) -> None:
    victim = await both_at_work(yard)
    yard.signal(victim, signal.SIGSTOP)
    await yard.taken_from(victim)
    before = [line for line in yard.lines() if line.startswith(f"{victim} begins")]
    yard.signal(victim, signal.SIGCONT)
    assert await asyncio.wait_for(yard.workers[victim].wait(), 30) == FENCED
    await yard.all_landed()
    assert [line for line in yard.lines() if line.startswith(f"{victim} begins")] == before


async def test_a_worker_that_stops_in_order_leaves_its_launches_to_the_others(yard: Yard) -> None:
    leaver = await both_at_work(yard)
    yard.signal(leaver, signal.SIGTERM)
    assert await asyncio.wait_for(yard.workers[leaver].wait(), 30) == 0
    await yard.taken_from(leaver)
    await yard.all_landed()


async def test_a_worker_dies_while_postgresql_is_started_again_and_another_takes_over(
    own_postgres: "Cluster", tmp_path: Path
) -> None:
    async with yard_at(own_postgres.database(), tmp_path) as yard:
        victim = await both_at_work(yard)
        yard.signal(victim, signal.SIGKILL)
        await yard.workers[victim].wait()
        await asyncio.to_thread(own_postgres.stop)
        await asyncio.to_thread(own_postgres.start)
        await yard.taken_from(victim)
        await yard.all_landed()


async def test_workers_without_their_database_wait_and_go_on_when_it_is_back(
    own_postgres: "Cluster", tmp_path: Path
) -> None:
    async with yard_at(own_postgres.database(), tmp_path) as yard:
        await both_at_work(yard)
        await asyncio.to_thread(own_postgres.stop)

        await yard.when(
            lambda: (yard.folder / "log").read_text().count("the heart of ") >= 2,
            "both hearts to miss it",
            30,
        )
        await asyncio.to_thread(own_postgres.start)
        await yard.all_landed()
        assert [process.returncode for process in yard.workers.values()] == [None, None]


async def test_both_engines_of_sqlite_flush_every_commit(tmp_path: Path) -> None:
    async with yard_at(f"sqlite:///{tmp_path / 'tminus.db'}", tmp_path) as yard:
        await yard.start("w1")
        engine = connect(yard.url)
        with engine.connect() as connection:
            assert connection.scalar(text("pragma journal_mode")) == "wal"
            assert connection.scalar(text("pragma synchronous")) == 2
        engine.dispose()
