"""Who is told of lines that wait for them: due soon, due, late, and escalated to those who decide.

A line is named once of each kind to each role, and once more each time that a word for it was voided. Who was not told
of an earlier kind in time is told the latest only.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from tminus.domain.acknowledging import awaited, is_awaited
from tminus.domain.course import Course, notice_name
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
    """Late for so long that those who decide are told; of a signature, missing shortly before the poll ends."""
    REMINDER = "reminder"
    """A signature is still missing when half of the poll is over."""
    ACKNOWLEDGE = "acknowledge"
    """A blocker is warned: GO waits until somebody who may has said why it may go so."""
    UNACKNOWLEDGED = "unacknowledged"
    """The same once more, when the poll opens."""


ACKNOWLEDGEMENTS = frozenset({NoticeKind.ACKNOWLEDGE, NoticeKind.UNACKNOWLEDGED})
"""The notices of blockers that are warned."""
_TRACKS: Mapping[str, str] = {
    NoticeKind.ESCALATED: "escalated",
    **dict.fromkeys(ACKNOWLEDGEMENTS, "acknowledged"),
}


def track(kind: str) -> str:
    """What a notice is about, for its role: of those about the same the latest says all, and only it is told."""
    return _TRACKS.get(kind, "owned")


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
    voided: int = 0
    """How often what it asks for was given and voided before."""

    def data(self) -> dict[str, object]:
        """What `notice.raised` says of it."""
        again = {"voided": self.voided} if self.voided else {}
        return {"notice": self.kind.value, "to": self.to, "checks": list(self.checks), **again}


@dataclass(frozen=True, slots=True)
class _Moment:
    kind: NoticeKind
    to: str
    offset: float
    check: Check
    voided: int = 0

    @property
    def name(self) -> str:
        return notice_name(self.kind, self.to, self.check.id, self.voided)


def notices(plan: Plan, course: Course, claims: Mapping[str, Claim], now: float) -> tuple[Notice, ...]:
    """What is to be told at `now` (seconds of the epoch) and was not yet; nothing while the launch has no date."""
    t = course.clock(now)
    if t is None or course.t0 is None or course.leaving:
        return ()
    grouped: dict[tuple[NoticeKind, str, float, int], list[_Moment]] = {}
    for check in plan.checks:
        claim = claims.get(check.id)
        moments = [moment for moment in _wanted(plan, course, (check, claim), now) if moment.offset <= t]
        for moment in _untold(course, moments):
            grouped.setdefault((moment.kind, moment.to, check.due, moment.voided), []).append(moment)
    return tuple(
        Notice(
            kind,
            to,
            due,
            tuple(moment.check.id for moment in moments),
            course.t0 + min(moment.offset for moment in moments),
            course.key(f"notice:{moments[0].name}"),
            voided,
        )
        for (kind, to, due, voided), moments in grouped.items()
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
        for moment in _wanted(plan, course, (check, claims.get(check.id)), now, later=True)
        if moment.offset > t and moment.name not in course.raised
    ]
    return course.t0 + min(ahead) if ahead else None


def wanted(kind: str, course: Course, check: Check, claim: Claim | None, now: float) -> bool:
    """Whether a notice of this kind still has sense at `now`: what it asks for is not done."""
    if kind in ACKNOWLEDGEMENTS:
        return _awaits(course, check, claim, now)
    return waits(course, check, claim, now)


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


def _awaits(course: Course, check: Check, claim: Claim | None, now: float) -> bool:
    """Whether GO waits for an acknowledgement of this line."""
    return course.phase in BEFORE_GO and is_awaited(check, claim, course.acknowledged.get(check.id), now)


def _untold(course: Course, over: list[_Moment]) -> Iterator[_Moment]:
    """Of what could be told of a line by now, the latest of each track to each role, where it was not told yet."""
    latest = {(track(moment.kind), moment.to): moment for moment in over}
    yield from (moment for moment in latest.values() if moment.name not in course.raised)


def _wanted(
    plan: Plan, course: Course, line: tuple[Check, Claim | None], now: float, *, later: bool = False
) -> Iterator[_Moment]:
    """The moments of a line at which somebody is to be told, as it stands at `now`, the mildest first."""
    check, claim = line
    if waits(course, check, claim, now, later=later):
        signs = check.kind is Kind.SIGNATURE
        yield from _signing(plan, course, check) if signs else _owning(plan, course, check)
    if _awaits(course, check, claim, now):
        yield from _acknowledging(plan, course, check)


def _owning(plan: Plan, course: Course, check: Check) -> Iterator[_Moment]:
    """When a line's owner is told of it, and those who decide.

    Nobody is late for what was due before the launch had this date: they have as long from its beginning on, but not
    beyond the opening of the poll.
    """
    leads, behind = plan.leads, _behind(course, check)

    def after(lead: float) -> float:
        offset = check.due + lead
        return min(offset + behind, max(offset, plan.poll_opens))

    yield _Moment(NoticeKind.SOON, check.owner, check.due - leads.soon, check)
    yield _Moment(NoticeKind.DUE, check.owner, check.due, check)
    yield _Moment(NoticeKind.LATE, check.owner, after(leads.late), check)
    yield from _escalated(plan, check, after(leads.escalate))


def _behind(course: Course, check: Check) -> float:
    """How many seconds before the beginning of this attempt a line was due; 0 for one that fell due within it."""
    return 0.0 if course.planned is None else max(0.0, course.began - course.planned - check.due)


def _signing(plan: Plan, course: Course, check: Check) -> Iterator[_Moment]:
    """When a role is asked to sign, and reminded: the poll ends at T-0, so nothing is told of it after that."""
    voided = course.voids.get(check.note, 0)
    yield _Moment(NoticeKind.SOON, check.note, check.due - plan.decision_seconds, check, voided)
    yield _Moment(NoticeKind.REMINDER, check.note, plan.poll_opens / 2, check, voided)
    yield from _escalated(plan, check, plan.poll_opens / 4)


def _acknowledging(plan: Plan, course: Course, check: Check) -> Iterator[_Moment]:
    """When those who could acknowledge a warning are told; simulated people do it by themselves."""
    voided = course.voids.get(check.id, 0)
    for role in awaited("", plan, check).able:
        if not role.simulated:
            yield _Moment(NoticeKind.ACKNOWLEDGE, role.id, check.due - plan.leads.soon, check, voided)
            yield _Moment(NoticeKind.UNACKNOWLEDGED, role.id, plan.poll_opens, check, voided)


def _escalated(plan: Plan, check: Check, offset: float) -> Iterator[_Moment]:
    if check.severity is not Severity.ADVISORY:
        for role in plan.roles:
            if role.decides:
                yield _Moment(NoticeKind.ESCALATED, role.id, offset, check)
