"""Thresholds of a checklist in the plan's own words: seconds and shares become `500 ms` and `5%`."""

import re
from collections.abc import Sequence

from tminus.checklist.model import Limit, Measure
from tminus.domain import expectation
from tminus.domain.value import impossible
from tminus.planfile.document import LineEntry, OmittedLine


def written(limit: Limit) -> str:
    """A limit as an expectation: `< 1%`, `< 500 ms`, `>= 1200`."""
    return f"{limit.sign} {value(limit)}"


def value(limit: Limit) -> str:
    """A limit's number with its unit."""
    if limit.measure is Measure.SHARE:
        return f"{_number(limit.value * 100)}%"
    if limit.measure is Measure.SECONDS:
        return duration(limit.value)
    return _number(limit.value)


def duration(seconds: float) -> str:
    """Seconds as people write them in a plan: `500 ms`, `2 s`, `5 min`."""
    if seconds < 1:
        return f"{_number(seconds * 1000)} ms"
    if seconds >= 7200 and seconds % 3600 == 0:
        return f"{_number(seconds / 3600)} h"
    if seconds >= 60 and seconds % 60 == 0:
        return f"{_number(seconds / 60)} min"
    return f"{_number(seconds)} s"


def hold(seconds: float) -> str:
    """How long it must last, as a plan's duration: `5min`, `90s`."""
    whole = round(seconds)
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if whole and whole % size == 0:
            return f"{whole // size}{unit}"
    return f"{whole}s"


def fitting(limits: Sequence[Limit], known: str) -> str:
    """The one limit that may stand in the place of a known expectation, written like it; empty when none may.

    It must look the same way and measure the same thing: `< 0.5%` may replace `< 1%`, and never `> 99%`.
    """
    for limit in limits:
        if known.startswith(limit.sign[0]) and measure(known) is limit.measure:
            after = written(limit)
            if impossible(expectation.parse(after)):
                continue
            return "" if expectation.parse(after).limit == expectation.parse(known).limit else after
    return ""


def not_taken_over(found: Sequence[Limit], entry: LineEntry | OmittedLine) -> list[str]:
    """The limits of a line's own text that its plan entry does not say, for a person to see."""
    said = {entry.expect, entry.warn, *(str(number) for number in entry.arguments.values())}
    values = {word.lstrip("<>= ").strip() for word in said}
    return [written(limit) for limit in found if value(limit) not in values]


def narrower(warn: str, expect: str) -> bool:
    """Whether a warning's limit is met only by better values than the expectation's own."""
    inner, outer = expectation.parse(warn), expectation.parse(expect)
    assert isinstance(inner.limit, float)  # noqa: S101 - a limit that was taken over is a number
    assert isinstance(outer.limit, float)  # noqa: S101 - the same
    return inner.limit < outer.limit if outer.comparison.startswith("<") else inner.limit > outer.limit


def measure(known: str) -> Measure:
    """What a limit of a plan measures, by its unit."""
    unit = re.sub(r"[^%A-Za-z]", "", known)
    if unit == "%":
        return Measure.SHARE
    return Measure.SECONDS if unit in {"ms", "s", "min", "h"} else Measure.COUNT


def _number(number: float) -> str:
    return f"{number:.6g}"
