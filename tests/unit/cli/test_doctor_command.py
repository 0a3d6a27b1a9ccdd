"""`tminus doctor`: what it prints, and how it ends."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert
from typer.testing import CliRunner, Result

from tminus.cli.app import app
from tminus.domain.record import Entry
from tminus.store import RecordStore, connect, prepare
from tminus.store.tables import WORKERS, WRITE, database_now

AT = "2026-01-31T12:00:00.000Z"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMINUS_HOME", str(tmp_path))
    monkeypatch.delenv("TMINUS_DATABASE_URL", raising=False)
    return tmp_path


def doctor(*words: str) -> Result:
    return CliRunner().invoke(app, ["doctor", *words])


def made(home: Path, *, worker: bool = True, broken: int = 0) -> None:
    """The common database, with a worker whose heart has just beaten, and launches that cannot be followed."""
    engine = connect(f"sqlite:///{home / 'tminus.db'}")
    prepare(engine)
    if worker:
        with engine.execution_options(**{WRITE: True}).begin() as connection:
            now = database_now(connection)
            row = {"executor": "w1", "host": "here", "pid": 7, "version": "launch-2", "beats": 3}
            connection.execute(insert(WORKERS).values(**row, started=now, seen=now, clock=now))
    for number in range(broken):
        opened = {"launch": f"odd-{number}", "plan": {"digest": "a" * 64}}
        entry = Entry("launch.opened", "opened", opened, AT)
        asyncio.run(RecordStore(engine).append_once(f"odd-{number}", entry))
    engine.dispose()


def test_without_a_database_it_fails_says_so_and_makes_none(home: Path) -> None:
    found = doctor()
    assert found.exit_code == 1
    assert f"✗ failed   database  there is no database at {home / 'tminus.db'}" in found.stdout
    assert "? unknown  all else" in found.stdout
    assert list(home.iterdir()) == []


def test_a_database_in_order_is_told_line_by_line_and_ends_with_0(home: Path) -> None:
    made(home)
    found = doctor()
    assert found.exit_code == 0, found.output
    first, *lines = found.stdout.splitlines()
    assert first == f"sqlite:///{home / 'tminus.db'}"
    assert [line.split()[2] for line in lines if line[0] != " "] == [
        "database", "schema", "workers", "launches", "queues", "outbox", "clocks", "disk",
    ]  # fmt: skip
    assert "✓ ok       workers   1 alive: w1 " in found.stdout


def test_the_same_as_one_object(home: Path) -> None:
    made(home, worker=False)
    found = doctor("--json")
    told: dict[str, Any] = json.loads(found.stdout)
    assert found.exit_code == 0
    assert told["database"] == f"sqlite:///{home / 'tminus.db'}"
    assert sum(told["counts"].values()) == len(told["findings"])
    workers = next(one for one in told["findings"] if one["subject"] == "workers")
    assert (workers["grade"], workers["do"]) == ("warning", "start one: `tminus worker`")


def test_a_failure_ends_with_1_and_many_of_a_kind_are_counted_but_in_json_listed(home: Path) -> None:
    made(home, broken=11)
    found = doctor()
    assert found.exit_code == 1
    assert found.stdout.count("✗ failed   launches") == 8
    assert "… 3 more about launches: `tminus doctor --json` lists all" in found.stdout
    assert json.loads(doctor("--json").stdout)["counts"]["failed"] == 11


def test_a_password_is_not_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del home
    monkeypatch.setenv("TMINUS_DATABASE_URL", "postgresql+psycopg://me:geheim@127.0.0.1:1/none")
    found = doctor("--json")
    assert found.exit_code == 1
    assert "geheim" not in found.output
    assert "me:***@127.0.0.1:1/none" in found.output


def test_a_common_place_of_evidence_is_told_when_there_is_one(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(home)
    monkeypatch.setenv("TMINUS_EVIDENCE", str(home / "shared"))
    found = doctor()
    assert found.exit_code == 0
    assert f"✓ ok       evidence  {home / 'shared'} can be read" in found.stdout
    assert not (home / "shared").exists(), "it only reads"
    (home / "shared").write_text("no folder")
    found = doctor()
    assert found.exit_code == 1
    assert "✗ failed   evidence" in found.stdout
    assert "cannot be read: Not a directory" in found.stdout
    monkeypatch.setenv("TMINUS_EVIDENCE", "shared")
    found = doctor()
    assert found.exit_code == 1
    assert "✗ failed   evidence  TMINUS_EVIDENCE is 'shared', which is no whole path" in found.stdout
