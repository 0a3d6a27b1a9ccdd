"""A record that somebody changed in the database: that it is held can still be written, and what can be read is."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from tminus.domain.canonical import timestamp
from tminus.domain.record import OPENED, Entry, encode
from tminus.errors import OutOfSequenceError, RecordError
from tminus.store import RecordStore, connect
from tminus.testing import FakeClock
from tminus.wiring.doubted import DoubtedRecord

ERROR = RecordError("line 3: `prev` is not the digest of line 2", hint="restore it")
CLOCK = FakeClock()


def entry(kind: str, **data: Any) -> Entry:
    return Entry(kind, f"{kind}:{len(data)}", data, timestamp(CLOCK.now()))


@pytest.fixture
async def store(tmp_path: Path) -> RecordStore:
    made = RecordStore(connect(f"sqlite:///{tmp_path / 'tminus.db'}"))
    await made.prepare()
    plan = {"digest": "0" * 64}
    schedule = {"t0": timestamp(CLOCK.now() + 60), "speed": 1}
    await made.append_once("a", entry(OPENED, launch="a", plan=plan, schedule=schedule))
    await made.append_once("a", entry("milestone.reached", milestone="T-02:00:00"))
    await made.append_once("a", entry("gate.judged", milestone="T-02:00:00"))
    return made


async def change(store: RecordStore) -> None:
    """Put another line in the place of the second."""
    second = (await store.events("a"))[1]
    line = encode(second).replace(b"T-02", b"T-03")
    with store._engine.begin() as connection:
        connection.execute(text("update tm_event set line = :line where seq = 1"), {"line": line})


async def test_that_it_is_held_is_written_behind_a_chain_that_is_broken_and_once(store: RecordStore) -> None:
    await change(store)
    with pytest.raises(RecordError, match="that line was changed"):
        await store.events("a")
    doubted = DoubtedRecord(store, "a", CLOCK)
    assert [await doubted.hold(ERROR), await doubted.hold(ERROR)] == [True, False]
    last = (await doubted.events())[-1]
    assert (last.type, last.t_ms) == ("launch.held", None)
    assert last.data == {
        "where": "record",
        "rule": "hold.record",
        "text": "line 3: `prev` is not the digest of line 2 (restore it)",
    }


async def test_after_a_person_s_word_another_fault_is_written_again(store: RecordStore) -> None:
    doubted = DoubtedRecord(store, "a", CLOCK)
    await doubted.hold(ERROR)
    await store.append_once("a", entry("order.taken", order="resume", text="the copy is back"))
    assert await doubted.hold(ERROR)
    assert [event.type for event in await doubted.events()].count("launch.held") == 2


async def test_what_contradicts_the_events_before_it_is_left_out(store: RecordStore) -> None:
    await store.append_once("a", entry("decision.made", decision="go"))
    doubted = DoubtedRecord(store, "a", CLOCK)
    assert "decision.made" not in [event.type for event in await doubted.events()]
    assert "decision.made" in [event.type for event in await store.events("a")]


async def test_nothing_is_written_into_the_record_of_a_launch_that_has_ended(store: RecordStore) -> None:
    await store.append_once("a", entry("launch.ended", outcome="scrubbed"))
    with pytest.raises(OutOfSequenceError):
        await DoubtedRecord(store, "a", CLOCK).hold(ERROR)
