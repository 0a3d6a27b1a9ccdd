"""A panel's PromQL narrowed to one side of a launch: every selector gets one matcher more.

Grafana's own intervals stand in the text while it is parsed as times that nobody would write, and are put back after.
"""

import re
from collections.abc import Callable, Collection
from typing import Any

import promql_parser
from promql_parser import MatrixSelector, VectorSelector

from tminus.alerting import expression
from tminus.alerting.expression import Selector
from tminus.domain import wording

_TIMES = {"__interval": 90_061, "__rate_interval": 93_784, "__range": 97_507}
"""Seconds that stand for an interval while its text is parsed."""
_NUMBERS = {
    "__interval_ms": 90_061_001,
    "__rate_interval_ms": 93_784_001,
    "__range_ms": 97_507_001,
    "__range_s": 97_507,
}
_OWN = re.compile(r"\$(?:(?P<plain>__\w+)|\{(?P<full>__\w+)(?::\w+)?\})")
"""Where one of Grafana's own intervals stands."""


def parsed(text: str) -> expression.Expression:
    """A panel's expression; raises `ValueError` for what Prometheus could not read either."""
    return expression.parse(_OWN.sub(_standing, text))


def plain(selector: Selector) -> Selector:
    """The same without matchers of how something ended: what is measured also on a day without any failure."""
    kept = tuple(one for one in selector.matchers if not wording.ended(one[0]))
    return Selector(selector.metric, kept) if selector.metric or kept else selector


def constant(text: str) -> bool:
    """Whether an expression gives something also where nothing is measured: by `vector`, `absent` or no metric."""
    tree = parsed(text)
    made = {call.func.name for call in expression.calls(tree.tree)}
    return bool(made & {"vector", "absent", "absent_over_time"}) or not tree.selectors


def selectors(text: str) -> list[Selector]:
    """Every selector of a panel's expression once; raises `ValueError` as `parsed` does."""
    return parsed(text).selectors


def restricted(text: str, label: str, value: str, carrying: Collection[Selector]) -> str:
    """The same expression with `label="value"` at each of these selectors; others stay as they are."""
    tree = parsed(text).tree

    def narrowed(node: Any) -> Any:
        if isinstance(node, MatrixSelector):
            inner = _narrowed(node.vector_selector, label, value, carrying)
            if inner is None:
                return None
            times = expression.one_line(node).rpartition("[")[2].partition("]")[0]
            plain, tail = inner
            return promql_parser.parse(f"{plain}[{times}]{tail}")
        if isinstance(node, VectorSelector):
            inner = _narrowed(node, label, value, carrying)
            return None if inner is None else promql_parser.parse("".join(inner))
        return None

    return _back(expression.one_line(promql_parser.transform(tree, pre_visit=_unless_done(narrowed))))


def _narrowed(node: Any, label: str, value: str, carrying: Collection[Selector]) -> tuple[str, str] | None:
    """A selector with one matcher more, and what stands behind it; nothing for one that is left alone."""
    found = expression.selectors(node)[0]
    if found not in carrying:
        return None
    whole = expression.one_line(node)
    tail = whole.rpartition("}")[2] if "}" in whole else whole.removeprefix(str(node.name))
    # Not in the place of what the panel itself asks of the label: one that shows the other side alone shows nothing.
    added = Selector(found.metric, (*found.matchers, (label, "=", value)))
    return added.text, tail


def _unless_done(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A change that is not made again within what it has written."""
    written: set[str] = set()

    def visit(node: Any) -> Any:
        if not isinstance(node, MatrixSelector | VectorSelector) or expression.one_line(node) in written:
            return None
        changed = change(node)
        if changed is not None:
            written.add(expression.one_line(changed))
            if isinstance(changed, MatrixSelector):
                written.add(expression.one_line(changed.vector_selector))
        return changed

    return visit


def _standing(place: re.Match[str]) -> str:
    name = place["plain"] or place["full"]
    if name in _TIMES:
        return f"{_TIMES[name]}s"
    return str(_NUMBERS[name]) if name in _NUMBERS else place[0]


def _back(text: str) -> str:
    for name, seconds in _TIMES.items():
        text = text.replace(promql_parser.display_duration(_duration(seconds)), f"${name}")
    for name, number in _NUMBERS.items():
        text = re.sub(rf"(?<![\w.]){number}(?![\w.])", f"${name}", text)
    return text


def _duration(seconds: int) -> Any:
    return promql_parser.parse_duration(f"{seconds}s")
