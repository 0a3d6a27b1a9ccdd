"""The generated reference pages and the code say the same."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tminus.cli import reference
from tminus.cli.app import app
from tminus.errors import Exit, PartError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(reference, "FOLDER", tmp_path)
    return tmp_path


def test_the_stored_pages_say_what_the_code_says() -> None:
    assert reference.stale(reference.FOLDER) == [], "type `make docs`"


def test_a_changed_page_is_stale_until_it_is_written_again(folder: Path) -> None:
    reference.main()
    assert reference.stale(folder) == []
    (folder / "cli.md").write_text("something else", encoding="utf-8")
    assert reference.stale(folder) == ["cli.md"]
    reference.main()
    assert reference.stale(folder) == []


def test_a_check_writes_nothing_and_ends_with_1_when_a_page_is_stale(folder: Path) -> None:
    from typer import Exit as End  # noqa: PLC0415 - tminus has an Exit of its own

    with pytest.raises(End) as ended:
        reference.main(check=True)
    assert ended.value.exit_code == Exit.FAILED
    assert list(folder.iterdir()) == []


def test_pages_are_not_written_outside_a_checkout(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "FOLDER", folder / "nowhere")
    with pytest.raises(PartError):
        reference.main()


@pytest.mark.parametrize("command", [["demo"], ["guard"], ["verify"], ["plan", "check"], ["probes"]])
def test_every_option_that_a_command_takes_stands_in_its_page(command: list[str]) -> None:
    section = reference.pages()["cli.md"].split(f"## tminus {' '.join(command)}\n")[1].split("\n## ")[0]
    printed = CliRunner().invoke(app, [*command, "--help"]).output
    options = {word for word in printed.split() if word.startswith("--") and word != "--help"}
    assert all(f"`{option}" in section for option in options)


def test_every_probe_stands_in_its_page_with_its_arguments() -> None:
    page = reference.pages()["probes.md"]
    assert "### traffic.errors" in page
    assert "| `spoil` | number | share, 0 to 1 | `0` |" in page
