"""Who is told of lines that wait for them: due soon, due, late, and escalated to those who decide.

A line is named once of each kind to each role. Who was not told of an earlier kind in time is told the latest only.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from tminus.domain.course import Course
from tminus.domain.decision import GREEN, standing
from tminus.domain.evidence import Claim
from tminus.domain.orders import BEFORE_GO
from tminus.domain.plan import Check, Kind, Plan, Severity
from tminus.domain.rollout import State


class NoticeKind(StrEnum):
    """What a notice says, the mildest first."""

    SOON = "due-soon"
    DUE = "due"
    LATE = "late"
    ESCALATED = "escalated"
    """Late for so long that those who decide are told."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What one role is told at one moment: the lines of a milestone that wait."""

    kind: NoticeKind
    to: str
    """The role: the lines' owner, or one that decides."""
    milestone: float
    """The offset at which the lines are due."""
    checks: tuple[str, ...]
    at: float
    """The instant from which it is to be told, in seconds of the epoch."""
    key: str
    """The key of the record under which it is told once."""

    def data(self) -> dict[str, object]:
        """What `notice.raised` says of it."""
        return {"notice": self.kind.value, "to": self.to, "checks": list(self.checks)}


@dataclass(frozen=True, slots=True)
class _Moment:
    kind: NoticeKind
    to: str
    offset: float
    check: Check

    @property
    def name(self) -> str:
        return f"{self.kind}:{self.to}:{self.check.id}"


def notices(plan: Plan, course: Course, claims: Mapping[str, Claim], now: float) -> tuple[Notice, ...]:
    """What is to be told at `now` (seconds of the epoch) and was not yet; nothing while the launch has no date."""
    t = course.clock(now)
    if t is None or course.t0 is None or course.leaving:
        return ()
    grouped: dict[tuple[NoticeKind, str, float], list[_Moment]] = {}
    for check in plan.checks:
        if not waits(course, check, claims.get(check.id), now):
            continue
        for moment in _due(plan, course, check, t):
            grouped.setdefault((moment.kind, moment.to, check.due), []).append(moment)
    return tuple(
        Notice(
            kind,
            to,
            due,
            tuple(moment.check.id for moment in moments),
            course.t0 + min(moment.offset for moment in moments),
            course.key(f"notice:{kind}:{to}:{moments[0].check.id}"),
        )
        for (kind, to, due), moments in grouped.items()
    )


def next_notice(plan: Plan, course: Course, claims: Mapping[str, Claim], now: float) -> float | None:
    """The next instant at which somebody is to be told something, as it stands now; none when nobody is.

    It may lie before `now`: then a notice is due. While the clock is held nothing more falls due.
    """
    if due := notices(plan, course, claims, now):
        return min(notice.at for notice in due)
    t = course.clock(now)
    if t is None or course.t0 is None or course.held or course.leaving:
        return None
    ahead = [
        moment.offset
        for check in plan.checks
        if waits(course, check, claims.get(check.id), now, later=True)
        for moment in _moments(plan, check)
        if moment.offset > t and moment.name not in course.raised
    ]
    return course.t0 + min(ahead) if ahead else None


def waits(course: Course, check: Check, claim: Claim | None, now: float, *, later: bool = False) -> bool:
    """Whether a line waits for somebody at `now`: it is not green, and a person can do something about it.

    A probe that has not looked yet, or not lately, waits for nobody until the line is due; with `later`, as if it were.
    """
    t = course.clock(now)
    if t is None or (check.simulated and check.kind is Kind.PERSON):
        return False
    if check.kind is Kind.SIGNATURE:
        return course.phase is State.POLLING and check.note not in course.signed
    phases = BEFORE_GO if check.due < 0 else {State.LAUNCHING, State.SOAKING}
    if check.kind not in {Kind.PROBE, Kind.PERSON} or course.phase not in phases:
        return False
    stands = standing(check, claim, now)
    if check.kind is Kind.PROBE and not later and t < check.due and stands in {"pending", "stale"}:
        return False
    return stands not in GREEN


def _due(plan: Plan, course: Course, check: Check, t: float) -> Iterator[_Moment]:
    """Of what could be told of a line by now, the latest to its owner, and to those who decide; untold ones only."""
    over = [moment for moment in _moments(plan, check) if moment.offset <= t]
    owners = [moment for moment in over if moment.kind is not NoticeKind.ESCALATED]
    told = (moment for moment in over if moment.kind is NoticeKind.ESCALATED)
    yield from (moment for moment in (*owners[-1:], *told) if moment.name not in course.raised)


def _moments(plan: Plan, check: Check) -> Iterator[_Moment]:
    """When what would be told of a line, the mildest first."""
    leads = plan.leads
    signs = check.kind is Kind.SIGNATURE
    to = check.note if signs else check.owner
    soon = check.due - (plan.decision_seconds if signs else leads.soon)
    yield _Moment(NoticeKind.SOON, to, soon, check)
    yield _Moment(NoticeKind.DUE, to, check.due, check)
    yield _Moment(NoticeKind.LATE, to, check.due + leads.late, check)
    if check.severity is not Severity.ADVISORY:
        for role in plan.roles:
            if role.decides:
                yield _Moment(NoticeKind.ESCALATED, role.id, check.due + leads.escalate, check)
