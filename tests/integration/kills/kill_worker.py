"""A process that runs one compressed launch, or goes on with it, until it has ended and its record is sealed."""

import asyncio
import json
import os
from dataclasses import dataclass
from multiprocessing import parent_process
from pathlib import Path
from threading import Thread

from kill_engine import Doing, Told, begin, durable
from kill_ports import Line, WorldDatabase, WorldOutlook, WorldTarget, WorldTraffic
from kill_world import NEW, OLD

from tminus.control.approval import TOPIC
from tminus.control.countdown import CONTROL
from tminus.control.inspection import Inspection
from tminus.control.launch import Crew, Launch
from tminus.control.launchtime import LaunchTime
from tminus.control.opening import Binding
from tminus.control.ports import Engine, Json
from tminus.control.readiness import Readiness
from tminus.control.stages import Stages
from tminus.control.watch import Watch
from tminus.domain.expectation import parse
from tminus.domain.invariant import Invariant
from tminus.domain.plan import Plan
from tminus.domain.timeline import LaunchClock
from tminus.engine.durable import DurableEngine
from tminus.planfile import read
from tminus.signing import trust_path
from tminus.store.record import RecordStore
from tminus.store.tables import connect
from tminus.testing import FakeCommands, FakeComponents
from tminus.wiring import LaunchRecord, SystemClock, launch_folder, seal
from tminus.wiring.judging import guard_limits
from tminus.wiring.keys import Keys
from tminus.wiring.proving import OwnTrust

PLAN = Path(__file__).with_name("kill_plan.yaml")
SPEED = 60_000.0
"""Times as fast as waits run: 20 hours in 1.2 s."""
LOOK_SECONDS = 0.1
"""How often this process looks whether its launch is over, and whether somebody is asked."""
INVARIANTS = (
    Invariant("rows", "SELECT count(*) FROM archive", None),
    Invariant("orphans", "SELECT count(*) FROM ledger", parse("== 0")),
)


@dataclass(frozen=True, slots=True)
class Task:
    """What one process is to do."""

    home: Path
    launch: str
    database: str
    """`sqlite:///FILE` or `postgresql+psycopg://…`."""
    world: int
    """The port of the world."""
    t0: float
    dies: tuple[str, ...] = ()
    """At which boundaries it is to die."""
    alone: bool = True
    """Whether no other process runs beside it."""
    life: str = "0"
    """Its name among the processes of this launch."""

    @property
    def folder(self) -> Path:
        """Where everything about this launch is kept."""
        return launch_folder(self.home, self.launch)


class Process:
    """The launch put together, as `wiring.local_launch` does."""

    def __init__(self, task: Task, plan: Plan) -> None:
        self.task = task
        self.plan = plan
        self.clock = SystemClock()
        self.time = LaunchTime(self.clock, LaunchClock(task.t0, SPEED))
        self.store = RecordStore(connect(task.database))
        self.record = LaunchRecord(self.store, task.launch, self.time)
        self.doing = Doing(task.folder, task.life, task.dies)
        self.line = Line(task.world, task.launch, self.doing.by)

    def crew(self) -> Crew:
        """Everything that the launch works with."""
        line, clock, plan = self.line, self.clock, self.plan
        target, traffic, database = WorldTarget(line), WorldTraffic(line), WorldDatabase(line)
        outlook = WorldOutlook(line)
        watch = Watch(target, traffic, outlook, clock, guard_limits(plan))
        watch.inspection = Inspection(INVARIANTS, database, clock, every=1.0)
        readiness = Readiness(plan.checks, self.record, outlook, clock)
        stages = Stages(
            target,
            traffic,
            database,
            outlook,
            watch,
            self.time,
            FakeCommands(),
            FakeComponents(),
            OwnTrust(trust_path(self.task.home)),
        )
        signatory = Keys(self.task.home).signatory(plan)
        return Crew(plan, self.record, readiness, signatory, self.time, stages)

    async def body(self, engine: Engine, launch: str) -> Json:
        """The launch itself."""
        release, previous = {"depot": NEW}, {"depot": OLD}
        binding = Binding(launch, release, previous, self.task.t0, SPEED, ("echo by hand",), asks=True)
        return await Launch(binding, self.crew(), Told(engine, self.doing)).run()

    async def over(self, engine: DurableEngine) -> Json:
        """The launch's result, once it is over; the person who decides says GO as soon as somebody asks."""
        said = False
        while (result := await engine.result(self.task.launch)) is None:
            if not said and any(event.key == "asked" for event in await self.record.events()):
                word: Json = {"decision": "go", "reason": "the gate is open"}
                await engine.send(self.task.launch, TOPIC, word, "the decision")
                look: Json = {"id": "the decision", "order": "look"}
                await engine.send(self.task.launch, CONTROL, look, "look at the decision")
                said = True
            await asyncio.sleep(LOOK_SECONDS)
        return result


async def _live(task: Task) -> None:
    process = Process(task, read(PLAN))
    process.doing.reach("life", "begins")
    await process.store.prepare()
    engine = durable(task.database, process.body, alone=task.alone)
    await engine.start()
    await begin(engine, task.launch)
    result = await process.over(engine)
    process.doing.reach("life", "sees the end")
    await seal(process.store, task.launch, task.home, process.time)
    (task.folder / "result.json").write_text(json.dumps(result), encoding="utf-8")
    await engine.stop()


def live(task: Task) -> None:
    """One life of the launch; ends with 0 when the launch is over and sealed, and with whoever started it."""
    Thread(target=_end_with_parent, daemon=True).start()
    asyncio.run(_live(task))


def _end_with_parent() -> None:
    """A launch whose world is gone would hold for ever."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
