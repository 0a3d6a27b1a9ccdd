"""What a launch has to do next before GO: one thing at a time, decided by its record and the clock.

Nothing is remembered between two looks. Whatever happened meanwhile - a hold, a new date, a crash, a machine that slept
for two hours - the next look finds what is due by then, in the order in which it fell due.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from tminus.domain.cadence import next_look
from tminus.domain.course import Course, of_attempt
from tminus.domain.decision import standing
from tminus.domain.evidence import Claim
from tminus.domain.notices import Notice, notices
from tminus.domain.offsets import clock
from tminus.domain.orders import BEFORE_GO
from tminus.domain.plan import Kind, Plan
from tminus.domain.rollout import State
from tminus.domain.timeline import next_wake
from tminus.domain.validity import expired
from tminus.errors import OutOfSequenceError

TICK = 0.001
"""Seconds: what the record's clock counts in. Sums of instants are not finer, so what is due within it is due."""


class Due(StrEnum):
    """What is due."""

    OVER = "over"
    """Nothing ever again: the launch has ended."""
    GONE = "gone"
    """Nothing of the countdown: GO was decided, and T-0 has come."""
    EXPIRED = "expired"
    """A GO that was decided does not hold any more: the launch needs a new date and a new poll."""
    MILESTONE = "milestone"
    POLL = "poll"
    DECISION = "decision"
    LOOK = "look"
    """Lines are to be observed again."""
    TELL = "tell"
    """Somebody is to be told that lines wait."""
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Agenda:
    """The next thing to do."""

    due: Due
    milestone: float = 0.0
    """For a milestone: its offset from T-0 in seconds."""
    checks: tuple[str, ...] = ()
    """For a look: the lines."""
    notices: tuple[Notice, ...] = ()
    wake: float | None = None
    """For nothing: the instant at which to look again; none while only a person's order can change anything."""


def agenda(
    plan: Plan, course: Course, claims: Mapping[str, Claim], now: float, *, again: bool = True
) -> Agenda:
    """What is due at `now` (seconds of the epoch).

    Without `again` no line is observed a second time between two milestones: where waits are shortened, a quarter of an
    hour is over before anything could have changed.
    """
    if course.over:
        return Agenda(Due.OVER)
    t = course.clock(now)
    if t is not None and not course.held and (stop := _stop(plan, course, t + TICK)):
        stale = (
            _stale(plan, claims, now)
            if stop.due is Due.DECISION and again and t < plan.decision_seconds
            else ()
        )
        return Agenda(Due.LOOK, checks=stale) if stale else stop
    if course.phase not in {State.COUNTING, State.POLLING, State.POSTPONED}:
        return _decided(plan, course, now)
    if looks := _looks(plan, course, claims, now, again=again):
        return Agenda(Due.LOOK, checks=looks)
    if told := notices(plan, course, claims, now):
        return Agenda(Due.TELL, notices=told)
    return Agenda(Due.NOTHING, wake=next_wake(plan, course, claims, now, again=again))


def _decided(plan: Plan, course: Course, now: float) -> Agenda:
    """A GO that was given before T-0 waits for it, unless somebody orders the launch back or it expires."""
    t = course.clock(now)
    if expired(plan, course, now):
        return Agenda(Due.EXPIRED)
    if course.phase is State.GO and not course.leaving and t is not None and t < -TICK:
        return Agenda(Due.NOTHING, wake=None if course.held else course.t0)
    return Agenda(Due.GONE)


def _stop(plan: Plan, course: Course, t: float) -> Agenda | None:
    """What the launch itself has to do at this offset, the earliest first; nothing while it only waits."""
    if course.phase not in {State.COUNTING, State.POLLING}:
        return None
    for offset in plan.milestones:
        if offset < 0 and offset <= t and clock(offset) not in course.reached:
            return Agenda(Due.MILESTONE, milestone=offset)
    if course.phase is State.COUNTING and t >= plan.poll_opens:
        return Agenda(Due.POLL)
    return Agenda(Due.DECISION) if course.phase is State.POLLING and t >= 0 else None


def _looks(
    plan: Plan, course: Course, claims: Mapping[str, Claim], now: float, *, again: bool
) -> tuple[str, ...]:
    """The lines whose look is due; roll-ups come with their parts."""
    due = []
    for check in plan.checks:
        if check.id in claims and not again:
            continue
        at = next_look(plan, course, check, claims.get(check.id), now)
        if at is not None and at <= now + TICK:
            due.append(check.id)
    return _with_roll_ups(plan, due)


def _stale(plan: Plan, claims: Mapping[str, Claim], now: float) -> tuple[str, ...]:
    """The lines that GO judges and that were seen too long ago: whoever slept across T-0 looks before it decides."""
    checks = (check for check in plan.before_go() if check.kind is Kind.PROBE)
    return _with_roll_ups(
        plan, [check.id for check in checks if standing(check, claims.get(check.id), now) == "stale"]
    )


def _with_roll_ups(plan: Plan, due: list[str]) -> tuple[str, ...]:
    """These lines, and the roll-ups that are made of one of them."""
    wanted = set(due)
    more = (check.id for check in plan.checks if check.kind is Kind.ROLLUP and wanted & set(check.of))
    return tuple(dict.fromkeys((*due, *more)))


@dataclass(frozen=True, slots=True)
class Date:
    """One date of a launch, as it stood when somebody began to act on it."""

    attempt: int
    holds: int
    """How often people had stopped the clock by then."""

    def key(self, name: str) -> str:
        """See `course.of_attempt`."""
        return of_attempt(name, self.attempt)

    def stands(self, course: Course) -> None:
        """Raise `OutOfSequenceError` unless the launch is under way before GO, and still for this date."""
        if course.over or course.attempt != self.attempt or course.phase not in BEFORE_GO:
            now = f"is {course.phase}" if course.attempt == self.attempt else "has another date"
            raise OutOfSequenceError(
                f"this was for date {self.attempt} of the launch, which {now}", hint="see `tminus status`"
            )

    def runs(self, course: Course) -> None:
        """The same for what the clock has brought about: raises also when people stopped it since."""
        self.stands(course)
        if course.held or course.holds != self.holds:
            raise OutOfSequenceError("people stopped the clock meanwhile", hint="see `tminus status`")

    def overtaken(self, course: Course) -> bool:
        """Whether the launch has gone on by a person's word since: a decision, a hold, another date, an end."""
        decided = course.phase not in BEFORE_GO
        moved = (course.attempt, course.holds) != (self.attempt, self.holds)
        return decided or bool(course.held) or moved


def not_leaving(course: Course) -> None:
    """Raise `OutOfSequenceError` when somebody has ordered the launch back."""
    if course.leaving:
        raise OutOfSequenceError(f"the launch is on its way to be {course.leaving}", hint="follow the order")
