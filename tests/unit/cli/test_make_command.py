"""`tminus make rules` and `tminus make routes`: what they make, held to the plan and to our own readers."""

from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.testing import CliRunner

from tminus import planfile
from tminus.alerting import configuration, rulefile
from tminus.alerting.routes import dead_ends, misrouted, silent
from tminus.alerting.rules import Rule, beside, meant, wanted
from tminus.cli.making import routes, rules
from tminus.domain.canonical import JsonValue
from tminus.errors import RefusedError, TminusError, UsageError

_RULES, _ROUTES = typer.Typer(), typer.Typer()
_RULES.command()(rules)
_ROUTES.command()(routes)

RUNBOOKS = ("--runbooks", "https://wiki.example/runbooks/")
WAYS = (
    "--channel",
    "#ops",
    "--mail-to",
    "a@b.example",
    "--mail-from",
    "c@d.example",
    "--smarthost",
    "mail.example:587",
)


def made(app: typer.Typer, *options: str) -> str:
    result = CliRunner().invoke(app, [*options])
    assert result.exit_code == 0, result.exception or result.output
    return result.stdout


def refused(app: typer.Typer, *options: str) -> TminusError:
    result = CliRunner().invoke(app, [*options])
    assert isinstance(result.exception, TminusError), result.output
    assert result.exception.hint
    return result.exception


def alert_rules(text: str) -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]


def as_loaded(rule: dict[str, Any], hold: float) -> Rule:
    return Rule(rule["alert"], rule["expr"], hold, rule["labels"], rule["annotations"], "ok", "", 1.0, 1.0)


class TestRules:
    def test_each_line_of_the_built_in_plan_gets_the_rule_that_it_would_pass(self) -> None:
        text = made(_RULES, *RUNBOOKS)
        by_line = {rule["labels"].get("line"): rule for rule in alert_rules(text)}
        lines = [one for one in planfile.read("production").checks if one.probe == "prometheus.alert"]
        assert len(lines) == 10
        assert set(by_line) == {one.id for one in lines} | {None}
        for line in lines:
            said: dict[str, JsonValue] = {"above": "", "below": "", **(line.arguments or {})}
            asked = wanted(*(str(said[name]) for name in ("measure", "above", "below", "hold", "severity")))
            rule = by_line[line.id]
            hold = 60.0 if said["measure"] == "downtime" else 0.0
            assert rule["for"] == ("1m" if hold else "0s")
            loaded = as_loaded(rule, hold)
            problems = [
                beside(loaded, meaning, asked).problems for _, meaning in meant([loaded], asked.measure)
            ]
            assert [] in problems, line.id
            assert rule["annotations"]["runbook_url"] == f"https://wiki.example/runbooks/{line.id}"
        assert by_line[None]["alert"] == "Watchdog"

    def test_our_own_reader_takes_what_is_made(self) -> None:
        found = rulefile.read(made(_RULES, *RUNBOOKS))
        assert found.faults == ()
        assert len(found.rules) == 11

    def test_another_plan_has_its_own_limits_names_and_series(self, tmp_path: Path) -> None:
        plan = tmp_path / "plan.yaml"
        plan.write_text(
            "plan: ours\nextends: production\nchecks:\n  Alerts:\n"
            '    - id: alert.crit.mem\n      with: {above: "70%", name: MemoryTight}\n'
        )
        text = made(_RULES, str(plan), *RUNBOOKS)
        expressions = {rule["alert"]: rule["expr"] for rule in alert_rules(text)}
        assert expressions["MemoryTight"].endswith("> 0.7")
        assert "MemoryCritical" not in expressions
        assert "plan.yaml" in text
        assert str(tmp_path) not in text

    def test_series_windows_and_pace_are_ours_to_say(self) -> None:
        result = CliRunner().invoke(
            _RULES,
            [
                *RUNBOOKS,
                *("--select", 'requests=http_requests_total{job="shop"}'),
                *("--select", 'failed=http_requests_total{job="shop",code=~"5.."}'),
                *("--select", 'buckets=http_seconds_bucket{job="shop"}'),
                *("--window", "5m", "--fewest", "2", "--interval", "15s"),
            ],
        )
        assert result.exit_code == 0, result.exception
        text = result.stdout
        assert 'sum(rate(http_requests_total{job="shop",code=~"5.."}[5m]))' in " ".join(text.split())
        assert 'http_seconds_count{job="shop"}[5m]' in text
        assert "> 2" in text
        assert {group["interval"] for group in yaml.safe_load(text)["groups"]} == {"15s"}
        assert "reference setup's names or labels: up, hits, misses, queue;" in result.stderr

    def test_a_bucket_s_name_elsewhere_is_left_as_it_is(self) -> None:
        series = 's3_bucket_request_seconds_bucket{q="a_bucket"}'
        text = " ".join(made(_RULES, *RUNBOOKS, "--select", f"buckets={series}").split())
        assert 'sum(rate(s3_bucket_request_seconds_count{q="a_bucket"}[1m]))' in text
        assert f"rate({series}[1m])" in text

    def test_connections_of_each_server_are_held_to_its_own_limit(self) -> None:
        expressions = [rule["expr"] for rule in alert_rules(made(_RULES, *RUNBOOKS))]
        (wanted_one, *_) = [one for one in expressions if "pg_stat_activity_count" in one]
        assert "sum by (instance) (pg_stat_activity_count) / max by (instance) (pg_set" in wanted_one

    def test_an_object_for_the_operator_has_its_name_and_labels(self) -> None:
        text = made(
            _RULES, *RUNBOOKS, "--operator", "shop", "--label", "release=prom", "--label", "role=alert-rules"
        )
        made_object = yaml.safe_load(text)
        assert made_object["kind"] == "PrometheusRule"
        assert made_object["metadata"] == {
            "name": "shop",
            "labels": {"release": "prom", "role": "alert-rules"},
        }
        found = rulefile.read(text)
        assert (found.form, found.faults, len(found.rules)) == (rulefile.OBJECT, (), 11)

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            (("--runbooks", "wiki"), "is no address"),
            ((*RUNBOOKS, "--select", "queue"), "is no NAME="),
            ((*RUNBOOKS, "--select", "lines=x"), "does not know lines"),
            ((*RUNBOOKS, "--select", "queue=max("), "cannot be read"),
            ((*RUNBOOKS, "--select", "queue=foo"), "is not seen to measure queue"),
            (("--runbooks", "https://w.example/{{ $x }}"), "takes for a template"),
            ((*RUNBOOKS, "--select", "buckets=http_seconds"), "is no histogram"),
            ((*RUNBOOKS, "--select", "buckets=http_bucket_seconds"), "is no histogram"),
            ((*RUNBOOKS, "--select", "memory=foo * 100"), "would not pass it"),
            ((*RUNBOOKS, "--window", "soon"), "is no length of time"),
            ((*RUNBOOKS, "--window", "1s"), "fewer than four scrapes"),
            ((*RUNBOOKS, "--fewest", "inf"), "is no number that is ever reached"),
            ((*RUNBOOKS, "--label", "release=prom"), "--label is of an object, and none is made"),
            ((*RUNBOOKS, "--operator", "Bad_Name"), "is no name of an object"),
            ((*RUNBOOKS, "--operator", "shop", "--label", "bad key=x y"), "is no label"),
            (("--runbooks", "https://u:hunter2@wiki.example"), "holds a login"),
            ((*RUNBOOKS, "--window", "0s"), "is no length of time"),
            ((*RUNBOOKS, "--interval", "often"), "is no length of time"),
        ],
    )
    def test_what_would_make_no_rules_is_refused(self, options: tuple[str, ...], words: str) -> None:
        error = refused(_RULES, *options)
        assert isinstance(error, UsageError)
        assert words in str(error)

    def test_a_file_that_is_there_stays_as_it_is_without_force(self, tmp_path: Path) -> None:
        path = tmp_path / "rules.yml"
        made(_RULES, *RUNBOOKS, "-o", str(path))
        before = path.read_bytes()
        assert isinstance(refused(_RULES, *RUNBOOKS, "-o", str(path)), RefusedError)
        assert path.read_bytes() == before
        made(_RULES, *RUNBOOKS, "-o", str(path), "--window", "2m", "--force")
        assert b"[2m]" in path.read_bytes()


class TestRoutes:
    def test_critical_pages_tells_and_mails_and_a_warning_only_tells(self) -> None:
        found = configuration.read(made(_ROUTES, *WAYS))
        assert found.faults == ()
        assert found.remarks == ()
        tree = found.tree
        assert tree is not None
        told = {
            severity: [
                kind for name in tree.receivers({"severity": severity}) for kind in tree.integrations[name]
            ]
            for severity in ("critical", "warning", "other")
        }
        assert told == {
            "critical": ["pagerduty", "slack", "email"],
            "warning": ["slack"],
            "other": ["slack"],
        }
        made_rules = [as_loaded(rule, 0.0) for rule in alert_rules(made(_RULES, *RUNBOOKS))]
        assert misrouted(tree, made_rules) == []
        assert dead_ends(tree) == []
        assert silent(tree) == []

    def test_the_alert_that_always_fires_tells_nobody(self) -> None:
        tree = configuration.tree(made(_ROUTES, *WAYS))
        assert tree.receivers({"alertname": "Watchdog", "severity": "none"}) == ["nobody"]

    def test_no_secret_stands_in_it(self) -> None:
        text = made(
            _ROUTES,
            *WAYS,
            *("--pager-key-file", "/run/secrets/pager", "--chat-url-file", "/run/secrets/chat"),
            *(
                "--mail-user",
                "tminus",
                "--mail-password-file",
                "/run/secrets/mail",
                "--pager-url",
                "https://e.example/v2",
            ),
        )
        config = yaml.safe_load(text)
        assert config["global"]["smtp_auth_password_file"] == "/run/secrets/mail"
        pager, chat = (
            config["receivers"][0]["pagerduty_configs"][0],
            config["receivers"][1]["slack_configs"][0],
        )
        assert (pager["routing_key_file"], pager["url"]) == ("/run/secrets/pager", "https://e.example/v2")
        assert chat["api_url_file"] == "/run/secrets/chat"
        assert not {"routing_key", "api_url", "smtp_auth_password"} & {*pager, *chat, *config["global"]}

    def test_mail_is_sent_with_tls_unless_it_is_said(self) -> None:
        assert yaml.safe_load(made(_ROUTES, *WAYS))["global"]["smtp_require_tls"] is True
        assert (
            yaml.safe_load(made(_ROUTES, *WAYS, "--mail-without-tls"))["global"]["smtp_require_tls"] is False
        )

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ((*WAYS, "--smarthost", "mail.example"), "names no port"),
            ((*WAYS, "--mail-to", "ops"), "--mail-to 'ops' is no mail address"),
            ((*WAYS, "--mail-user", "x"), "belong together"),
            ((*WAYS, "--pager-url", "events"), "is no address"),
            ((*WAYS, "--smarthost", ":587"), "names no host"),
            ((*WAYS, "--smarthost", "mail.example:99999"), "there is no port 99999"),
            ((*WAYS, "--smarthost", "smtp://mail.example:587"), "is no host and port alone"),
            ((*WAYS, "--channel", " "), "names no channel"),
        ],
    )
    def test_what_would_reach_nobody_is_refused(self, options: tuple[str, ...], words: str) -> None:
        assert words in str(refused(_ROUTES, *options))

    @pytest.mark.parametrize(
        ("option", "secret"),
        [
            ("--chat-url-file", "https://hooks.slack.example/services/T/B/SECRET"),
            ("--chat-url-file", "hooks.slack.example/services/T/B/SECRET"),
            ("--pager-key-file", "R0123456789SECRET"),
            ("--pager-url", "https://user:SECRET@pager.example/x"),
        ],
    )
    def test_a_secret_in_place_of_its_file_is_refused_and_not_shown(self, option: str, secret: str) -> None:
        error = refused(_ROUTES, *WAYS, option, secret)
        assert option in str(error)
        assert "SECRET" not in f"{error} {error.hint}"

    def test_the_password_of_the_mail_server_is_in_a_file(self) -> None:
        error = refused(_ROUTES, *WAYS, "--mail-user", "x", "--mail-password-file", "SECRET")
        assert "SECRET" not in f"{error} {error.hint}"
