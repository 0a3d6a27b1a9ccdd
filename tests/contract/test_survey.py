"""One look at the common database tells the same on both kinds, and changes nothing."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from dbos import DBOS
from sqlalchemy import insert, text, update

from tminus.control.ports import Json
from tminus.domain.canonical import timestamp
from tminus.domain.record import Entry
from tminus.engine.outbox import DurableOutbox
from tminus.engine.survey import _within, survey
from tminus.errors import PartError
from tminus.store import Message, Order, RecordStore, connect, migrating, prepare
from tminus.store.tables import WORKERS, WRITE, address, database_now

if TYPE_CHECKING:
    from tests.contract import engine_homes
else:
    import engine_homes

T0 = 1_800_000_000.0


class Bench:
    """A database as workers and commands would have left it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = connect(url)
        self.store = RecordStore(self.engine, DurableOutbox(self.engine))

    def prepare(self) -> None:
        prepare(self.engine, lambda: DBOS.migrate(address(self.url)))

    def run(self, statement: str, **values: object) -> None:
        schema = "dbos." if self.engine.dialect.name == "postgresql" else ""
        with self.engine.execution_options(**{WRITE: True}).begin() as connection:
            connection.execute(text(statement.replace("WORK", f"{schema}workflow_status")), values)

    def beat(
        self, executor: str, *, ago: float = 0.0, clock: float | None = None, buried: bool = False
    ) -> None:
        with self.engine.execution_options(**{WRITE: True}).begin() as connection:
            now = database_now(connection)
            row = {"executor": executor, "host": "here", "pid": 7, "version": "launch-2", "beats": 3}
            connection.execute(insert(WORKERS).values(**row, started=now, seen=now - ago, buried=None))
            mine = update(WORKERS).where(WORKERS.c.executor == executor)
            if buried:
                connection.execute(mine.values(buried=now))
            if clock is not None:
                connection.execute(mine.values(clock=WORKERS.c.seen + clock))

    async def open(self, launch: str) -> None:
        data: Json = {
            "launch": launch,
            "plan": {"digest": "a" * 64},
            "schedule": {"t0": timestamp(T0), "speed": 1},
            "required": [{"check": "b", "due_ms": -600_000}, {"check": "c", "due_ms": 3_600_000}],
        }
        await self.store.open(
            launch, Entry("launch.opened", "opened", data, timestamp(T0 - 9000)), Order(launch, {}, {})
        )


@pytest.fixture(params=["sqlite", "postgresql"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(engine_homes.database(request, tmp_path))
    made.prepare()
    yield made
    made.engine.dispose()


async def test_what_is_there_is_seen_and_what_has_ended_is_not(bench: Bench) -> None:
    await bench.open("a")
    await bench.open("b")
    await bench.open("c")
    bench.run("update WORK set status = 'PENDING', executor_id = 'w1' where workflow_uuid = 'a'")
    reached = Entry("milestone.reached", "m", {"milestone": "T-00:10:00"}, timestamp(T0 - 600))
    await bench.store.act("a", lambda _: [reached], Message("order-1", {"order": "hold"}))
    await bench.store.append_once("c", Entry("launch.ended", "ended", {"outcome": "scrubbed"}, timestamp(T0)))
    bench.beat("w1", ago=1.0, clock=-5.0)
    bench.beat("w0", ago=900.0, buried=True)
    seen = survey(bench.url, lambda: T0)
    launches = {launch.id: launch for launch in seen.launches or ()}
    assert set(launches) == {"a", "b"}
    assert (launches["a"].state, launches["a"].executor) == ("PENDING", "w1")
    assert (launches["b"].state, launches["b"].executor) == ("ENQUEUED", "")
    assert launches["a"].late(T0 - 1) is None
    assert launches["b"].late(T0 - 1) == ("T-00:10:00", 599.0)
    hearts = {heart.executor: heart for heart in seen.hearts or ()}
    assert (hearts["w1"].buried, hearts["w0"].buried) == (False, True)
    assert hearts["w1"].ahead == pytest.approx(-5.0, abs=0.01)
    assert hearts["w1"].age >= 1.0
    assert hearts["w0"].ahead is None
    assert seen.queues is not None
    assert {name: waiting.count for name, waiting in seen.queues.items()} == {"timeline": 2}
    assert seen.outbox is not None
    assert seen.outbox.count == 1


async def test_a_launch_at_rest_waits_for_nobody_before_it_is_due(bench: Bench) -> None:
    await bench.open("a")
    await bench.open("b")
    now = survey(bench.url, lambda: T0).now
    rests = "update WORK set status = 'DELAYED', created_at = 0, delay_until_epoch_ms = :due where workflow_uuid = :id"
    bench.run(rests, id="a", due=round((now + 3600) * 1000))
    bench.run(rests, id="b", due=round((now - 60) * 1000))
    seen = survey(bench.url, lambda: T0)
    assert seen.queues is not None
    assert seen.queues["timeline"].count == 1
    assert 60 <= seen.queues["timeline"].oldest < 3600


async def test_a_clock_of_this_machine_that_is_off_is_seen_to_be_off(bench: Bench) -> None:
    right = survey(bench.url, lambda: 0.0)
    assert survey(bench.url, lambda: right.now + 3600.0).ahead == pytest.approx(3600.0, abs=60.0)


async def test_a_record_that_cannot_be_followed_hides_no_other(bench: Bench) -> None:
    await bench.store.open(
        "odd",
        Entry("launch.opened", "o", {"launch": "odd", "plan": {"digest": "d"}}, timestamp(T0)),
        Order("odd", {}, {}),
    )
    await bench.open("a")
    launches = {launch.id: launch.course for launch in survey(bench.url, lambda: T0).launches or ()}
    assert launches["odd"] is None
    assert launches["a"] is not None


async def test_tables_of_another_revision_are_not_read(bench: Bench) -> None:
    bench.run(f"update {migrating.VERSIONS} set version_num = 'r9999'")
    seen = survey(bench.url, lambda: T0)
    assert seen.schema.revision == "r9999"
    assert (seen.hearts, seen.launches, seen.queues, seen.outbox) == (None, None, None, None)


def test_an_empty_database_is_seen_to_be_empty_and_stays_so(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    for url in (f"sqlite:///{tmp_path / 'empty.db'}", request.getfixturevalue("postgres").database()):
        engine = connect(url)
        with engine.connect() as connection:
            connection.execute(text("select 1"))
        for _ in range(2):
            seen = survey(url, lambda: T0)
            assert seen.schema.revision is None
            assert seen.launches is None
        engine.dispose()


def test_our_own_tables_without_those_of_the_engine_say_nothing_of_queues(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ours.db'}"
    engine = connect(url)
    prepare(engine)
    engine.dispose()
    seen = survey(url, lambda: T0)
    assert (seen.hearts, seen.launches, seen.queues, seen.outbox) == ((), (), None, None)
    assert seen.free


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(PartError, match="there is no database at"):
        survey(f"sqlite:///{tmp_path / 'none.db'}", lambda: T0)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_and_a_server_that_is_not_there_are_told_without_a_password(
    tmp_path: Path,
) -> None:
    (tmp_path / "text.db").write_text("no database " * 1000)
    with pytest.raises(PartError, match="not a database"):
        survey(f"sqlite:///{tmp_path / 'text.db'}", lambda: T0)
    with pytest.raises(PartError) as told:
        survey("postgresql+psycopg://postgres:geheim@127.0.0.1:1/none", lambda: T0)
    assert "geheim" not in str(told.value)


def test_a_database_that_does_not_answer_in_time_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql+psycopg://postgres@127.0.0.1:{silent.getsockname()[1]}/none"
        with pytest.raises(PartError, match=r"no answer within 0.2 s"):
            survey(url, lambda: T0, seconds=0.2)


def test_a_fault_of_our_own_in_a_look_is_told_as_itself() -> None:
    def broken() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        _within(60.0, broken, connect("sqlite://"))
