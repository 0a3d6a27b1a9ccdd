"""A small launch in virtual time: one world that outlives the process, and processes that can die in it."""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from tests.unit.record_builder import signer
else:
    from record_builder import signer

from tminus.control.approval import Approval
from tminus.control.countdown import Countdown
from tminus.control.inspection import Inspection
from tminus.control.launch import Crew, Launch
from tminus.control.launchtime import LaunchTime
from tminus.control.liftoff import Liftoff
from tminus.control.measuring import Measuring
from tminus.control.opening import Binding
from tminus.control.ports import Engine, Json, Signatory, Verifier
from tminus.control.readiness import Readiness
from tminus.control.stages import Stages
from tminus.control.watch import Watch
from tminus.domain.canonical import sha256_hex, timestamp
from tminus.domain.course import course_of
from tminus.domain.evidence import Freshness, Observation
from tminus.domain.expectation import parse
from tminus.domain.guard import GuardLimits
from tminus.domain.invariant import Invariant
from tminus.domain.metric import Metric
from tminus.domain.orders import Act, Order, ordered
from tminus.domain.plan import Check, Kind, Omission, Plan, Role, Rollout, Rung, Severity
from tminus.domain.record import Entry, Event, append, encode
from tminus.domain.report import Report
from tminus.domain.timeline import LaunchClock
from tminus.domain.traffic import Side
from tminus.domain.trust import KeyKind, TrustedKey, TrustRoot
from tminus.domain.verification import verify
from tminus.engine.memory import MemoryEngine
from tminus.signing import checkpoint_entry, open_envelope, sign_statement
from tminus.testing import (
    Behaviour,
    Crash,
    FakeClock,
    FakeCommands,
    FakeComponents,
    FakeDatabase,
    FakeInvariants,
    FakeMeter,
    FakeProber,
    FakeSignatory,
    FakeSmoke,
    FakeTarget,
    FakeTraffic,
    FakeVerifier,
    Fate,
    MemoryRecord,
    ScriptedObserver,
)
from tminus.testing.stage import BY_HAND

T = TypeVar("T")

Code = Callable[[Engine], Awaitable[Json]]
"""What a process does with a launch."""

NAME = "depot-7"
"""The launch."""
OLD, NEW = sha256_hex(b"old image"), sha256_hex(b"new image")
RUNS_OLD, RUNS_NEW = f"sha256:{OLD}", f"sha256:{NEW}"
NOTHING_WRONG = Observation([])
LAUNCH = Freshness("launch")
BEHAVIOURS = {
    "good": Behaviour(),
    "errors": Behaviour(errors=0.3),
    "slow": Behaviour(slow=0.3),
}


def line(check: str, due: float, **more: Any) -> Check:
    """One line of a checklist, probed unless told otherwise."""
    if not {"kind", "probe"} & more.keys():
        more |= {"probe": "website.health", "expect": parse("empty")}
    given: dict[str, Any] = {
        "text": f"the line {check}",
        "section": "Lines",
        "kind": Kind.PROBE,
        "owner": "devops",
        "severity": Severity.REQUIRED,
        "fresh": LAUNCH,
        "hint": f"mend {check}",
    }
    return Check(id=check, due=due, **given | more)


CHECKS = (
    line("cfg.env", -7200.0),
    line(
        "rb.authority",
        -7200.0,
        kind=Kind.PERSON,
        note="the lead may order it",
        severity=Severity.BLOCKER,
        simulated=True,
    ),
    line("t2.maint", -7200.0, kind=Kind.NOT_APPLICABLE, note="no request is lost"),
    line(
        "bk.db",
        -7200.0,
        act="back up",
        probe="postgres.backup",
        expect=parse("empty"),
        severity=Severity.BLOCKER,
        fresh=Freshness("event", earliest=-7200.0, latest=0.0),
    ),
    line("t2.backup", -7200.0, kind=Kind.ROLLUP, of=("bk.db",)),
    line("t0.bg", 0.0, kind=Kind.STEP, step="initiate"),
    line("t0.migrate", 0.0, kind=Kind.STEP, step="migrate"),
    line("t0.green", 0.0, kind=Kind.STEP, step="green"),
    line("t0.smoke", 0.0, kind=Kind.STEP, step="smoke"),
    line("t0.shift", 0.0, kind=Kind.STEP, step="shift"),
    line("sign.devops", 0.0, kind=Kind.SIGNATURE, note="devops"),
    line(
        "ok.err",
        3600.0,
        probe="traffic.errors",
        expect=parse("< 1%"),
        arguments={"seconds": 15},
        control={"spoil": 0.05},
    ),
    line("ok.logs", 3600.0, severity=Severity.ADVISORY),
    line("t4p.blueoff", 14400.0, kind=Kind.STEP, step="end blue"),
)
PLAN = Plan(
    name="a small launch",
    digest=sha256_hex(b"plan"),
    production=False,
    components=("depot",),
    checks=CHECKS,
    omitted=(Omission(("cfg.cors", "rb.tested"), "not built"),),
    roles=(
        Role("lead", "Deployment Lead", "Lena Ortiz", simulated=True, decides=True),
        Role("devops", "DevOps Lead", "Dario Voss", simulated=True, signs=True),
        Role("qa", "QA Lead", "Quentin Mbeki", simulated=True, signs=True),
    ),
    milestones=(-7200.0, 0.0, 3600.0, 14400.0),
    rollout=Rollout((Rung(50, 2.0, 50), Rung(100, 2.0, 100)), drain_seconds=5.0),
    systems={"website": {"kind": "website", "address": "env:X", "real": True}},
    triggers=(),
)


INVARIANTS = (
    Invariant("rows", "SELECT count(*) FROM archive", None),
    Invariant("orphans", "SELECT count(*) FROM ledger", parse("== 0")),
)
WHOLE = {"rows": 100, "orphans": 0}
"""What both give while nothing is damaged."""


class KeySignatory:
    """Signs with real keys, one for each role, the same in every run."""

    def __init__(self, fate: Fate, seed: str = "ours") -> None:
        self.signers = {role: signer(role, seed) for role in ("lead", "devops", "qa", "server")}
        self._fate = fate

    def sign(self, role: str, statement: Json) -> Json:
        """See `Signatory.sign`."""
        self._fate.act(f"sign as {role}")
        return sign_statement(self.signers[role], statement)

    def trust(self) -> TrustRoot:
        """Everybody's keys."""
        people = [
            TrustedKey(
                self.signers[role.id].keyid, role.person, KeyKind.PERSON, (role.id,), simulated=role.simulated
            )
            for role in PLAN.roles
        ]
        return TrustRoot((*people, TrustedKey(self.signers["server"].keyid, "server", KeyKind.SERVER)))


@dataclass
class World:
    """Everything outside the process, and what the engine remembers of it."""

    plan: Plan = PLAN
    release: str = "good"
    speed: float = 3600.0
    asks: bool = False
    inspected: bool = False
    """Whether the plan has invariants."""
    metrics: tuple[Metric, ...] = ()
    """What the team measures."""
    rate: float = 100.0
    signatory: Any = None
    fate: Fate = field(default_factory=Fate)
    chain: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = FakeClock(patience=100_000.0 if self.speed < 100 or self.asks else 600.0)
        self.t0 = self.clock.now() + 7200.0
        self.code: Code = self.body
        self.engine = MemoryEngine({"launch": lambda engine, _: self.code(engine)}, self.clock, self.fate)
        self.traffic = FakeTraffic(self.clock, self.rate)
        self.traffic.behaviour[Side.GREEN] = BEHAVIOURS[self.release]
        self.target = FakeTarget(self.clock, self.traffic, RUNS_OLD, self.fate)
        self.database = FakeDatabase(self.fate)
        self.smoke = FakeSmoke()
        self.commands = FakeCommands(self.fate)
        self.components = FakeComponents(self.fate)
        self.prober = FakeProber()
        self.verifier: Verifier = FakeVerifier()
        self.data = FakeInvariants(WHOLE)
        self.meter = FakeMeter()
        self.observer = ScriptedObserver(default=NOTHING_WRONG)
        self.observer.scripts["ok.err"] = [Observation(0.0)]
        self.observer.controls["ok.err"] = Observation(0.05)
        if self.signatory is None:
            self.signatory = FakeSignatory(self.fate)
        self.boot()

    def boot(self) -> Crew:
        """A new process: everything that it holds in its own memory is new."""
        self._steps: Engine | None = None
        signatory: Signatory = self.signatory
        self.time = LaunchTime(self.clock, LaunchClock(self.t0, self.speed))
        self.record = MemoryRecord(self.time, self.chain, self.fate)
        self.watch = Watch(self.target, self.traffic, self.prober, self.clock, GuardLimits())
        if self.inspected:
            self.watch.inspection = Inspection(INVARIANTS, self.data, self.clock, every=1.0)
        if self.metrics:
            self.watch.measuring = Measuring(self.metrics, self.meter, self.clock)
        self.readiness = Readiness(self.plan.checks, self.record, self.observer, self.clock)
        stages = Stages(
            self.target,
            self.traffic,
            self.database,
            self.smoke,
            self.watch,
            self.time,
            self.commands,
            self.components,
            self.verifier,
        )
        self.crew = Crew(self.plan, self.record, self.readiness, signatory, self.time, stages)
        return self.crew

    async def body(self, engine: Engine) -> Json:
        """The launch, as one process runs it."""
        return await self.put_together(engine).run()

    async def until_poll(self, _: Engine) -> Json:
        """The countdown alone, as one process runs it."""
        self.boot()
        await self.open()
        stop = await self.countdown().run({"back up": self.database.back_up})
        return {"due": stop.due.value}

    def put_together(self, engine: Engine) -> Launch:
        """The launch in a new process."""
        binding = Binding(NAME, {"depot": NEW}, {"depot": OLD}, self.t0, self.speed, BY_HAND, asks=self.asks)
        return Launch(binding, self.boot(), engine)

    async def launch(self) -> Json:
        """The whole launch, started again after every crash."""
        while True:
            try:
                return await self.start()
            except Crash:
                continue

    async def start(self) -> Json:
        """What one process does of the launch; raises `Crash` when it dies before the launch is over."""
        await self.engine.start()
        try:
            await self.engine.begin("launch", NAME)
            return await self.engine.finish(NAME)
        finally:
            await self.engine.stop()

    @property
    def steps(self) -> Engine:
        """The engine as a part of the launch sees it that is run alone; from the beginning in each process."""
        if self._steps is None:
            self._steps = self.engine.steps(NAME)
        return self._steps

    async def passing(self, act: Awaitable[T]) -> T:
        """Let time pass while a part of the launch acts."""
        return await self.engine.passing(act)

    async def open(self) -> None:
        """Record a launch as open, for tests of what comes after."""
        launch = Launch(
            Binding(NAME, {"depot": NEW}, {"depot": OLD}, self.t0, self.speed, BY_HAND, asks=self.asks),
            self.crew,
            self.steps,
        )
        await launch._open()

    def go(self) -> None:
        """Record a GO, for tests of what comes after it."""
        for kind, data in (("poll.opened", {}), ("decision.made", {"decision": "go"})):
            self._record(Entry(kind, kind, data, timestamp(self.clock.now()), self.time.t_ms()))

    def order(self, act: Act, reason: str = "enough", **more: Any) -> None:
        """A person's order now, as a command gives it: judged, recorded, and the launch woken."""
        order = Order(f"{act}-{len(self.chain)}", act, "Lena Ortiz", reason, **more)
        for entry in ordered(course_of(self.chain), order, self.clock.now(), self.plan):
            self._record(entry)
        self.tell("control", {"id": order.id, "order": act.value}, order.id)

    def tell(self, topic: str, message: Json, key: str) -> None:
        """Leave the launch a message."""
        self.engine.leave(NAME, topic, message, key)

    def _record(self, entry: Entry) -> None:
        self.chain.append(append(self.chain[-1], entry))

    def approval(self) -> Approval:
        """The poll and the decision alone."""
        return Approval(self.plan, self.steps, self.record, self.signatory, self.time)

    def countdown(self) -> Countdown:
        """The milestones before T-0 alone."""
        return Countdown(self.plan, self.steps, self.record, self.readiness, self.time)

    def liftoff(self) -> Liftoff:
        """The rollout alone."""
        return Liftoff(self.plan, self.steps, self.record, self.readiness, self.crew.stages)

    def events(self, kind: str) -> list[dict[str, Any]]:
        """The data of every event of this type."""
        return [dict(event.data) for event in self.chain if event.type == kind]

    def verdicts(self) -> dict[str, str]:
        """The newest verdict of every line."""
        return {data["check"]: data["verdict"] for data in self.events("check.observed")}

    def rules(self) -> list[str]:
        """What the launch was held by, in order."""
        return [data["rule"] for data in self.events("launch.held")]

    def harmed(self) -> int:
        """How many users met an error."""
        return sum(outcome.failed for outcome in self.watch.outcomes())

    def done(self) -> Counter[tuple[str, str]]:
        """How often each act was done to the world, by the step it was done in."""
        return Counter(self.fate.acts)

    def sealed_chain(self) -> list[Event]:
        """What was recorded, and the server's signature over it."""
        keys = self.signatory
        assert isinstance(keys, KeySignatory)
        at, t_ms = timestamp(self.clock.now()), self.time.t_ms()
        seal = checkpoint_entry(keys.signers["server"], NAME, at, t_ms)
        return [*self.chain, append(self.chain[-1], seal(self.chain[-1]))]

    def sealed(self) -> Report:
        """What the record proves, once the server has signed it."""
        lines = [encode(event) for event in self.sealed_chain()]
        return verify(lines, open_envelope, self.signatory.trust())


def with_line(plan: Plan, check: str, **changes: Any) -> Plan:
    """The plan with one line changed."""
    checks = tuple(replace(found, **changes) if found.id == check else found for found in plan.checks)
    return replace(plan, checks=checks)
