"""The acknowledgements that GO waits for, beside the lines that they are about."""

from collections.abc import Sequence
from dataclasses import replace

from tminus.control.readiness import claims_of
from tminus.domain.acknowledging import Awaited, awaited, is_awaited
from tminus.domain.attempts import in_force
from tminus.domain.plan import Plan
from tminus.domain.poll import acknowledged
from tminus.picture.course import Course
from tminus.picture.lines import Line


def awaiting(lines: Sequence[Line], plan: Plan | None, course: Course, now: float) -> tuple[Line, ...]:
    """These lines, each with the acknowledgement that it waits for at `now`, from the plan's roles as they are held.

    None waits any more once something is decided. Simulated people acknowledge by themselves: where only they could,
    nobody is waited for.
    """
    warned = any(line.stands == "warned" for line in lines)
    if plan is None or not warned or course.decision or course.proposed or course.outcome:
        return tuple(lines)
    events = in_force(course.events)
    claims, seen = claims_of(events), acknowledged(course.events)
    return tuple(
        replace(line, awaited=_real(awaited(course.launch, plan, line.check)))
        if is_awaited(
            line.check, claims.get(line.check.id), seen.get(line.check.id, {}).get("fingerprint"), now
        )
        else line
        for line in lines
    )


def _real(found: Awaited) -> Awaited | None:
    """The same, unless only simulated people could give it."""
    return None if found.able and all(role.simulated for role in found.able) else found
