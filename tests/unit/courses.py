"""Launches for tests of their course: a plan, a record that grows, orders that are recorded."""

from dataclasses import dataclass, field
from typing import Any

from tminus.domain.canonical import timestamp
from tminus.domain.course import Course, course_of
from tminus.domain.evidence import Claim, Freshness, Source, Verdict
from tminus.domain.freezes import Freeze, Span
from tminus.domain.orders import Act, Category, Order, ordered
from tminus.domain.plan import Check, Kind, Plan, Role, Rollout, Rung, Severity
from tminus.domain.record import OPENED, Entry, Event, append

T0 = 1_800_000_000.0
HOUR = 3600.0
FREEZE = Freeze("Year end", Span(T0 + 10 * HOUR, T0 + 20 * HOUR))


def line(name: str, kind: Kind, due: float, **more: Any) -> Check:
    """One required line of the role `devops`."""
    about = {
        "owner": "devops",
        "severity": Severity.REQUIRED,
        "fresh": Freshness("launch"),
        "person": "Dario Voss",
    }
    return Check(id=name, text=name, section="Readiness", kind=kind, due=due, **{**about, **more})


LINES = (
    line("site.up", Kind.PROBE, -2 * HOUR, fresh=Freshness("live", 300.0)),
    line("cfg.maps", Kind.PROBE, -2 * HOUR, fresh=Freshness("fingerprint")),
    line("team.ready", Kind.PERSON, -4 * HOUR, owner="lead"),
    line("vendor.word", Kind.PERSON, -2 * HOUR, fresh=Freshness("event", 0.0, -4 * HOUR, -2 * HOUR)),
    line("t0.smoke", Kind.STEP, 0.0),
    line("sign.devops", Kind.SIGNATURE, 0.0, note="devops"),
    line("ok.errors", Kind.PROBE, HOUR, fresh=Freshness("live", 60.0)),
    line("feedback", Kind.PERSON, HOUR, severity=Severity.ADVISORY),
)
PLAN = Plan(
    name="ours",
    digest="0" * 64,
    production=False,
    components=("depot",),
    checks=LINES,
    omitted=(),
    roles=(
        Role("lead", "Deployment Lead", "Lena Ortiz", simulated=False, decides=True),
        Role("devops", "DevOps Lead", "Dario Voss", simulated=False, signs=True),
    ),
    milestones=(-4 * HOUR, -2 * HOUR, 0.0, HOUR),
    rollout=Rollout((Rung(100, 1.0, 1),), 1.0),
    systems={},
    triggers=(),
    freezes=(FREEZE,),
)


@dataclass
class Launched:
    """The record of one launch, written as a launch writes it."""

    plan: Plan = PLAN
    now: float = T0 - 24 * HOUR
    events: list[Event] = field(default_factory=list)
    orders: int = 0

    def __post_init__(self) -> None:
        self.add(OPENED, launch="prod-1", schedule={"t0": timestamp(T0), "speed": 1})

    @property
    def course(self) -> Course:
        """What the whole record comes to."""
        return course_of(self.events)

    def add(self, type_: str, **data: Any) -> None:
        """One event as the launch itself records it."""
        t_ms = round((self.now - T0) * 1000)
        self.record(Entry(type_, f"{type_}:{len(self.events)}", data, timestamp(self.now), t_ms))

    def record(self, entry: Entry) -> None:
        """One entry at the end of the record."""
        self.events.append(append(self.events[-1] if self.events else None, entry))

    def order(self, act: Act, **more: Any) -> tuple[Entry, ...]:
        """Give an order now and record what it makes."""
        self.orders += 1
        about: dict[str, Any] = {"id": f"o{self.orders}", "by": "Lena Ortiz", "reason": "because of the test"}
        entries = ordered(self.course, Order(act=act, **{**about, **more}), self.now, self.plan)
        for entry in entries:
            self.record(entry)
        return entries

    def no_go(self, **more: Any) -> tuple[Entry, ...]:
        """Decide against this T-0."""
        return self.order(Act.NO_GO, **{"category": Category.READINESS, "unscheduled": True, **more})

    def attest(self, check: str) -> None:
        """A person's word for a line."""
        self.add("check.attested", check=check, source="person", verdict="passed")

    def up_to(self, phase: str) -> "Launched":
        """Bring the launch as it would go by itself into this phase."""
        way = {
            "counting": ("poll.opened", {}),
            "polling": ("decision.made", {"decision": "go"}),
            "go": ("step.started", {"step": "initiate"}),
            "launching": ("step.done", {"step": "promote"}),
            "soaking": ("launch.ended", {"outcome": "landed"}),
        }
        while self.course.phase != phase:
            type_, data = way[self.course.phase]
            self.add(type_, **data)
        return self


def claim(check: str, at: float, verdict: Verdict = Verdict.PASSED, t: float = 0.0) -> Claim:
    """What stands behind a line since `at`."""
    return Claim(check, verdict, "f" * 64, Source.PROBE, at, t, "seen")
