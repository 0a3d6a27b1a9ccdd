"""`tminus read`: what is in a file, by kind."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from tminus import readers
from tminus.cli.read import read
from tminus.domain.record import OPENED, Entry, append, encode
from tminus.errors import TminusError, UsageError

_READ = typer.Typer()
_READ.command()(read)
_TRACE = '{"t": 1.0, "side": "blue", "status": 200, "ms": 5.0}\n{"t": 2.0, "side": "blue", "status": 500, "ms": 5.0}\n'


def _seen(path: Path, *options: str) -> dict[str, object]:
    result = CliRunner().invoke(_READ, [str(path), "--json", *options])
    assert result.exit_code == 0, result.exception
    seen: dict[str, object] = json.loads(result.output)
    return seen


def test_a_checklist_is_seen_with_its_boxes(tmp_path: Path) -> None:
    path = tmp_path / "c.md"
    path.write_text("- [x] a\n- [ ] b\n\n```\n- [ ] no\n```\n", encoding="utf-8")

    seen = _seen(path)

    assert seen["kind"] == "checklist"
    counts = seen["counts"]
    assert isinstance(counts, dict)
    assert (counts["list_boxes"], counts["list_boxes_checked"], counts["boxes_in_code"]) == (2, 1, 1)


def test_a_trace_is_seen_by_side(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    path.write_text(_TRACE, encoding="utf-8")

    assert _seen(path)["counts"] == {"blue_requests": 2, "blue_failed": 1}


def test_a_plan_is_seen_with_its_problems(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text("plan: mine\nextends: production\nnonsense: 1\n", encoding="utf-8")

    result = CliRunner().invoke(_READ, [str(path)])

    assert "nonsense" in f"{result.output}{result.exception}"


def test_a_file_may_be_read_as_another_kind_than_it_looks(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("* [ ] a\n", encoding="utf-8")

    assert _seen(path, "--as", "checklist")["kind"] == "checklist"


def test_an_unknown_kind_is_refused_with_those_that_are_known(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("hello", encoding="utf-8")

    result = CliRunner().invoke(_READ, [str(path), "--as", "poem"])

    assert isinstance(result.exception, UsageError)
    assert "checklist" in result.exception.hint


@pytest.mark.parametrize("kind", readers.KINDS)
def test_every_kind_says_what_is_wrong_with_a_file_of_another(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "noise"
    path.write_bytes(b"\x00\xff\x00")

    with pytest.raises(TminusError) as caught:
        readers.reader(kind).see(path)

    assert caught.value.hint


def test_a_record_whose_first_line_is_long_is_known_all_the_same(tmp_path: Path) -> None:
    data = {"by_hand": ["x" * 9000]}
    first = append(None, Entry(OPENED, "opened", data, "2026-01-31T12:00:00.000Z", 0))
    path = tmp_path / "launch.jsonl"
    path.write_bytes(encode(first))
    assert readers.guess(path) == "record"
