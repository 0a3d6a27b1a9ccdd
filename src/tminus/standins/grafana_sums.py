"""Grafana's own sums over the queries of a request, as far as dashboards have them: math, reduce and threshold.

Written after https://grafana.com/docs/grafana/latest/panels-visualizations/query-transform-data/expression-queries/.
Answers of data sources come as frames, and so do sums. What is hidden is reckoned with, and left out of the answer.
"""

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

UID = "__expr__"
"""The data source that sums are asked of."""

Labels = tuple[tuple[str, str], ...]
Points = dict[int, float]
"""Figures by milliseconds of the epoch; a single figure without a time stands at 0."""
Found = dict[Labels, Points]

_NAME = re.compile(r"\$(?:\{(?P<full>\w+)\}|(?P<plain>\w+))")
_REDUCERS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "last": lambda figures: figures[-1],
    "mean": lambda figures: sum(figures) / len(figures),
    "max": max,
    "min": min,
    "sum": sum,
    "count": len,
}
_THRESHOLDS: Mapping[str, Callable[[float, Sequence[float]], bool]] = {
    "gt": lambda figure, limits: figure > limits[0],
    "lt": lambda figure, limits: figure < limits[0],
    "within_range": lambda figure, limits: limits[0] < figure < limits[1],
    "outside_range": lambda figure, limits: not limits[0] <= figure <= limits[1],
}
_OPERATORS: Mapping[type[ast.AST], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: lambda one, other: one / other if other else math.nan,
    ast.Gt: operator.gt,
    ast.Lt: operator.lt,
    ast.GtE: operator.ge,
    ast.LtE: operator.le,
}


def added(queries: Sequence[Mapping[str, Any]], results: dict[str, Any]) -> dict[str, Any]:
    """The results with those of the sums, and without what is hidden; a request without sums has nothing hidden."""
    sums = [query for query in queries if query["datasource"]["uid"] == UID]
    for query in sums:
        results[query["refId"]] = _result(query, results)
    hidden = {query["refId"] for query in queries if query.get("hide") is True} if sums else set()
    return {ref: result for ref, result in results.items() if ref not in hidden}


def _result(query: Mapping[str, Any], results: Mapping[str, Any]) -> dict[str, Any]:
    text, kind = str(query.get("expression") or ""), query.get("type")
    names = [found["full"] or found["plain"] for found in _NAME.finditer(text)] if kind == "math" else [text]
    ref = query["refId"]
    for name in names:
        if name not in results:
            return _failed(f"failed to build the expression [{ref}]: could not find dependent node [{name}]")
        if "error" in results[name]:
            return _failed(
                f"[sse.dependencyError] did not execute expression [{ref}] due to a failure of [{name}]"
            )
    given = {name: _found(results[name]["frames"]) for name in names}
    try:
        found = _reckoned(kind, text, query, given)
    except (KeyError, SyntaxError, ValueError) as error:
        return _failed(f"[sse.parseError] failed to parse expression [{ref}]: {error}")
    return {"status": 200, "frames": [_frame(ref, labels, points) for labels, points in found.items()]}


def _reckoned(kind: Any, text: str, query: Mapping[str, Any], given: Mapping[str, Found]) -> Found:
    if kind == "math":
        tree = ast.parse(_NAME.sub(lambda found: found["full"] or found["plain"], text), mode="eval").body
        return _math(tree, given)
    if kind == "reduce":
        reduce = _REDUCERS[query["reducer"]]
        return {labels: {0: reduce([*points.values()])} for labels, points in given[text].items() if points}
    if kind == "threshold":
        test = query["conditions"][0]["evaluator"]
        holds = _THRESHOLDS[test["type"]]
        return {
            labels: {at: float(holds(figure, test["params"])) for at, figure in points.items()}
            for labels, points in given[text].items()
        }
    raise ValueError(f"no expression of the type {kind!r}")


def _math(tree: ast.AST, given: Mapping[str, Found]) -> Found:
    if isinstance(tree, ast.Name):
        return given[tree.id]
    if isinstance(tree, ast.Constant) and isinstance(tree.value, int | float):
        return {(): {0: float(tree.value)}}
    if isinstance(tree, ast.BinOp):
        return _joined(_OPERATORS[type(tree.op)], _math(tree.left, given), _math(tree.right, given))
    if isinstance(tree, ast.Compare) and len(tree.ops) == 1:
        sides = (_math(tree.left, given), _math(tree.comparators[0], given))
        return _joined(_OPERATORS[type(tree.ops[0])], *sides)
    raise ValueError("what is no sum")


def _joined(reckon: Callable[[float, float], float], left: Found, right: Found) -> Found:
    """Series of the same labels together, or those of one side with the one of the other that has none."""
    found: Found = {}
    for labels, points in left.items():
        for others, more in right.items():
            if labels == others or not labels or not others:
                found[labels or others] = {
                    at or at_too: float(reckon(figure, other))
                    for at, figure in points.items()
                    for at_too, other in more.items()
                    if at == at_too or not at or not at_too
                }
    return found


def _found(frames: Sequence[Mapping[str, Any]]) -> Found:
    found: Found = {}
    for frame in frames:
        columns = dict(
            zip((about["type"] for about in frame["schema"]["fields"]), frame["data"]["values"], strict=True)
        )
        labels: dict[str, str] = next(
            (about.get("labels", {}) for about in frame["schema"]["fields"] if "labels" in about), {}
        )
        times = columns.get("time") or [0] * len(columns.get("number", []))
        pairs = zip(times, columns.get("number", []), strict=True)
        found[tuple(sorted(labels.items()))] = {at: one for at, one in pairs if one is not None}
    return found


def _frame(ref: str, labels: Labels, points: Points) -> dict[str, Any]:
    value = {"name": ref, "type": "number", "labels": dict(labels)}
    figures = [one if math.isfinite(one) else None for one in points.values()]
    if [*points] == [0]:
        return {"schema": {"refId": ref, "fields": [value]}, "data": {"values": [figures]}}
    fields = [{"name": "Time", "type": "time"}, value]
    return {"schema": {"refId": ref, "fields": fields}, "data": {"values": [[*points], figures]}}


def _failed(words: str) -> dict[str, Any]:
    return {"error": words, "errorSource": "downstream", "status": 400}
