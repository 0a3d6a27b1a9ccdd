"""`tminus database migrate` and `prune`: what they say and do."""

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tminus.cli.app import app
from tminus.domain.canonical import timestamp
from tminus.domain.record import Entry
from tminus.domain.retention import DAY
from tminus.errors import PartError
from tminus.signing import Signer, checkpoint_entry
from tminus.store import RecordStore, connect
from tminus.wiring import SystemClock


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMINUS_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("TMINUS_DATABASE_URL", raising=False)
    return tmp_path / "home"


def database(*words: str) -> Result:
    return CliRunner().invoke(app, ["database", *words])


async def ended(home: Path, launch: str, days_ago: float, *, sealed: bool = True) -> None:
    engine = connect(f"sqlite:///{home / 'tminus.db'}")
    store = RecordStore(engine)
    at = timestamp(SystemClock().now() - days_ago * DAY)
    opened = {"launch": launch, "plan": {"digest": "a" * 64}}
    await store.append_once(launch, Entry("launch.opened", "opened", opened, at))
    await store.append_once(launch, Entry("launch.ended", "ended", {"outcome": "landed"}, at))
    if sealed:
        await store.checkpoint(launch, checkpoint_entry(Signer.generate(), launch, at, None))
    engine.dispose()


def kept(home: Path) -> set[str]:
    engine = connect(f"sqlite:///{home / 'tminus.db'}")
    rows = asyncio.run(RecordStore(engine).launches())
    engine.dispose()
    return {row.id for row in rows}


def test_migrate_makes_the_tables_and_says_from_where_to_where(home: Path) -> None:
    assert database("migrate").stdout == f"sqlite:///{home / 'tminus.db'}: nothing → r0003\n"
    assert database("migrate", "--post").stdout == f"sqlite:///{home / 'tminus.db'}: r0003 already\n"


def test_prune_archives_by_age_and_names_what_stays(home: Path) -> None:
    database("migrate")
    for launch, days, sealed in (("old", 91, True), ("odd", 92, False), ("new", 89, True)):
        asyncio.run(ended(home, launch, days, sealed=sealed))
    archived = home / "archive" / "old.jsonl"
    dry = database("prune", "--dry-run")
    assert dry.exit_code == 0
    assert dry.stdout.splitlines() == [
        f"would leave  old  {archived}",
        "stays  odd  its record is not sealed, so nobody could verify it",
    ]
    assert kept(home) == {"old", "odd", "new"}
    assert not archived.parent.exists()
    assert f"archived  old  {archived}" in database("prune").stdout
    assert kept(home) == {"odd", "new"}
    assert archived.exists()
    assert "no sealed launch has been over for 90 days" in database("prune").stdout


def test_prune_takes_another_age_and_another_place(home: Path, tmp_path: Path) -> None:
    database("migrate")
    asyncio.run(ended(home, "a", 10))
    assert database("prune", "--days", "11").exit_code == 0
    assert kept(home) == {"a"}
    assert database("prune", "--days", "9", "--archive", str(tmp_path / "tapes")).exit_code == 0
    assert (tmp_path / "tapes" / "a.jsonl").exists()
    assert kept(home) == set()
    assert database("prune", "--days", "0").exit_code == 2


def test_prune_without_a_place_to_write_removes_nothing(home: Path, tmp_path: Path) -> None:
    database("migrate")
    asyncio.run(ended(home, "a", 100))
    (tmp_path / "file").write_text("")
    found = database("prune", "--archive", str(tmp_path / "file"))
    assert isinstance(found.exception, PartError)
    assert kept(home) == {"a"}


def test_prune_makes_no_database(home: Path) -> None:
    assert isinstance(database("prune").exception, PartError)
    assert not (home / "tminus.db").exists()
