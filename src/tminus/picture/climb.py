"""The staircase: the evidence of the rule that fired, bad answer by bad answer, up to its line."""

from collections.abc import Sequence
from dataclasses import dataclass

from tminus.domain.canonical import instant
from tminus.picture.charts import Scale, Span, percent, staircase
from tminus.picture.course import Course
from tminus.picture.gauges import Mark
from tminus.picture.traffic import Hit, Traffic

NUMBERED = 20
"""Bad answers above which their marks on the staircase would cover each other."""
EVIDENCE = Scale(0.1, 100_000.0)


@dataclass(frozen=True, slots=True)
class Climb:
    """The evidence of the rule that fired, bad answer by bad answer."""

    line: str
    limit: Mark
    grid: tuple[Mark, ...]
    marks: tuple[tuple[int, str, str], ...]
    """Number, place from the left, height."""
    decided: Mark
    back: Mark
    rest: str
    seconds: tuple[Mark, ...]
    spoken: str


def climb_of(course: Course, traffic: Traffic, rule: str) -> Climb | None:
    """The staircase of one rule; nothing where no bad answer was seen one by one."""
    done = course.last("rollback.done")
    if done is None or not traffic.hits:
        return None
    back_at = instant(done.at)
    hits = [hit for hit in traffic.hits if hit.at <= back_at]
    threshold = next(test.threshold for test in traffic.gauges(back_at).tests if test.rule == rule)
    decided_at = _decided(course, hits, rule, threshold)
    if not hits:
        return None
    first = hits[0].at
    lead = max(0.5, (back_at - first) * 0.12)
    stretch = Span(first - lead, back_at + 2 * lead)
    points = [(stretch.first, EVIDENCE.low * 2), *((hit.at, hit.evidence[rule]) for hit in hits)]
    points += [(decided_at, _recorded(course, rule) or points[-1][1])]
    points.append((back_at, points[-1][1]))
    marks = tuple(
        (hit.number, percent(stretch.along(hit.at)), EVIDENCE.up(hit.evidence[rule]))
        for hit in (hits if len(hits) <= NUMBERED else [])
    )
    took = back_at - first
    return Climb(
        line=staircase(points, stretch, EVIDENCE),
        limit=Mark(EVIDENCE.up(threshold), f"roll back at {threshold:,.0f} to 1"),
        grid=tuple(Mark(EVIDENCE.up(10.0**power), f"{10.0**power:,g}") for power in range(-1, 6)),
        marks=marks,
        decided=Mark(percent(stretch.along(decided_at)), f"decided {decided_at - first:.1f} s"),
        back=Mark(percent(stretch.along(back_at)), f"green 0 % at {took:.1f} s"),
        rest=percent(100 - stretch.along(back_at)),
        seconds=_seconds(first, took, stretch),
        spoken=f"Evidence against green over {took:.1f} seconds: {len(hits)} bad answers; it crosses "
        f"{threshold:,.0f} to 1 at {decided_at - first:.1f} seconds",
    )


def _recorded(course: Course, rule: str) -> float | None:
    """The evidence of this rule as the launch last wrote it down."""
    seen = course.seen
    rows = seen.data["gauges"]["tests"] if seen else []
    return next((float(row["evidence"]) for row in rows if row["rule"] == rule), None)


def _decided(course: Course, hits: Sequence[Hit], rule: str, threshold: float) -> float:
    """When the rule fired: as the launch recorded it, else where the evidence crosses."""
    seen = course.seen
    if seen and seen.data["action"] == "rollback" and seen.data.get("at"):
        return float(seen.data["at"])
    crossed = [hit.at for hit in hits if hit.evidence[rule] >= threshold]
    return crossed[0] if crossed else hits[-1].at


def _seconds(first: float, took: float, stretch: Span) -> tuple[Mark, ...]:
    size = next(step for step in (1, 2, 5, 10, 30, 60, 600) if took / step <= 8 or step == 600)
    count = int(took / size) + 1
    return tuple(
        Mark(percent(stretch.along(first + each * size)), f"{each * size} s") for each in range(count)
    )
