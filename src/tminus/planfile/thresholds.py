"""The thresholds of a plan that stand on the ladder: of figures, alerts, success criteria and triggers."""

import re
from collections.abc import Iterator

from tminus.domain import expectation
from tminus.domain.ladder import Level, Threshold, contradictions
from tminus.planfile.document import LineEntry, OmittedLine
from tminus.planfile.findings import Findings
from tminus.planfile.shape import Place

_MEASURES = {
    "error rate": re.compile(r"(?:^|[.-])(?:err|errors|error-rate)$"),
    "p95 response time": re.compile(r"(?:^|[.-])(?:p95|perf|latency)$"),
}
"""By measure: the last word of the ids of lines, figures and triggers that have a limit of it."""
_PROBES = {"traffic.errors": "error rate", "traffic.p95": "p95 response time"}
_ARGUMENTS = {"errors": "error rate", "p95": "p95 response time"}
"""By what an alert's probe is told to measure."""
_WARN = " (warn)"
_AFTER = ("ok.", "t4p.", "t1.")


def ladder(found: Findings) -> None:
    """Tell which thresholds contradict one another."""
    places: dict[Threshold, Place] = {}
    for place, threshold in _thresholds(found):
        if not found.shaped.within_broken(place):
            places.setdefault(threshold, place)
    for pair in contradictions(list(places)):
        if pair.lower.name != f"{pair.upper.name}{_WARN}":  # told where the line warns
            found.tell(places[pair.upper], pair.text)


def _thresholds(found: Findings) -> Iterator[tuple[Place, Threshold]]:
    for index, figure in enumerate(found.document.figures):
        place = ("figures", index, "expect")
        yield from _threshold(place, figure.id, measure_of(figure.id), Level.LOAD, figure.expect)
    for place, _, line in found.lines():
        yield from _of_line(place, line)
    for place, left in found.left_out():
        if isinstance(left, OmittedLine):
            yield from _of_line(place, left)
    for index, trigger in enumerate(found.document.triggers):
        if trigger.above:
            place = ("triggers", index, "above")
            yield from _threshold(
                place, trigger.id, measure_of(trigger.id), Level.ROLLBACK, f"> {trigger.above}"
            )


def _of_line(place: Place, line: LineEntry | OmittedLine) -> Iterator[tuple[Place, Threshold]]:
    measure = measure_of(line)
    if line.id.startswith("alert."):
        level = Level.WARNING if line.id.startswith("alert.warn") else Level.CRITICAL
        above = line.arguments.get("above")
        if isinstance(above, str):
            yield from _threshold((*place, "with", "above"), line.id, measure, level, f"> {above}")
    elif line.id.startswith(_AFTER) or (line.probe in _PROBES and not line.due.startswith("T-")):
        yield from _threshold((*place, "expect"), line.id, measure, Level.CRITICAL, line.expect)
        yield from _threshold((*place, "warn"), line.id + _WARN, measure, Level.WARNING, line.warn)


def measure_of(named: LineEntry | OmittedLine | str) -> str:
    """What of the ladder a line limits, or a figure or trigger of this id; empty for anything else."""
    if not isinstance(named, str):
        told = _PROBES.get(named.probe) or _ARGUMENTS.get(str(named.arguments.get("measure", "")))
        return told or measure_of(named.id)
    return _by_id(named)


def _by_id(name: str) -> str:
    return next((measure for measure, pattern in _MEASURES.items() if pattern.search(name)), "")


def _threshold(
    place: Place, name: str, measure: str, level: Level, text: str
) -> Iterator[tuple[Place, Threshold]]:
    try:
        limit = expectation.parse(text).limit if text and measure else None
    except ValueError:
        return  # told where it stands
    if isinstance(limit, float):
        yield place, Threshold(name, measure, level, limit, text.removeprefix("> "))
