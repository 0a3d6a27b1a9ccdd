"""Can T-0 hold? Which milestones are behind, by how much, and the earliest T-0 that could.

A forecast is arithmetic on stated assumptions, not knowledge: it says them, and decides nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tminus.domain.course import Course
from tminus.domain.decision import GREEN, standing
from tminus.domain.evidence import Claim
from tminus.domain.freezes import thawed
from tminus.domain.offsets import clock
from tminus.domain.orders import BEFORE_GO
from tminus.domain.plan import Check, Kind, Plan, Severity

WORD = 300.0
"""Seconds that a person is assumed to need for one line, or for one sign-off."""
REPAIR = 1800.0
"""Seconds that an owner is assumed to need to mend one line that failed or could not be seen."""
LOOK = 60.0
"""Seconds until a line that only has to be looked at has been."""

ASSUMES = (
    f"an owner attests a line in {WORD / 60:g} min and mends a failed or unknown one in {REPAIR / 60:g} min",
    "owners work side by side, each at one line after another",
    f"those who sign do so within {WORD / 60:g} min after the last line is green",
    "nothing that is green now turns, and a clock that is held is resumed at once",
)
"""What a forecast rests on, for people to read beside it."""


@dataclass(frozen=True, slots=True)
class Behind:
    """A milestone whose time is past and whose lines are not all green."""

    offset: float
    name: str
    seconds: float
    """How long ago it was, on the launch clock."""
    checks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Forecast:
    """What can be said at one moment of the T-0 of a launch."""

    behind: tuple[Behind, ...]
    t0: float
    """T-0 as it stands, a hold that goes on added as far as it has lasted; seconds of the epoch."""
    earliest: float | None
    """The earliest T-0 that could hold; none when freezes leave no time for one."""
    assumes: tuple[str, ...] = ASSUMES

    @property
    def holds(self) -> bool:
        """Whether T-0 can hold."""
        return self.earliest == self.t0


def forecast(plan: Plan, course: Course, claims: Mapping[str, Claim], now: float) -> Forecast | None:
    """How T-0 looks at `now` (seconds of the epoch); none for a launch that has no T-0, or has had its GO."""
    t = course.clock(now)
    if t is None or course.t0 is None or course.phase not in BEFORE_GO:
        return None
    lacking = [check for check in plan.before_go() if _lacks(check, claims.get(check.id), now)]
    t0 = now - t
    could = max((t0, _ready(plan, course, lacking, claims, now), *_windows(lacking, claims, now)))
    earliest = t0 if could == t0 else thawed(plan.freezes, could)
    return Forecast(_behind(lacking, t), t0, earliest)


def _lacks(check: Check, claim: Claim | None, now: float) -> bool:
    closes = check.severity is not Severity.ADVISORY and check.kind is not Kind.ROLLUP
    return closes and standing(check, claim, now) not in GREEN


def _behind(lacking: list[Check], t: float) -> tuple[Behind, ...]:
    late: dict[float, list[str]] = {}
    for check in sorted(lacking, key=lambda check: check.due):
        if check.due <= t:
            late.setdefault(check.due, []).append(check.id)
    return tuple(Behind(due, clock(due), t - due, tuple(checks)) for due, checks in late.items())


def _work(check: Check, claim: Claim | None) -> float:
    """Seconds until one line can be green."""
    if check.kind is Kind.PERSON:
        return WORD
    return LOOK if claim is None or claim.verdict in {"passed", "warned"} else REPAIR


def _ready(
    plan: Plan, course: Course, lacking: list[Check], claims: Mapping[str, Claim], now: float
) -> float:
    """When every line is green and everybody has signed."""
    work: dict[str, float] = {}
    for check in lacking:
        work[check.owner] = work.get(check.owner, 0.0) + _work(check, claims.get(check.id))
    unsigned = any(role.signs and course.signed.get(role.id) != "go" for role in plan.roles)
    return now + max(work.values(), default=0.0) + (WORD if unsigned else 0.0)


def _windows(lacking: list[Check], claims: Mapping[str, Claim], now: float) -> list[float]:
    """For each act that is still to be done: the T-0 for which it would lie at the end of its window."""
    return [
        now + _work(check, claims.get(check.id)) - check.fresh.latest
        for check in lacking
        if check.fresh.kind == "event"
    ]
