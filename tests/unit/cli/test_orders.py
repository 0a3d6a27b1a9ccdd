"""Orders to a launch under way: who is meant, and whether it can listen."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from tminus.cli import orders
from tminus.demo import registry
from tminus.demo.custody import Custody, custody
from tminus.demo.stage import Stage
from tminus.demo.theatre import NEEDED, Playbill
from tminus.domain.orders import Order
from tminus.domain.record import OPENED, Entry, Event
from tminus.errors import Exit, OutOfSequenceError, PartError, UsageError
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

    async def given(_: str, launch: str, order: Order, *__: object) -> list[Event]:
        found.append((launch, {"order": order.act.value, "reason": order.reason}))
        return []

    monkeypatch.setattr(orders, "give", given)
    monkeypatch.setattr(orders, "plan_at_hand", lambda *_: None)
    return found


@pytest.fixture
def alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "custody", lambda _home, _launch: Custody.ALIVE)


def staged(home: Path, folder: Path, launch: str) -> None:
    """A stage in the list, playing this launch, with nothing that runs."""
    folder.mkdir()
    played = dict.fromkeys(Playbill.__slots__, "") | {"launch": launch}
    # What is not looked at here may be anything.
    built: dict[str, Any] = dict.fromkeys(registry.Entry.__slots__, 0)
    entry = registry.Entry(**built | {"id": folder.name, "folder": str(folder)})
    with registry.alone(home):
        lock = registry.own(home, entry.id)
        assert lock is not None
        registry.save(home, entry)
        stage = Stage(home, entry, lock)
        Playbill(**cast("dict[str, Any]", played)).save(stage)
        stage.release()


@contextmanager
def held(home: Path, identifier: str) -> Iterator[None]:
    """Another opening of the lock, as another tminus would hold it."""
    lock = registry.own(home, identifier)
    assert lock is not None
    with lock:
        yield


def living(monkeypatch: pytest.MonkeyPatch, *parts: str) -> None:
    monkeypatch.setattr(Stage, "parts_alive", lambda _: dict.fromkeys(parts))


def opened(home: Path, launch: str, *kinds: str) -> None:
    folder = home / "launches" / launch
    folder.mkdir(parents=True)
    store = RecordStore(connect(f"sqlite:///{folder / 'launch.db'}"))

    async def write() -> None:
        await store.prepare()
        data = {"launch": launch, "plan": {"digest": "0" * 64}, "by_hand": ["python3 -c send-all-to-blue"]}
        data |= {"schedule": {"t0": AT}}
        await store.append_once(launch, Entry(OPENED, "opened", data, AT))
        for number, kind in enumerate(kinds):
            await store.append_once(launch, Entry(kind, f"{kind}-{number}", {"outcome": "landed"}, AT))

    asyncio.run(write())


@pytest.mark.usefixtures("alive")
def test_the_only_launch_under_way_is_meant(home: Path, sent: list[tuple[str, dict[str, object]]]) -> None:
    opened(home, "demo-1")
    opened(home, "demo-2", "launch.ended")
    orders.rollback(reason="users complain")
    ((launch, message),) = sent
    assert (launch, message["order"], message["reason"]) == ("demo-1", "rollback", "users complain")


def test_without_a_launch_under_way_an_order_is_refused(home: Path) -> None:
    with pytest.raises(OutOfSequenceError, match="no launch is under way"):
        orders.resume(reason="rain")
    assert not (home / "launches").exists()


@pytest.mark.usefixtures("alive")
def test_with_several_launches_one_has_to_be_named(
    home: Path, sent: list[tuple[str, dict[str, object]]]
) -> None:
    opened(home, "demo-1")
    opened(home, "demo-2")
    with pytest.raises(UsageError, match="2 launches are open"):
        orders.abort(reason="rain")
    orders.abort("demo-2", reason="rain")
    assert [launch for launch, _ in sent] == ["demo-2"]
    with pytest.raises(UsageError, match="is no open launch"):
        orders.abort("demo-3", reason="rain")


@pytest.mark.usefixtures("alive")
def test_a_broken_database_hides_no_other_launch(
    home: Path, sent: list[tuple[str, dict[str, object]]], capsys: pytest.CaptureFixture[str]
) -> None:
    opened(home, "demo-2")
    (home / "launches" / "demo-1").mkdir()
    (home / "launches" / "demo-1" / "launch.db").write_bytes(b"no database at all" * 100)
    orders.abort(reason="rain")
    assert [launch for launch, _ in sent] == ["demo-2"]
    assert "passed over" in capsys.readouterr().err


def test_a_launch_is_in_hand_while_a_process_holds_the_lock_of_its_stage(home: Path, tmp_path: Path) -> None:
    staged(home, tmp_path / "other", "demo-2")
    staged(home, tmp_path / "stage", "demo-1")
    with held(home, "stage"):
        assert custody(home, "demo-1") is Custody.ALIVE
        assert custody(home, "demo-2") is not Custody.ALIVE
    assert custody(home, "demo-1") is Custody.LOST
    assert custody(home, "demo-3") is Custody.LOST


def test_looking_takes_no_lock_away(home: Path, tmp_path: Path) -> None:
    staged(home, tmp_path / "stage", "demo-1")
    custody(home, "demo-1")
    with held(home, "stage"):
        custody(home, "demo-1")
        assert registry.own(home, "stage") is None


@pytest.mark.parametrize(
    ("parts", "state"),
    [
        ((*NEEDED, "blue"), Custody.WAITING),
        ((*NEEDED, "green"), Custody.WAITING),
        (tuple(NEEDED), Custody.LOST),
        (("postgres", "blue"), Custody.LOST),
    ],
)
def test_a_dead_tminus_leaves_a_launch_that_can_go_on_or_not(
    parts: tuple[str, ...], state: Custody, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    staged(home, tmp_path / "stage", "demo-1")
    living(monkeypatch, *parts)
    assert custody(home, "demo-1") is state


def test_an_entry_that_cannot_be_read_hides_no_other_stage(home: Path, tmp_path: Path) -> None:
    staged(home, tmp_path / "aaa", "demo-2")
    (home / "stages" / "aaa.json").write_text("[]")
    staged(home, tmp_path / "stage", "demo-1")
    with held(home, "stage"):
        assert custody(home, "demo-1") is Custody.ALIVE


def test_an_order_that_nobody_acts_on_now_is_kept_and_says_what_to_run(
    home: Path, tmp_path: Path, sent: list[tuple[str, dict[str, object]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(home, "demo-1")
    staged(home, tmp_path / "stage", "demo-1")
    living(monkeypatch, *NEEDED, "blue")
    with pytest.raises(PartError, match="nobody acts on it now: its tminus has ended") as told:
        orders.rollback(reason="users complain")
    assert told.value.code is Exit.UNKNOWN
    assert "`tminus demo`" in told.value.hint
    assert "python3 -c send-all-to-blue" in told.value.hint
    assert [launch for launch, _ in sent] == ["demo-1"]
    with pytest.raises(PartError) as told:
        orders.resume(reason="seen")
    assert "to blue" not in told.value.hint


def test_an_order_that_nobody_can_ever_act_on_is_refused(
    home: Path, sent: list[tuple[str, dict[str, object]]]
) -> None:
    opened(home, "demo-1")
    with pytest.raises(OutOfSequenceError, match="demo-1 cannot take an order") as told:
        orders.abort(reason="rain")
    assert "tminus demo --clear" in told.value.hint
    assert "python3 -c send-all-to-blue" in told.value.hint
    assert sent == []


def test_a_home_that_is_a_file_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home").write_text("")
    monkeypatch.setenv("TMINUS_HOME", str(tmp_path / "home"))
    with pytest.raises(PartError, match="cannot keep its records"):
        orders.abort(reason="rain")
