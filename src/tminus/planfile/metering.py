"""What a plan says of metrics of the team's own: queries that can be asked, and limits that do not contradict."""

import re
from collections.abc import Mapping
from functools import partial

from promql_parser import MatrixSelector, StringLiteral, SubqueryExpr

from tminus.alerting import expression
from tminus.domain import expectation, offsets
from tminus.domain.canonical import JsonValue
from tminus.domain.expectation import Expectation, cannot_fail, stricter
from tminus.domain.metric import BEFORE, BLUE, LEAST_INTERVAL, SIDE, Relative, Stage, relative
from tminus.planfile.document import Document
from tminus.planfile.findings import Findings
from tminus.planfile.metricentry import MetricEntry
from tminus.planfile.shape import Place

KIND = "prometheus"
"""The kind of system that answers them."""
_ID = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
_PLACEHOLDER = re.compile(r"\$\{[^}]*\}")


def metrics(found: Findings) -> None:
    """Tell which metrics nobody could measure, or that say two things."""
    names: set[str] = set()
    for index, metric in enumerate(found.document.metrics):
        place = ("metrics", index)
        if metric.id in names:
            found.tell((*place, "id"), f"the metric {metric.id!r} stands twice")
        names.add(metric.id)
        if not _ID.fullmatch(metric.id):
            found.tell(
                (*place, "id"), f"{metric.id!r} is no name of a metric; write for example checkout-errors"
            )
        _system(found, place, metric)
        _query(found, (*place, "query"), metric.id, metric.query)
        _limits(found, place, metric)
        _baseline(found, place, metric)
        _numbers(found, place, metric)
        _times(found, place, metric)


def rows(document: Document) -> tuple[Mapping[str, JsonValue], ...]:
    """The metrics as a plan keeps them, each with the system that is asked."""
    known = _systems(document)
    return tuple(
        {**metric.model_dump(mode="json", by_alias=True), "system": metric.system or (known or [""])[0]}
        for metric in document.metrics
    )


def _systems(document: Document) -> list[str]:
    return [name for name, entry in document.systems.items() if entry.kind == KIND]


def _system(found: Findings, place: Place, metric: MetricEntry) -> None:
    known = _systems(found.document)
    if not known and found.whole("systems"):
        found.tell(
            place,
            f"{metric.id}: nobody answers it; write a system `{{kind: {KIND}, address: …}}` into `systems`",
        )
    elif metric.system and metric.system not in known:
        found.tell(
            (*place, "system"),
            f"{metric.id}: `system` names a system of kind {KIND}; write one of {', '.join(known)}",
        )
    elif not metric.system and len(known) > 1:
        found.tell(place, f"{metric.id}: which of {', '.join(known)} is asked? Write `system: …`")


def _query(found: Findings, place: Place, name: str, text: str) -> None:
    for unknown in {one for one in _PLACEHOLDER.findall(text) if one != SIDE}:
        found.tell(place, f"{name}: {unknown} stands for nothing in a query; {SIDE} does")
    try:
        tree = expression.bare(expression.parse(_PLACEHOLDER.sub("green", text)).tree)
    except ValueError as error:
        found.tell(
            place, f"{name}: Prometheus could not read this query: {' '.join(str(error).split())[:200]}"
        )
        return
    if isinstance(tree, MatrixSelector | SubqueryExpr):
        found.tell(
            place, f"{name}: this gives a stretch of time, not a number; put it into rate(…) or the like"
        )
    elif isinstance(tree, StringLiteral):
        found.tell(place, f"{name}: this gives a text, not a number")
    elif expression.filters(tree):
        found.tell(
            place,
            f"{name}: this comparison gives nothing at all where it does not hold; "
            "ask for what is measured, and write its limit as `pass: …`",
        )


def _limits(found: Findings, place: Place, metric: MetricEntry) -> None:
    if not (metric.passes or metric.fail or metric.relative):
        found.tell(
            place,
            f"{metric.id}: no limit says what it must give; write `pass: …`, `fail: …` or `relative: …`",
        )
    passes = _read(found, (*place, "pass"), metric.passes)
    fails = _read(found, (*place, "fail"), metric.fail)
    warns = _read(found, (*place, "warn"), metric.warn)
    if passes and not fails and cannot_fail(passes):
        found.tell(
            (*place, "pass"), f"{metric.id}: {passes.text!r} cannot fail; write a limit that can be missed"
        )
    if passes and fails and _overlap(passes, fails):
        found.tell(
            (*place, "fail"),
            f"{metric.id}: a value can pass {passes.text!r} and fail {fails.text!r} at once; part the two",
        )
    if warns and fails and not passes and _never(warns, fails):
        found.tell(
            (*place, "warn"),
            f"{metric.id}: `warn: {warns.text}` warns only of what fails; write a narrower limit",
        )
    if warns and passes and not stricter(warns, passes):
        found.tell(
            (*place, "warn"),
            f"{metric.id}: `pass: {passes.text}` is no wider than `warn: {warns.text}`, so nothing is ever warned "
            "about; write a narrower `warn`",
        )


def _read(found: Findings, place: Place, text: str) -> Expectation | None:
    expect = found.attempt(place, partial(expectation.parse, text)) if text else None
    if expect is not None and expect.unit is None:
        found.tell(place, f"a metric gives a number, and {text!r} compares none; write for example '< 1%'")
        return None
    return expect


def _overlap(passes: Expectation, fails: Expectation) -> bool:
    """Whether a value can do both: the two must look in opposite directions and leave no value to both."""
    low, high = (passes, fails) if passes.comparison[0] == "<" else (fails, passes)
    if low.comparison[0] != "<" or high.comparison[0] != ">":
        return {passes.comparison[0], fails.comparison[0]} <= {"<", ">"}
    assert isinstance(low.limit, float) and isinstance(high.limit, float)  # noqa: PT018, S101 - both compare numbers
    if low.limit == high.limit:
        return low.comparison == "<=" and high.comparison == ">="
    return low.limit > high.limit


def _never(warns: Expectation, fails: Expectation) -> bool:
    """Whether all that is outside of `warn` fails anyway."""
    opposite = {"<": ">", ">": "<"}.get(warns.comparison[0])
    if opposite is None or fails.comparison[0] != opposite:
        return False
    assert isinstance(warns.limit, float) and isinstance(fails.limit, float)  # noqa: PT018, S101 - both compare numbers
    return warns.limit >= fails.limit if opposite == ">" else warns.limit <= fails.limit


def _baseline(found: Findings, place: Place, metric: MetricEntry) -> None:
    limit: Relative | None = None
    if metric.relative:
        limit = found.attempt((*place, "relative"), partial(relative, metric.relative))
        if not metric.baseline:
            found.tell(
                (*place, "relative"),
                f"{metric.id}: it is relative to nothing; write `baseline: blue`, `baseline: before` or a query",
            )
    elif metric.baseline:
        found.tell(
            (*place, "baseline"), f"{metric.id}: nothing is compared with the baseline; write `relative: …`"
        )
    if metric.baseline == BLUE and SIDE not in metric.query:
        found.tell(
            (*place, "baseline"),
            f"{metric.id}: the query is the same for blue and green, so it would be compared with itself; "
            f"select one side in it by {SIDE}",
        )
    elif metric.baseline not in {"", BLUE, BEFORE}:
        _query(found, (*place, "baseline"), metric.id, metric.baseline)
    if limit is not None and limit.upper and (limit.ratio < 0 or (limit.ratio == 0 and limit.margin <= 0)):
        found.tell(
            (*place, "relative"), f"{metric.id}: nothing can be within {limit.text!r}; write a wider limit"
        )


def _numbers(found: Findings, place: Place, metric: MetricEntry) -> None:
    if metric.count is not None and metric.count < 1:
        found.tell(
            (*place, "count"), f"{metric.id}: {metric.count} measurements show nothing; write 1 or more"
        )
    for key in ("failures", "inconclusive", "errors"):
        if getattr(metric, key) < 0:
            found.tell((*place, key), f"{metric.id}: `{key}` counts what is borne; write 0 or more")
    if metric.count is not None and metric.failures >= metric.count > 0:
        found.tell(
            (*place, "failures"),
            f"{metric.id}: {metric.failures} failed ones of {metric.count} are borne, so it cannot fail; "
            "write fewer",
        )


def _times(found: Findings, place: Place, metric: MetricEntry) -> None:
    turn = _seconds(found, (*place, "interval"), metric.interval)
    _seconds(found, (*place, "delay"), metric.delay)
    if turn is not None and turn < LEAST_INTERVAL:
        found.tell(
            (*place, "interval"), f"{metric.id}: measures too often; write {LEAST_INTERVAL:g}s or more"
        )
    if not metric.interval and metric.count is not None and metric.count > 1:
        found.tell(
            (*place, "count"),
            f"{metric.id}: {metric.count} measurements need a time between them; write `interval: …`",
        )
    stages = [stage.value for stage in Stage]
    for key, word in (("from", metric.begins), ("until", metric.until)):
        if word not in stages:
            found.tell(
                (*place, key), f"{metric.id}: {word!r} is no part of the rollout; write {' or '.join(stages)}"
            )
    if (metric.begins, metric.until) == (Stage.SOAK.value, Stage.SHIFT.value):
        found.tell((*place, "until"), f"{metric.id}: it would be over before it begins; write `until: soak`")


def _seconds(found: Findings, place: Place, text: str) -> float | None:
    return found.attempt(place, partial(offsets.seconds, text)) if text else None
