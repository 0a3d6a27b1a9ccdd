"""`tminus launch` and `tminus worker` as people run them: a launch is counted down through the death of its worker."""

import asyncio
import json
import os
import re
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import ClientSession, web

from tminus.domain.orders import Act, Order
from tminus.domain.record import Event
from tminus.processes import wait_until
from tminus.signing import load_trust, trust_path, verify_file
from tminus.store import RecordStore, connect
from tminus.wiring import SystemClock
from tminus.wiring.opening import kept
from tminus.wiring.orders import give

if TYPE_CHECKING:
    from tests.conftest import Cluster

PLAN = Path(__file__).with_name("worker_plan.yaml")
DIGEST = f"sha256:{'ab' * 32}"
AHEAD = 3500.0
"""Seconds from the opening to T-0: the first milestone is due at once, and nothing more for long."""
SOON = 3.0
"""Seconds from a new date's being given to it."""
TAKEN, WORKS = "is taken", "runs the launches of"


@dataclass
class Yard:
    """One home and one database, the commands that are typed there, and the workers."""

    home: Path
    url: str
    site: str
    workers: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)
    more: dict[str, str] = field(default_factory=dict)
    """Further variables of the environment."""

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "TMINUS_HOME": str(self.home), "TMINUS_DATABASE_URL": self.url} | {
            "SITE": self.site,
            **self.more,
        }

    def log(self, name: str) -> Path:
        return self.home / f"{name}.log"

    async def work(self, *names: str) -> None:
        """Start workers, and wait until each of them works."""
        for name in names:
            with self.log(name).open("ab") as log:
                self.workers[name] = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "tminus", "worker", "--metrics-port", "0"),
                    env=self.environment,
                    stdout=log,
                    stderr=log,
                )
        for name in names:
            await self.says(name, WORKS)

    async def says(self, name: str, words: str, seconds: float = 90.0) -> None:
        await self.when(lambda: words in self.log(name).read_text(), f"{name}: {words}", seconds)

    async def when(self, true: Callable[[], bool], what: str, seconds: float = 90.0) -> None:
        async def seen() -> bool:
            return true()

        await wait_until(seen, seconds, what, log=self.log(next(iter(self.workers))))

    async def typed(self, *words: str) -> tuple[int, str]:
        """A command as a person types it: its exit code, and what it says."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tminus", *words, env=self.environment, stdout=-1, stderr=-2
        )
        said, _ = await asyncio.wait_for(process.communicate(), 120)
        assert process.returncode is not None
        return process.returncode, said.decode()

    async def figures(self, name: str) -> str:
        """What a worker's /metrics shows."""
        await self.says(name, "/metrics")
        (address,) = re.findall(r"http://\S+/metrics", self.log(name).read_text())
        async with ClientSession() as http, http.get(address) as answer:
            assert answer.status == 200
            return await answer.text()

    async def launch(self, plan: Path = PLAN) -> str:
        """Open a launch; its id."""
        t0 = datetime.fromtimestamp(SystemClock().now() + AHEAD, UTC).isoformat()
        code, said = await self.typed(
            "launch", str(plan), "--release", f"shop={DIGEST}", "--t0", t0, "--json"
        )
        assert code == 0, said
        return str(json.loads(said)["launch"])

    async def events(self, launch: str) -> list[Event]:
        engine = connect(self.url)
        try:
            return await RecordStore(engine).events(launch)
        finally:
            engine.dispose()

    async def recorded(self, launch: str, kind: str) -> None:
        async def seen() -> bool:
            return any(event.type == kind for event in await self.events(launch))

        log = self.log(next(iter(self.workers)))
        await wait_until(seen, 90, f"{kind} in the record", log=log)

    async def taker(self, launch: str) -> str:
        """Who has taken the launch."""

        def taken() -> list[str]:
            return [n for n in self.workers if f"{launch}  {TAKEN}" in self.log(n).read_text()]

        await self.when(lambda: bool(taken()), "somebody to take it")
        return taken()[0]

    async def kill(self, name: str) -> None:
        self.workers[name].kill()
        assert await asyncio.wait_for(self.workers[name].wait(), 30) == -signal.SIGKILL

    async def waiting(self, launch: str) -> None:
        """Wait for the middle: the first milestone is over, owners are told, and the next is far."""
        await self.recorded(launch, "notice.raised")

    async def bring_forward(self, launch: str, seconds: float = SOON) -> None:
        """Give the launch another date, seconds away, as `tminus reschedule` does."""
        _, plan = await kept(self.url, launch)
        t0 = SystemClock().now() + seconds
        order = Order("sooner", Act.RESCHEDULE, "Lena Ortiz", "everybody is here", new_t0=t0)
        await give(self.url, launch, order, plan, SystemClock())

    async def scrub(self) -> None:
        """Call the launch off by the name of its environment."""
        code, said = await self.typed("scrub", "staging", "--reason", "the test is over")
        assert (code, "the launch has ended" in said) == (0, True), said

    async def proved(self, launch: str) -> None:
        """The record proves what happened, each thing once, and nobody's decision."""
        record = self.home / "launches" / launch / "record.jsonl"
        report = await asyncio.to_thread(verify_file, record, load_trust(trust_path(self.home)))
        assert (report.trusted, report.outcome, report.decision) == (True, "scrubbed", None)
        kinds = Counter(event.type for event in await self.events(launch))
        assert kinds["milestone.reached"] == kinds["gate.judged"] == 3, (
            "one of the first date, two of the second"
        )
        assert (kinds["poll.opened"], kinds["decision.proposed"], kinds["launch.ended"]) == (1, 1, 1)
        assert not {"decision.made", "signoff.given", "step.started"} & set(kinds)

    async def stopped(self, name: str) -> int:
        """How a worker ends that is told to stop."""
        self.workers[name].terminate()
        return await asyncio.wait_for(self.workers[name].wait(), 60)

    async def end(self) -> None:
        for process in self.workers.values():
            if process.returncode is None:
                process.kill()
                await process.wait()


@asynccontextmanager
async def yard_at(url: str, home: Path) -> AsyncIterator[Yard]:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=200 if request.path == "/health" else 404)

    site = web.Application()
    site.add_routes([web.get("/{path}", answer)])
    runner = web.AppRunner(site, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yard = Yard(home, url, f"http://127.0.0.1:{runner.addresses[0][1]}")
    try:
        yield yard
    finally:
        await yard.end()
        await runner.cleanup()


async def test_a_launch_outlives_its_worker_on_postgresql_and_says_why_it_may_not_go(
    postgres: "Cluster", tmp_path: Path
) -> None:
    async with yard_at(postgres.engine_database(), tmp_path) as yard:
        await yard.work("w1", "w2")
        launch = await yard.launch()
        victim = await yard.taker(launch)
        await yard.waiting(launch)
        await yard.kill(victim)
        survivor = next(name for name in yard.workers if name != victim)
        await yard.bring_forward(launch)
        await yard.says(survivor, f"{launch}  {TAKEN}")
        await yard.recorded(launch, "decision.proposed")
        events = await yard.events(launch)
        verdicts = {e.data["check"]: e.data["verdict"] for e in events if e.type == "check.observed"}
        assert verdicts == {"site.up": "passed", "team.ready": "inconclusive", "bk.db": "failed"}
        (act,) = (event.data for event in events if event.type == "act.done")
        assert "names no target" in str(act["failed"])
        (proposal,) = (event.data for event in events if event.type == "decision.proposed")
        assert "DevOps Lead said nothing" in str(proposal["reasons"])
        await yard.scrub()
        await yard.says(survivor, f"{launch}  has ended: scrubbed")
        await yard.proved(launch)
        assert await yard.stopped(survivor) == 0


async def test_a_launch_goes_on_when_its_worker_on_sqlite_is_started_again_and_ends_while_none_runs(
    tmp_path: Path,
) -> None:
    async with yard_at(f"sqlite:///{tmp_path / 'tminus.db'}", tmp_path) as yard:
        await yard.work("w1")
        launch = await yard.launch()
        await yard.waiting(launch)
        figures = await yard.figures("w1")
        assert "tminus_launches_open 1.0" in figures
        assert float(re.findall(r'tminus_steps_done_total{result="done"} (\S+)', figures)[0]) > 0
        code, said = await yard.typed("doctor")
        assert code == 0, said
        await yard.kill("w1")
        await yard.bring_forward(launch)
        await yard.work("w2")
        code, said = await yard.typed("worker")
        assert (code, "another worker runs the launches" in said) == (3, True), said
        await yard.recorded(launch, "decision.proposed")
        assert await yard.stopped("w2") == 0
        await yard.scrub()
        await yard.proved(launch)
