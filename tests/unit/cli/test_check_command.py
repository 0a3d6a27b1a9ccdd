"""`tminus check`: how every line of a plan stands, outside a launch."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from xml.etree import ElementTree as ET

import pytest
import typer
from typer.testing import CliRunner, Result

from tminus.cli.check import check
from tminus.domain.evidence import Observation
from tminus.errors import ProbeError, UsageError
from tminus.wiring.curtain import Curtain

_CHECK = typer.Typer()
_CHECK.command()(check)


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Answer every path but one."""
        self.send_response(404 if self.path == "/broken" else 200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def address() -> object:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answer)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def _plan(folder: Path, address: str, *, broken: bool = False) -> Path:
    path = folder / "plan.yaml"
    path.write_text(
        f"""
plan: the shop
extends: production
systems:
  website: {{address: "{address}"}}
checks:
  Success Criteria:
    - {{id: ok.front, line: The front page answers, due: T-2h, owner: devops, probe: website.answer,
       with: {{path: /{"broken" if broken else ""}}}, expect: == 200, hint: see the proxy}}
    - {{id: ok.all, line: All answers, due: T-2h, owner: devops, of: [ok.front]}}
""",
        encoding="utf-8",
    )
    return path


def _checked(path: Path, *options: str) -> Result:
    return CliRunner().invoke(_CHECK, [str(path), *options])


def test_a_line_whose_system_answers_is_green(tmp_path: Path, address: str) -> None:
    result = _checked(_plan(tmp_path, address), "--only", "ok.front")

    assert result.exit_code == 0, result.output
    assert "1 passed" in result.output


def test_a_roll_up_looks_at_its_parts(tmp_path: Path, address: str) -> None:
    assert "2 passed" in _checked(_plan(tmp_path, address), "--only", "ok.all").output


def test_a_line_whose_system_answers_wrongly_fails_with_what_to_do(tmp_path: Path, address: str) -> None:
    result = _checked(_plan(tmp_path, address, broken=True), "--only", "ok.front")

    assert result.exit_code == 1
    assert "404, expected == 200; see the proxy (owner: devops)" in result.output


def test_a_system_that_is_away_is_unknown(tmp_path: Path) -> None:
    result = _checked(_plan(tmp_path, "http://127.0.0.1:1"), "--only", "ok.front")

    assert result.exit_code == 4
    assert "1 unknown: website:" in result.output


def test_unknown_lines_are_told_by_the_system_that_is_missing(tmp_path: Path, address: str) -> None:
    result = _checked(_plan(tmp_path, address))

    assert result.exit_code == 4
    [told] = [line for line in result.output.splitlines() if "unknown: depot:" in line]
    assert told.startswith("? 4 unknown")
    assert len(result.output.splitlines()) < 50


def test_words_that_people_have_yet_to_give_are_told_by_role(tmp_path: Path, address: str) -> None:
    result = _checked(_plan(tmp_path, address), "--only", "t4.meeting")

    assert result.exit_code == 4
    assert "1 waits for a word of lead: t4.meeting" in result.output


def test_ci_gets_a_test_report(tmp_path: Path, address: str) -> None:
    result = _checked(_plan(tmp_path, address, broken=True), "--format", "junit")

    suite = ET.fromstring(result.output.partition("\n")[2])
    cases = suite.findall("testcase")
    assert suite.get("tests") == str(len(cases))
    assert suite.get("failures") == str(len(suite.findall("testcase/failure"))) == "2"
    assert suite.get("errors") == str(len(suite.findall("testcase/error")))
    assert suite.get("skipped") == str(len(suite.findall("testcase/skipped")))


def test_ci_gets_a_job_summary(tmp_path: Path, address: str) -> None:
    result = _checked(_plan(tmp_path, address, broken=True), "--only", "ok.front", "--format", "md")

    assert "| ✗ failed | `ok.front` | The front page answers |" in result.output


def test_programs_get_every_line(tmp_path: Path, address: str) -> None:
    told = json.loads(_checked(_plan(tmp_path, address), "--json").output)

    assert told["standing"] == "unknown"
    assert sum(told["counts"].values()) == len(told["lines"]) == 111


def test_a_line_that_the_plan_does_not_have_is_a_usage_error(tmp_path: Path, address: str) -> None:
    assert isinstance(_checked(_plan(tmp_path, address), "--only", "ok.nothing").exception, UsageError)
    assert isinstance(_checked(_plan(tmp_path, address), "--format", "pdf").exception, UsageError)


def test_a_roll_up_of_words_yet_to_be_given_waits_too(tmp_path: Path, address: str) -> None:
    path = _plan(tmp_path, address)
    path.write_text(
        path.read_text(encoding="utf-8")
        + "    - {id: ok.meet, line: Met, due: T-2h, owner: lead, of: [t4.meeting]}\n",
        encoding="utf-8",
    )

    told = json.loads(_checked(path, "--only", "ok.meet", "--json").output)

    assert {line["id"]: line["standing"] for line in told["lines"]} == {
        "ok.meet": "pending",
        "t4.meeting": "pending",
    }


def test_a_line_about_what_a_launch_binds_is_answered_by_the_launch(tmp_path: Path, address: str) -> None:
    told = json.loads(_checked(_plan(tmp_path, address), "--only", "ok.health", "--json").output)

    assert [line["standing"] for line in told["lines"]] == ["later"]


@pytest.mark.parametrize("drill", ["route.pd", "route.sms", "t1.alerts"])
def test_a_line_that_wakes_people_is_answered_by_the_launch(drill: str, tmp_path: Path, address: str) -> None:
    told = json.loads(_checked(_plan(tmp_path, address), "--only", drill, "--json").output)

    assert [(line["standing"], line["why"]) for line in told["lines"]] == [
        ("later", "the launch itself answers it")
    ]


@pytest.mark.parametrize("shape", ["text", "json", "junit", "md"])
@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("http://admin:hunter2SECRET@127.0.0.1:1/", "http://127.0.0.1:1/"),
        ("http://127.0.0.1:1/?key=hunter2SECRET", "http://127.0.0.1:1/"),
        ("hunter2SECRET", "the address behind env:SITE is no http address"),
        ("http://hunter2SECRET:no-port/", "the address behind env:SITE has a port that is no number"),
        ("http://u:hunter2/SECRET@h.example", "the address behind env:SITE has a login that ends too early"),
    ],
)
def test_what_stands_behind_a_reference_is_never_shown(
    value: str, told: str, shape: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SITE", value)
    output = _checked(_plan(tmp_path, "env:SITE"), "--only", "ok.front", "--format", shape).output

    assert told in output
    assert "hunter2" not in output


def test_a_login_is_not_shown_when_the_system_answers(
    tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SITE", address.replace("://", "://admin:hunter2SECRET@"))
    result = _checked(_plan(tmp_path, "env:SITE"), "--only", "ok.front", "--json")

    assert result.exit_code == 0
    assert "hunter" not in result.output


def test_a_curtain_hides_every_part_of_a_value() -> None:
    curtain = Curtain()
    curtain.draw("env:DB", "redis://:p%40ssword@h:1/?token=querytoken")
    curtain.draw("env:DSN", "host=h password='dsnword'")
    curtain.draw("plain", "plain")
    curtain.draw("env:SHORT", "abc")

    error = curtain.error(ProbeError("p@ssword p%40ssword plain abc", hint="querytoken dsnword"))
    assert (type(error), str(error), error.hint) == (ProbeError, "env:DB env:DB plain abc", "env:DB env:DSN")
    seen = curtain.observation(Observation(["dsnword", 1], {"a": {"dsnword": "b"}}, {}, ("dsnword",)))
    assert seen == Observation(["env:DSN", 1], {"a": {"env:DSN": "b"}}, {}, ("env:DSN",))


def test_a_line_with_something_to_fill_is_not_looked_at(tmp_path: Path, address: str) -> None:
    result = _checked(_plan(tmp_path, address), "--only", "cfg.cors")

    assert result.exit_code == 4
    assert "to fill: origins; write it under `with` of cfg.cors in the plan" in result.output
