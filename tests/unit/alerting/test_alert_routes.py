"""The routing tree, walked as Alertmanager walks it, and what of it leads nowhere."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tminus.alerting.configuration import tree
from tminus.alerting.routes import Tree, dead_ends, misrouted, silent
from tminus.alerting.rules import Rule
from tminus.errors import InconclusiveError

CORPUS = (Path(__file__).parents[3] / "../shared/corpora/alerting").resolve()


def built(*routes: dict[str, Any], default: str = "chat", **more: Any) -> Tree:
    receivers = [
        {"name": "pager", "pagerduty_configs": [{"routing_key": "<secret>"}]},
        {"name": "chat", "slack_configs": [{}]},
        {"name": "mail", "email_configs": [{}]},
        {"name": "nobody"},
    ]
    config = {"route": {"receiver": default, "routes": [*routes], **more}, "receivers": receivers}
    return tree(yaml.safe_dump(config))


def rule(name: str, severity: str) -> Rule:
    return Rule(name, "up == 0", 0, {"severity": severity}, {}, "ok", "", 1.0, 1.0)


def to(receiver: str, *matchers: str, **more: Any) -> dict[str, Any]:
    return {"receiver": receiver, "matchers": [*matchers], **more}


class TestWalk:
    def test_the_first_child_that_matches_takes_the_alert(self) -> None:
        found = built(to("pager", 'severity="critical"'), to("mail", 'severity=~".+"'))
        assert found.receivers({"severity": "critical"}) == ["pager"]
        assert found.receivers({"severity": "warning"}) == ["mail"]
        assert found.receivers({}) == ["chat"]

    def test_further_children_are_asked_after_a_continue(self) -> None:
        found = built(
            to("pager", 'severity="critical"', **{"continue": True}), to("mail", 'severity="critical"')
        )
        assert found.receivers({"severity": "critical"}) == ["pager", "mail"]

    def test_a_node_keeps_what_none_of_its_children_takes_and_hands_its_receiver_down(self) -> None:
        found = built(
            to("pager", 'team="shop"', routes=[{"matchers": ['quiet="yes"'], "receiver": "mail"}, {}])
        )
        assert found.receivers({"team": "shop", "quiet": "yes"}) == ["mail"]
        assert found.receivers({"team": "shop"}) == ["pager"]

    @pytest.mark.parametrize(
        ("node", "labels", "takes"),
        [
            ({"match": {"a": "b"}}, {"a": "b"}, True),
            ({"match_re": {"a": "b|c"}}, {"a": "c"}, True),
            ({"match_re": {"a": "b"}}, {"a": "bc"}, False),
            ({"matchers": ["a != b"]}, {}, True),
            ({"matchers": ['{a="b",c!~"d.*"}']}, {"a": "b", "c": "e"}, True),
            ({"matchers": ['{a="b",c!~"d.*"}']}, {"a": "b", "c": "dd"}, False),
            ({"matchers": ['a="b,c"']}, {"a": "b,c"}, True),
            ({"matchers": [r'a="say \"b\""']}, {"a": 'say "b"'}, True),
        ],
    )
    def test_matchers_of_every_form_are_read(
        self, node: dict[str, Any], labels: dict[str, str], *, takes: bool
    ) -> None:
        assert (built({"receiver": "pager", **node}).receivers(labels) == ["pager"]) is takes

    def test_what_its_authors_expect_of_a_real_configuration_holds(self) -> None:
        expected = CORPUS / "routing_expectations.json"
        if not expected.is_file():
            pytest.skip("the corpora are not beside this repository")
        told = json.loads(expected.read_text())
        assert told
        for name, about in told.items():
            found = tree((CORPUS / f"alertmanager__{name}").read_text())
            for case in about["cases"]:
                assert found.receivers(case["labels"]) == case["receivers"], name

    @pytest.mark.parametrize(
        "text", ["", "route: [", "receivers: []", "route: {routes: [{matchers: ['='] }]}"]
    )
    def test_what_is_no_configuration_proves_nothing(self, text: str) -> None:
        with pytest.raises(InconclusiveError, match="cannot be read"):
            tree(text)


class TestDeadEnds:
    def test_a_sound_tree_has_none(self) -> None:
        found = built(to("pager", 'severity="critical"'), to("mail", 'severity="warning"'))
        assert dead_ends(found) == []
        assert silent(found) == ["nobody"]

    def test_a_route_behind_one_that_takes_everything_is_unreachable(self) -> None:
        found = built(to("chat"), to("pager", 'severity="critical"'))
        assert dead_ends(found) == ['no alert ever arrives at the route {severity="critical"} to pager']

    def test_a_route_behind_a_pattern_that_covers_it_is_unreachable(self) -> None:
        found = built(to("chat", 'severity=~"critical|warning"'), to("pager", 'severity="critical"'))
        assert len(dead_ends(found)) == 1

    def test_a_route_behind_a_continue_is_reached(self) -> None:
        found = built(to("chat", **{"continue": True}), to("pager", 'severity="critical"'))
        assert dead_ends(found) == []

    def test_a_route_that_contradicts_its_parent_is_unreachable(self) -> None:
        child = to("pager", 'severity="critical"')
        assert len(dead_ends(built(to("chat", 'severity="warning"', routes=[child])))) == 1

    def test_a_silent_default_and_an_unknown_receiver_are_told(self) -> None:
        found = built(to("gone", 'a="b"'), default="nobody")
        assert dead_ends(found) == [
            "the receiver gone does not exist",
            "what no route takes goes to nobody, which tells nobody",
        ]


class TestMisrouted:
    def test_critical_pages_and_a_warning_only_writes(self) -> None:
        found = built(to("pager", 'severity="critical"'))
        assert misrouted(found, [rule("A", "critical"), rule("B", "warning"), rule("C", "none")]) == []

    def test_each_rule_on_a_wrong_way_is_told_with_the_way(self) -> None:
        found = built(to("pager", 'severity="warning"'), to("nobody", 'alertname="C"'))
        assert misrouted(found, [rule("A", "critical"), rule("B", "warning")]) == [
            "A is critical and pages nobody: it goes to chat",
            "B is a warning and pages: it goes to pager",
        ]

    def test_a_rule_that_tells_nobody_is_told(self) -> None:
        found = built(to("nobody", 'alertname="C"'))
        assert misrouted(found, [rule("C", "warning")]) == ["C tells nobody: nobody has no integration"]
