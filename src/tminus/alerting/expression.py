"""An alert's expression as Prometheus reads it: what it compares, with which limit, and what it selects.

Built on promql-parser, which follows Prometheus' own grammar. Nothing is evaluated here; `with_limit` writes the same
expression with another number, for Prometheus to evaluate.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import promql_parser
from promql_parser import BinaryExpr, Call, NumberLiteral, ParenExpr, UnaryExpr, VectorSelector

_FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}


@dataclass(frozen=True, slots=True)
class Selector:
    """One selector of series, as it stands in an expression."""

    metric: str
    matchers: tuple[tuple[str, str, str], ...] = ()
    """Label, operator (`=`, `!=`, `=~`, `!~`) and value of each, in order."""

    @property
    def text(self) -> str:
        """How Prometheus is asked for these series."""
        return _selecting(self.metric, self.matchers)

    @property
    def exact(self) -> "Selector":
        """The same without patterns and exclusions: series that must be there whatever happens."""
        return Selector(self.metric, tuple(one for one in self.matchers if one[1] == "="))


def _selecting(metric: str, matchers: tuple[tuple[str, str, str], ...]) -> str:
    quoted = ",".join(f'{name}{operator}"{_escaped(value)}"' for name, operator, value in matchers)
    return f"{metric}{{{quoted}}}" if quoted else metric


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


@dataclass(frozen=True, slots=True)
class Comparison:
    """Something measured, compared with a number."""

    measured: Any = field(repr=False)
    """What stands on the other side of the number."""
    operator: str
    """As if the measured stood on the left: `0.9 > x` is `x < 0.9`."""
    limit: float
    _text: str = field(repr=False)

    @property
    def left(self) -> str:
        """What is measured, as Prometheus can be asked for it."""
        return one_line(self.measured)


@dataclass(frozen=True, slots=True)
class Expression:
    """One parsed expression."""

    tree: Any = field(repr=False)

    @property
    def comparisons(self) -> list[Comparison]:
        """Every comparison with a number, from the outside inwards."""
        return [found for node in nodes(self.tree) if (found := _comparison(node)) is not None]

    @property
    def selectors(self) -> list[Selector]:
        """Every selector once, in the order of the text."""
        return selectors(self.tree)

    def with_limit(self, comparison: Comparison, limit: float) -> str:
        """The same expression with another number in one of its comparisons."""

        def other(node: Any) -> Any:
            found = _comparison(node)
            if found is None or found._text != comparison._text:  # noqa: SLF001 - its own kind
                return None
            modifier = "bool " if node.modifier is not None and node.modifier.return_bool else ""
            return promql_parser.parse(f"({found.left}) {found.operator} {modifier}{limit!r}")

        return one_line(promql_parser.transform(self.tree, pre_visit=_once(other)))

    def beside(self, comparison: Comparison) -> list[str]:
        """What else must hold for the alert to fire: the other side of every `and` around the comparison."""
        found = []
        for node in nodes(self.tree):
            if isinstance(node, BinaryExpr) and str(node.op).strip() == "and":
                sides = (node.lhs, node.rhs)
                inside = [any(one_line(one) == comparison._text for one in nodes(side)) for side in sides]  # noqa: SLF001 - its own kind
                found += [one_line(side) for side, there in zip(sides, inside, strict=True) if not there]
        return found


def parse(text: str) -> Expression:
    """The expression behind this text; raises `ValueError` for what Prometheus could not read either."""
    return Expression(promql_parser.parse(text))


def nodes(tree: Any) -> Iterator[Any]:
    """A tree's nodes, the outermost first."""
    found: list[Any] = []
    promql_parser.walk(tree, pre_visit=found.append)
    yield from found


def selectors(tree: Any) -> list[Selector]:
    """Every selector below a node once, in the order of the text."""
    found = [_selector(node) for node in nodes(tree) if isinstance(node, VectorSelector)]
    return list(dict.fromkeys(found))


def one_line(tree: Any) -> str:
    """A node as text on one line."""
    return " ".join(str(tree.prettify()).split())


def bare(tree: Any) -> Any:
    """A node without the brackets around it."""
    while isinstance(tree, ParenExpr):
        tree = tree.expr
    return tree


def number(tree: Any) -> float | None:
    """The number that a node is; none for anything else."""
    tree = bare(tree)
    if isinstance(tree, NumberLiteral):
        return float(tree.val)
    if isinstance(tree, UnaryExpr) and (inner := number(tree.expr)) is not None:
        return -inner
    return None


def filters(tree: Any) -> bool:
    """Whether a node gives nothing where its comparison does not hold: `x > 5` without `bool`."""
    tree = bare(tree)
    compares = isinstance(tree, BinaryExpr) and str(tree.op).strip() in _FLIPPED
    return compares and not (tree.modifier is not None and tree.modifier.return_bool)


def measured_now(tree: Any) -> list[Selector]:
    """Every selector once that looks at now: without `offset` and without `@`."""
    found = [
        _selector(node)
        for node in nodes(tree)
        if isinstance(node, VectorSelector) and node.offset is None and node.at is None
    ]
    return list(dict.fromkeys(found))


def calls(tree: Any) -> list[Any]:
    """Every function call below a node."""
    return [node for node in nodes(tree) if isinstance(node, Call)]


def _comparison(node: Any) -> Comparison | None:
    if not isinstance(node, BinaryExpr):
        return None
    operator = str(node.op).strip()
    if operator not in _FLIPPED:
        return None
    left, right = number(node.lhs), number(node.rhs)
    if right is not None and left is None:
        return Comparison(bare(node.lhs), operator, right, one_line(node))
    if left is not None and right is None:
        return Comparison(bare(node.rhs), _FLIPPED[operator], left, one_line(node))
    return None


def _selector(node: Any) -> Selector:
    operators = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}
    matchers = [
        (str(one.name), operators[str(one.op).rpartition(".")[2]], str(one.value))
        for one in node.matchers.matchers
    ]
    named = [value for name, operator, value in matchers if (name, operator) == ("__name__", "=")]
    others = tuple(sorted(one for one in matchers if one[:2] != ("__name__", "=")))
    return Selector(str(node.name or (named[0] if named else "")), others)


def _once(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A change that is made at the first node it fits: what it writes is not visited for another one."""
    done: list[bool] = []

    def visit(node: Any) -> Any:
        if done:
            return None
        changed = change(node)
        if changed is not None:
            done.append(True)
        return changed

    return visit
