"""What a launch has to do next before GO: one thing at a time, decided by its record and the clock.

Nothing is remembered between two looks. Whatever happened meanwhile - a hold, a new date, a crash, a machine that slept
for two hours - the next look finds what is due by then, in the order in which it fell due.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from tminus.domain.cadence import next_look
from tminus.domain.course import Course
from tminus.domain.evidence import Claim
from tminus.domain.notices import Notice, notices
from tminus.domain.offsets import clock
from tminus.domain.plan import Plan
from tminus.domain.rollout import State
from tminus.domain.timeline import next_wake, poll_opens
from tminus.errors import OutOfSequenceError

TICK = 0.001
"""Seconds: what the record's clock counts in. Sums of instants are not finer, so what is due within it is due."""


class Due(StrEnum):
    """What is due."""

    OVER = "over"
    """Nothing ever again: the launch has ended."""
    GONE = "gone"
    """Nothing of the countdown: GO was decided."""
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
        return stop
    if course.phase not in {State.COUNTING, State.POLLING, State.POSTPONED}:
        return Agenda(Due.GONE)
    if looks := _looks(plan, course, claims, now, again=again):
        return Agenda(Due.LOOK, checks=looks)
    if told := notices(plan, course, claims, now):
        return Agenda(Due.TELL, notices=told)
    return Agenda(Due.NOTHING, wake=next_wake(plan, course, claims, now, again=again))


def _stop(plan: Plan, course: Course, t: float) -> Agenda | None:
    """What the launch itself has to do at this offset, the earliest first; nothing while it only waits."""
    if course.phase not in {State.COUNTING, State.POLLING}:
        return None
    for offset in plan.milestones:
        if offset < 0 and offset <= t and clock(offset) not in course.reached:
            return Agenda(Due.MILESTONE, milestone=offset)
    if course.phase is State.COUNTING and t >= poll_opens(plan):
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
    return tuple(due)


def demand(course: Course, attempt: int) -> None:
    """Raise `OutOfSequenceError` unless the launch is still under way for this date."""
    if course.over or course.attempt != attempt:
        now = (
            f"has ended: {course.phase}" if course.over else f"has another date, its number {course.attempt}"
        )
        raise OutOfSequenceError(
            f"this was for date {attempt} of the launch, which {now}", hint="see `tminus status`"
        )
