"""`tminus plan check`, `plan show` and `launch`: what a plan says, what it lacks, and when everything falls due."""

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

if TYPE_CHECKING:
    from tests.unit import small_plan
else:
    import small_plan

from tminus.cli import launch as launching
from tminus.cli import plan as planning
from tminus.cli.app import app
from tminus.errors import Exit, PlanError, RefusedError, UsageError
from tminus.planfile import load, schema

DEMO = str(files("tminus.demo") / "demo.yaml")
NOW = 1780308000.0
"""2026-06-01T10:00:00Z."""
DIGEST = "sha256:" + "ab" * 32
READY = ["--release", f"depot={DIGEST}", "--t0", "2026-06-03T14:00:00+02:00"]


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "now", lambda: NOW)
    monkeypatch.setattr(launching, "now", lambda: NOW)


def typed(*words: str) -> Any:
    return CliRunner().invoke(app, list(words), catch_exceptions=True)


def stored(tmp_path: Path, text: str) -> str:
    path = tmp_path / "plan.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_what_is_to_fill_is_listed_with_its_line_and_ends_with_0() -> None:
    ended = typed("plan", "check", "production")
    assert ended.exit_code == Exit.PASSED
    lines = ended.output.splitlines()
    assert f"{load('production').checked().left_out} of 109 lines are not in this plan" in lines[3]
    assert lines[0] == "production (built in): production"
    assert lines[1] == f"digest {load('production').checked().digest}"
    assert lines[4].startswith("to fill before a launch (")
    assert any(
        line.startswith("  production (built in):") and "role.lead: `person`" in line for line in lines[5:]
    )


def test_a_check_as_json_names_problems_and_what_is_to_fill(tmp_path: Path) -> None:
    broken = stored(tmp_path, small_plan.changed("drain: 20s", "drain: long"))
    ended = typed("plan", "check", broken, "--json")
    said = json.loads(ended.output)
    assert ended.exit_code == Exit.USAGE
    assert (said["ok"], said["digest"]) == (False, None)
    assert said["problems"][0]["what"] == "'long' is no duration"
    good = json.loads(typed("plan", "check", DEMO, "--json").output)
    assert (good["ok"], good["total"], good["left_out"], good["to_fill"]) == (
        True,
        109,
        load(DEMO).checked().left_out,
        [],
    )


def test_every_line_is_shown_with_everything_that_is_known_of_it() -> None:
    shown = json.loads(typed("plan", "show", "production", "--json").output)
    lines = {line["id"]: line for line in shown["lines"]}
    assert len(shown["lines"]) == len(lines) == shown["total"] == 109
    kinds = {"probe", "attestation", "roll-up", "step", "signature", "not applicable"}
    assert {line["kind"] for line in shown["lines"]} == kinds
    err = lines["ok.err"]
    assert (err["probe"], err["due"], err["section"], err["omitted"]) == (
        "traffic.errors",
        "T+4h",
        "Success Criteria",
        None,
    )
    copied = lines["bk.config"]
    assert (copied["probe"], copied["system"], copied["kind"]) == ("kubernetes.backup", "kubernetes", "probe")
    assert copied["omitted"] == "no probe looks at the copy of a configuration yet"
    assert {"role.lead", "role.cto"} <= {role["id"] for role in shown["roles"]}
    assert [signature["id"] for signature in shown["signatures"]] == [
        "sign.devops",
        "sign.eng",
        "sign.sec",
        "sign.qa",
        "sign.cto",
    ]
    assert len(shown["figures"]) == 9
    assert len(shown["triggers"]) == 5


def test_lines_of_an_import_stand_in_the_order_of_the_checklist(tmp_path: Path) -> None:
    text = small_plan.SMALL
    for number, name in (
        (9, "site.up"),
        (4, "team.ready"),
        (12, "all.ready"),
        (20, "t0.smoke"),
        (30, "sign.devops"),
    ):
        text = text.replace(f"id: {name}", f"source_line: {number}\n      id: {name}" if name == "site.up" else
                            f"source_line: {number}, id: {name}")  # fmt: skip
    text = text.replace(
        "lines: [bk.vault]",
        "lines: [{id: bk.vault, line: V, section: B, due: T-2h, owner: qa, source_line: 10, checked: true,"
        " confidence: 0.89}]",
    )
    shown = json.loads(typed("plan", "show", stored(tmp_path, text), "--json").output)
    assert [line["id"] for line in shown["lines"]] == [
        "team.ready",
        "site.up",
        "bk.vault",
        "all.ready",
        "t0.smoke",
        "sign.devops",
    ]
    printed = typed("plan", "show", stored(tmp_path, text)).output
    assert "[x] bk.vault" in printed
    assert "(line 10) — guessed, 0.89" in printed


@pytest.mark.parametrize("file", ["production", DEMO])
def test_what_is_printed_fits_a_terminal(file: str) -> None:
    printed = typed("plan", "show", file).output.splitlines()
    assert max(map(len, printed)) <= 100
    assert sum(len(line) > 80 for line in printed) <= 2, "the digest and the milestones"
    assert any("notify.exec" in line for line in printed)


def test_a_line_that_is_left_out_by_its_id_alone_is_shown() -> None:
    lines = {line["id"]: line for line in json.loads(typed("plan", "show", DEMO, "--json").output)["lines"]}
    assert (lines["bk.config"]["kind"], lines["bk.config"]["omitted"]) == (
        "not said",
        "there is no other configuration to back up on this stage",
    )


def test_the_schedule_names_each_milestone_with_its_lines(tmp_path: Path) -> None:
    plan = stored(tmp_path, small_plan.REAL)
    ended = typed("launch", plan, *READY, "--dry-run")
    assert ended.exit_code == Exit.PASSED
    assert "2026-06-03T10:00:00Z" in ended.output, "T-2h in UTC"
    assert "site.up" in ended.output
    said = json.loads(typed("launch", plan, *READY, "--dry-run", "--json").output)
    assert said["release"] == {"depot": DIGEST}
    assert [(one["offset"], one["at"]) for one in said["milestones"]] == [
        ("T-2h", "2026-06-03T10:00:00+00:00"),
        ("T-0", "2026-06-03T12:00:00+00:00"),
        ("T+1h", "2026-06-03T13:00:00+00:00"),
    ]
    assert [line["id"] for line in said["milestones"][1]["lines"]] == ["t0.smoke", "sign.devops"]


def refused(*words: str) -> str:
    ended = typed("launch", *words)
    assert isinstance(ended.exception, RefusedError), ended.output
    assert ended.exception.code == Exit.REFUSED
    assert ended.exception.hint
    return str(ended.exception)


def test_simulated_people_take_part_in_the_demo_only(tmp_path: Path) -> None:
    said = refused(stored(tmp_path, small_plan.SMALL), *READY)
    assert "name a person for lead, devops, qa" in said


def test_a_launch_that_no_line_could_keep_from_going_is_refused(tmp_path: Path) -> None:
    text = small_plan.REAL.replace("due: T-2h, owner: lead", "due: T-2h, owner: lead, severity: advisory")
    text = text.replace("owner: devops\n      probe", "owner: devops\n      severity: advisory\n      probe")
    said = refused(stored(tmp_path, text), *READY, "--dry-run")
    assert "no line is required before T-0" in said


def test_where_it_takes_place_is_said_once(tmp_path: Path) -> None:
    here = stored(tmp_path, "environment: staging\n" + small_plan.SMALL)
    ended = typed("launch", here, *READY, "--environment", "production", "--dry-run")
    assert isinstance(ended.exception, UsageError)
    assert "the plan is for staging" in str(ended.exception)
    ended = typed("launch", stored(tmp_path, small_plan.SMALL), *READY, "--environment", "../x", "--dry-run")
    assert isinstance(ended.exception, UsageError)
    assert "no name of an environment" in str(ended.exception)


def test_everything_that_a_launch_lacks_is_told_together() -> None:
    said = refused("production", "--dry-run")
    assert "to fill: role.lead: `person` is empty" in said
    assert "component api has no digest" in said
    assert "T-0 is not given" in said


@pytest.mark.parametrize(
    ("t0", "told"),
    [
        ("2026-06-03T14:00:00", "is no time with a zone"),
        ("tomorrow", "is no time with a zone"),
        ("2026-06-01T09:00:00Z", "is past"),
        ("9999-12-31T23:59:59Z", "is more than ten years ahead"),
    ],
)
def test_t_0_is_an_instant_to_come(t0: str, told: str, tmp_path: Path) -> None:
    plan = stored(tmp_path, small_plan.SMALL)
    assert told in refused(plan, "--release", f"depot={DIGEST}", "--t0", t0, "--dry-run")


def test_a_plan_says_when_nothing_is_launched_and_when_owners_are_told(tmp_path: Path) -> None:
    weekend = "freezes: [{name: Weekend, from: Fri 16:00, to: Mon 06:00, zone: Europe/Berlin}]\n"
    shown = typed("plan", "show", stored(tmp_path, weekend + small_plan.SMALL)).output

    assert "No launch: Weekend, Fri 16:00 to Mon 06:00 (Europe/Berlin)" in shown
    assert "Notices, from a line's milestone: soon 1h, late 15min, escalated 30min" in shown


def test_a_plan_with_waivers_is_refused(tmp_path: Path) -> None:
    waiver = (
        "waivers: [{check: team.ready, because: b, risk: r, compensating: c, requested_by: Ann, approved_by: Bob,"
        ' until: "2026-06-04T00:00:00Z"}]\n'
    )
    said = refused(stored(tmp_path, waiver + small_plan.SMALL), *READY, "--dry-run")
    assert "waivers are not honoured yet: team.ready" in said
    late = stored(tmp_path, waiver.replace("06-04", "05-04") + small_plan.SMALL)
    assert isinstance(typed("launch", late, *READY).exception, PlanError)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--release", f"depott={DIGEST}"], "no component 'depott'"),
        (["--release", "depot=latest"], "no digest"),
        (["--release", f"depot={DIGEST}", "--release", f"depot={DIGEST}"], "twice"),
    ],
)
def test_a_release_is_a_component_of_the_plan_and_a_digest(
    words: list[str], told: str, tmp_path: Path
) -> None:
    ended = typed("launch", stored(tmp_path, small_plan.SMALL), *words)
    assert isinstance(ended.exception, UsageError)
    assert told in str(ended.exception)


@pytest.mark.parametrize("name", ["website", "website.answer", "depot.integration", "traffic.errors"])
def test_a_probe_or_a_system_is_described(name: str) -> None:
    printed = typed("probes", name).output
    assert "website.answer" in printed or name in printed
    if "." in name:
        assert f"  probe: {name}" in printed
        assert "expect: " in printed


def test_the_schema_is_printed_for_editors() -> None:
    result = CliRunner().invoke(app, ["plan", "schema"])

    assert result.exit_code == 0, result.exception
    assert json.loads(result.output) == schema.schema()


def test_lines_that_are_left_out_are_counted_in_words_that_agree(tmp_path: Path) -> None:
    whole = small_plan.changed("omitted:\n  - reason: there is no Vault here\n    lines: [bk.vault]\n", "")
    one = typed("plan", "check", stored(tmp_path, small_plan.SMALL)).output.splitlines()
    none = typed("plan", "check", stored(tmp_path, whole)).output.splitlines()
    assert re.fullmatch(r"1 of \d+ lines is not in this plan", one[3])
    assert none[3] == "no line is left out"
