"""Laying launches to rest and waking them, row by row, on both kinds of databases."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest
from dbos import DBOS
from sqlalchemy import Connection, text

from tminus.control.turns import Rested
from tminus.engine import rests
from tminus.engine.durable import NAME
from tminus.engine.outbox import DurableOutbox
from tminus.engine.patience import Patience
from tminus.engine.rests import Rests, Whose
from tminus.errors import StoreError
from tminus.store import Message, connect, prepare
from tminus.store.tables import WRITE, address
from tminus.testing import FakeClock

if TYPE_CHECKING:
    from tests.contract import engine_homes
else:
    import engine_homes

NOW = 1_800_000_000.0
LAUNCHES = ("a", "b", "c")


class Place:
    """Launches that this process runs, or another does."""

    def __init__(self, url: str) -> None:
        self.engine = connect(url)
        prepare(self.engine, lambda: DBOS.migrate(address(url)))
        self.outbox = DurableOutbox(self.engine)
        self.time = NOW
        self.rests = Rests(connect(url), Whose(NAME, "w1"), lambda: self.time, Patience(FakeClock()))
        with self.engine.execution_options(**{WRITE: True}).begin() as connection:
            for launch in LAUNCHES:
                self.outbox.begin(connection, launch, "launch")
        self.run("update WORK set status = 'PENDING', executor_id = 'w1', recovery_attempts = 7")

    def run(self, statement: str) -> None:
        with self.engine.execution_options(**{WRITE: True}).begin() as connection:
            connection.execute(text(self._named(statement)))

    def _named(self, statement: str) -> str:
        schema = "dbos." if self.engine.dialect.name == "postgresql" else ""
        return statement.replace("WORK", f"{schema}workflow_status")

    def send(self, launch: str) -> None:
        with self.engine.execution_options(**{WRITE: True}).begin() as connection:
            self.outbox.send(connection, launch, Message("order-1", {"order": "hold"}))

    async def lay(self, **until: float) -> None:
        for launch, at in until.items():
            with pytest.raises(Rested):
                await self.rests.rest(launch, at)

    def states(self) -> dict[str, str]:
        """By launch: what the engine says of it."""
        with self.engine.connect() as connection:
            rows = connection.execute(text(self._named("select workflow_uuid, status from WORK")))
            return {row[0]: row[1] for row in rows}

    def look(self) -> list[str]:
        """Wake what is due; everything that is awake."""
        self.rests.look()
        return sorted(launch for launch, state in self.states().items() if state == "ENQUEUED")


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    made = Place(engine_homes.database(request, tmp_path))
    yield made
    made.rests.stop()
    made.engine.dispose()


async def test_a_launch_is_woken_at_its_instant_and_not_before(place: Place) -> None:
    await place.lay(a=NOW + 60, b=NOW + 61)
    assert place.states() == {"a": "DELAYED", "b": "DELAYED", "c": "PENDING"}
    assert place.look() == []
    place.time = NOW + 60
    assert place.look() == ["a"]
    assert place.rests.due("a") == NOW + 60
    assert place.rests.due("a") is None


async def test_a_message_wakes_a_launch_early_which_makes_it_late_for_nothing(place: Place) -> None:
    await place.lay(a=NOW + 60, b=NOW + 60)
    place.send("b")
    assert place.look() == ["b"]
    assert place.rests.due("b") is None


async def test_a_message_that_came_before_keeps_a_launch_awake_once(place: Place) -> None:
    place.send("a")
    await place.rests.rest("a", NOW + 60)
    assert place.states()["a"] == "PENDING"
    await place.lay(a=NOW + 60)
    assert place.look() == []


async def test_a_launch_that_others_have_taken_is_left_to_them_with_its_messages(place: Place) -> None:
    place.run("update WORK set executor_id = 'w2' where workflow_uuid = 'a'")
    place.send("a")
    await place.lay(a=NOW + 60)
    assert place.states()["a"] == "PENDING"
    place.run("update WORK set executor_id = 'w1' where workflow_uuid = 'a'")
    await place.rests.rest("a", NOW + 60)


async def test_a_launch_that_rests_has_all_its_attempts_again(place: Place) -> None:
    await place.lay(a=NOW + 60)
    place.run("delete from WORK where recovery_attempts = 7")
    assert place.states() == {"a": "DELAYED"}


async def test_one_look_wakes_only_so_many_and_the_first_due_first(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rests, "AT_ONCE", 2)
    await place.lay(a=NOW + 3, b=NOW + 1, c=NOW + 2)
    place.time = NOW + 10
    assert place.look() == ["b", "c"]
    assert place.look() == ["a", "b", "c"]


class LostAnswer:
    """The next transaction is committed, and whoever waits for the answer to its commit gets none."""

    def __init__(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        self._transact = place.rests._transact
        self.lost = 0
        place.rests._patience = Patience(FakeClock(), lambda _: None)
        monkeypatch.setattr(place.rests, "_transact", self)

    def __call__(self, act: Callable[[Connection], dict[str, bool]]) -> dict[str, bool]:
        done = self._transact(act)
        if not self.lost:
            self.lost += 1
            raise StoreError("the store does not answer: connection lost", hint="look")
        return done


async def test_a_message_is_not_lost_with_the_answer_to_the_commit_that_took_it(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = LostAnswer(place, monkeypatch)
    place.send("a")
    await place.rests.rest("a", NOW + 60)
    assert answer.lost == 1
    assert place.states()["a"] == "PENDING"
    await place.lay(a=NOW + 60)
    assert place.look() == []


async def test_a_launch_that_was_laid_to_rest_by_a_commit_without_answer_is_not_run_beside_its_next_run(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = LostAnswer(place, monkeypatch)
    await place.lay(a=NOW + 60)
    assert (answer.lost, place.states()["a"]) == (1, "DELAYED")
    begun = "update WORK set status = 'PENDING', owner_xid = 'next' where workflow_uuid = 'b'"
    answer.lost, laid = 0, place.rests._laid

    def woken_meanwhile(*arguments: Any) -> dict[str, bool]:
        try:
            return laid(*arguments)
        except StoreError:
            place.run(begun)
            raise

    monkeypatch.setattr(place.rests, "_laid", woken_meanwhile)
    await place.lay(b=NOW + 60)
    assert (answer.lost, place.states()["b"]) == (1, "PENDING")


class Meddling(int):
    """An instant during whose comparison another launch begins, on another thread."""

    def __new__(cls, value: int, begins: Callable[[], object]) -> Self:
        made = super().__new__(cls, value)
        made.begins = begins
        return made

    begins: Callable[[], object]

    def __le__(self, other: int) -> bool:
        self.begins()
        return super().__le__(other)

    def __gt__(self, other: int) -> bool:
        self.begins()
        return super().__gt__(other)


def test_a_look_is_not_disturbed_by_launches_that_begin_during_it(place: Place) -> None:
    ms = round(NOW * 1000)
    place.rests._woken = {"a": Meddling(ms, lambda: place.rests.due("b")), "b": ms, "c": ms - 60_000}
    place.rests.look()
    assert place.rests._woken == {"a": ms}
