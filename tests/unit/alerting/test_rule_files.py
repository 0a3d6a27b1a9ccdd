"""Files of rules: Prometheus', its operator's and Grafana's; what each is refused for, and on which line."""

import json
import textwrap
from typing import Any

import pytest

from tminus.alerting.rulefile import GRAFANA, OBJECT, PROMETHEUS, RuleFile
from tminus.alerting.rulefile import read as read_text

GOOD = """\
groups:
  - name: one
    interval: 30s
    limit: 5
    labels: {team: shop}
    rules:
      - record: job:errors:rate5m
        expr: sum by (job) (rate(errors_total[5m]))
      - alert: ErrorsHigh
        expr: job:errors:rate5m / job:requests:rate5m > 0.01
        for: 5m
        keep_firing_for: 1m
        labels: {severity: critical}
        annotations: {summary: 'at {{ $value }}', runbook_url: https://wiki.example/errors}
"""


def read(text: str) -> RuleFile:
    return read_text(textwrap.dedent(text))


def told(text: str) -> list[str]:
    return [str(one) for one in read(text).faults]


def test_rules_are_read_with_what_they_measure() -> None:
    found = read(GOOD)
    assert (found.form, found.documents, found.groups, found.faults, found.remarks) == (
        PROMETHEUS,
        1,
        1,
        (),
        (),
    )
    record, alert = found.rules
    assert (record.name, record.alerts, record.hold) == ("job:errors:rate5m", False, None)
    assert (alert.name, alert.alerts, alert.hold, alert.line) == ("ErrorsHigh", True, 300.0, 9)
    assert (alert.severity, alert.runbook) == ("critical", "https://wiki.example/errors")
    assert [(one.measure, one.above, one.limit) for one in alert.means] == [("errors", True, 0.01)]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("name: one", "name: ''", "line 2: a group has no name"),
        ("name: one", "title: one", "line 2: title is no field of a group"),
        ("interval: 30s", "interval: soon", "line 3: interval: 'soon' is no length of time"),
        ("limit: 5", "limit: many", "line 4: limit is no whole number"),
        ("{team: shop}", "{__name__: shop}", "line 5: '__name__' cannot be a name among the labels"),
        ("record: job:errors:rate5m", "record: 'up{a=\"b\"}'", 'line 7: up{a="b"} has braces'),
        (
            "      - record",
            "      - keep_firing_for: 1m\n        record",
            "records a series and cannot have keep_firing",
        ),
        (
            "      - record",
            "      - for: 1m\n        record",
            "line 7: job:errors:rate5m records a series and cannot",
        ),
        (
            "- alert: ErrorsHigh",
            "- record: x\n        alert: E",
            "line 9: a rule of one has both alert and record",
        ),
        ("- alert: ErrorsHigh", "- alert: ''", "line 9: a rule of one has neither alert nor record"),
        ("expr: job", "expression: job", "line 10: expression is no field of a rule"),
        ("> 0.01", ">", "line 10: the expression of ErrorsHigh cannot be read"),
        ("> 0.01", "> nosuchfunction(x)", "line 10: the expression of ErrorsHigh cannot be read"),
        ("expr: job:errors:rate5m /", "expr:\n        x: y /", "line 11: x is no field of a rule"),
        ("for: 5m", "for: 5", "line 11: for: '5' is no length of time"),
        (
            "{severity: critical}",
            "{sever-ity: critical}",
            "line 13: 'sever-ity' cannot be a name among the labels",
        ),
        ("{severity: critical}", "{severity: [critical]}", "line 13: severity of the labels is no text"),
        (
            "{{ $value }}",
            "{{ $values }}",
            "line 14: the template in summary cannot be read: there is no variable",
        ),
        ("annotations:", "annotation:", "line 14: annotation is no field of a rule"),
        ("groups:", "rules: 1\ngroups:", "line 1: rules is no field of a file of rules"),
        (
            "groups:",
            "groups:\n  - name: one\n    rules: []",
            "line 4: the group one stands here twice, first on line 2",
        ),
    ],
)
def test_each_fault_is_told_with_its_line(old: str, new: str, words: str) -> None:
    assert old in GOOD
    found = told(GOOD.replace(old, new, 1))
    assert any(words in one for one in found), found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1: it is empty: nothing would ever fire"),
        ("groups: []\n", "line 1: it holds no rule: nothing would ever fire"),
        ("groups: [{name: a}]\n", "line 1: it holds no rule"),
        ("- a\n", "line 1: a file of rules is no mapping"),
        ("groups: {a: b}\n", "line 1: groups is no list"),
        ("tests: []\nrule_files: []\n", "line 1: it holds tests for `promtool test rules` and no rules"),
        ("kind: ServiceMonitor\n", "line 1: it holds no rule"),
        (f"{GOOD}---\n{GOOD}", "line 16: a second document begins, and Prometheus reads the first alone"),
    ],
)
def test_what_holds_no_rules_is_refused(text: str, words: str) -> None:
    assert any(words in one for one in told(text)), told(text)


def test_every_fault_is_told_and_the_rest_is_read() -> None:
    found = read(GOOD.replace("interval: 30s", "x: 1").replace("for: 5m", "y: 2"))
    assert [one.line for one in found.faults] == [3, 11]
    assert len(found.rules) == 2


def test_several_faults_of_one_rule_are_told_at_once() -> None:
    wrong = {
        "interval: 30s": "interval: soon",
        "limit: 5": "limit: many",
        "expr: job": "bogus: 1\n        expr: (job",
        "for: 5m": "for: 5",
        "keep_firing_for: 1m": "keep_firing_for: [1m]",
        "{severity: critical}": "{sever-ity: critical}",
        "{{ $value }}": "{{ $values }}",
    }
    text = GOOD
    for old, new in wrong.items():
        text = text.replace(old, new)
    found = read(text)
    assert [one.line for one in found.faults] == [3, 4, 10, 11, 12, 13, 14, 15]


def test_all_that_a_recording_rule_cannot_have_is_told() -> None:
    found = told(
        GOOD.replace(
            "      - record: job:errors",
            "      - for: 1m\n        keep_firing_for: 1m\n        record: job{x}:errors",
        )
    )
    assert [words.rpartition(" ")[2] for words in found[:2]] == ["for", "keep_firing_for"]
    assert "has braces" in found[2]


@pytest.mark.parametrize(
    "expression", ['up{a=~"("}', "{a=~'.*'}", 'rate(up{a=~"("}[5m])', 'up{a=~"("}[1m + 1m]', "rate(up[5x])"]
)
def test_what_no_prometheus_reads_is_not_taken_for_newer(expression: str) -> None:
    found = read(f"groups: [{{name: a, rules: [{{record: b, expr: {json.dumps(expression)}}}]}}]")
    assert any("cannot be read" in str(one) for one in found.faults), found


def test_what_would_be_loaded_and_is_probably_not_meant_is_a_remark() -> None:
    found = read(
        """\
        groups:
          - name: one
            rules:
              - {alert: A, expr: up == 0}
              - {alert: A, expr: up == 0}
              - {record: promql-name, expr: 'rate(up[1m * 2])'}
              - {record: anchored, expr: 'rate(up[1m] anchored)'}
        """
    )
    assert found.faults == ()
    assert set(found.remarks) == {
        "line 6: the expression of promql-name uses what a newer Prometheus reads only, behind a feature flag",
        "line 6: only Prometheus 3 takes the name promql-name",
        "line 7: the expression of anchored uses what a newer Prometheus reads only, behind a feature flag",
        "line 5: A stands there already on line 4",
        "2 of 2 alerts have no severity",
        "2 of 2 alerts have no runbook",
    }


def test_objects_of_prometheus_operator_are_read_also_several_and_in_lists() -> None:
    def rule(name: str) -> str:
        spec = {"groups": [{"name": "g", "rules": [{"alert": name, "expr": "up == 0"}]}]}
        return json.dumps({"apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule", "spec": spec})

    found = read(
        f'{rule("A")}\n---\n{{"kind": "Service"}}\n---\n{{"kind": "List", "items": [{rule("B")}]}}\n'
    )
    assert (found.form, found.documents, found.groups, found.faults) == (OBJECT, 3, 2, ())
    assert [one.name for one in found.rules] == ["A", "B"]
    assert "line 3: an object of kind Service holds no rules" in found.remarks


def grafana(**changes: Any) -> dict[str, Any]:
    rule = {
        "uid": "u",
        "title": "Errors",
        "condition": "C",
        "data": [
            {
                "refId": "A",
                "datasourceUid": "prom",
                "model": {
                    "expr": 'sum(rate(http_requests_total{code=~"5.."}[$__rate_interval])) > 1',
                    "datasource": {"type": "prometheus"},
                },
            },
            {"refId": "C", "datasourceUid": "__expr__", "model": {"type": "threshold", "expression": "A"}},
        ],
        "noDataState": "NoData",
        "for": "5m",
        "labels": {"severity": "warning"},
        "annotations": {"runbook_url": "https://wiki.example/e"},
        **changes,
    }
    group = {"orgId": 1, "name": "g", "folder": "f", "interval": "1m", "rules": [rule]}
    return {"apiVersion": 1, "groups": [group]}


def test_exports_of_grafana_are_read_with_their_queries() -> None:
    found = read(json.dumps(grafana()))
    assert (found.form, found.groups, found.faults) == (GRAFANA, 1, ())
    (rule,) = found.rules
    assert (rule.name, rule.group, rule.hold, rule.severity) == ("Errors", "g", 300.0, "warning")
    assert [one.measure for one in rule.means] == ["errors"]


def test_rules_of_grafanas_interface_are_read_one_by_one() -> None:
    rule = {**grafana()["groups"][0]["rules"][0], "ruleGroup": "g", "folderUID": "f"}
    found = read(json.dumps([rule, {**rule, "title": "Other"}]))
    assert (found.form, found.groups, found.faults) == (GRAFANA, 1, ())
    assert [one.name for one in found.rules] == ["Errors", "Other"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"title": ""}, "a rule of g has no title"),
        ({"condition": "Z"}, "the condition of Errors is none of its queries"),
        ({"data": []}, "the condition of Errors is none of its queries"),
        ({"data": "A"}, "data is no list"),
        ({"for": "soon"}, "for: 'soon' is no length of time"),
        ({"labels": []}, "labels is no mapping"),
    ],
)
def test_a_rule_of_grafana_that_it_would_refuse_is_refused(changes: dict[str, Any], words: str) -> None:
    assert any(words in one for one in told(json.dumps(grafana(**changes)))), changes


def test_an_expression_for_another_source_is_no_fault() -> None:
    export = grafana()
    model = export["groups"][0]["rules"][0]["data"][0]["model"]
    model["expr"] = '{app="x"} |= "error"'
    assert any("cannot be read" in one for one in told(json.dumps(export)))
    model["datasource"]["type"] = "loki"
    assert told(json.dumps(export)) == []
    del model["datasource"]
    found = read(json.dumps(export))
    assert found.faults == ()
    assert any("is not in Prometheus' language" in one for one in found.remarks)
