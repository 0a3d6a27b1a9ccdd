"""A keeper judges by what it has watched with its own clock, whatever other clocks read."""

import os
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import Engine, select, update

from tminus.engine import keeper as module
from tminus.engine.keeper import FENCED, Keeper, Keeping, Trouble, Worker, end_as_fenced
from tminus.errors import StoreError
from tminus.store import connect, prepare, tables
from tminus.store.tables import WORKERS, WRITE


class Yard:
    """Keepers on one database, whose clock a test sets."""

    def __init__(self, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        self.engine = engine
        self.now = 1000.0
        self.wall = 5.0
        self.taken: list[Sequence[str]] = []
        self.told: list[str] = []
        self.ended: list[str] = []
        self.busy: set[str] = set()
        monkeypatch.setattr(module, "elapsed", lambda: self.now)

    def keeper(self, name: str, *, dead: Sequence[str] = (), sole: bool = False) -> Keeper:
        worker = Worker(name, "here", "launch-2", "r0003")
        keeping = Keeping(tidings=self.told.append, dead=dead, sole=sole)
        made = Keeper(self.engine, worker, keeping, lambda: self.wall)
        made._end = lambda worker: self.ended.append(worker.executor)
        made.begin()
        return made

    def turn(self, *keepers: Keeper, seconds: float = 1.0) -> None:
        """Let time pass, and let these keepers beat and look."""
        self.now += seconds
        for keeper in keepers:
            keeper._beat()
            keeper._look_after(lambda: self.busy, self.take)

    def take(self, dead: Sequence[str]) -> int:
        self.taken.append(sorted(dead))
        return 0

    def buried(self) -> set[str]:
        with self.engine.connect() as connection:
            dead = select(WORKERS.c.executor).where(WORKERS.c.buried.is_not(None))
            return set(connection.scalars(dead))

    def shift_database_clock(self, seconds: float) -> None:
        with self.engine.execution_options(**{WRITE: True}).begin() as connection:
            connection.execute(update(WORKERS).values(seen=WORKERS.c.seen + seconds))


@pytest.fixture
def yard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Yard]:
    engine = connect(f"sqlite:///{tmp_path / 'tminus.db'}", keeper=True)
    prepare(engine)
    yield Yard(engine, monkeypatch)
    engine.dispose()


def test_a_heart_that_stands_still_is_buried_after_the_time_to_live_and_its_work_is_taken(yard: Yard) -> None:
    alive, _dies = yard.keeper("alive"), yard.keeper("dies")
    for _ in range(4):
        yard.turn(alive)
    assert yard.buried() == set()
    yard.turn(alive)
    assert yard.buried() == {"dies"}
    assert yard.taken == [["dies"]]
    assert yard.told == ["dies is silent for 4 s: its launches are taken over"]
    # Again and again, so that a take-over that was interrupted is completed; told once.
    yard.turn(alive)
    assert yard.taken == [["dies"], ["dies"]]
    assert len(yard.told) == 1


def test_whoever_was_buried_ends_and_beats_no_more(yard: Yard) -> None:
    alive, frozen = yard.keeper("alive"), yard.keeper("frozen")
    for _ in range(5):
        yard.turn(alive)
    assert frozen.fence.rest() <= 0
    frozen._beat()
    assert yard.ended == ["frozen"]
    assert frozen.fence.rest() <= 0
    assert yard.buried() == {"frozen"}


def test_steps_of_the_clock_of_the_database_bury_nobody(yard: Yard) -> None:
    one, two = yard.keeper("one"), yard.keeper("two")
    for seconds in (0.0, -7200.0, 7200.0, 3600.0, -3600.0, 0.0):
        yard.shift_database_clock(seconds)
        yard.turn(one, two)
    assert yard.buried() == set()
    assert yard.ended == []


def test_after_a_gap_of_its_own_a_keeper_gives_the_others_time_for_their_heartbeat(yard: Yard) -> None:
    one, two = yard.keeper("one"), yard.keeper("two")
    yard.turn(one, two)
    # The database is gone for a minute, or the whole machine sleeps; `one` is back first.
    yard.turn(one, seconds=60.0)
    yard.turn(one)
    assert two.fence.rest() <= 0
    yard.turn(two)
    assert two.fence.rest() > 0
    for _ in range(5):
        yard.turn(one, two)
    assert yard.buried() == set()
    assert yard.ended == []


def test_who_is_still_silent_after_the_gap_is_buried(yard: Yard) -> None:
    one, _dead = yard.keeper("one"), yard.keeper("dead")
    yard.turn(one)
    yard.turn(one, seconds=60.0)
    assert yard.buried() == set()
    yard.turn(one)
    yard.turn(one)
    assert yard.buried() == {"dead"}


def test_work_of_an_owner_that_nobody_knows_is_taken(yard: Yard) -> None:
    alive = yard.keeper("alive")
    yard.busy = {"alive", "from-before"}
    yard.turn(alive)
    assert yard.taken == [["from-before"]]


def test_a_worker_that_leaves_is_buried_by_itself(yard: Yard) -> None:
    stays, leaves = yard.keeper("stays"), yard.keeper("leaves")
    leaves.leave()
    yard.turn(stays)
    assert yard.taken == [["leaves"]]


def test_a_grave_goes_after_an_hour_unless_work_is_left_in_it(yard: Yard) -> None:
    alive = yard.keeper("alive")
    yard.keeper("empty").leave()
    yard.keeper("of-another-version").leave()
    yard.busy = {"of-another-version"}
    yard.turn(alive)
    assert yard.buried() == {"empty", "of-another-version"}
    with yard.engine.execution_options(**{WRITE: True}).begin() as connection:
        connection.execute(update(WORKERS).values(buried=WORKERS.c.buried - 3601.0))
    yard.turn(alive)
    assert yard.buried() == {"of-another-version"}


def test_trouble_is_told_once_and_so_is_its_end() -> None:
    told: list[str] = []
    trouble = Trouble("the heart of alive", told.append)
    for _ in range(3):
        trouble.met(OSError("disk full\nmore"))
    trouble.gone()
    trouble.gone()
    assert told == [
        "the heart of alive meets OSError: disk full; it tries again every second",
        "the heart of alive goes on: what it met is over",
    ]


def test_a_take_over_that_takes_long_keeps_no_heart_from_beating(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BEAT_SECONDS", 0.02)
    engine = connect(f"sqlite:///{tmp_path / 'tminus.db'}", keeper=True)
    prepare(engine)
    taking, done = Event(), Event()

    def take(dead: Sequence[str]) -> int:
        del dead
        taking.set()
        assert done.wait(60)
        return 1

    Keeper(engine, Worker("gone", "", "", ""), Keeping(), lambda: 0.0).begin()
    alive = Keeper(engine, Worker("alive", "", "", ""), Keeping(ttl=0.2), lambda: 0.0)
    alive.begin()
    alive.beat()
    alive.watch(set, take)
    assert taking.wait(60)

    def beats() -> int:
        with engine.connect() as connection:
            return int(connection.scalar(select(WORKERS.c.beats).where(WORKERS.c.executor == "alive")) or 0)

    seen = beats()
    while beats() < seen + 3:  # the take-over still goes on, or this would never end
        continue
    done.set()
    alive.rest()
    alive.leave()


def test_who_is_known_to_have_ended_is_buried_at_once_and_nobody_else(yard: Yard) -> None:
    alive, _ended = yard.keeper("alive"), yard.keeper("ended")
    after = yard.keeper("after", dead=("ended", "nobody", "after"))
    assert yard.buried() == {"ended"}
    assert yard.told == ["ended has ended: its launches are taken over"]
    yard.turn(alive, after)
    assert yard.taken == [["ended"], ["ended"]]
    assert yard.ended == []


def test_a_name_that_was_used_before_is_told_as_that(yard: Yard) -> None:
    yard.keeper("one")
    with pytest.raises(StoreError, match="a worker was called one before") as told:
        yard.keeper("one")
    assert "leave --name out" in told.value.hint


def test_whoever_has_the_only_place_buries_all_others_and_tells_of_those_of_late(yard: Yard) -> None:
    yard.keeper("first")
    yard.keeper("second", sole=True)
    third = yard.keeper("third", sole=True)
    assert yard.buried() == {"first", "second"}
    assert yard.told == [
        "first has ended: its launches are taken over",
        "second has ended: its launches are taken over",
    ]
    yard.turn(third)
    assert yard.taken == [["first", "second"]]


def test_a_heartbeat_tells_the_clock_of_its_machine_beside_that_of_the_database(yard: Yard) -> None:
    one = yard.keeper("one")
    yard.wall = 77.0
    yard.turn(one)
    with yard.engine.connect() as connection:
        row = connection.execute(select(WORKERS)).one()
    assert (row.clock, row.knows) == (77.0, "r0003")
    assert row.seen > 1_000_000_000


def test_a_database_that_is_locked_at_the_start_is_an_error_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "KEEPER_SECONDS", 0)
    file = tmp_path / "tminus.db"
    engine = connect(f"sqlite:///{file}", keeper=True)
    prepare(engine)
    starts = Keeper(engine, Worker("starts", "", "", ""), Keeping(), lambda: 0.0)
    with closing(sqlite3.connect(file, isolation_level=None)) as holder:
        holder.execute("begin immediate")
        with pytest.raises(StoreError, match="database is locked"):
            starts.begin()
        holder.execute("rollback")
    starts.begin()
    engine.dispose()


class Ended(BaseException):
    """The process would have ended here."""


def test_a_process_whose_work_others_took_ends_also_when_nobody_hears_its_last_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    codes: list[int] = []

    def end(code: int) -> None:
        codes.append(code)
        raise Ended

    reading, writing = os.pipe()
    os.close(reading)
    monkeypatch.setattr(os, "_exit", end)
    with os.fdopen(writing, "w") as gone:
        monkeypatch.setattr(sys, "stderr", gone)
        with pytest.raises(Ended):
            end_as_fenced(Worker("w1", "", "", ""))
        with suppress(BrokenPipeError):
            gone.close()
    assert codes == [FENCED]
