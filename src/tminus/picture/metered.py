"""The team's metrics as the launch last recorded them: rows beside the rollback triggers."""

from collections.abc import Mapping
from typing import Any

from tminus.domain.metered import MEASURED
from tminus.picture.course import Course
from tminus.picture.gauges import Timer

_SIGNS = {"passed": "passed", "warned": "warned", "failed": "failed", "running": "passed"}


def metered(course: Course) -> tuple[Timer, ...]:
    """A row for each metric; none before the first look, or of a plan without metrics."""
    return tuple(_row(row) for row in measured(course))


def measured(course: Course) -> list[Mapping[str, Any]]:
    """The newest counts of every metric, as the record has them."""
    seen, over = course.seen, course.last(MEASURED)
    if over and (seen is None or over.seq > seen.seq):
        return list(over.data["metrics"])
    return list(seen.data["gauges"].get("metrics", [])) if seen else []


def _row(row: Mapping[str, Any]) -> Timer:
    verdict, last = str(row["verdict"]), row["last"]
    unknown = verdict not in _SIGNS or last is None
    value = "" if last is None or last["value"] is None else f"{last['value']:.4g}"
    held = "not measured yet" if last is None else verdict
    return Timer(
        text=f"{row['metric']}: {row['limits']}",
        does="rolls back",
        value=value,
        sign="unknown"
        if unknown
        else "warned"
        if row["failed"] and verdict == "running"
        else _SIGNS[verdict],
        held=held,
        seen=f"{row['failed']} of {row['taken']} failed",
        filled=None,
        boxes=(),
    )
