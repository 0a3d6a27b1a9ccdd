"""`tminus confirm`: what is written counts as its person's word, and nothing else is written."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from tminus.cli.app import app
from tminus.cli.clock import now
from tminus.domain import drift
from tminus.domain.confirmation import read_confirmation
from tminus.errors import TminusError
from tminus.signing import People, trust_path
from tminus.wiring.confirming import Voucher

BOARD: dict[str, Any] = {"title": "Business", "uid": "biz", "panels": [{"id": 1, "title": "Orders"}]}
MARA = "Mara Lind"


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dashboard's file, in a checkout where Mara has a key."""
    monkeypatch.setenv("TMINUS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TMINUS_PASSPHRASE", "correct horse battery")
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "business.json"
    file.write_text(json.dumps(BOARD))
    assert typed("key", "new", MARA, "--role", "product-owner").exit_code == 0
    return file


def typed(*words: str) -> Result:
    return CliRunner().invoke(app, list(words), env={"COLUMNS": "200"})


def refused(*words: str) -> str:
    ended = typed(*words)
    assert isinstance(ended.exception, TminusError), ended.output
    return f"{ended.exception}; {ended.exception.hint}"


def confirm(board: Path, *more: str) -> Result:
    return typed("confirm", str(board), "--by", MARA, "--text", "paid orders", *more)


def enrol(home: Path) -> None:
    (key,) = People(home).of(MARA)
    assert typed("trust", "add", str(People(home).public_file(key))).exit_code == 0


def doubts(list_: Path, home: Path) -> list[str]:
    """What is to be said against each entry."""
    vouch = Voucher(trust_path(home), production=True, now=now)
    return [vouch(read_confirmation(row), row["envelope"]) for row in yaml.safe_load(list_.read_text())]


def test_a_word_counts_where_the_trust_root_had_the_key_by_then(board: Path, tmp_path: Path) -> None:
    ended = confirm(board, "-o", "confirmed.yaml")
    assert ended.exit_code == 0, ended.output
    assert "tminus trust add" in ended.output
    (row,) = yaml.safe_load((tmp_path / "confirmed.yaml").read_text())
    assert (row["sha256"], row["by"], row["text"]) == (drift.fingerprint(BOARD), MARA, "paid orders")
    enrol(tmp_path / "home")
    assert confirm(board, "-o", "confirmed.yaml").exit_code == 0
    early, later = doubts(tmp_path / "confirmed.yaml", tmp_path / "home")
    assert "the key of Mara Lind did not count at" in early
    assert later == ""


def test_another_version_s_word_is_added_behind_what_is_there(board: Path, tmp_path: Path) -> None:
    list_ = tmp_path / "confirmed.yaml"
    list_.write_text(
        "# what our figures mean\n- {sha256: 3b1c, by: Ivo Kern, text: as before, envelope: null}"
    )
    enrol(tmp_path / "home")
    assert confirm(board, "-o", "confirmed.yaml").exit_code == 0
    board.write_text(json.dumps({**BOARD, "panels": []}))
    ended = confirm(board, "-o", "confirmed.yaml")
    assert "trust add" not in ended.output
    assert list_.read_text().startswith("# what our figures mean\n")
    assert doubts(list_, tmp_path / "home") == ["nobody has signed it", "", ""]
    first, second = (row["sha256"] for row in yaml.safe_load(list_.read_text())[1:])
    assert first != second


def test_without_a_list_it_is_printed(board: Path, tmp_path: Path) -> None:
    enrol(tmp_path / "home")
    (row,) = yaml.safe_load(confirm(board).stdout)
    assert row["by"] == MARA
    assert not (tmp_path / "confirmed.yaml").exists()


@pytest.mark.parametrize(
    ("before", "why"),
    [
        ("[{sha256: 3b1c}]\n", "nothing can be added to"),
        ("just words\n", "holds no list of confirmations"),
        ("- {", "are no YAML"),
    ],
)
def test_a_list_that_nothing_can_be_added_to_is_left_as_it_is(
    board: Path, tmp_path: Path, before: str, why: str
) -> None:
    list_ = tmp_path / "confirmed.yaml"
    list_.write_text(before)
    told = refused("confirm", str(board), "--by", MARA, "--text", "paid orders", "-o", "confirmed.yaml")
    assert why in told
    assert list_.read_text() == before


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("business.json", "--by", "Ivo Kern", "--text", "x"), "no key of Ivo Kern"),
        (("business.json", "--by", MARA, "--text", "  "), "--text says nothing"),
        (("gone.json", "--by", MARA, "--text", "x"), "gone.json cannot be read"),
        (("words.json", "--by", MARA, "--text", "x"), "words.json is no dashboard"),
    ],
)
def test_what_would_be_nobody_s_word_is_refused(
    board: Path, tmp_path: Path, words: tuple[str, ...], why: str
) -> None:
    assert board.exists()
    (tmp_path / "words.json").write_text("[1, 2")
    assert why in refused("confirm", *words)
