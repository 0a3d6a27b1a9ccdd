"""`tminus import` and `init` as they are typed."""

import json
import os
import threading
from collections.abc import Iterable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from tminus import files, planfile
from tminus.checklist.writing import evidence_link
from tminus.cli import outputs
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

    for options in ([], ["--force"], ["--merge"]):
        result = _import(_CHECKLIST, *options)

        assert isinstance(result.exception, RefusedError)
        assert "no plan that an import wrote" in str(result.exception)
        assert Path("go-live.plan.yaml").read_text(encoding="utf-8") == "mine"


def _edited() -> Path:
    """A plan with an edit, and a checklist with a further line."""
    assert _import(_CHECKLIST).exit_code == 0
    plan = Path("go-live.plan.yaml")
    text = plan.read_text(encoding="utf-8").replace(
        "attest: Tell the shops", "attest: I called them  # by phone"
    )
    plan.write_text(text, encoding="utf-8")
    return plan


def test_an_import_over_a_plan_tells_the_exact_difference_and_changes_nothing() -> None:
    plan = _edited()
    before = plan.read_bytes()
    result = _import(f"{_CHECKLIST}- [ ] Ask the lawyers\n")

    assert isinstance(result.exception, RefusedError)
    told = str(result.exception)
    assert "1 new in the checklist" in told
    assert "    ask-the-lawyers" in told
    assert "tell-the-shops: `attest` I called them, not Tell the shops" in told
    assert "--merge" in result.exception.hint
    assert plan.read_bytes() == before


def test_a_merge_adds_what_is_new_and_keeps_edits_and_comments() -> None:
    plan = _edited()
    result = _import(f"{_CHECKLIST}- [ ] Ask the lawyers\n", "--merge")

    assert result.exit_code == 0, result.exception
    assert "merged into go-live.plan.yaml" in result.output
    text = plan.read_text(encoding="utf-8")
    assert "attest: I called them  # by phone" in text
    assert "id: ask-the-lawyers" in text
    assert planfile.load(plan).problems == ()
    told = json.loads(_import(_CHECKLIST, "--merge", "--json").output)
    assert (told["added"], told["gone"]) == ([], ["ask-the-lawyers"])


def test_a_plan_that_is_made_anew_by_force_loses_its_edits() -> None:
    plan = _edited()
    assert _import(_CHECKLIST, "--force").exit_code == 0
    assert "I called them" not in plan.read_text(encoding="utf-8")
    assert isinstance(_import(_CHECKLIST, "--force", "--merge").exception, UsageError)


def test_a_plan_by_hand_or_a_base_is_never_written_over_by_an_import() -> None:
    hand = Path("go-live.plan.yaml")
    hand.write_text("plan: ours\nextends: production\n", encoding="utf-8")
    for option in ("--force", "--merge"):
        assert isinstance(_import(_CHECKLIST, option).exception, RefusedError)
    assert hand.read_text(encoding="utf-8") == "plan: ours\nextends: production\n"


def test_a_merge_reads_the_forms_of_boxes_that_the_import_read() -> None:
    table = "| what | done |\n|--|--|\n| Backup of the shop | [ ] |\n"
    assert _import(table, "--also", "tables").exit_code == 0
    assert "0 gone" in _import(f"{table}| Tell the shops | [ ] |\n", "--merge").output


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


@pytest.mark.parametrize("name", ["go-live.md", "./go-live.md", "hard.md", "soft.md"])
def test_the_checklist_itself_is_never_written_over(name: str) -> None:
    Path("go-live.md").write_text("", encoding="utf-8")
    Path("hard.md").hardlink_to("go-live.md")
    Path("soft.md").symlink_to("go-live.md")

    result = _import(_CHECKLIST, "-o", name, "--force")

    assert isinstance(result.exception, RefusedError)
    assert "made from" in str(result.exception)
    assert Path("go-live.md").read_text(encoding="utf-8") == _CHECKLIST


def test_what_is_no_regular_file_is_left_alone() -> None:
    os.mkfifo("pipe")
    Path("folder").mkdir()
    Path("link").symlink_to("pipe")
    for name in ("pipe", "folder", "link"):
        for command, arguments in ((_IMPORT, ["go-live.md"]), (_INIT, [])):
            Path("go-live.md").write_text(_CHECKLIST, encoding="utf-8")
            result = CliRunner().invoke(command, [*arguments, "-o", name, "--force"])
            assert isinstance(result.exception, RefusedError), name
            assert "no regular file" in str(result.exception)
    assert Path("pipe").is_fifo()
    assert Path("link").is_symlink()


def test_a_link_stays_one_and_its_file_keeps_its_mode() -> None:
    Path("plans").mkdir()
    assert _import(_CHECKLIST, "-o", "plans/p.yaml").exit_code == 0
    Path("plans/p.yaml").chmod(0o600)
    Path("p.yaml").symlink_to("plans/p.yaml")

    assert _import(_CHECKLIST, "-o", "p.yaml", "--force").exit_code == 0

    assert Path("p.yaml").is_symlink()
    assert Path("plans/p.yaml").stat().st_mode & 0o777 == 0o600
    source = planfile.load(Path("plans/p.yaml")).document.source
    assert source is not None
    assert source.path == str(Path("go-live.md").resolve())


@pytest.mark.parametrize("name", ["x" * 300, "loop"])
def test_a_path_that_no_file_can_have_is_told_in_words(name: str) -> None:
    Path("loop").symlink_to("loop")

    result = _import(_CHECKLIST, "-o", name)

    assert isinstance(result.exception, UsageError)
    assert "cannot be written" in str(result.exception)


def test_of_two_that_write_one_file_at_once_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    both, refused = threading.Barrier(2), list[RefusedError]()
    write_new = files.write_new

    def together(path: Path, content: bytes, mode: int) -> None:
        both.wait(10)
        write_new(path, content, mode)

    def one(content: bytes) -> None:
        try:
            outputs.write(Path("p.yaml"), content, force=False)
        except RefusedError as error:
            refused.append(error)

    monkeypatch.setattr(files, "write_new", together)
    _all([threading.Thread(target=one, args=[content]) for content in (b"one", b"other")])

    assert len(refused) == 1
    assert "there already" in str(refused[0])
    assert Path("p.yaml").read_bytes() in {b"one", b"other"}


def _all(threads: Iterable[threading.Thread]) -> None:
    started = list(threads)
    for thread in started:
        thread.start()
    for thread in started:
        thread.join(20)


def test_an_export_that_is_imported_again_has_the_words_of_its_team() -> None:
    table = "| what | done |\n|--|--|\n| Lions | [ ] |\n| Apes | [ ] fed |\n"
    checklist = f"# Shop\n\n- [ ] Zebra ok\n- [ ] Owls fed (keeper)\n\n{table}\n\u2610 Bears asleep\n"
    link = evidence_link("attested by Ann Lee", "r.jsonl", "a" * 64)
    ticked = "\n".join(
        line.replace("[ ]", f"[x]{link}" if "Lions" in line else "[x]").replace("fed |", f"fed{link} |")
        + (link if line.startswith(("- ", "\u2610")) else "")
        for line in checklist.split("\n")
    )
    assert ticked.count(link) == 5

    assert _import(checklist, "--also", "tables,ballots", "-o", "a.yaml").exit_code == 0
    assert _import(ticked, "--also", "tables,ballots", "-o", "b.yaml").exit_code == 0

    one, other = (planfile.load(Path(name)).document for name in ("a.yaml", "b.yaml"))
    told = [
        [(line.line, line.owner) for lines in plan.checks.values() for line in lines] for plan in (one, other)
    ]
    assert told[0] == told[1]
    assert len(told[0]) == 5


def test_what_moves_a_terminal_s_cursor_is_shown_and_not_obeyed() -> None:
    result = _import("- [ ] a \x1b]0;pwned\x07 title \x1b[2J\n- [ ] b \u202e evil \x9b31m\n")
    assert result.exit_code == 0, result.exception
    assert not set(result.output) & set("\x1b\x07\x9b\u202e")
    assert "\ufffd" in result.output


@pytest.mark.parametrize(
    "secret",
    ["AKIA" + "IOSFODNN7EXAMPLE", "ghp_" + "a1B2" * 9, "postgres://admin:s3cr3tpw@db.example/x"],
)
def test_a_secret_in_a_checklist_is_named_by_its_line_and_carried_nowhere(secret: str) -> None:
    result = _import(f"- [ ] Database backup taken\n- [ ] Log in with {secret}\n")
    assert isinstance(result.exception, ChecklistError)
    assert "go-live.md:2: the line holds" in str(result.exception)
    assert secret not in f"{result.output}{result.exception}{result.exception.hint}"
    assert not Path("go-live.plan.yaml").exists()


def test_a_checklist_without_triggers_says_that_the_built_in_ones_hold() -> None:
    words = "no rollback triggers were found"
    assert words in _import(_CHECKLIST).output
    named = f"{_CHECKLIST}\n## Rollback Triggers\n\n- Error rate > 2% for 5 minutes\n"
    assert words not in _import(named, "--force").output


def test_what_only_looks_like_a_box_is_told() -> None:
    result = _import(
        "- [ ] Backup taken\n- [-] skipped\n- [] no blank\n- [1] a footnote\n- [x](there) a link\n"
    )
    assert "go-live.md: 1 boxes" in result.output
    assert "2 points begin like a box and are none" in result.output


def test_values_that_a_merge_keeps_are_told_with_the_way_for_a_plan_that_nobody_edited() -> None:
    criterion = "# Shop\n\n## Load testing\n\n- [ ] P95 response time <400ms\n"
    _import(criterion)
    moved = criterion.replace("Load testing", "After")

    kept = _import(moved).exception

    assert isinstance(kept, RefusedError)
    assert "values kept as they stand in the plan" in str(kept)
    assert "what nobody edited is kept too: for an unedited plan use --force" in str(kept)
    assert _import(moved, "--force").exit_code == 0
    assert "probe: " in Path("go-live.plan.yaml").read_text()
    assert "what nobody edited" not in str(_import(moved).exception)
