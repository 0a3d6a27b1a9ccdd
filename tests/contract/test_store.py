"""Every store of records keeps the same promises."""

import asyncio
import multiprocessing
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tminus.domain.record import Entry, Event, encode, read
from tminus.errors import OutOfSequenceError, PartError, RecordError, UsageError
from tminus.signing import Signer, checkpoint_entry
from tminus.store import MemoryRecordStore, RecordStore, connect

Store = MemoryRecordStore | RecordStore
AT = "2026-01-31T12:00:00.000Z"
OPENED: dict[str, Any] = {"launch": "depot-2", "plan": {"digest": "a" * 64}}


def entry(kind: str, key: str = "", **data: object) -> Entry:
    return Entry(kind, key or kind, data, AT, None)


def seal() -> Callable[[Event], Entry]:
    return checkpoint_entry(Signer.generate(), "depot-2", AT, None)


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    made: Store = MemoryRecordStore() if request.param == "memory" else database(tmp_path / "tminus.db")
    await made.prepare()
    return made


@pytest.fixture
async def opened(store: Store) -> Store:
    await store.append_once("depot-2", entry("launch.opened", **OPENED))
    return store


def database(path: Path) -> RecordStore:
    return RecordStore(connect(f"sqlite:///{path}"))


async def test_events_come_back_in_the_order_in_which_they_were_recorded(opened: Store) -> None:
    for number in range(5):
        await opened.append_once("depot-2", entry("check.observed", f"check#{number}", number=number))
    events = await opened.events("depot-2")
    assert [event.seq for event in events] == [0, 1, 2, 3, 4, 5]
    assert [event.data.get("number") for event in events] == [None, 0, 1, 2, 3, 4]
    assert await opened.events("depot-2", after_seq=3) == events[4:]
    assert await opened.events("other") == []


async def test_an_entry_is_recorded_once_for_its_key(opened: Store) -> None:
    first = await opened.append_once("depot-2", entry("check.observed", "check:bk.db", verdict="passed"))
    again = await opened.append_once("depot-2", entry("check.observed", "check:bk.db", verdict="failed"))
    assert again == first
    assert len(await opened.events("depot-2")) == 2


async def test_two_launches_do_not_share_their_keys(opened: Store) -> None:
    other = dict(OPENED) | {"launch": "depot-3"}
    await opened.append_once("depot-3", entry("launch.opened", **other))
    one = await opened.append_once("depot-2", entry("check.observed", "check:bk.db"))
    two = await opened.append_once("depot-3", entry("check.observed", "check:bk.db"))
    assert one.prev != two.prev


async def test_the_same_entry_from_many_at_once_is_recorded_once(opened: Store) -> None:
    same = [opened.append_once("depot-2", entry("check.observed", "check:bk.db")) for _ in range(20)]
    assert len({event.seq for event in await asyncio.gather(*same)}) == 1


async def test_many_at_once_make_one_chain(opened: Store, tmp_path: Path) -> None:
    await asyncio.gather(
        *(opened.append_once("depot-2", entry("note.taken", f"note#{n}")) for n in range(40))
    )
    await opened.checkpoint("depot-2", seal())
    await opened.export("depot-2", tmp_path / "launch.jsonl")
    with (tmp_path / "launch.jsonl").open("rb") as file:
        assert len(list(read(file))) == 42


async def test_nothing_is_recorded_for_a_launch_that_was_not_opened(store: Store, tmp_path: Path) -> None:
    with pytest.raises(OutOfSequenceError, match="was not opened"):
        await store.append_once("depot-2", entry("check.observed"))
    with pytest.raises(OutOfSequenceError, match="was not opened"):
        await store.checkpoint("depot-2", seal())
    with pytest.raises(RecordError, match="there is no launch depot-2"):
        await store.export("depot-2", tmp_path / "launch.jsonl")
    assert "launch.jsonl" not in os.listdir(tmp_path)  # noqa: PTH208 - a fresh look at a local folder


async def test_a_launch_is_opened_under_its_own_name(store: Store) -> None:
    with pytest.raises(RecordError, match="is for depot-2, not for depot-3"):
        await store.append_once("depot-3", entry("launch.opened", **OPENED))
    assert await store.events("depot-3") == []
    assert await store.launches() == []


async def test_an_entry_that_cannot_be_written_leaves_nothing_behind(opened: Store) -> None:
    with pytest.raises(RecordError, match="cannot be written as JSON"):
        await opened.append_once("depot-2", entry("note.taken", number=float("nan")))
    assert len(await opened.events("depot-2")) == 1


async def test_an_ended_launch_takes_nothing_but_its_checkpoint(opened: Store) -> None:
    await opened.append_once("depot-2", entry("launch.ended", outcome="aborted"))
    with pytest.raises(OutOfSequenceError, match=r"ended \(aborted\)"):
        await opened.append_once("depot-2", entry("note.taken"))
    sealed = await opened.checkpoint("depot-2", seal())
    assert await opened.checkpoint("depot-2", seal()) == sealed
    with pytest.raises(OutOfSequenceError, match=r"ended \(aborted\)"):
        await opened.append_once("depot-2", entry("note.taken"))
    assert (await opened.append_once("depot-2", entry("launch.ended"))).seq == 1


async def test_a_checkpoint_is_written_in_its_own_way_only(opened: Store) -> None:
    with pytest.raises(OutOfSequenceError, match="signs its own place"):
        await opened.append_once("depot-2", entry("checkpoint"))


async def test_launches_are_listed_with_their_state(opened: Store) -> None:
    later = Entry("launch.opened", "open", {**OPENED, "launch": "depot-3"}, "2026-02-01T12:00:00.000Z")
    await opened.append_once("depot-3", later)
    await opened.append_once("depot-2", entry("launch.ended", outcome="landed"))
    rows = await opened.launches()
    assert [(row.id, row.state, row.plan_digest) for row in rows] == [
        ("depot-3", "open", "a" * 64),
        ("depot-2", "landed", "a" * 64),
    ]
    assert rows[1].ended_at == AT


async def test_an_export_replaces_the_file_whole(opened: Store, tmp_path: Path) -> None:
    path = tmp_path / "out" / "launch.jsonl"
    path.parent.mkdir()
    path.write_bytes(b"old")
    await opened.export("depot-2", path)
    assert path.read_bytes() == b"".join(encode(event) for event in await opened.events("depot-2"))
    assert [found.name for found in path.parent.iterdir()] == ["launch.jsonl"]
    with pytest.raises(PartError, match="cannot be written"):
        await opened.export("depot-2", path / "below" / "a-file.jsonl")


async def test_what_was_recorded_survives_the_process(tmp_path: Path) -> None:
    store = database(tmp_path / "tminus.db")
    await store.prepare()
    event = await store.append_once("depot-2", entry("launch.opened", **OPENED))
    again = database(tmp_path / "tminus.db")
    await again.prepare()
    assert await again.append_once("depot-2", entry("launch.opened")) == event


def record_all(path: Path, count: int) -> None:
    """Record the same entries as every other process."""

    async def all_of_them() -> None:
        store = database(path)
        await store.prepare()
        await store.append_once("depot-2", entry("launch.opened", **OPENED))
        for number in range(count):
            await store.append_once("depot-2", entry("note.taken", f"note#{number}"))

    asyncio.run(all_of_them())


async def test_processes_that_start_and_record_at_once_record_each_entry_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=record_all, args=(tmp_path / "tminus.db", 15)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        await asyncio.to_thread(worker.join, 60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    store = database(tmp_path / "tminus.db")
    events = await store.events("depot-2")
    assert len(events) == len({event.key for event in events}) == 16
    await store.checkpoint("depot-2", seal())
    await store.export("depot-2", tmp_path / "launch.jsonl")
    assert len(list(read([(tmp_path / "launch.jsonl").read_bytes()]))) == 17


async def test_the_database_writes_ahead_and_flushes_every_commit(tmp_path: Path) -> None:
    store = database(tmp_path / "tminus.db")
    await store.prepare()
    with sqlite3.connect(tmp_path / "tminus.db") as connection:
        assert connection.execute("pragma journal_mode").fetchone() == ("wal",)
        assert {
            row[0] for row in connection.execute("select name from sqlite_master where type = 'table'")
        } == {
            "tm_environment",
            "tm_event",
            "tm_launch",
            "tm_version",
            "tm_worker",
        }
    connection.close()
    with store._engine.connect() as mine:
        assert mine.exec_driver_sql("pragma synchronous").scalar() == 2


async def test_a_database_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(PartError, match=r"sqlite:///.*nowhere.* does not answer"):
        await database(tmp_path / "nowhere" / "tminus.db").events("depot-2")
    with pytest.raises(UsageError, match="no store at mysql"):
        connect("mysql://root:secret@db/tminus")


@pytest.mark.parametrize("seq", [0, 1, 2])
async def test_a_line_that_somebody_changed_is_noticed_and_nobody_vouches_for_it(
    tmp_path: Path, seq: int
) -> None:
    store = database(tmp_path / "tminus.db")
    await store.prepare()
    await store.append_once("depot-2", entry("launch.opened", **OPENED))
    for number in range(3):
        await store.append_once("depot-2", entry("note.taken", f"note#{number}", words="original"))
    with sqlite3.connect(tmp_path / "tminus.db") as edited:
        (line,) = edited.execute("SELECT line FROM tm_event WHERE seq = ?", (seq,)).fetchone()
        forged = bytes(line).replace(b"original", b"forged!!").replace(b"a" * 64, b"b" * 64)
        edited.execute("UPDATE tm_event SET line = ? WHERE seq = ?", (forged, seq))
    edited.close()
    told = f"line {seq + 2}: `prev` is not the digest of line {seq + 1}"
    with pytest.raises(RecordError, match=told):
        await store.events("depot-2")
    with pytest.raises(RecordError, match=told):
        await store.act("depot-2", lambda _: [entry("note.taken", "note#3")])
    with pytest.raises(RecordError, match=told):
        await store.checkpoint("depot-2", seal())
