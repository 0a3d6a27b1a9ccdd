"""When a poll and its GO hold: as long before and after T-0 as the plan says. Outside of that a new poll is needed."""

from tminus.domain.canonical import timestamp
from tminus.domain.course import Course
from tminus.domain.offsets import clock
from tminus.domain.plan import Plan
from tminus.domain.rollout import State

GRACE = 1.0
"""Seconds: a poll is judged a moment before its decision is recorded."""
_AGAIN = 'a new poll is needed: tminus reschedule T0 LAUNCH --reason "…"'


def closed(plan: Plan, t: float | None) -> str:
    """Why nobody can decide GO at this offset from T-0; empty while somebody can, and where no T-0 is set."""
    valid = plan.decision_seconds
    if t is None or abs(t) <= valid + GRACE:
        return ""
    if t < 0:
        return f"it is {clock(t)}, and GO may be decided from {clock(-valid)} on"
    return f"it is {clock(t)}, and the poll ended at {clock(valid)}; {_AGAIN}"


def expired(plan: Plan, course: Course, now: float) -> str:
    """Why a GO that was given holds no more at `now` (seconds of the epoch); empty while it does, and without one.

    A hold moves T-0 away from its GO, and a launch that nobody ran comes too late for it. Where waits are shortened
    neither can happen: GO is then decided at T-0, and acted upon at once.
    """
    if course.phase is not State.GO or course.leaving or course.held or course.speed != 1:
        return ""
    if course.t0 is None or course.decided is None:
        return ""
    valid = plan.decision_seconds
    given = f"the GO of {timestamp(course.decided)} has expired"
    if course.t0 - course.decided > valid + GRACE:
        before = clock(course.decided - course.t0)
        return f"{given}: by now that is {before}, and a GO holds from {clock(-valid)} on; {_AGAIN}"
    if now - course.t0 > valid + GRACE:
        return f"{given}: it is {clock(now - course.t0)}, and it held until {clock(valid)}; {_AGAIN}"
    return ""
