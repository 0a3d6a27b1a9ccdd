"""Alert rules that Grafana keeps, as its files and its interface hand them out.

An export holds groups (`apiVersion: 1`), the interface a list of rules. Each rule has several queries, one of which is
its condition; an expression of Prometheus is one of them, and the limit often stands in another. Source: Grafana's
documentation, "Use configuration files to provision alerting resources".
"""

import re
from dataclasses import dataclass, field

from tminus.alerting.measures import Meaning
from tminus.alerting.written import Written, understood
from tminus.alerting.yamltree import Fault, FaultError, Fields, Items, Node, as_fields, as_text, telling

_RULE = {"title", "data"}
_OWN = re.compile(r"\$__(?:rate_interval|interval|range)(?:_m?s)?\b|\$\{__(?:rate_interval|interval|range)\}")
"""Lengths of time that Grafana fills in before it asks."""
_CALCULATED = "__expr__"
"""Whose queries are arithmetic over the others."""


@dataclass(slots=True)
class Export:
    """What was read of one export."""

    groups: int = 0
    rules: list[Written] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def is_export(root: Node) -> bool:
    """Whether a document is of Grafana: its API version is a number, or it is one of its rules."""
    if isinstance(root, Items):
        return bool(root.nodes) and is_export(root.nodes[0])
    if not isinstance(root, Fields):
        return False
    versioned = root.get("apiVersion") is not None and root.get("kind") is None
    return (versioned and root.get("groups") is not None) or root.nodes.keys() >= _RULE


def read(root: Node) -> Export:
    """The rules of an export, or of an answer of Grafana's interface."""
    found = Export()
    with telling(found.faults):
        if isinstance(root, Fields) and root.get("groups") is not None:
            for node in root.listed("groups"):
                with telling(found.faults):
                    _group(as_fields(node, "a group"), found)
        else:
            _listed(root.nodes if isinstance(root, Items) else [root], found)
    return found


def _group(group: Fields, found: Export) -> None:
    found.groups += 1
    name = group.text("name")
    if not name:
        raise FaultError(group.line, "a group has no name")
    if not group.seconds("interval"):
        raise FaultError(
            group.line_of("interval"), f"the group {name} does not say how often it is evaluated"
        )
    for node in group.listed("rules"):
        with telling(found.faults):
            _rule(as_fields(node, "a rule"), name, found)


def _listed(nodes: list[Node], found: Export) -> None:
    """Rules one by one, each with the name of its group."""
    names = set()
    for node in nodes:
        with telling(found.faults):
            rule = as_fields(node, "a rule")
            names.add((rule.text("folderUID"), rule.text("ruleGroup")))
            _rule(rule, rule.text("ruleGroup"), found)
    found.groups += len(names)


def _rule(rule: Fields, group: str, found: Export) -> None:
    name = rule.text("title")
    if not name:
        raise FaultError(rule.line, f"a rule of {group} has no title")
    records = rule.get("record") is not None
    condition = rule.text("condition") or rule.mapped("record").text("from")
    queries = [as_fields(one, "each of data") for one in rule.listed("data")]
    if condition not in {one.text("refId") for one in queries}:
        raise FaultError(rule.line_of("condition"), f"the condition of {name} is none of its queries")
    expressions, means = _asked(queries, name, found)
    found.rules.append(
        Written(
            group,
            name,
            not records,
            "; ".join(expressions),
            rule.seconds("for"),
            _texts(rule, "labels"),
            _texts(rule, "annotations"),
            rule.line,
            tuple(means),
        )
    )


def _texts(rule: Fields, block: str) -> dict[str, str]:
    return {name: as_text(node, f"{name} of {block}") for name, node in rule.mapped(block).nodes.items()}


def _asked(queries: list[Fields], name: str, found: Export) -> tuple[list[str], list[Meaning]]:
    """The expressions of a rule's queries, and what they measure."""
    expressions: list[str] = []
    means: list[Meaning] = []
    for query in queries:
        model = query.mapped("model")
        text = model.text("expr")
        if not text or query.text("datasourceUid") == _CALCULATED:
            continue
        expressions.append(text)
        source = model.get("datasource")
        kind = source.text("type") if isinstance(source, Fields) else ""
        if kind in {"", "prometheus"}:
            means += _meant(text, (model.line_of("expr"), name, bool(kind)), found)
    return expressions, means


def _meant(text: str, about: tuple[int, str, bool], found: Export) -> tuple[Meaning, ...]:
    """What an expression measures; one that no Prometheus reads is a fault where it is surely meant for one."""
    line, name, sure = about
    try:
        means, remark = understood(_OWN.sub("1m", text))
    except ValueError as error:
        if sure:
            raise FaultError(line, f"the expression of {name} cannot be read: {error}") from error
        means, remark = (), "is not in Prometheus' language"
    if remark:
        found.remarks.append(f"line {line}: the expression of {name} {remark}")
    return means
