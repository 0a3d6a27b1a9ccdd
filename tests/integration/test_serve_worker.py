"""`tminus serve` as a small team starts it: it shows the common launches, and a worker runs them, whatever dies."""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from aiohttp import ClientSession

from tminus.processes import wait_until
from tminus.wiring import SystemClock

if TYPE_CHECKING:
    from tests.conftest import Cluster

pytestmark = pytest.mark.slow

PLAN = Path(__file__).with_name("worker_plan.yaml")
AHEAD = 3500.0
"""Seconds from the opening to T-0: the first milestone is due at once, and nothing more for long."""
RUNS = re.compile(r"its worker runs as process (\d+)")


@dataclass
class Room:
    """One home and one database, and the pages that are served there."""

    home: Path
    url: str
    pages: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "TMINUS_HOME": str(self.home),
            "TMINUS_DATABASE_URL": self.url,
            "SITE": "http://127.0.0.1:1",
        }

    def log(self, name: str) -> str:
        return (self.home / f"{name}.log").read_text()

    async def serve(self, name: str) -> None:
        with (self.home / f"{name}.log").open("ab") as log:
            self.pages[name] = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tminus", "serve", "--port", "0"),
                env=self.environment,
                stdout=log,
                stderr=log,
            )
        await self.says(name, "http://127.0.0.1:")

    async def says(self, name: str, words: str, times: int = 1) -> None:
        await self.when(lambda: self.log(name).count(words) >= times, f"{name}: {words}", name)

    async def when(self, true: Callable[[], bool], what: str, name: str) -> None:
        async def seen() -> bool:
            return true()

        await wait_until(seen, 120, what, log=self.home / f"{name}.log")

    async def launch(self) -> str:
        """Open a launch; its id."""
        t0 = datetime.fromtimestamp(SystemClock().now() + AHEAD, UTC).isoformat()
        said = await self.typed(
            "launch", str(PLAN), "--release", f"shop=sha256:{'ab' * 32}", "--t0", t0, "--json"
        )
        return str(json.loads(said)["launch"])

    async def typed(self, *words: str) -> str:
        """What a command says that is typed here."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tminus", *words, env=self.environment, stdout=-1, stderr=-2
        )
        said, _ = await asyncio.wait_for(process.communicate(), 120)
        assert process.returncode == 0, said
        return said.decode()

    async def worker(self, name: str, number: int = 1) -> psutil.Process:
        """The process of the n-th worker of a page, once it works."""
        await self.says(name, "runs the launches of", number)
        return psutil.Process(int(RUNS.findall(self.log(name))[-1]))

    async def get(self, name: str, path: str) -> tuple[int, str]:
        (address,) = re.findall(r"^(http://\S+)/$", self.log(name), re.MULTILINE)
        async with ClientSession() as http, http.get(f"{address}{path}") as answer:
            return answer.status, await answer.text()

    async def gone(self, process: psutil.Process, name: str) -> None:
        def ended() -> bool:
            try:
                return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
            except psutil.NoSuchProcess:
                return True

        await self.when(ended, f"process {process.pid} to end", name)

    async def end(self) -> None:
        for process in self.pages.values():
            if process.returncode is None:
                process.kill()
                await process.wait()


@asynccontextmanager
async def room_at(url: str, home: Path) -> AsyncIterator[Room]:
    room = Room(home, url)
    try:
        yield room
    finally:
        await room.end()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A common database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'tminus.db'}"
    cluster: Cluster = request.getfixturevalue("postgres")
    return cluster.engine_database()


async def test_a_worker_that_is_killed_is_followed_by_another_that_goes_on_with_its_launches(
    url: str, tmp_path: Path
) -> None:
    async with room_at(url, tmp_path) as room:
        await room.serve("page")
        first = await room.worker("page")
        launch = await room.launch()
        await room.says("page", f"{launch}  is taken")
        first.kill()
        second = await room.worker("page", 2)
        assert second.pid != first.pid
        # A launch at rest is nobody's; who is told something of it takes it up.
        await room.typed("hold", launch, "--reason", "everybody is at lunch")
        await room.says("page", f"{launch}  is taken", 2)
        assert "its worker was killed (SIGKILL); the next starts at once" in room.log("page")
        status, listed = await room.get("page", "/launches")
        assert status == 200
        assert f'href="/launches/{launch}">staging</a>' in listed
        assert "1 earlier one ended, the last was killed (SIGKILL)" in listed
        status, text = await room.get("page", f"/launches/{launch}")
        assert (status, "Team is ready" in text) == (200, True)
        room.pages["page"].send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(room.pages["page"].wait(), 60) == 0
        assert not second.is_running(), "the page ends after its worker"
        assert "was told to stop: it leaves its launches to others" in room.log("page")


async def test_a_page_that_is_killed_leaves_no_worker_and_another_page_s_worker_takes_the_file(
    tmp_path: Path,
) -> None:
    async with room_at(f"sqlite:///{tmp_path / 'tminus.db'}", tmp_path) as room:
        await room.serve("one")
        first = await room.worker("one")
        await room.serve("two")
        await room.says("two", "another worker has the SQLite file")
        assert "A worker that this page did not start" in (await room.get("two", "/launches"))[1]
        room.pages["one"].kill()
        assert await asyncio.wait_for(room.pages["one"].wait(), 30) == -signal.SIGKILL
        await room.gone(first, "one")
        second = await room.worker("two")
        assert second.is_running()
        assert room.log("two").count("its worker runs as process") == 2, "it was not asked again and again"
