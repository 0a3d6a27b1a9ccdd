"""`tminus import` and `init` as they are typed."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from tminus import planfile
from tminus.cli.importing import import_, init
from tminus.errors import ChecklistError, RefusedError, UsageError

_IMPORT, _INIT = typer.Typer(), typer.Typer()
_IMPORT.command()(import_)
_INIT.command()(init)
_CHECKLIST = "# Shop\n\n## T-4 Hours\n\n- [ ] Database backup taken\n- [x] Tell the shops\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _import(text: str | bytes, *options: str) -> Result:
    Path("go-live.md").write_bytes(text.encode() if isinstance(text, str) else text)
    return CliRunner().invoke(_IMPORT, ["go-live.md", *options])


def test_a_checklist_becomes_a_plan_beside_it() -> None:
    result = _import(_CHECKLIST)

    assert result.exit_code == 0, result.exception
    assert "go-live.md: 2 boxes, 1 ticked" in result.output
    assert "wrote go-live.plan.yaml" in result.output
    plan = planfile.load(Path("go-live.plan.yaml")).document
    assert plan.plan == "Shop"
    assert plan.source is not None
    assert plan.source.path == "go-live.md"
    assert {line.due for lines in plan.checks.values() for line in lines} == {"T-4h"}


def test_what_is_left_to_a_person_is_told_with_its_line_and_owner() -> None:
    result = _import(_CHECKLIST)

    assert "line 6     Tell the shops" in result.output
    assert "asks lead" in result.output


def test_programs_get_one_object() -> None:
    told = json.loads(_import(_CHECKLIST, "--json").output)

    assert (told["lines"], told["left"], told["understood"] + told["guessed"]) == (2, 1, 1)


def test_a_plan_that_is_there_is_left_as_it_is() -> None:
    Path("go-live.plan.yaml").write_text("mine", encoding="utf-8")

    result = _import(_CHECKLIST)

    assert isinstance(result.exception, RefusedError)
    assert Path("go-live.plan.yaml").read_text(encoding="utf-8") == "mine"
    assert _import(_CHECKLIST, "--force").exit_code == 0


@pytest.mark.parametrize(
    "content", [b"", b"\x00\x01\x02", b"no boxes here\n", b"- [ ] " + b"x" * (5 * 1024 * 1024)],
    ids=["empty", "binary", "no boxes", "too large"],
)  # fmt: skip
def test_what_is_no_checklist_is_refused_and_nothing_is_written(content: bytes) -> None:
    result = _import(content)

    assert isinstance(result.exception, ChecklistError)
    assert result.exception.hint
    assert not list(Path().glob("*.yaml"))


def test_a_file_that_is_not_there_is_named() -> None:
    result = CliRunner().invoke(_IMPORT, ["nowhere.md"])

    assert isinstance(result.exception, ChecklistError)
    assert "nowhere.md" in str(result.exception)


def test_boxes_in_tables_are_read_when_asked_for() -> None:
    table = "| what | done |\n|--|--|\n| Backup of the shop | [ ] |\n"

    assert isinstance(_import(table).exception, ChecklistError)
    result = _import(table, "--also", "tables")
    assert result.exit_code == 0, result.exception
    plan = planfile.load(Path("go-live.plan.yaml")).document
    assert plan.source is not None
    assert plan.source.also == ["tables"]


def test_an_unknown_form_of_box_is_refused() -> None:
    assert isinstance(_import(_CHECKLIST, "--also", "stickers").exception, UsageError)


def test_a_plan_in_another_folder_finds_its_checklist_again() -> None:
    Path("plans").mkdir()

    assert _import(_CHECKLIST, "-o", "plans/p.yaml").exit_code == 0
    source = planfile.load(Path("plans/p.yaml")).document.source
    assert source is not None
    assert (Path("plans") / source.path).resolve() == Path("go-live.md").resolve()


def test_a_first_plan_extends_the_built_in_one_and_is_right() -> None:
    result = CliRunner().invoke(_INIT, [])

    assert result.exit_code == 0, result.exception
    loaded = planfile.load(Path("plan.yaml"))
    assert loaded.problems == ()
    assert loaded.plan is not None
    assert loaded.plan.total == 109
    assert loaded.to_fill
