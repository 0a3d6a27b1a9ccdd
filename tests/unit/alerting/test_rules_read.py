"""Rules as Prometheus shows them, beside what a checklist asks for."""

from typing import Any

import pytest

from tminus.alerting.rules import Rule, beside, evaluated, ladder, meant, rules_of, wanted
from tminus.errors import InconclusiveError, PlanError


def answered(**changes: Any) -> dict[str, Any]:
    """What `/api/v1/rules` says of one rule."""
    rule = {
        "type": "alerting",
        "name": "ErrorRate",
        "query": 'sum(rate(x_total{code=~"5.."}[5m])) / sum(rate(x_total[5m])) > 0.01',
        "duration": 0,
        "labels": {"severity": "critical"},
        "annotations": {"runbook_url": "https://runbooks.example.org/errors"},
        "health": "ok",
        "lastError": "",
        "lastEvaluation": "2026-01-31T12:00:00.123456789Z",
    }
    return {"groups": [{"interval": 15, "rules": [rule | changes, {"type": "recording", "name": "x"}]}]}


def rule(**changes: Any) -> Rule:
    return rules_of(answered(**changes))[0]


def problems(found: Rule, **asked: str) -> list[Any]:
    arguments = {
        "measure": "errors",
        "above": "1%",
        "below": "",
        "hold": "0s",
        "severity": "critical",
    } | asked
    want = wanted(**arguments)
    ((_, meaning),) = meant([found], want.measure)
    return beside(found, meaning, want).problems


class TestReading:
    def test_only_alerts_are_rules_and_nanoseconds_are_read(self) -> None:
        (found,) = rules_of(answered())
        assert found.evaluated_at == pytest.approx(1769860800.123456)
        assert (found.interval, found.severity) == (15, "critical")

    def test_a_rule_that_was_never_evaluated_has_no_instant(self) -> None:
        assert rule(lastEvaluation="0001-01-01T00:00:00Z").evaluated_at == 0
        assert rule(lastEvaluation="").evaluated_at == 0

    def test_what_cannot_be_read_measures_nothing(self) -> None:
        assert meant([rule(query="a ++ b >")], "errors") == []
        with pytest.raises(InconclusiveError, match="cannot be read"):
            rule(query="a ++ b >").parsed()


class TestAsked:
    def test_exactly_one_limit_is_asked_for(self) -> None:
        with pytest.raises(PlanError, match="no limit"):
            wanted("errors", "", "", "0s", "critical")
        with pytest.raises(PlanError, match="two limits"):
            wanted("errors", "1%", "2%", "0s", "critical")

    def test_a_limit_or_a_hold_that_is_none_is_refused(self) -> None:
        with pytest.raises(PlanError, match="'much' is no limit of errors"):
            wanted("errors", "much", "", "0s", "critical")
        with pytest.raises(PlanError, match="is no duration"):
            wanted("errors", "1%", "", "soon", "critical")

    @pytest.mark.parametrize(
        ("measure", "above", "below", "hint"),
        [
            ("memory", "85", "", "write '> 85%'"),
            ("disk", "80", "", "write '> 80%'"),
            ("connections", "0.8", "", "write '> 80%'"),
            ("cache hits", "", "90", "write '< 90%'"),
            ("queue", "5%", "", "write for example '>= 1'"),
        ],
    )
    def test_a_limit_that_would_never_be_crossed_is_refused(
        self, measure: str, above: str, below: str, hint: str
    ) -> None:
        with pytest.raises(PlanError, match="is no limit of a") as refused:
            wanted(measure, above, below, "0s", "critical")
        assert refused.value.hint == hint


class TestBeside:
    def test_the_limit_that_is_asked_for_is_right(self) -> None:
        assert problems(rule()) == []

    def test_a_looser_limit_fails_with_both(self) -> None:
        assert problems(rule(), above="0.5%") == ["ErrorRate fires at > 1%, which is looser than > 0.5%"]

    def test_a_stricter_limit_is_a_note(self) -> None:
        want = wanted("errors", "5%", "", "0s", "critical")
        ((one, meaning),) = meant([rule()], "errors")
        found = beside(one, meaning, want)
        assert (found.problems, found.notes) == (
            [],
            {"stricter": "ErrorRate fires at > 1%, stricter than > 5%"},
        )

    def test_a_bare_number_has_no_limit_to_compare(self) -> None:
        asked = {"measure": "connections", "above": "80%"}
        assert "no share of the whole" in str(
            problems(rule(query="sum(pg_stat_activity_count) > 80"), **asked)
        )

    def test_a_count_of_failures_is_remarked_upon(self) -> None:
        assert problems(rule(query='sum(rate(x_total{code="500"}[1m])) > 5')) == []

    def test_the_wrong_direction_fails(self) -> None:
        assert problems(rule(), above="", below="1%") == [
            "ErrorRate fires above its limit and must fire below it"
        ]

    def test_a_longer_wait_fails(self) -> None:
        assert problems(rule(duration=61), hold="1min") == [
            "ErrorRate waits 61 s before it fires, longer than 60 s"
        ]
        assert problems(rule(duration=60), hold="1min") == []

    def test_a_downtime_s_limit_is_its_wait(self) -> None:
        down = {"query": "probe_success == 0", "duration": 60}
        assert problems(rule(**down), measure="downtime", above="1 min") == []
        assert problems(rule(**down), measure="downtime", above="30 s") != []

    def test_another_severity_fails(self) -> None:
        assert problems(rule(labels={})) == ["ErrorRate has severity none, not critical"]

    def test_a_rule_without_a_runbook_is_remarked_upon(self) -> None:
        want = wanted("errors", "1%", "", "0s", "critical")
        ((one, meaning),) = meant([rule(annotations={})], "errors")
        assert "names no runbook" in beside(one, meaning, want).remarks[0]


class TestHealth:
    def test_a_rule_in_good_health_is_evaluated(self) -> None:
        assert evaluated(rule(), rule().evaluated_at + 30) == []

    def test_a_rule_that_missed_evaluations_is_told(self) -> None:
        assert "last evaluated 31 s ago" in str(evaluated(rule(), rule().evaluated_at + 31)[0])

    def test_an_error_is_told_as_prometheus_tells_it(self) -> None:
        ill = rule(health="err", lastError="many-to-many matching not allowed")
        assert evaluated(ill, ill.evaluated_at) == [
            "ErrorRate cannot be evaluated: many-to-many matching not allowed"
        ]

    def test_a_rule_that_was_never_evaluated_proves_nothing(self) -> None:
        with pytest.raises(InconclusiveError, match="not evaluated yet"):
            evaluated(rule(health="unknown"), 0)


class TestLadder:
    def test_a_warning_below_the_page_is_right(self) -> None:
        assert ladder(*self._pair("0.005")) == []

    @pytest.mark.parametrize("limit", ["0.01", "0.02"])
    def test_a_warning_at_or_above_the_page_is_not(self, limit: str) -> None:
        assert "Warning warns no sooner than ErrorRate pages" in str(ladder(*self._pair(limit))[0])

    @staticmethod
    def _pair(limit: str) -> Any:
        query = rule().expression.replace("0.01", limit)
        both = [rule(), rule(name="Warning", query=query, labels={"severity": "warning"})]
        known = meant(both, "errors")
        return (*known[1], known)
