"""`tminus read` of files about alerting: routes, rules, and files that are neither."""

import base64
import json
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from tminus.alerting.yamltree import MAX_BYTES
from tminus.cli.read import read
from tminus.errors import TminusError, UsageError
from tminus.readers import tools

_READ = typer.Typer()
_READ.command()(read)

CONFIG = """\
route:
  receiver: chat
  routes:
    - matchers: [severity="critical"]
      receiver: pager
      continue: true
      mute_time_intervals: [nights]
    - matchers: [team="x"]
      receiver: mail
    - matchers: [team="x", severity="critical"]
      receiver: nobody
receivers:
  - {name: chat, slack_configs: [{api_url: 'https://chat.example/hook'}]}
  - {name: pager, pagerduty_configs: [{routing_key: secret-of-the-pager}]}
  - {name: mail, email_configs: [{to: a@b.example, from: c@d.example, smarthost: 'h:25'}]}
  - {name: nobody}
  - {name: spare, webhook_configs: [{url: 'http://h.example'}]}
time_intervals: [{name: nights, time_intervals: [{times: [{start_time: '22:00', end_time: '24:00'}]}]}]
"""
RULES = """\
groups:
  - name: one
    rules:
      - {alert: Down, expr: up == 0, for: 1m, labels: {severity: critical}, annotations: {runbook_url: 'https://w.example'}}
"""


@pytest.fixture(autouse=True)
def _no_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is installed here: the tools' word is for the tests that ask for it."""
    monkeypatch.setattr(shutil, "which", lambda _: None)


def run(path: Path, *options: str) -> str:
    result = CliRunner().invoke(_READ, [str(path), *options])
    assert result.exit_code == 0, result.exception
    return result.output


def seen(path: Path, *options: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(path, "--json", *options))
    return found


def refused(path: Path, *options: str) -> TminusError:
    result = CliRunner().invoke(_READ, [str(path), *options])
    assert isinstance(result.exception, TminusError), result.output
    return result.exception


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "alertmanager.yml"
    path.write_text(CONFIG)
    return path


class TestRoutes:
    def test_the_receivers_of_an_alert_are_named_in_order(self, config: Path) -> None:
        found = seen(config, "--route", "severity=critical,team=x")
        assert found["kind"] == "alertmanager"
        details = found["details"]
        assert details["receivers"] == ["pager", "mail"]
        assert details["integrations"] == {"pager": ["pagerduty"], "mail": ["email"]}
        assert [one["line"] for one in details["routes"]] == [4, 8]
        assert details["routes"][0]["mute_time_intervals"] == ["nights"]

    def test_people_are_told_in_words(self, config: Path) -> None:
        told = run(config, "--route", 'severity="critical"')
        assert "severity=critical goes to" in told
        assert "  pager: pagerduty" in told
        assert "  pager: not within nights" in told

    @pytest.mark.parametrize("value", ["x,y", "x y", "x=y"])
    def test_a_value_may_hold_a_sign_in_quotes(self, config: Path, value: str) -> None:
        assert seen(config, "--route", f'team="{value}"')["details"]["labels"] == {"team": value}

    @pytest.mark.parametrize(
        ("labels", "meant"),
        [
            ('{ severity="critical", team=x }', {"severity": "critical", "team": "x"}),
            ("{severity=critical}", {"severity": "critical"}),
            ('"app.kubernetes.io/name"="shop"', {"app.kubernetes.io/name": "shop"}),
        ],
    )
    def test_labels_are_taken_as_alertmanager_writes_them(
        self, config: Path, labels: str, meant: dict[str, str]
    ) -> None:
        assert seen(config, "--route", labels)["details"]["labels"] == meant

    @pytest.mark.parametrize(
        ("labels", "words"),
        [
            ("severity", "names no labels"),
            ("a=~b", "one value each"),
            ("a!=b", "one value each"),
            ("severity=critical team=x", "'severity=critical team=x' is not one label with one value"),
            ("severity==critical", "'severity==critical' is not one label with one value"),
            ('a="x y",b=c d', "'b=c d' is not one label with one value"),
            ("severity=critical,severity=warning", "severity is given twice"),
            ("sev-erity=x", "'sev-erity' is no name of a label"),
        ],
    )
    def test_what_are_no_labels_is_refused(self, config: Path, labels: str, words: str) -> None:
        error = refused(config, "--route", labels)
        assert words in str(error)
        assert "severity=critical" in error.hint

    def test_a_file_of_another_kind_routes_nothing(self, tmp_path: Path) -> None:
        path = tmp_path / "rules.yml"
        path.write_text(RULES)
        assert "routes no alerts" in str(refused(path, "--route", "a=b"))


class TestConfigurations:
    def test_the_tree_and_what_each_receiver_tells_is_shown(self, config: Path) -> None:
        told = run(config)
        assert "what no route takes -> chat" in told
        assert '  severity="critical" -> pager, and on' in told
        assert "mail tells email" in told
        assert "line 10: no alert ever arrives at the route" in told
        assert "the receiver nobody tells nobody, and alerts go to it" in told
        assert "nothing leads to the receiver spare" in told
        assert "amtool is not installed, so it was not asked" in told
        assert "secret-of-the-pager" not in told

    def test_programs_are_given_everything_but_secrets(self, config: Path) -> None:
        found = seen(config)
        assert found["counts"]["route_nodes"] == 4
        assert found["counts"]["pagerduty_integrations"] == 1
        assert found["details"]["route"]["routes"][0]["continue"] is True
        assert found["details"]["receivers"]["spare"] == ["webhook"]
        assert "secret-of-the-pager" not in json.dumps(found)

    def test_every_fault_is_told_with_its_line_and_what_to_do(self, config: Path) -> None:
        config.write_text(
            CONFIG.replace("receiver: mail", "receiver: post").replace("[nights]", "[evenings]")
        )
        error = refused(config)
        assert isinstance(error, UsageError)
        assert "line 4: there is no time interval evenings" in str(error)
        assert "line 8: there is no receiver post" in str(error)
        assert error.hint

    @pytest.mark.parametrize("kind", ["Secret", "ConfigMap"])
    def test_one_within_an_object_is_read(self, kind: str, tmp_path: Path) -> None:
        content = base64.b64encode(CONFIG.encode()).decode() if kind == "Secret" else CONFIG
        path = tmp_path / "object.yaml"
        path.write_text(json.dumps({"apiVersion": "v1", "kind": kind, "data": {"alertmanager.yml": content}}))
        assert seen(path, "--as", "alertmanager")["counts"]["receivers"] == 5

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            ("kind: Secret\ndata: {alertmanager.yaml: '%%%'}\n", "no base64"),
            ("kind: Secret\ndata: {other: x}\n", "holds none of"),
            ("kind: AlertmanagerConfig\n", "object of kind AlertmanagerConfig"),
            ("kind: Secret\ndata: [a]\n", "data is no mapping"),
            ("kind: [x]\n", "kind is no text"),
            ("kind: Secret\ndata: {alertmanager.yaml: [a]}\n", "alertmanager.yaml is no text"),
        ],
    )
    def test_an_object_without_one_is_refused(self, content: str, words: str, tmp_path: Path) -> None:
        path = tmp_path / "object.yaml"
        path.write_text(content)
        assert words in str(refused(path, "--as", "alertmanager"))


class TestRules:
    def test_rules_are_counted_and_told_with_what_they_measure(self, tmp_path: Path) -> None:
        path = tmp_path / "rules.yml"
        path.write_text(RULES)
        found = seen(path)
        assert found["kind"] == "rules"
        assert found["counts"]["alerts"] == 1
        assert found["counts"]["severity_critical"] == 1
        (rule,) = found["details"]["rules"]
        assert (rule["name"], rule["for_seconds"], rule["line"]) == ("Down", 60.0, 4)
        assert [one["measure"] for one in rule["measures"]] == ["downtime"]
        assert "promtool is not installed" in run(path)

    def test_a_fault_is_told_with_its_line(self, tmp_path: Path) -> None:
        path = tmp_path / "rules.yml"
        path.write_text(RULES.replace("up == 0", "up =="))
        assert "line 4: the expression of Down cannot be read" in str(refused(path))


def bomb() -> bytes:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    return "\n".join([*lines, "groups: *a29", "route: *a29"]).encode()


BAD: dict[str, Callable[[], bytes]] = {
    "binary": lambda: os.urandom(5000),
    "zeros": lambda: bytes(5000),
    "10 MB": lambda: b"groups:\n" + b"  - name: x\n" * (10 * 1024 * 1024 // 12),
    "as long as may be": lambda: (b"a: [" + b"x, " * MAX_BYTES)[: MAX_BYTES - 2] + b"]\n",
    "deep": lambda: b"route: " + b"[" * 1_000_000,
    "deep blocks": lambda: "\n".join(f"{' ' * depth}a:" for depth in range(2000)).encode(),
    "bomb of aliases": bomb,
    "UTF-16": lambda: CONFIG.encode("utf-16"),
    "a tag": lambda: b"groups: !!python/object/apply:os.system ['true']\n",
    "one long line": lambda: b"groups: " + b"x" * 5_000_000,
    "many faults": lambda: b"groups:\n" + b"  - a: b\n" * 10_000,
}


@pytest.mark.parametrize("kind", ["alertmanager", "rules"])
@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_soon_with_a_reason(kind: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.yml"
    path.write_bytes(BAD[name]())
    began = perf_counter()
    error = refused(path, "--as", kind)
    assert perf_counter() - began < 20
    assert error.hint
    assert len(str(error)) < 5000


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "no regular file" in str(refused(tmp_path / "pipe", "--as", "rules"))
    assert "cannot be read" in str(refused(tmp_path / "absent", "--as", "rules"))


class TestTools:
    """The word of a tool, whatever it is: here a script in its place."""

    @pytest.fixture
    def said(self, config: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
        def by(script: str) -> str:
            program = config.parent / "amtool"
            program.write_text(f"#!/bin/sh\n{script}\n")
            program.chmod(program.stat().st_mode | stat.S_IXUSR)
            monkeypatch.setattr(shutil, "which", lambda _: str(program))
            told = json.loads(CliRunner().invoke(_READ, [str(config), "--json"]).stdout)["details"]["amtool"]
            assert isinstance(told, str)
            return told

        return by

    def test_its_word_is_shown(self, said: Callable[[str], str]) -> None:
        assert said('[ "$1" = check-config ] && [ -f "$2" ]') == "amtool takes it"
        refusal = said(
            'echo "Checking $2  FAILED: too old for this"; echo; echo "amtool: error: 1 file"; exit 1'
        )
        assert refusal == "amtool refuses it: too old for this"

    def test_what_it_refuses_ends_with_an_error_after_all_was_shown(
        self, said: Callable[[str], str], config: Path
    ) -> None:
        said('echo "Checking $2  FAILED: too old for this"; exit 1')
        result = CliRunner().invoke(_READ, [str(config)])
        assert isinstance(result.exception, UsageError)
        assert str(result.exception) == f"{config}: amtool refuses it: too old for this"
        assert "chat" in result.stdout
        said("exit 0")
        assert CliRunner().invoke(_READ, [str(config)]).exit_code == 0

    def test_addresses_in_it_are_left_out(self, said: Callable[[str], str]) -> None:
        refusal = said("""cat <<'END'
amtool: error: parse "https://user:SECRET@host/x y%zz": invalid URL escape "%zz"
  FAILED: see http://user:SECRET@host/x for more
END
exit 1""")
        assert "SECRET" not in refusal
        assert "host" not in refusal
        assert refusal.startswith("amtool refuses it: see … for more")

    def test_it_is_waited_for_no_longer_than_a_while(
        self, said: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tools, "SECONDS", 0.3)
        assert said("exec sleep 60") == "amtool did not answer within 0.3 s"

    def test_what_it_says_is_shortened_and_moves_no_cursor(self, said: Callable[[str], str]) -> None:
        told = said("printf '\\033[2J'; head -c 100000 /dev/zero | tr '\\0' x; exit 1")
        assert len(told) < 300
        assert "\x1b" not in told
