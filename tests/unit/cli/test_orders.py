"""Orders to a launch under way: who is meant, and whether it can listen."""

import asyncio
from pathlib import Path

import pytest

from tminus.cli import orders
from tminus.domain.record import OPENED, Entry
from tminus.errors import OutOfSequenceError, UsageError
from tminus.store.record import RecordStore
from tminus.store.tables import connect

AT = "2027-01-15T08:00:00.000Z"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMINUS_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, object]]]:
    found: list[tuple[str, dict[str, object]]] = []
    monkeypatch.setattr(
        orders, "send_from_outside", lambda _, launch, message, __: found.append((launch, message))
    )
    return found


def opened(home: Path, launch: str, *kinds: str) -> None:
    folder = home / "launches" / launch
    folder.mkdir(parents=True)
    store = RecordStore(connect(f"sqlite:///{folder / 'launch.db'}"))

    async def write() -> None:
        await store.prepare()
        data = {"launch": launch, "plan": {"digest": "0" * 64}}
        await store.append_once(launch, Entry(OPENED, "opened", data, AT))
        for number, kind in enumerate(kinds):
            await store.append_once(launch, Entry(kind, f"{kind}-{number}", {"outcome": "landed"}, AT))

    asyncio.run(write())


def test_the_only_launch_under_way_is_meant(home: Path, sent: list[tuple[str, dict[str, object]]]) -> None:
    opened(home, "demo-1", "step.started")
    opened(home, "demo-2", "step.started", "launch.ended")
    orders.rollback(reason="users complain")
    ((launch, message),) = sent
    assert (launch, message["order"], message["reason"]) == ("demo-1", "rollback", "users complain")


def test_before_go_there_is_nobody_to_order(home: Path, sent: list[tuple[str, dict[str, object]]]) -> None:
    opened(home, "demo-1")
    with pytest.raises(OutOfSequenceError, match="has not begun"):
        orders.abort(reason="rain")
    assert sent == []


def test_without_a_launch_under_way_an_order_is_refused(home: Path) -> None:
    with pytest.raises(OutOfSequenceError, match="no launch is under way"):
        orders.resume(reason="rain")
    assert not (home / "launches").exists()


def test_with_several_launches_one_has_to_be_named(
    home: Path, sent: list[tuple[str, dict[str, object]]]
) -> None:
    opened(home, "demo-1", "step.started")
    opened(home, "demo-2", "step.started")
    with pytest.raises(UsageError, match="2 launches are open"):
        orders.abort(reason="rain")
    orders.abort("demo-2", reason="rain")
    assert [launch for launch, _ in sent] == ["demo-2"]
    with pytest.raises(UsageError, match="is no open launch"):
        orders.abort("demo-3", reason="rain")


def test_a_broken_database_hides_no_other_launch(
    home: Path, sent: list[tuple[str, dict[str, object]]], capsys: pytest.CaptureFixture[str]
) -> None:
    opened(home, "demo-2", "step.started")
    (home / "launches" / "demo-1").mkdir()
    (home / "launches" / "demo-1" / "launch.db").write_bytes(b"no database at all" * 100)
    orders.abort(reason="rain")
    assert [launch for launch, _ in sent] == ["demo-2"]
    assert "passed over" in capsys.readouterr().err
