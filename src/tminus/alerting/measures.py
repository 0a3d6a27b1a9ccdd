"""What an alert measures, told by its expression and not by its name.

A checklist says "error rate above 1 %"; a rule says `sum(rate(http_requests_total{code=~"5.."}[5m])) /
sum(rate(http_requests_total[5m])) > 0.01`. Both are brought to one form: a measure, a direction, and a limit as a
share, in seconds, or as a count.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from promql_parser import AggregateExpr, BinaryExpr, Call

from tminus.alerting.expression import Comparison, Expression, Selector, bare, calls, number, selectors

Measure: TypeAlias = Literal[
    "downtime", "errors", "p95", "connections", "memory", "disk", "cache hits", "queue"
]
"""What a checklist's alerts are about."""

_WORDS: Mapping[str, re.Pattern[str]] = {
    "connections": re.compile(r"connection|numbackends|stat_activity|db_pool|pool_(?:size|in_use)"),
    "memory": re.compile(r"memory|working_set|resident|_rss|_mem_"),
    "disk": re.compile(r"filesystem|disk|volume_stats|_fs_"),
    "cache hits": re.compile(r"cache|keyspace|_hits|_misses"),
    "queue": re.compile(r"queue|backlog|messages_ready|pending|_lag\b"),
}
"""By measure: words in the names of its metrics, as the usual exporters call them."""

_FREE = re.compile(r"(?i)free|avail|miss|idle")
_FAILED = re.compile(r"error|fail|5xx")
_STATUS = re.compile(r"status|code|response_code|status_code|http_status")
_OUTSIDE = {"up", "probe_success"}
_FIRED_WHEN_ABSENT = {"absent", "absent_over_time"}


@dataclass(frozen=True, slots=True)
class Meaning:
    """One comparison of an expression, as a checklist would say it."""

    measure: str
    above: bool
    """Whether it fires above the limit; below it otherwise."""
    limit: float | None
    """A share, seconds or a count; none where the rule compares a bare number, beside which no limit can be set."""
    comparison: Comparison | None
    """What stands in the expression; none for `absent(…)`, which compares with no number."""
    remarks: tuple[str, ...] = ()
    """What is coarser than it should be."""


@dataclass(frozen=True, slots=True)
class _Form:
    """A measured thing without its scale: `100 * (1 - free / size)` is `free / size`, times 100, turned round."""

    core: Any
    scale: float = 1.0
    turned: bool = False


def meanings(expression: Expression) -> list[Meaning]:
    """Everything that an expression measures of what a checklist knows; nothing where it measures something else."""
    found = [one for comparison in expression.comparisons for one in _of(comparison)]
    absent = [call for call in calls(expression.tree) if call.func.name in _FIRED_WHEN_ABSENT]
    if absent and not any(one.measure == "downtime" for one in found):
        found.append(Meaning("downtime", above=False, limit=None, comparison=None))
    return found


def _of(comparison: Comparison) -> list[Meaning]:
    form = _form(comparison.measured)
    names = selectors(form.core)
    for one in (_downtime(comparison, names), _quantile(comparison, form), _errors(comparison, form)):
        if one is not None:
            return [one]
    return _by_words(comparison, form, names)


def _downtime(comparison: Comparison, names: list[Selector]) -> Meaning | None:
    up = [one for one in names if one.metric in _OUTSIDE or one.metric.endswith("_up")]
    says_down = (comparison.operator, comparison.limit) in {("==", 0.0), ("<", 1.0), ("!=", 1.0), ("<=", 0.0)}
    if not up or len(up) < len(names) or not says_down:
        return None
    inside = [one.metric for one in up if one.metric not in _OUTSIDE]
    told = (f"{', '.join(inside)} is the service's own figure and dies with it; watch from outside",)
    return Meaning("downtime", above=False, limit=None, comparison=comparison, remarks=told if inside else ())


def _quantile(comparison: Comparison, form: _Form) -> Meaning | None:
    quantiles = [number(call.args[0]) for call in calls(form.core) if call.func.name == "histogram_quantile"]
    quantiles += [
        float(value)
        for selector in selectors(form.core)
        for name, operator, value in selector.matchers
        if (name, operator) == ("quantile", "=")
    ]
    if 0.95 not in quantiles:
        return None
    unit = 1000.0 if any(_in_milliseconds(one.metric) for one in selectors(form.core)) else 1.0
    return _compared("p95", comparison, form.scale * unit)


def _in_milliseconds(metric: str) -> bool:
    name = metric.removesuffix("_bucket")
    return name.endswith(("_milliseconds", "_ms", "_millis"))


def _errors(comparison: Comparison, form: _Form) -> Meaning | None:
    sides = _ratio(form.core)
    if sides is None:
        failed = [one for one in selectors(form.core) if _counts_failures(one)]
        if not failed or any(_FREE.search(one.metric) for one in failed):
            return None
        told = ("it counts failures and not their share, so its limit cannot be compared",)
        return Meaning(
            "errors",
            above=comparison.operator in {">", ">="},
            limit=None,
            comparison=comparison,
            remarks=told,
        )
    above, below = sides
    if not any(_counts_failures(one) for one in above) or all(_counts_failures(one) for one in below):
        return None
    return _compared("errors", comparison, form.scale, turned=form.turned)


def _counts_failures(selector: Selector) -> bool:
    by_label = any(
        _STATUS.search(name) and operator in {"=", "=~"} and value.startswith(("5", "(5", "[5"))
        for name, operator, value in selector.matchers
    )
    return by_label or bool(_FAILED.search(selector.metric))


def _by_words(comparison: Comparison, form: _Form, names: list[Selector]) -> list[Meaning]:
    sides = _ratio(form.core)
    for measure, words in _WORDS.items():
        if not any(words.search(one.metric) for one in names):
            continue
        if measure == "queue":
            return [_compared(measure, comparison, form.scale)]
        if sides is None:
            above = comparison.operator in {">", ">="}
            return [Meaning(measure, above=above, limit=None, comparison=comparison)]
        free = all(_FREE.search(one.metric) for one in sides[0])
        return [_compared(measure, comparison, form.scale, turned=form.turned != free)]
    return []


def _compared(measure: str, comparison: Comparison, scale: float, *, turned: bool = False) -> Meaning:
    """A meaning with its limit in base units; turned round where the rest is measured: free for used."""
    limit = comparison.limit / scale
    above = comparison.operator in {">", ">="}
    if turned:
        # free below 20 % is used above 80 %; rounded, since 1 - 0.2 is not 0.8 to a computer
        limit, above = round(1 - limit, 12), not above
    return Meaning(measure, above=above, limit=limit, comparison=comparison)


def _form(tree: Any) -> _Form:
    """A measured thing, its scale and whether it is turned round."""
    tree = bare(tree)
    if isinstance(tree, BinaryExpr):
        left, right, operator = number(tree.lhs), number(tree.rhs), str(tree.op).strip()
        if operator == "*" and (factor := left if left is not None else right) is not None:
            inner = _form(tree.rhs if left is not None else tree.lhs)
            return _Form(inner.core, inner.scale * factor, inner.turned)
        if operator == "/" and right:
            inner = _form(tree.lhs)
            return _Form(inner.core, inner.scale / right, inner.turned)
        if operator == "/":
            return _Form(tree, _form(tree.lhs).scale)
        if operator == "-" and left is not None:
            inner = _form(tree.rhs)
            return _Form(inner.core, inner.scale, not inner.turned) if inner.scale == left else _Form(tree)
    return _Form(tree)


def _ratio(tree: Any) -> tuple[list[Selector], list[Selector]] | None:
    """What is divided by what, inside aggregations and functions over time; nothing where nothing is divided."""
    tree = bare(tree)
    if isinstance(tree, BinaryExpr):
        operator = str(tree.op).strip()
        if operator == "/":
            return selectors(tree.lhs), selectors(tree.rhs)
        if operator in {"or", "and", "unless"}:
            return _ratio(tree.lhs)
        if operator == "-" and number(tree.lhs) is not None:
            return _ratio(tree.rhs)
    if isinstance(tree, AggregateExpr):
        return _ratio(tree.expr)
    if isinstance(tree, Call) and tree.args:
        return next((found for part in tree.args if (found := _ratio(getattr(part, "expr", part)))), None)
    return None
