"""The walk through a routing tree, beside a second and naive one; and what is called unreachable is."""

import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from tminus.alerting import configuration

NAMES = ("a", "b")
VALUES = ("", "x", "y", "xy")
PATTERNS = ("x", "x|y", "x.*", ".*", ".+", "", "[xy]?", "y")
EVERY = [dict(zip(NAMES, values, strict=True)) for values in product(VALUES, repeat=len(NAMES))]
RECEIVERS = [f"r{number}" for number in range(4)]

Condition = tuple[str, str, str]


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    operator = draw(st.sampled_from(["=", "!=", "=~", "!~"]))
    values = VALUES if operator in {"=", "!="} else PATTERNS
    return draw(st.sampled_from(NAMES)), operator, draw(st.sampled_from(values))


def written(found: list[Condition], form: int) -> dict[str, Any]:
    """The same conditions in one of the ways in which people write them."""
    if form == 0:
        return {"matchers": [f'{name}{operator}"{value}"' for name, operator, value in found]}
    if form == 1:
        return {
            "matchers": [
                "{" + ", ".join(f'{name} {operator} "{value}"' for name, operator, value in found) + "}"
            ]
        }
    made: dict[str, Any] = {"match": {}, "match_re": {}, "matchers": []}
    for name, operator, value in found:
        block = {"=": made["match"], "=~": made["match_re"]}.get(operator)
        if block is None or name in block:
            made["matchers"].append(f'{name}{operator}"{value}"')
        else:
            block[name] = value
    return made


@st.composite
def nodes(draw: st.DrawFn, depth: int = 3) -> dict[str, Any]:
    children = draw(st.lists(nodes(depth - 1), max_size=3)) if depth else []
    found = draw(st.lists(conditions(), max_size=2))
    return {
        "found": found,
        "form": draw(st.integers(0, 2)),
        "receiver": draw(st.sampled_from([None, *RECEIVERS])),
        "continue": draw(st.booleans()),
        "routes": children,
    }


def as_config(node: Mapping[str, Any], *, root: bool = True) -> dict[str, Any]:
    made: dict[str, Any] = {"routes": [as_config(child, root=False) for child in node["routes"]]}
    if root:
        return {**made, "receiver": node["receiver"] or RECEIVERS[0]}
    receiver = {"receiver": node["receiver"]} if node["receiver"] else {}
    return {**made, **receiver, **written(node["found"], node["form"]), "continue": node["continue"]}


def text_of(root: Mapping[str, Any]) -> str:
    receivers = [{"name": name} for name in RECEIVERS]
    return yaml.safe_dump({"route": as_config(root), "receivers": receivers}, sort_keys=False)


def holds(found: list[Condition], labels: Mapping[str, str]) -> bool:
    for name, operator, value in found:
        pattern = re.escape(value) if operator in {"=", "!="} else value
        matches = re.match(rf"^(?:{pattern})\Z", labels.get(name, "")) is not None
        if matches is operator.startswith("!"):
            return False
    return True


def paths(node: Mapping[str, Any], before: tuple[int, ...] = ()) -> Iterator[tuple[int, ...]]:
    """Every node by the numbers of the children that lead to it, in the order of the file."""
    yield before
    for number, child in enumerate(node["routes"]):
        yield from paths(child, (*before, number))


def at(root: Mapping[str, Any], path: tuple[int, ...]) -> Mapping[str, Any]:
    for number in path:
        root = root["routes"][number]
    return root


def reached(root: Mapping[str, Any], path: tuple[int, ...], labels: Mapping[str, str]) -> bool:
    """Whether an alert comes by a node: each step matches, and no earlier sibling has taken it for good."""
    for length in range(1, len(path) + 1):
        parent, number = at(root, path[: length - 1]), path[length - 1]
        siblings = parent["routes"]
        if not holds(siblings[number]["found"], labels):
            return False
        if any(holds(one["found"], labels) and not one["continue"] for one in siblings[:number]):
            return False
    return True


def naive(root: Mapping[str, Any], labels: Mapping[str, str]) -> list[str]:
    """Who is told, by the definition: a node that is reached, and below which nothing is, tells its receiver."""
    every = [path for path in paths(root) if reached(root, path, labels)]
    final = [
        path for path in every if not any(len(one) > len(path) and one[: len(path)] == path for one in every)
    ]
    told = []
    for path in final:
        own = [at(root, path[:length])["receiver"] for length in range(len(path), -1, -1)]
        told.append(next((name for name in own if name), RECEIVERS[0]))
    return told


@given(nodes())
def test_both_walks_tell_the_same_receivers_in_the_same_order(root: dict[str, Any]) -> None:
    found = configuration.read(text_of({**root, "found": []}))
    assert found.faults == ()
    assert found.tree is not None
    for labels in [*EVERY, {}, {"c": "z"}]:
        taken = [route.receiver for route in found.tree.root.taken_by(labels)]
        assert taken == naive({**root, "found": []}, labels), labels
        assert found.tree.receivers(labels) == list(dict.fromkeys(taken))


@given(nodes())
def test_what_is_called_unreachable_is_reached_by_no_labels(root: dict[str, Any]) -> None:
    tree = configuration.tree(text_of({**root, "found": []}))
    ended = {id(route) for labels in EVERY for route in tree.root.taken_by(labels)}
    for route in tree.unreachable:
        assert not ended & {id(one) for one in route.below()}, str(route)
