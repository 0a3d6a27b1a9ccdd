"""`tminus export` as people and programs meet it."""

import json
import os
import sys
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typer
from ruamel.yaml import YAML
from typer.testing import CliRunner, Result

from tminus import planfile
from tminus.cli.exporting import export
from tminus.cli.importing import import_
from tminus.errors import Exit, PlanError, RecordError, RefusedError, TminusError, UsageError
from tminus.signing import save_trust

if TYPE_CHECKING:
    from tests.unit.exporting.export_world import CHECKLIST, document, planned
    from tests.unit.record_builder import RecordBuilder, trust_root
else:
    sys.path.insert(0, str(Path(__file__).parents[1] / "exporting"))
    from export_world import CHECKLIST, document, planned
    from record_builder import RecordBuilder, trust_root

APP = typer.Typer()
APP.command()(export)
IMPORT = typer.Typer()
IMPORT.command()(import_)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(APP, [str(argument) for argument in arguments])


def refused(kind: type[TminusError], *arguments: str | Path) -> str:
    result = run(*arguments)
    assert type(result.exception) is kind, result.exception
    assert result.stdout_bytes == b""
    return str(result.exception)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMINUS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def launch(home: Path, record: RecordBuilder) -> Path:
    """A launch's folder: its record, its plan, the checklist."""
    folder = home / "launches" / "depot-2"
    folder.mkdir(parents=True)
    (folder / "checklist.md").write_bytes(CHECKLIST)
    (folder / "plan.json").write_text(document().model_dump_json(by_alias=True), encoding="utf-8")
    record.complete(plan={"digest": planned(document()).digest, "production": False, "lines": 6})
    (folder / "record.jsonl").write_bytes(b"".join(record.lines))
    return folder


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """A plan's file beside its checklist."""
    (tmp_path / "checklist.md").write_bytes(CHECKLIST)
    path = tmp_path / "plan.yaml"
    with path.open("w", encoding="utf-8") as file:
        YAML().dump(document().model_dump(mode="json", by_alias=True, exclude_defaults=True), file)
    return path


def test_a_launch_is_exported_by_its_folder_its_record_or_its_name(launch: Path) -> None:
    answers = {run(what).stdout_bytes for what in (launch, launch / "record.jsonl", "depot-2")}
    assert len(answers) == 1
    assert b"- [x] Database backup taken [evidence](record.jsonl#" in answers.pop()


def test_a_page_and_an_object_are_other_forms_of_the_same(launch: Path, tmp_path: Path) -> None:
    assert json.loads(run(launch, "--format", "json").stdout)["plan"]["source"]["path"] == "checklist.md"
    assert run(launch, "--format", "html", "-o", tmp_path / "report.html").exit_code == Exit.PASSED
    assert (tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_a_broken_record_ends_with_1_and_nothing_is_written(launch: Path, tmp_path: Path) -> None:
    file = launch / "record.jsonl"
    file.write_bytes(file.read_bytes().replace(b'"why":"seen"', b'"why":"SEEN"'))
    for form in ("md", "html", "json"):
        assert str(file) in refused(RecordError, launch, "--format", form, "-o", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    file.write_bytes(b"")
    assert "empty" in refused(RecordError, launch)


def test_a_trust_root_says_whose_keys_signed(launch: Path, tmp_path: Path) -> None:
    assert json.loads(run(launch, "--format", "json").stdout)["launch"]["trusted"] is False
    save_trust(tmp_path / "ours.json", trust_root())
    told = run(launch, "--format", "json", "--trust", tmp_path / "ours.json").stdout
    assert json.loads(told)["launch"]["trusted"] is True
    save_trust(tmp_path / "others.json", trust_root("theirs"))
    assert "stranger" in refused(RecordError, launch, "--trust", tmp_path / "others.json")


def test_a_checklist_that_changed_is_refused(launch: Path) -> None:
    (launch / "checklist.md").write_bytes(CHECKLIST + b"\n")
    said = refused(RefusedError, launch)
    assert sha256(CHECKLIST).hexdigest() in said
    assert sha256(CHECKLIST + b"\n").hexdigest() in said


def test_a_checklist_above_the_plan_is_not_read_unless_it_is_named(plan: Path) -> None:
    checklist = plan.parent / "checklist.md"
    below = plan.parent / "below"
    below.mkdir()
    moved = below / "plan.yaml"
    moved.write_text(plan.read_text(encoding="utf-8").replace("path: ", "path: ../"), encoding="utf-8")
    assert "goes up" in refused(UsageError, moved)
    assert run(moved, "--source", checklist).stdout_bytes == CHECKLIST


def test_a_checklist_that_moved_is_named(launch: Path, tmp_path: Path) -> None:
    (launch / "checklist.md").rename(tmp_path / "moved.md")
    assert "checklist.md" in refused(UsageError, launch)
    assert run(launch, "--source", tmp_path / "moved.md").exit_code == Exit.PASSED


def test_a_launch_keeps_its_checklist_beside_its_plan(launch: Path) -> None:
    changed = document(source={"path": "elsewhere.md", "sha256": sha256(CHECKLIST).hexdigest()})
    (launch / "plan.json").write_text(changed.model_dump_json(by_alias=True), encoding="utf-8")
    assert b"[evidence]" in run(launch).stdout_bytes


def test_a_plan_that_the_launch_was_not_of_is_refused(launch: Path) -> None:
    (launch / "plan.json").write_text(document(plan="another").model_dump_json(by_alias=True))
    assert "not the plan of this launch" in refused(RefusedError, launch)
    (launch / "plan.json").write_bytes(b"{}")
    refused(RecordError, launch)


def test_a_launch_without_its_plan_is_told_but_not_as_a_checklist(launch: Path) -> None:
    (launch / "plan.json").unlink()
    assert "--plan" in run(launch, "--format", "json").stderr
    assert "not at hand" in refused(UsageError, launch)


def test_nothing_that_is_read_is_written_over(launch: Path) -> None:
    for name in ("checklist.md", "record.jsonl", "plan.json"):
        assert "made from" in refused(RefusedError, launch, "-o", launch / name)
        assert "made from" in refused(RefusedError, launch, "-o", launch / ".." / launch.name / name)
    assert (launch / "checklist.md").read_bytes() == CHECKLIST


def test_what_is_not_there_is_said(home: Path) -> None:
    assert "neither a file nor a launch" in refused(UsageError, "nothing")
    assert "neither" in refused(UsageError, "../launches")
    (home / "launches" / "early").mkdir(parents=True)
    assert "no record yet" in refused(UsageError, "early")


def test_an_untouched_plan_hands_its_checklist_back_byte_for_byte(plan: Path) -> None:
    assert run(plan).stdout_bytes == CHECKLIST
    assert "Not launched" in run(plan, "--format", "html").stdout
    assert json.loads(run(plan, "--format", "json").stdout)["kind"] == "plan"


def test_a_plan_of_no_checklist_cannot_hand_one_back(plan: Path) -> None:
    text = plan.read_text(encoding="utf-8")
    start, end = text.index("source:"), text.index("production:")
    plan.write_text(text[:start] + text[end:], encoding="utf-8")
    assert "not imported" in refused(UsageError, plan)
    assert "is a plan itself" in refused(UsageError, plan, "--plan", plan)


def test_a_plan_that_cannot_be_read_names_its_lines(plan: Path) -> None:
    plan.write_text("plan: [", encoding="utf-8")
    assert "plan.yaml:" in refused(PlanError, plan)


def test_a_plan_that_contradicts_itself_hands_its_checklist_back_and_says_so(plan: Path) -> None:
    text = plan.read_text(encoding="utf-8")
    plan.write_text(text.replace("bk.db", "bk.other", 1), encoding="utf-8")
    result = run(plan)
    assert result.stdout_bytes == CHECKLIST
    assert "plan check" in result.stderr
    assert "bk.db" in refused(PlanError, plan, "--format", "html")


def test_a_place_that_cannot_be_written_is_said(plan: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "cannot be written" in refused(UsageError, plan, "-o", tmp_path / "file" / "out.md")


@pytest.mark.parametrize("form", ["md", "html", "json"])
def test_no_form_is_written_over_the_checklist_or_the_plan(plan: Path, form: str) -> None:
    folder, before = plan.parent, plan.read_bytes()
    (folder / "hard.md").hardlink_to(folder / "checklist.md")
    (folder / "soft.yaml").symlink_to(plan)
    for name in ("checklist.md", "plan.yaml", "hard.md", "soft.yaml"):
        assert "made from" in refused(RefusedError, plan, "--format", form, "-o", folder / name, "--force")
    assert ((folder / "checklist.md").read_bytes(), plan.read_bytes()) == (CHECKLIST, before)


@pytest.mark.parametrize("form", ["md", "html", "json"])
def test_no_form_is_written_over_a_base_of_the_plan(plan: Path, form: str) -> None:
    middle, top = plan.parent / "middle.yaml", plan.parent / "top.yaml"
    middle.write_text(f"plan: middle\nextends: {plan.name}\n", encoding="utf-8")
    top.write_text("plan: top\nextends: middle.yaml\n", encoding="utf-8")
    for base in (plan, middle):
        before = base.read_bytes()
        told = refused(RefusedError, top, "--format", form, "--force", "-o", base)
        assert "is what this is made from" in told
        assert base.read_bytes() == before


def test_no_form_is_written_over_a_checklist_that_was_named(plan: Path, tmp_path: Path) -> None:
    moved = (tmp_path / "checklist.md").rename(tmp_path / "moved.md")
    for form in ("md", "html"):
        said = refused(RefusedError, plan, "--source", moved, "--format", form, "-o", moved, "--force")
        assert "made from" in said


def test_no_form_is_written_over_what_a_launch_keeps(launch: Path) -> None:
    for name in ("checklist.md", "record.jsonl", "plan.json"):
        assert "made from" in refused(
            RefusedError, launch, "--format", "html", "-o", launch / name, "--force"
        )


def test_a_file_that_is_there_is_written_over_only_by_force(plan: Path, tmp_path: Path) -> None:
    (tmp_path / "out.md").write_bytes(b"mine")
    assert "--force" in str(getattr(run(plan, "-o", tmp_path / "out.md").exception, "hint", ""))
    assert (tmp_path / "out.md").read_bytes() == b"mine"
    assert run(plan, "-o", tmp_path / "out.md", "--force").exit_code == Exit.PASSED
    assert (tmp_path / "out.md").read_bytes() == CHECKLIST


def test_an_export_into_a_pipe_leaves_it_a_pipe(plan: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "no regular file" in refused(RefusedError, plan, "-o", tmp_path / "pipe", "--force")
    assert (tmp_path / "pipe").is_fifo()


def test_a_file_that_may_not_be_read_is_said(plan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    assert "cannot be read" in refused(UsageError, "x" * 300)
    monkeypatch.setattr(Path, "open", denied)
    assert "Permission denied" in refused(UsageError, plan)


@pytest.mark.parametrize("path", ["nul\0.md", "x" * 300])
def test_a_checklist_at_a_path_that_no_file_can_have_is_said(launch: Path, path: str) -> None:
    (launch / "checklist.md").unlink()
    changed = document(source={"path": path, "sha256": sha256(CHECKLIST).hexdigest()})
    (launch / "plan.json").write_text(changed.model_dump_json(by_alias=True), encoding="utf-8")
    assert "the plan's checklist, cannot be read" in refused(UsageError, launch)
    assert run(launch, "--format", "html").exit_code == Exit.PASSED


def test_a_ticked_export_is_imported_with_the_lines_of_its_checklist(launch: Path, tmp_path: Path) -> None:
    assert run(launch, "-o", tmp_path / "done.md").exit_code == Exit.PASSED
    assert b"[evidence]" in (tmp_path / "done.md").read_bytes()
    words = []
    for number, source in enumerate((launch / "checklist.md", tmp_path / "done.md")):
        made = tmp_path / f"{number}.yaml"
        assert CliRunner().invoke(IMPORT, [str(source), "-o", str(made)]).exit_code == Exit.PASSED
        checks = planfile.load(made).document.checks
        words.append([line.line for section in checks.values() for line in section if not line.sign])
    assert words[0] == words[1]
    assert words[0]
