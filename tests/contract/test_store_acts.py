"""Acts upon a launch and its opening: rows and messages are there together, or neither is."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tminus.control.ports import Engine, Json
from tminus.domain.canonical import instant
from tminus.domain.record import Entry, Event, read
from tminus.domain.retention import DAY
from tminus.engine.outbox import DurableOutbox
from tminus.engine.retention import overdue, prune
from tminus.errors import OutOfSequenceError, RecordError, UsageError
from tminus.signing import Signer, checkpoint_entry
from tminus.store import Message, Order, RecordStore, connect

if TYPE_CHECKING:
    from tests.contract import engine_homes
else:
    import engine_homes

AT = "2026-01-31T12:00:00.000Z"
ORDER = Order("production", {"name": "depot"}, {"t0": 12.5})


async def body(engine: Engine, _: str) -> Json:
    """Take messages until one says that it is the last."""
    taken: list[Json] = []
    while not taken or taken[-1].get("last") is None:
        message = await engine.receive("control", await engine.now() + 3600)
        assert message is not None
        taken.append(message)
    return {"taken": [*taken]}


class Place:
    """A store with its outbox, and a worker on the same database."""

    def __init__(self, url: str) -> None:
        self.engine = connect(url)
        self.store = RecordStore(self.engine, DurableOutbox(self.engine))
        self.home = engine_homes.DurableHome(url, {"launch": body})

    async def open(self, launch: str, environment: str = "production") -> Event:
        opened = {"launch": launch, "plan": {"digest": "a" * 64}}
        order = Order(environment, ORDER.document, ORDER.binding)
        return await self.store.open(launch, Entry("launch.opened", "opened", opened, AT), order)

    async def prune(self, folder: Path, now: float, days: float) -> list[str]:
        due = await overdue(self.store, now=now, days=days)
        assert due.unsealed == (("b",) if days == 30 else ())
        await prune(self.store, self.home.url, folder, due.sealed)
        return [*due.sealed]

    async def finish(self, launch: str) -> Json:
        def last(_: Sequence[Event]) -> Sequence[Entry]:
            return [Entry("note.taken", "last", {}, AT)]

        await self.store.act(launch, last, Message("last", {"last": True}))
        return await self.home.finish(launch)


@pytest.fixture(params=["sqlite", "postgresql"])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    made = Place(engine_homes.database(request, tmp_path))
    await made.home.start()
    yield made
    await made.home.stop()
    made.engine.dispose()


def hold(events: Sequence[Event]) -> Sequence[Entry]:
    """A hold, refused while one is open."""
    holds = [event for event in events if event.type == "launch.held"]
    if holds:
        raise OutOfSequenceError("the launch is held already", hint="resume it first")
    return [Entry("launch.held", f"hold#{len(events)}", {}, AT)]


async def test_an_opened_launch_runs_at_a_worker_that_did_not_open_it(place: Place) -> None:
    await place.open("a")
    assert (await place.open("a")).seq == 0
    assert await place.store.order("a") == ORDER
    assert [(row.id, row.state, row.environment) for row in await place.store.launches()] == [
        ("a", "open", "production")
    ]
    assert await place.finish("a") == {"taken": [{"last": True}]}


async def test_an_environment_has_one_open_launch_and_is_free_when_that_has_ended(place: Place) -> None:
    await place.open("a")
    with pytest.raises(OutOfSequenceError, match=f"production is taken by launch a, open since {AT}"):
        await place.open("b")
    assert [row.id for row in await place.store.launches()] == ["a"]
    await place.open("c", "staging")
    await place.store.append_once("a", Entry("launch.ended", "ended", {"outcome": "aborted"}, AT))
    await place.open("b")
    assert {row.id: row.state for row in await place.store.launches()} == {
        "a": "aborted",
        "b": "open",
        "c": "open",
    }


async def test_of_many_who_want_an_environment_at_once_one_gets_it(place: Place) -> None:
    opened = await asyncio.gather(*(place.open(f"{n}") for n in range(6)), return_exceptions=True)
    assert sum(isinstance(one, Event) for one in opened) == 1
    assert sum(isinstance(one, OutOfSequenceError) for one in opened) == 5


async def test_of_many_acts_at_once_one_is_chosen_and_each_other_is_refused_by_what_it_recorded(
    place: Place,
) -> None:
    await place.open("a")
    acts = [place.store.act("a", hold, Message("hold", {"order": "hold", "by": f"{n}"})) for n in range(6)]
    told = await asyncio.gather(*acts, return_exceptions=True)
    assert sum(isinstance(one, OutOfSequenceError) for one in told) == 5
    assert [event.type for event in await place.store.events("a")] == ["launch.opened", "launch.held"]
    taken = (await place.finish("a"))["taken"]
    assert isinstance(taken, list)
    assert len(taken) == 2


async def test_an_act_that_is_rolled_back_leaves_neither_an_event_nor_a_message(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    await place.open("a")
    send = DurableOutbox.send

    def send_and_break(*arguments: object) -> None:
        send(*arguments)  # type: ignore[arg-type] # handed on as they came
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(DurableOutbox, "send", send_and_break)
        with pytest.raises(ZeroDivisionError):
            await place.store.act("a", hold, Message("hold", {"order": "hold"}))
    assert [event.type for event in await place.store.events("a")] == ["launch.opened"]
    assert await place.finish("a") == {"taken": [{"last": True}]}


async def test_an_opening_that_is_rolled_back_leaves_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(DurableOutbox, "begin", refuse)
        with pytest.raises(ZeroDivisionError):
            await place.open("a")
    assert await place.store.launches() == []
    await place.open("b")
    assert await place.finish("b") == {"taken": [{"last": True}]}


async def test_a_launch_that_is_over_for_long_is_archived_and_leaves_the_store_and_the_engine(
    place: Place, tmp_path: Path
) -> None:
    for launch in ("a", "b", "open"):
        await place.open(launch, launch)
    for launch in ("a", "b"):
        await place.finish(launch)
        await place.store.append_once(launch, Entry("launch.ended", "ended", {"outcome": "landed"}, AT))
    await place.store.checkpoint("a", checkpoint_entry(Signer.generate(), "a", AT, None))
    now = instant(AT) + 31 * DAY
    assert await place.prune(tmp_path, now, days=32) == []
    assert await place.prune(tmp_path, now, days=30) == ["a"]
    assert await place.prune(tmp_path, now, days=30) == []
    with (tmp_path / "a.jsonl").open("rb") as file:
        assert [event.type for event in read(file)][-1] == "checkpoint"
    # Not sealed, and not over: both stay.
    assert {row.id for row in await place.store.launches()} == {"b", "open"}
    assert await place.store.events("a") == []
    assert await place.home.engine.result("a") is None
    assert await place.home.engine.result("b") is not None
    with pytest.raises(OutOfSequenceError, match="launch open is open"):
        await place.store.forget("open")


async def test_a_launch_that_no_worker_was_given_takes_no_message_and_has_no_order(place: Place) -> None:
    opened = {"launch": "alone", "plan": {"digest": "a" * 64}}
    await place.store.append_once("alone", Entry("launch.opened", "opened", opened, AT))
    with pytest.raises(OutOfSequenceError, match="never begun in this database"):
        await place.store.act("alone", hold, Message("hold", {}))
    assert len(await place.store.events("alone")) == 1
    with pytest.raises(RecordError, match="holds no order"):
        await place.store.order("alone")
    with pytest.raises(UsageError, match="cannot reach running launches"):
        await RecordStore(place.engine).act("alone", hold, Message("hold", {}))
