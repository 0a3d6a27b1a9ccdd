"""Whether a loaded rule would fire: its selectors find series, and its expression gives one just beyond its reading.

A rule on a metric that does not exist is in good health and never fires. So the expression is evaluated with its limit
moved to just beyond the present reading; what it gives is what would page.
"""

import math
import operator
from collections.abc import Callable

from tminus.alerting.expression import Comparison, Expression, Selector
from tminus.alerting.measures import Meaning
from tminus.alerting.prometheus import Prometheus, Sample
from tminus.alerting.rules import Findings, Rule, bound
from tminus.errors import InconclusiveError

_HAIR = 1e-6
"""How far beyond the reading the limit is moved: this share of it."""

_LOOKS = 4
"""How often a reading is taken that changes under the look. A scrape counts from its beginning and is stored at its
end, so a sample of the instant that is asked about may come between two looks."""

_BEYOND: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}
"""By a comparison's sign: whether a reading is beyond a limit."""

_COARSE = 2.0
"""A bucket bound this many times the limit away makes a percentile coarse."""


async def proven(prometheus: Prometheus, rule: Rule, meaning: Meaning, at: float) -> Findings:
    """What keeps a rule from firing; raises `InconclusiveError` when there is nothing now to show it with."""
    found, expression = Findings(), rule.parsed()
    missing, silent = await _selected(prometheus, expression, at)
    for selector in missing:
        found.problems.append(f"{rule.name} can never fire: there is no series {selector.exact.text}")
    if missing or meaning.comparison is None:
        return found
    readings = await _readings(prometheus, rule, (meaning.comparison, silent), at)
    if not readings:
        found.problems.append(
            f"{rule.name} can never fire: its parts have series and give none together ({meaning.comparison.left})"
        )
        return found
    found.notes["series"] = len(readings)
    reading = _pick(meaning.comparison.operator, readings)
    found.notes["reading"] = reading
    found.notes["silent"] = not _BEYOND[meaning.comparison.operator](reading, meaning.comparison.limit)
    problem = await _silent(prometheus, rule, (meaning.comparison, readings, silent), at)
    found.problems += [problem] if problem else []
    if meaning.measure == "p95":
        await _buckets(prometheus, rule, meaning, found, at)
    return found


async def _silent(
    prometheus: Prometheus, rule: Rule, about: tuple[Comparison, list[Sample], list[Selector]], at: float
) -> str:
    """Why the rule would not fire at a reading that stands; empty when it would."""
    comparison, readings, silent = about
    for _ in range(_LOOKS):
        problem = await _fires(prometheus, rule, (comparison, readings, rule.parsed()), at)
        if not problem:
            return ""
        before, readings = readings, await _readings(prometheus, rule, (comparison, silent), at)
        if readings == before:
            return problem
        if not readings:
            break
    raise InconclusiveError(f"{rule.name} reads something else at every look", hint="look once more")


async def _selected(
    prometheus: Prometheus, expression: Expression, at: float
) -> tuple[list[Selector], list[Selector]]:
    """The selectors that nothing can match, and those whose patterns match nothing now."""
    missing: list[Selector] = []
    silent: list[Selector] = []
    for selector in expression.selectors:
        if await prometheus.query(f"count({selector.text})", at):
            continue
        there = selector.exact != selector and await prometheus.query(f"count({selector.exact.text})", at)
        (silent if there else missing).append(selector)
    return missing, silent


async def _readings(
    prometheus: Prometheus, rule: Rule, about: tuple[Comparison, list[Selector]], at: float
) -> list[Sample]:
    comparison, silent = about
    samples = await prometheus.query(comparison.left, at)
    if not samples and silent:
        raise InconclusiveError(
            f"{rule.name} reads nothing now: {', '.join(one.text for one in silent)} has no series",
            hint="wait until there is one, or let the rule end with `or vector(0)`",
        )
    readings = [sample for sample in samples if not math.isnan(sample.value)]
    if samples and not readings:
        raise InconclusiveError(
            f"{rule.name} reads no number now ({comparison.left} is NaN)",
            hint="it divides by nothing: wait for traffic, or send some",
        )
    return readings


def _pick(sign: str, readings: list[Sample]) -> float:
    values = [sample.value for sample in readings]
    return min(values) if sign.startswith("<") else max(values)


async def _fires(
    prometheus: Prometheus,
    rule: Rule,
    about: tuple[Comparison, list[Sample], Expression],
    at: float,
) -> str:
    """Why the rule would not fire just beyond its reading; empty when it would."""
    comparison, readings, expression = about
    reading = _pick(comparison.operator, readings)
    hair = max(abs(reading) * _HAIR, 1e-9)
    beyond = {">": reading - hair, ">=": reading, "<": reading + hair, "<=": reading, "!=": reading + 1}
    moved = expression.with_limit(comparison, beyond.get(comparison.operator, reading))
    if await prometheus.query(moved, at):
        return ""
    for guard in expression.beside(comparison):
        if not await prometheus.query(guard, at):
            raise InconclusiveError(
                f"{rule.name} is held back now by `{guard}`",
                hint="wait until that holds: with traffic it may",
            )
    return f"{rule.name} does not fire with its limit moved to its reading: {moved}"


async def _buckets(prometheus: Prometheus, rule: Rule, meaning: Meaning, found: Findings, at: float) -> None:
    """Whether the histogram can tell a percentile above the limit from one below it."""
    assert meaning.comparison is not None  # noqa: S101 - asked of comparisons only
    limit = meaning.comparison.limit
    buckets = [one for one in rule.parsed().selectors if one.metric.endswith("_bucket")]
    for selector in buckets:
        samples = await prometheus.query(f"group by (le) ({selector.text})", at)
        bounds = sorted(bound(sample.labels["le"]) for sample in samples if "le" in sample.labels)
        finite = [one for one in bounds if not math.isinf(one)]
        if not finite or finite[-1] <= limit:
            found.problems.append(
                f"{rule.name} can never fire: the largest bucket of {selector.metric} ends at {finite[-1:]}"
            )
        elif min(one for one in finite if one >= limit) > _COARSE * limit:
            found.remarks.append(
                f"{selector.metric} has no bucket bound near {limit:g}; its percentile is coarse"
            )
        found.notes["buckets"] = [*bounds[:-1], "+Inf"] if bounds and math.isinf(bounds[-1]) else [*bounds]
