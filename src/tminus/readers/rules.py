"""A file of rules: Prometheus' own, PrometheusRule objects, or an export of Grafana."""

from collections import Counter
from pathlib import Path

from tminus.alerting import rulefile
from tminus.alerting.rulefile import PROMETHEUS, RuleFile
from tminus.alerting.written import Written
from tminus.domain.canonical import JsonValue
from tminus.readers import Sight
from tminus.readers.textfiles import refuse, text_of
from tminus.readers.tools import word

_WHAT = "a file of rules"


def likely(path: Path, head: bytes) -> bool:
    """See `Reader.likely`."""
    text = b"\n" + head
    if b"\nkind: PrometheusRule" in text:
        return True
    return path.suffix.lower() in {".yaml", ".yml", ".rules"} and b"\ngroups:" in text


def see(path: Path) -> Sight:
    """Its rules, and what of a checklist's they measure; refused with every fault that Prometheus refuses it for."""
    found = rulefile.read(text_of(path))
    refuse(path, _WHAT, found.faults)
    remarks = [*found.remarks]
    details = _details(found)
    if found.form == PROMETHEUS:
        said = word("promtool", "check", "rules", path=path)
        details["promtool"] = said.text
        remarks.append(said.text)
        return Sight(_counts(found), details, tuple(remarks), refused=said.refused)
    remarks.append(f"promtool does not read {found.form}")
    return Sight(_counts(found), details, tuple(remarks))


def _counts(found: RuleFile) -> dict[str, int]:
    alerts = [rule for rule in found.rules if rule.alerts]
    severities = Counter(rule.severity or "none" for rule in alerts)
    return {
        "groups": found.groups,
        "alerts": len(alerts),
        "recording_rules": len(found.rules) - len(alerts),
        "alerts_without_for": sum(rule.hold is None for rule in alerts),
        "distinct_alert_names": len({rule.name for rule in alerts}),
        **{f"severity_{name}": number for name, number in sorted(severities.items())},
    }


def _details(found: RuleFile) -> dict[str, JsonValue]:
    return {"form": found.form, "documents": found.documents, "rules": [_rule(rule) for rule in found.rules]}


def _rule(rule: Written) -> dict[str, JsonValue]:
    means: list[JsonValue] = [
        {"measure": one.measure, "fires": "above" if one.above else "below", "limit": one.limit}
        for one in rule.means
    ]
    return {
        "group": rule.group,
        "name": rule.name,
        "alerts": rule.alerts,
        "severity": rule.severity,
        "expression": rule.expression,
        "for_seconds": rule.hold,
        "labels": {**rule.labels},
        "annotations": {**rule.annotations},
        "runbook": rule.runbook,
        "measures": means,
        "line": rule.line,
    }
