"""Secrets of a plan: each is told by its place, and repeated by no other problem."""

from pathlib import Path

import pytest

from tminus.cli.appraisals import as_junit, as_markdown, as_text
from tminus.control.appraisal import Appraised, Standing
from tminus.planfile import load
from tminus.planfile.problem import Problem, ToFill, printable

TOKEN = "ghp_" + "aB3" * 12


def _told(folder: Path, system: str, **changes: str) -> str:
    line = {"due": "T-2h", "owner": "devops", "probe": "website.answer", "expect": '"== 200"'} | changes
    keys = ", ".join(f"{key}: {value}" for key, value in line.items())
    path = folder / "plan.yaml"
    path.write_text(
        f"plan: shop\nextends: production\nsystems:\n  website: {system}\nchecks:\n  Success Criteria:\n"
        f"    - {{id: ok.front, line: It answers, {keys}, with: {{path: /}}, hint: look}}\n",
        encoding="utf-8",
    )
    return "\n".join(str(problem) for problem in load(path).problems)


@pytest.mark.parametrize("key", ["expect", "probe", "due", "owner"])
def test_no_other_problem_of_the_place_repeats_a_secret(key: str, tmp_path: Path) -> None:
    told = _told(tmp_path, "{address: 'http://h'}", **{key: TOKEN})

    assert "a GitHub token" in told
    assert len(told.splitlines()) > 1
    assert TOKEN[:12] not in told


def test_a_secret_that_was_cut_short_is_not_shown_either(tmp_path: Path) -> None:
    told = _told(tmp_path, "{address: 'http://h'}", due=TOKEN * 3)

    assert "a GitHub token" in told
    assert TOKEN[:12] not in told


@pytest.mark.parametrize(
    "address",
    [
        "http://h/?password=hunter2",
        "https://h/x?a=1&access_token=hunter2",
        "host=h password=hunter2",
        "password=hunter2 host=h",
    ],
)
def test_a_password_within_an_address_is_a_secret(address: str, tmp_path: Path) -> None:
    told = _told(tmp_path, f"{{address: '{address}'}}")

    assert "systems.website: `address` holds a" in told
    assert "hunter2" not in told


@pytest.mark.parametrize(
    "address", ["http://h/?password=${word}", "http://h/?page=1", "host=h password=<word>"]
)
def test_an_address_without_a_password_is_none(address: str, tmp_path: Path) -> None:
    assert " holds a" not in _told(tmp_path, f"{{address: '{address}'}}")


def test_a_problem_shows_no_login_and_no_control_character(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text("plan: shop\nextends: https://u:hunter2@host/plan.yaml\n", encoding="utf-8")

    [problem] = load(path).problems
    assert "hunter2" not in str(problem)
    assert "…@host" in str(problem)
    assert str(ToFill("f", 1, "x\x1b[2J http://u:p@h")) == "f:1: x�[2J http://…@h"
    assert Problem("f", 1, "w\u202e", "i\x07").sentence == "w�; i�"


def test_what_is_printed_moves_no_cursor_and_breaks_no_table() -> None:
    line = Appraised(
        "a",
        "x\x1b[31m|`b` [c](d)",
        "s\ufffe",
        "devops",
        Standing.FAILED,
        "bell\x07\u202e\ud800\uffff",
        "website",
    )
    assert printable("a\x00\tb\nc\x9b\u2066") == "a�\tb\nc��"
    assert "bell���" in as_text([line], "p\x1b")
    assert "\x1b" not in as_text([line], "p\x1b")
    assert "x�\\[31m\\|\\`b\\` \\[c](d) | bell���� |" in as_markdown([line], "p")
    assert 'message="failed: bell����"' in as_junit([line], "p")
