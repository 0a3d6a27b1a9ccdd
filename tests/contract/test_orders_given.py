"""A person's order, on every database: judged by the record, written into it, and heard by the launch; or nothing."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tminus.control.ports import Engine, Json
from tminus.domain.canonical import timestamp
from tminus.domain.orders import Act, Order
from tminus.domain.plan import Plan, Rollout
from tminus.domain.record import Entry
from tminus.engine.outbox import DurableOutbox
from tminus.errors import OutOfSequenceError
from tminus.store.orders import Order as LaunchOrder
from tminus.store.record import RecordStore
from tminus.store.tables import connect
from tminus.wiring import SystemClock
from tminus.wiring.orders import give

if TYPE_CHECKING:
    from tests.contract import engine_homes
else:
    import engine_homes

PLAN = Plan(
    name="empty",
    digest="a" * 64,
    production=False,
    components=("depot",),
    checks=(),
    omitted=(),
    roles=(),
    milestones=(0.0,),
    rollout=Rollout((), 0.0),
    systems={},
    triggers=(),
)


async def body(engine: Engine, _: str) -> Json:
    """End with the first order that is heard."""
    heard = await engine.receive("control", await engine.now() + 3600)
    assert heard is not None
    return heard


class Place:
    """A launch that is open in one database, and a worker that runs it."""

    def __init__(self, url: str) -> None:
        self.home = engine_homes.DurableHome(url, {"launch": body})
        self.engine = connect(url)
        self.store = RecordStore(self.engine, DurableOutbox(self.engine))

    async def open(self) -> None:
        t0 = timestamp(SystemClock().now() + 86400)
        opened = {"launch": "a", "plan": {"digest": PLAN.digest}, "schedule": {"t0": t0}}
        entry = Entry("launch.opened", "opened", opened, timestamp(SystemClock().now()))
        await self.store.open("a", entry, LaunchOrder("production", {}, {}))

    async def give(self, order: Order) -> list[str]:
        made = await give(self.home.url, "a", order, PLAN, SystemClock())
        return [event.type for event in made]


@pytest.fixture(params=["sqlite", "postgresql"])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    found = Place(engine_homes.database(request, tmp_path))
    await found.home.start()
    await found.open()
    yield found
    await found.home.stop()
    found.engine.dispose()


async def test_an_order_is_in_the_record_and_the_launch_hears_of_it(place: Place) -> None:
    assert await place.give(Order("1", Act.HOLD, "Lena Ortiz", "the fire alarm rings")) == ["clock.held"]
    assert await place.home.finish("a") == {"id": "1", "order": "hold"}
    assert [event.type for event in await place.store.events("a")] == ["launch.opened", "clock.held"]


async def test_an_order_that_makes_no_sense_now_leaves_nothing(place: Place) -> None:
    with pytest.raises(OutOfSequenceError, match="nothing is held"):
        await place.give(Order("1", Act.RESUME, "Lena Ortiz", "go on"))
    with pytest.raises(OutOfSequenceError, match="makes no sense now"):
        await place.give(Order("2", Act.ABORT, "Lena Ortiz", "stop"))
    assert [event.type for event in await place.store.events("a")] == ["launch.opened"]
    assert await place.home.engine.result("a") is None


async def test_the_same_order_given_twice_is_one(place: Place) -> None:
    order = Order("1", Act.HOLD, "Lena Ortiz", "the fire alarm rings")
    assert await place.give(order) == ["clock.held"]
    assert await place.give(order) == []


async def test_a_scrubbed_launch_has_ended_and_frees_its_environment(place: Place) -> None:
    assert await place.give(Order("1", Act.SCRUB, "Lena Ortiz", "not this year")) == ["launch.ended"]
    (row,) = await place.store.launches()
    assert row.state == "scrubbed"
    with pytest.raises(OutOfSequenceError, match="has ended: scrubbed"):
        await place.give(Order("2", Act.HOLD, "Lena Ortiz", "wait"))
