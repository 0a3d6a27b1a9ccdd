"""`tminus guard`: what it prints and how it exits."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from tminus.cli.guard import guard


def run(*arguments: str | Path) -> Result:
    app = typer.Typer()
    app.command("guard")(guard)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def write(path: Path, green_fails_every: int, seconds: int = 60) -> Path:
    lines = ['{"t": 0, "weight": 10}']
    for index in range(seconds * 50):
        green = index % 10 == 0
        status = 500 if green and index % (10 * green_fails_every) == 0 else 200
        side = "green" if green else "blue"
        lines.append(json.dumps({"t": index / 50, "side": side, "status": status, "ms": 20, "client": "c"}))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def healthy(tmp_path: Path) -> Path:
    return write(tmp_path / "healthy.jsonl", 10**6)


@pytest.fixture
def failing(tmp_path: Path) -> Path:
    return write(tmp_path / "failing.jsonl", 4)


def test_a_healthy_trace_passes(healthy: Path) -> None:
    result = run(healthy, "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert set(found) == {"decision", "at", "rule", "counts", "evidence", "threshold"}
    assert (found["decision"], found["at"], found["rule"]) == ("continue", None, None)
    assert found["counts"]["green"] == {"requests": 300, "failed": 1, "slow": 0}


def test_a_failing_trace_exits_with_one_and_says_why(failing: Path) -> None:
    result = run(failing)
    assert result.exit_code == 1
    assert "Roll back by a" in result.stdout
    assert result.stdout.splitlines()[-1].startswith("Answer: rollback at ")


def test_with_json_only_the_answer_is_printed(failing: Path) -> None:
    result = run(failing, "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert found["decision"] == "rollback"
    assert found["evidence"] >= found["threshold"]


def test_an_empty_trace_is_a_hold(tmp_path: Path) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.write_text("", encoding="utf-8")
    result = run(empty, "--json")
    assert result.exit_code == 4
    found = json.loads(result.stdout)
    assert (found["decision"], found["rule"], found["at"]) == ("hold", "hold.blind", None)


def test_a_baseline_is_shown_and_changes_nothing(healthy: Path, failing: Path) -> None:
    alone = json.loads(run(failing, "--json").stdout)
    result = run(failing, "--baseline", healthy, "--json")
    beside = json.loads(result.stdout)
    assert beside["counts"].pop("baseline") == {"requests": 2700, "failed": 0, "slow": 0}
    assert beside == alone
    assert "Baseline: blue failed 0 of 2,700 requests" in run(failing, "--baseline", healthy).stdout


def test_a_broken_trace_is_named_with_file_and_line(healthy: Path) -> None:
    with healthy.open("a", encoding="utf-8") as lines:
        lines.write('{"t": 61, "side": "red", "status": 200, "ms": 1}\n')
    result = run(healthy, "--json")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert f"{healthy}: line 3002: side must be" in result.stderr


def test_a_broken_line_after_the_rollback_is_still_named(failing: Path) -> None:
    with failing.open("a", encoding="utf-8") as lines:
        lines.write("nonsense\n")
    assert run(failing).exit_code == 2


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    result = run(tmp_path / "missing.jsonl")
    assert result.exit_code == 2
    assert "missing.jsonl: No such file" in result.stderr
    binary = tmp_path / "binary.jsonl"
    binary.write_bytes(b"\xff\xfe\x00")
    assert "not UTF-8" in run(binary).stderr
