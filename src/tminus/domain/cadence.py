"""How often a line is observed again: seldom a day before T-0, every minute at the end, and only what can change.

A person's word, a drill and an act that was seen in its window are not asked for again; a line that is not green is,
because somebody may have mended it.
"""

from collections.abc import Iterator

from tminus.domain.course import Course
from tminus.domain.evidence import Claim, Verdict
from tminus.domain.orders import BEFORE_GO
from tminus.domain.plan import Check, Kind, Plan

PACE = ((-24 * 3600.0, 900.0), (-4 * 3600.0, 300.0), (-1800.0, 60.0))
"""From which offset on a line is observed how often, in seconds: 15 min, 5 min, 60 s."""
FIRST = PACE[0][0]
"""Before it nothing is observed again; a line that is due earlier is looked at when it is due."""
QUICKEST = 1.0
"""Seconds between two looks at one line, at the least."""
_OBSERVED = frozenset({Kind.PROBE, Kind.ROLLUP})


def pace(t: float) -> float | None:
    """Seconds between two looks at an offset from T-0; none before the first day."""
    return next((every for begins, every in reversed(PACE) if t >= begins), None)


def cadence(plan: Plan, check: Check, claim: Claim, t: float) -> float | None:
    """Seconds from one look at this line to the next, at an offset from T-0; none where it is not looked at again.

    A live line keeps to the common pace and is never looked at more often than twice in its time; from the opening of
    the poll to the end of the decision's time it is, so that no decision ever meets an older one.
    """
    fresh, common = check.fresh, pace(t)
    settled = claim.not_applicable or claim.verdict in {Verdict.PASSED, Verdict.WARNED}
    if fresh.kind == "drill":
        return max(QUICKEST, fresh.seconds)
    if fresh.kind == "live":
        least = max(QUICKEST, fresh.seconds / 2)
        if t >= -plan.decision_seconds:
            return least
        return None if common is None else max(least, common)
    if fresh.kind == "event":
        done = settled and fresh.earliest <= claim.t <= fresh.latest
        return None if done or not fresh.earliest <= t <= fresh.latest else common or PACE[0][1]
    if fresh.kind == "fingerprint":
        return common
    return None if settled else common


def next_look(plan: Plan, course: Course, check: Check, claim: Claim | None, now: float) -> float | None:
    """The instant (seconds of the epoch) at which this line is to be observed; none where it is not, before GO.

    It may lie before `now`: then the look is due. While the clock is held, looks go on at the pace at which it stands.
    """
    t = course.clock(now)
    if t is None or course.t0 is None or course.phase not in BEFORE_GO:
        return None
    if check.kind not in _OBSERVED or check.due >= 0:
        return None
    if claim is None:
        first = _first(check)
        return course.t0 + first if not course.held or t >= first else None
    looks = [] if (every := cadence(plan, check, claim, t)) is None else [claim.at + every]
    if not course.held:
        looks += (
            max(course.t0 + begins, claim.at + every)
            for begins in _changes(plan, check)
            if begins > t and (every := cadence(plan, check, claim, begins)) is not None
        )
    return min(looks, default=None)


def _first(check: Check) -> float:
    """The offset of the first look: early enough to tell an owner, but never before what it asks for was done."""
    if check.act:
        return check.due
    if check.fresh.kind == "fingerprint":
        return min(check.due, FIRST)
    return check.due


def _changes(plan: Plan, check: Check) -> Iterator[float]:
    """The offsets at which a line's cadence changes."""
    yield from (begins for begins, _ in PACE)
    yield -plan.decision_seconds
    if check.fresh.kind == "event":
        yield check.fresh.earliest
