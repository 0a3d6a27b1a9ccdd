"""`tminus status`: of which launch it tells, what it tells, and how it ends."""

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner, Result

if TYPE_CHECKING:
    from tests.unit.web.web_launch import LAUNCH, Played
else:
    sys.path.append(str(Path(__file__).parents[1] / "web"))
    from web_launch import LAUNCH, Played

from tminus.cli.app import app
from tminus.cli.doubts import Doubts
from tminus.errors import OutOfSequenceError, PartError, UsageError


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMINUS_HOME", str(tmp_path))
    return tmp_path


def status(*words: str) -> Result:
    return CliRunner().invoke(app, ["status", *words], env={"COLUMNS": "100"})


def test_an_open_launch_is_shown_with_its_clock_and_its_sections(home: Path) -> None:
    asyncio.run(Played().open().keep(home))
    found = status()
    assert found.exit_code == 0, found.output
    *above, first = (lines := found.stdout.splitlines())[: [LAUNCH in line for line in lines].index(True) + 1]
    rest = lines[len(above) + 1 :]
    assert " ".join(above).startswith("✖ nobody runs this demo"), "no tminus has it in hand"
    assert "Counting" in first
    assert any(line.startswith("── Sections") for line in rest)
    assert all(len(line) <= 100 for line in lines)


def test_a_doubt_hides_nothing_and_moves_no_cursor(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asyncio.run(Played().open().keep(home))
    monkeypatch.setattr(Doubts, "__call__", lambda *_: ["line 3: \x1b[2J\x1b[HALL GREEN"])
    assert status().stdout.startswith("✖ line 3: \ufffd[2J\ufffd[HALL GREEN\n")


def test_who_follows_is_told_each_doubt_when_it_comes_up(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    played = Played().lift_off()
    played.add("launch.ended", {"outcome": "aborted", "text": "interrupted by the viewer", "after": "x"})
    asyncio.run(played.keep(home))
    monkeypatch.setattr(Doubts, "__call__", lambda *_: ["it is not proved"])
    told = status("--watch").stdout.splitlines()
    assert told[0] == "✖ it is not proved"
    assert told.count("✖ it is not proved") == 1
    first = json.loads(status("--watch", "--json").stdout.splitlines()[0])
    assert first == {"type": "demo.said", "text": "✖ it is not proved"}


def test_the_same_as_one_object(home: Path) -> None:
    played = Played().open()
    asyncio.run(played.keep(home))
    told: dict[str, Any] = json.loads(status("--json").stdout)
    assert (told["launch"], told["phase"], told["outcome"]) == (LAUNCH, "counting", None)
    assert told["events"] == len(played.events)
    assert sum(told["lines"].values()) == len(played.plan.checks)
    (doubt,) = told["doubts"]
    assert "`tminus demo --clear`" in doubt


def test_a_launch_that_was_given_up_harmed_nobody_and_serves_nobody(home: Path) -> None:
    played = Played().lift_off()
    played.add("launch.ended", {"outcome": "aborted", "text": "interrupted by the viewer", "after": "x"})
    asyncio.run(played.keep(home))
    told = status().stdout
    assert "Aborted, interrupted by the viewer" in told
    assert "Green had 10 % of the traffic, and 0 of its 20 requests failed." in told
    assert "the stage serves nobody now." in told
    assert "harmed" not in told
    assert "the guard, no person" not in told
    assert "∅ n/a    Traffic seen on blue" in told
    assert json.loads(status("--json").stdout)["green_percent"] is None


def test_what_a_launch_ended_without_doing_stands_apart_from_its_word(home: Path) -> None:
    played = Played().lift_off()
    played.add("rollback.done", {"rule": "person.abort", "text": "ordered", "seconds": 0.1})
    played.add("launch.ended", {"outcome": "aborted", "rule": "person.abort", "text": "ordered"})
    asyncio.run(played.keep(home))
    told = status().stdout
    assert "Aborted, by a person's order" in told
    assert "? not done Traffic seen on blue" in told


def test_watching_without_a_terminal_prints_each_event_and_ends_with_the_launch(home: Path) -> None:
    played = Played().open()
    played.add("launch.ended", {"outcome": "no-go", "requests": 0, "failed": 0})
    asyncio.run(played.keep(home))
    found = status("--watch")
    assert found.exit_code == 1
    assert len(found.stdout.splitlines()) >= len(played.events)
    lines = [json.loads(line) for line in status("--watch", "--json").stdout.splitlines()]
    assert [line["type"] for line in lines] == [event.type for event in played.events]


def test_a_launch_that_landed_ends_the_watch_well(home: Path) -> None:
    played = Played().open()
    played.add("launch.ended", {"outcome": "landed", "requests": 10, "failed": 0})
    asyncio.run(played.keep(home))
    assert status("--watch", "--json").exit_code == 0


def test_without_any_launch_there_is_nothing_to_tell(home: Path) -> None:
    found = status()
    assert isinstance(found.exception, OutOfSequenceError)
    assert not (home / "launches").exists()


def test_a_launch_that_is_not_here_is_no_launch(home: Path) -> None:
    asyncio.run(Played().open().keep(home))
    assert isinstance(status("demo-9").exception, UsageError)


def test_a_database_that_is_none_is_said_to_be_none(home: Path) -> None:
    folder = home / "launches" / "demo-1"
    folder.mkdir(parents=True)
    (folder / "launch.db").write_bytes(b"no database at all" * 100)
    assert isinstance(status("demo-1").exception, PartError)
