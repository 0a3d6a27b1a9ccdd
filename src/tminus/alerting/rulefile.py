"""Files of rules: Prometheus' own, PrometheusRule objects, and Grafana's exports; and why one would be refused.

Held to the rules by which Prometheus loads a file (`model/rulefmt` of prometheus/prometheus). Names of labels and
annotations are held to its classic rule, which every Prometheus keeps.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from tminus.alerting import grafana, templates
from tminus.alerting.matchers import CLASSIC_NAME
from tminus.alerting.measures import Meaning
from tminus.alerting.written import Written, understood
from tminus.alerting.yamltree import (
    Fault,
    FaultError,
    Fields,
    Node,
    Scalar,
    as_fields,
    as_text,
    documents,
    telling,
)

PROMETHEUS, OBJECT, GRAFANA = "rules of Prometheus", "PrometheusRule objects", "rules of Grafana"

_GROUP = {"name", "interval", "query_offset", "limit", "rules", "labels"}
_OBJECT_GROUP = _GROUP | {"partial_response_strategy"}
"""What Prometheus' operator knows beside it, for Thanos."""
_RULE = {"record", "alert", "expr", "for", "keep_firing_for", "labels", "annotations"}
_TESTS = {"tests", "rule_files", "evaluation_interval"}
_NAME_LABEL = "__name__"
_RECORDED = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_WHOLE = re.compile(r"[+-]?[0-9]+|")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RuleFile:
    """What was read of a file."""

    form: str
    """Whose file it is, in words."""
    documents: int
    groups: int
    rules: tuple[Written, ...]
    faults: tuple[Fault, ...]
    """Why it would be refused; none where it would be loaded."""
    remarks: tuple[str, ...]


def read(text: str) -> RuleFile:
    """The rules that this text holds; what is wrong with it is in its faults."""
    reader = _Reader()
    found: list[Node] = []
    with telling(reader.faults):
        found = [one for one in documents(text) if not (isinstance(one, Scalar) and one.empty)]
        if not found:
            raise FaultError(1, "it is empty: nothing would ever fire")
        for one in found:
            reader.document(one)
        if len(found) > 1 and reader.form == PROMETHEUS:
            raise FaultError(found[1].line, "a second document begins, and Prometheus reads the first alone")
        if not reader.rules and not reader.faults:
            raise FaultError(found[0].line, "it holds no rule: nothing would ever fire")
    return RuleFile(
        reader.form,
        len(found),
        reader.groups,
        tuple(reader.rules),
        tuple(sorted(set(reader.faults))),
        (*reader.remarks, *_remarks(reader.rules)),
    )


@dataclass(slots=True)
class _Reader:
    form: str = PROMETHEUS
    groups: int = 0
    rules: list[Written] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def document(self, root: Node) -> None:
        """One document, whatever it is."""
        if grafana.is_export(root):
            self._grafana(root)
            return
        fields = as_fields(root, "a file of rules")
        if fields.get("kind") is not None:
            self._object(fields)
        elif fields.nodes.keys() & _TESTS and fields.get("groups") is None:
            raise FaultError(fields.line, "it holds tests for `promtool test rules` and no rules")
        else:
            self._unknown(fields, {"groups"}, "a file of rules")
            self._groups(fields, _GROUP)

    def _grafana(self, root: Node) -> None:
        self.form = GRAFANA
        export = grafana.read(root)
        self.groups += export.groups
        self.rules += export.rules
        self.faults += export.faults
        self.remarks += export.remarks

    def _object(self, fields: Fields) -> None:
        self.form = OBJECT
        kind = fields.text("kind")
        if kind.endswith("List"):
            for one in fields.listed("items"):
                with telling(self.faults):
                    self._object(as_fields(one, "each of items"))
        elif kind == "PrometheusRule":
            self._groups(fields.mapped("spec"), _OBJECT_GROUP)
        else:
            self.remarks.append(f"line {fields.line}: an object of kind {kind} holds no rules")

    def _tried(self, read_it: Callable[[], T]) -> T | None:
        """What this reads; nothing where it is wrong, which is among the faults then."""
        with telling(self.faults):
            return read_it()
        return None

    def _unknown(self, fields: Fields, known: Collection[str], what: str) -> None:
        self.faults += [Fault(line, f"{name} is no field of {what}") for line, name in fields.unknown(known)]

    def _groups(self, fields: Fields, known: Collection[str]) -> None:
        names: dict[str, int] = {}
        for node in fields.listed("groups"):
            with telling(self.faults):
                group = as_fields(node, "a group")
                self.groups += 1
                self._unknown(group, known, "a group")
                name = group.text("name")
                if not name:
                    raise FaultError(group.line, "a group has no name")
                if name in names:
                    first = names[name]
                    raise FaultError(group.line, f"the group {name} stands here twice, first on line {first}")
                names[name] = group.line
                self._group(group, name)

    def _group(self, group: Fields, name: str) -> None:
        for key in ("interval", "query_offset"):
            self._tried(partial(group.seconds, key))
        limit = self._tried(partial(group.text, "limit"))
        if limit is not None and not _WHOLE.fullmatch(limit):
            self.faults.append(Fault(group.line_of("limit"), "limit is no whole number"))
        self._tried(partial(self._names, group, "labels"))
        for node in group.listed("rules"):
            with telling(self.faults):
                self._rule(as_fields(node, "a rule"), name)

    def _rule(self, rule: Fields, group: str) -> None:
        """One rule with everything that is wrong with it; it is kept where nothing is that hides what it says."""
        self._unknown(rule, _RULE, "a rule")
        alert, record = (self._tried(partial(rule.text, key)) for key in ("alert", "record"))
        hold, keeps = (self._tried(partial(rule.seconds, key)) for key in ("for", "keep_firing_for"))
        labels, annotations = (
            self._tried(partial(self._names, rule, block)) or {} for block in ("labels", "annotations")
        )
        expression = self._tried(partial(rule.text, "expr"))
        if alert is None or record is None:
            return
        if bool(alert) == bool(record):
            one = "both alert and record" if alert else "neither alert nor record"
            self.faults.append(Fault(rule.line, f"a rule of {group} has {one}"))
            return
        name = alert or record
        if record:
            self._recording(rule, record, {"annotations": annotations, "for": hold, "keep_firing_for": keeps})
        else:
            self._templates(rule, {"labels": labels, "annotations": annotations})
        means = None if expression is None else self._tried(partial(self._meant, rule, name, expression))
        if expression is None or means is None:
            return
        self.rules.append(
            Written(
                group,
                name,
                bool(alert),
                expression,
                hold,
                labels,
                annotations,
                rule.line,
                means if alert else (),
            )
        )

    def _meant(self, rule: Fields, name: str, expression: str) -> tuple[Meaning, ...]:
        if not expression:
            raise FaultError(rule.line_of("expr"), f"{name} has no expr")
        try:
            means, remark = understood(expression)
        except ValueError as error:
            raise FaultError(
                rule.line_of("expr"), f"the expression of {name} cannot be read: {error}"
            ) from error
        if remark:
            self.remarks.append(f"line {rule.line_of('expr')}: the expression of {name} {remark}")
        return means

    def _recording(self, rule: Fields, record: str, beside: Mapping[str, object]) -> None:
        self.faults += [
            Fault(rule.line_of(name), f"{record} records a series and cannot have {name}")
            for name, given in beside.items()
            if given
        ]
        if "{" in record or "}" in record:
            self.faults.append(Fault(rule.line_of("record"), f"{record} has braces; is it an expression?"))
        elif not _RECORDED.fullmatch(record):
            self.remarks.append(f"line {rule.line_of('record')}: only Prometheus 3 takes the name {record}")

    def _templates(self, rule: Fields, texts: Mapping[str, Mapping[str, str]]) -> None:
        for block, values in texts.items():
            for name, text in values.items():
                if why := templates.fault(text):
                    line = rule.mapped(block).line_of(name)
                    self.faults.append(Fault(line, f"the template in {name} cannot be read: {why}"))

    def _names(self, holder: Fields, block: str) -> dict[str, str]:
        """The labels or annotations of a rule or a group."""
        fields = holder.mapped(block)
        for name, line in fields.lines.items():
            if not CLASSIC_NAME.fullmatch(name) or (block == "labels" and name == _NAME_LABEL):
                self.faults.append(Fault(line, f"{name!r} cannot be a name among the {block}"))
        return {name: as_text(node, f"{name} of the {block}") for name, node in fields.nodes.items()}


def _remarks(rules: Sequence[Written]) -> Iterator[str]:
    """What would be loaded, and is probably not meant."""
    seen: dict[object, int] = {}
    for rule in rules:
        same = (rule.name, tuple(sorted(rule.labels.items())), rule.expression)
        if same in seen:
            yield f"line {rule.line}: {rule.name} stands there already on line {seen[same]}"
        seen.setdefault(same, rule.line)
    alerts = [rule for rule in rules if rule.alerts]
    lacking = {
        "severity": sum(not rule.severity for rule in alerts),
        "runbook": sum(not rule.runbook for rule in alerts),
    }
    for what, number in lacking.items():
        if number:
            yield f"{number} of {len(alerts)} alerts {'has' if number == 1 else 'have'} no {what}"
