"""One rollout of a release that turns bad, with the real proxy, target, log, guard, engine and record.

`rollback.py` forks a process for each, since the engine is one to a process.
"""

import asyncio
import random
import time
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.light import NEW, OLD, Scene, opened
else:
    from light import NEW, OLD, Scene, opened

import aiohttp

from tminus import processes
from tminus.control.launchtime import LaunchTime
from tminus.control.liftoff import Liftoff
from tminus.control.opening import OPENED_KEY, Binding, opening
from tminus.control.ports import Engine, Json
from tminus.control.readiness import Readiness
from tminus.control.rollback import Rollback
from tminus.control.stages import Stages
from tminus.control.watch import Watch
from tminus.domain.canonical import sha256_hex
from tminus.domain.guard import Action, GuardLimits
from tminus.domain.plan import Plan, Rollout, Rung
from tminus.domain.record import OPENED
from tminus.domain.timeline import LaunchClock
from tminus.domain.traffic import Side, WeightChange
from tminus.engine.durable import DurableEngine
from tminus.errors import PartError, ProbeError
from tminus.haproxy import Runtime
from tminus.http import connect
from tminus.store.record import RecordStore
from tminus.store.tables import connect as connect_store
from tminus.targets.trace import ProxyTrace
from tminus.testing import FakeCommands, FakeComponents, FakeDatabase, FakeVerifier, ScriptedObserver
from tminus.wiring import LaunchRecord, PublicProber, SystemClock

CLOCK = SystemClock()
PERCENT = 10
RATE = 50.0
"""Users' requests a second, as in a Poisson process."""
LONGEST = 90.0
"""Seconds after the fault at which the run is given up."""
KNOWN = 1_200
"""Blue has users before a launch: from 1,000 of its requests the guard learns what is usual."""
HEALTHY = {"median_ms": 60.0, "spread": 0.5}
SLOWER = {"median_ms": 400.0, "spread": 0.4}
"""p95 of 772 ms; twice as much is below every limit of the plan."""
FAULTS: dict[str, tuple[dict[str, float], dict[str, float]]] = {
    "errors": (HEALTHY, {"errors": 0.2}),
    "p95": (SLOWER, {"times": 2.0}),
}
"""How both sides answer before, and what is ordered of green."""
PLAN = Plan(
    name="one rung",
    digest=sha256_hex(b"one rung"),
    production=False,
    components=("depot",),
    checks=(),
    omitted=(),
    roles=(),
    milestones=(0.0,),
    rollout=Rollout((Rung(PERCENT, 600.0, 10),), drain_seconds=5.0),
    systems={},
    triggers=(),
)


class LightSmoke:
    """A side that answers has passed."""

    async def failures(self, url: str) -> list[str]:
        """See `Smoke.failures`."""
        try:
            async with connect(url, seconds=2.0) as http:
                status = (await http.get("/health")).status
        except ProbeError as error:
            return [str(error)]
        return [] if status == 200 else [f"/health answered {status}"]


@dataclass
class Users:
    """Who send, at a steady rate, and remember what they met."""

    url: str
    dice: random.Random
    failed_at: list[float] = field(default_factory=list)
    """When each failure came, in seconds of the epoch."""
    sent: int = 0

    async def send(self, over: asyncio.Event) -> None:
        """Until it is over, and everybody has an answer; nobody waits for another's."""
        under_way: set[asyncio.Task[None]] = set()
        timeout = aiohttp.ClientTimeout(20)
        async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0)) as session:
            due = time.monotonic()
            while not over.is_set():
                due += self.dice.expovariate(RATE)
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                task = asyncio.create_task(self._one(session, self.dice.randrange(200)))
                under_way.add(task)
                task.add_done_callback(under_way.discard)
            await asyncio.gather(*under_way)

    async def _one(self, session: aiohttp.ClientSession, user: int) -> None:
        self.sent += 1
        try:
            async with session.post(f"{self.url}/documents", headers={"X-Client": f"user-{user}"}) as answer:
                await answer.read()
                failed = answer.status >= 500
        except (aiohttp.ClientError, TimeoutError):
            failed = True
        if failed:
            self.failed_at.append(CLOCK.now())


@dataclass
class Run:
    """One rollout, put together as a launch is."""

    scene: Scene
    folder: Path
    seed: int

    def __post_init__(self) -> None:
        clock = CLOCK
        stage, target = self.scene.stage, self.scene.target
        self.time = LaunchTime(clock, LaunchClock(clock.now(), 1.0))
        self.database = f"sqlite:///{self.folder / 'launch.db'}"
        self.store = RecordStore(connect_store(self.database))
        self.record = LaunchRecord(self.store, "run", self.time)
        self.trace = ProxyTrace(
            self.folder / "trace.jsonl", stage.log_port, stage.log_secret, Runtime(stage.admin)
        )
        watch = Watch(target, self.trace, PublicProber(stage.url), clock, GuardLimits())
        readiness = Readiness(PLAN.checks, self.record, ScriptedObserver(), clock)
        self.stages = Stages(
            target,
            self.trace,
            FakeDatabase(),
            LightSmoke(),
            watch,
            self.time,
            FakeCommands(),
            FakeComponents(),
            FakeVerifier(),
        )
        self.readiness = readiness
        self.engine = DurableEngine(self.database, {"launch": self.body}, clock, alone=True)

    async def body(self, engine: Engine, launch: str) -> Json:
        """The rollout and, when the guard says so, the way back."""
        release, previous = ({"depot": digest.removeprefix("sha256:")} for digest in (NEW, OLD))
        binding = Binding(launch, release, previous, self.time.now(), 1.0, (), asks=False)
        await self.record.append_once(OPENED_KEY, OPENED, opening(PLAN, binding))
        liftoff = Liftoff(PLAN, engine, self.record, self.readiness, self.stages)
        sight = await liftoff.run(release, previous)
        if sight.action is Action.ROLLBACK:
            rollback = Rollback(engine, self.record, self.stages.target, self.stages.clock)
            await rollback.run(sight.rule, sight.text, self.stages.watch, OLD)
            await rollback.stop_green(PLAN.rollout.drain_seconds)
        return {"rule": sight.rule, "text": sight.text}

    def weights(self) -> list[WeightChange]:
        """Every weight that was read back."""
        return [item for item in self.trace.items(0) if isinstance(item, WeightChange)]


async def run(scene: Scene, folder: Path, seed: int, fault: str, healthy: float) -> Json:
    """How one rollout went, from the fault on."""
    dice = random.Random(seed)
    before, after = FAULTS[fault]
    one, users = Run(scene, folder, seed), Users(scene.stage.url, dice)
    await one.store.prepare()
    await one.trace.start()
    await scene.order(Side.BLUE, **before)
    enough = asyncio.Event()
    sending = asyncio.create_task(users.send(enough))
    await one.engine.start()

    async def known() -> bool:
        return users.sent >= KNOWN

    await processes.wait_until(known, 120, "users on blue, as before every launch")
    await one.engine.begin("launch", "run")

    async def on_green() -> bool:
        # Green answers as blue does before its first user.
        if processes.find(scene.stage.folder, Side.GREEN) is not None:
            with suppress(ProbeError):  # it has only just been started
                await scene.order(Side.GREEN, **before)
        return any(change.percent == PERCENT for change in one.weights())

    await processes.wait_until(on_green, 120, "users on green")
    await asyncio.sleep(healthy)
    early = await one.engine.result("run")
    at = CLOCK.now()
    if early is None:
        await scene.order(Side.GREEN, **after)

    async def over() -> bool:
        return await one.engine.result("run") is not None

    with suppress(PartError):  # a guard that does nothing is a finding
        await processes.wait_until(over, LONGEST, "the way back")
    result = await one.engine.result("run")
    zero = [change.at for change in one.weights() if change.percent == 0]
    green = [o for o in one.trace.outcomes() if o.side is Side.GREEN and o.at >= at]
    enough.set()
    await sending
    if result is not None:
        await one.engine.stop()
    await one.trace.stop()
    return {
        "seed": seed,
        "early": early is not None,
        "rule": result["rule"] if result else "",
        "text": result["text"] if result else "",
        "seconds": zero[0] - at if zero else None,
        "failed": sum(moment >= at for moment in users.failed_at),
        "failed_before": sum(moment < at for moment in users.failed_at),
        "green_failed": sum(outcome.failed for outcome in green),
        "green_requests": len(green),
        "sent": users.sent,
        "weight_left": (await scene.proxy.get_weights()).green,
    }


async def _main(folder: Path, seed: int, fault: str, healthy: float) -> Json:
    async with opened(folder, seed) as scene:
        return await run(scene, folder, seed, fault, healthy)


def live(told: Connection, folder: Path, seed: int, fault: str, healthy: float) -> None:
    """The run on a stage of its own, in this process; what came of it goes into the pipe."""
    told.send(asyncio.run(_main(folder, seed, fault, healthy)))
