"""A long watch: one step, few events, orders heard within a second, and nothing lost when its process dies."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tminus.control.green import Green
from tminus.control.liftoff import Liftoff
from tminus.control.stretch import LOOK, SELDOM, pause
from tminus.control.watch import SLICE
from tminus.domain.canonical import instant
from tminus.domain.guard import Action
from tminus.domain.orders import Act
from tminus.domain.plan import Rollout, Rung
from tminus.domain.traffic import Side
from tminus.testing import Behaviour, Crash

if TYPE_CHECKING:
    from tests.unit.launch_world import NAME, NEW, OLD, PLAN, RUNS_NEW, World
else:
    from launch_world import NAME, NEW, OLD, PLAN, RUNS_NEW, World


async def soaking(rate: float = 10.0) -> tuple[World, Liftoff]:
    """All traffic on green, and nothing to do but to watch."""
    world = World(rate=rate)
    await world.open()
    world.go()
    await world.clock.sleep(2.0)
    status = await world.target.start(Side.GREEN, RUNS_NEW)
    await world.target.set_weight(100)
    world.watch.note_weight(100)
    await world.record.append_once("start:green", "step.started", {"step": "green"})
    liftoff = world.liftoff()
    liftoff.green = Green(status.started, status.digest)
    return world, liftoff


def looks(world: World) -> list[str]:
    return [str(data["where"]) for data in world.events("traffic.seen")]


def steps(world: World) -> list[str]:
    return world.engine.remembered(NAME)


async def test_a_soak_is_one_step_however_long_it_is() -> None:
    world, liftoff = await soaking()
    began = world.clock.now()
    seen = await world.passing(liftoff.watch("soak", 480.0))
    assert seen.action is Action.CONTINUE
    assert world.clock.now() - began == pytest.approx(480.0, abs=1.0)
    assert [name for name in steps(world) if "soak" in name] == ["watch soak, stretch 0"]
    assert len(steps(world)) == 2, "the other says that this launch watches in stretches"
    told = [float(data["seconds"]) for data in world.events("traffic.seen")]
    assert sum(told) == pytest.approx(480.0, abs=1.0)
    assert world.events("traffic.seen")[-1]["well"] == pytest.approx(480.0, abs=1.0)


def test_a_day_is_some_sixteen_hundred_looks_in_the_record() -> None:
    at, number = 0.0, 0
    while at < 86400.0:
        at, number = at + pause(at), number + 1
    assert 1400 < number < 1700
    assert (pause(0.0), pause(300.0), pause(86400.0)) == (SLICE, SLICE, SELDOM)


@pytest.mark.parametrize("act", [Act.ABORT, Act.ROLLBACK])
async def test_an_order_is_heard_by_the_record_within_a_look(act: Act) -> None:
    world, liftoff = await soaking()
    given: list[float] = []

    def order() -> None:
        given.append(world.clock.now())
        world.order(act)

    world.clock.later(100.3, order)
    seen = await world.passing(liftoff.watch("soak", 400.0))
    assert (seen.action, seen.rule) == (Action.ROLLBACK, f"person.{act}")
    assert world.clock.now() - given[0] <= LOOK + 0.25
    assert len(world.events("order.taken")) == 1


async def test_an_order_that_was_heard_by_the_record_is_not_done_again_when_its_message_comes() -> None:
    world, liftoff = await soaking()
    world.clock.later(20.0, lambda: world.order(Act.HOLD, "the fire alarm rings"))
    world.clock.later(80.0, lambda: world.order(Act.RESUME, "a false alarm"))
    began = world.clock.now()
    await world.passing(liftoff.watch("soak", 60.0))
    assert world.clock.now() - began == pytest.approx(120.0, abs=2.5)
    orders = [name for name in steps(world) if name.startswith("order ")]
    assert len(orders) == 2
    assert await world.passing(liftoff.still("after it")) is None
    assert [name for name in steps(world) if name.startswith("order ")] == orders


async def test_a_hold_is_recorded_once_however_long_it_lasts() -> None:
    world, liftoff = await soaking()
    world.clock.later(20.0, lambda: setattr(world.traffic, "blind", "the proxy's log has ended"))
    world.clock.later(140.0, lambda: setattr(world.traffic, "blind", ""))
    await world.passing(liftoff.watch("soak", 60.0))
    assert world.rules() == ["hold.blind"]
    held = [data for data in world.events("traffic.seen") if data["action"] == "hold"]
    assert len(held) > 10, "that it lasts is told with each look"


async def test_the_end_of_a_hold_is_told_at_once() -> None:
    world, liftoff = await soaking()
    world.clock.later(20.0, lambda: setattr(world.traffic, "blind", "the proxy's log has ended"))
    world.clock.later(33.0, lambda: setattr(world.traffic, "blind", ""))
    began = world.clock.now()
    await world.passing(liftoff.watch("soak", 60.0))
    told = [
        (instant(event.at) - began, event.data["action"]) for event in world.chain if event.key[:4] == "seen"
    ]
    first = next(at for at, action in told if at > 21 and action == "continue")
    assert first == pytest.approx(33.0, abs=LOOK + 0.3)


async def test_a_watch_that_begins_again_goes_on_from_what_the_record_holds() -> None:
    world, liftoff = await soaking()
    world.clock.later(200.0, lambda: setattr(world.fate, "dead", True))
    began = world.clock.now()
    with pytest.raises(Crash):
        await world.passing(liftoff.watch("soak", 300.0))
    green, told = liftoff.green, looks(world)
    world.fate.dead = False
    world.boot()
    liftoff = world.liftoff()
    liftoff.green = green
    seen = await world.passing(liftoff.watch("soak", 300.0))
    assert seen.action is Action.CONTINUE
    assert world.clock.now() - began == pytest.approx(300.0, abs=2 * SLICE)
    assert looks(world)[: len(told)] == told
    assert len(looks(world)) == len(set(looks(world)))


async def test_a_hold_that_was_recorded_before_a_death_is_not_recorded_again() -> None:
    world, liftoff = await soaking()
    world.clock.later(20.0, lambda: setattr(world.traffic, "blind", "the proxy's log has ended"))
    world.clock.later(50.0, lambda: setattr(world.fate, "dead", True))
    with pytest.raises(Crash):
        await world.passing(liftoff.watch("soak", 60.0))
    green = liftoff.green
    world.fate.dead = False
    world.boot()
    liftoff = world.liftoff()
    liftoff.green = green
    world.clock.later(30.0, lambda: setattr(world.traffic, "blind", ""))
    await world.passing(liftoff.watch("soak", 60.0))
    assert world.rules() == ["hold.blind"]


async def test_harm_in_a_long_soak_rolls_back_as_soon_as_in_a_short_one() -> None:
    world, liftoff = await soaking(rate=100.0)

    def break_green() -> None:
        world.traffic.flow()
        world.traffic.behaviour[Side.GREEN] = Behaviour(errors=0.5)
        begun.append(world.clock.now())

    begun: list[float] = []
    world.clock.later(200.0, break_green)
    seen = await world.passing(liftoff.watch("soak", 400.0))
    assert seen.action is Action.ROLLBACK
    assert world.clock.now() - begun[0] < 4.0
    assert world.events("traffic.seen")[-1]["action"] == "rollback"


async def test_a_launch_that_was_watching_in_slices_goes_on_in_slices() -> None:
    world, liftoff = await soaking()
    await world.steps.step("watch soak #0", liftoff._slice("watch soak #0", 5.0, None))
    world.boot()
    green = liftoff.green
    liftoff = world.liftoff()
    liftoff.green = green
    seen = await world.passing(liftoff.watch("soak", 12.0))
    assert seen.action is Action.CONTINUE
    assert [name for name in steps(world) if name.startswith("watch")] == [
        "watch soak #0",
        "watch soak #1",
        "watch soak #2",
    ]
    assert len(world.events("traffic.seen")) == 3


async def test_a_rung_whose_traffic_does_not_show_its_weight_says_so_after_each_look() -> None:
    ladder = (Rung(50, 3.0, 300), Rung(100, 3.0, 50))
    world = World(plan=replace(PLAN, rollout=Rollout(ladder, 5.0)))
    await world.open()
    world.go()
    await world.clock.sleep(2.0)
    seen = await world.passing(world.liftoff().run({"depot": NEW}, {"depot": OLD}))
    assert seen.action is Action.CONTINUE
    assert set(world.rules()) == {"hold.requests"}
    rung = [data for data in world.events("traffic.seen") if str(data["where"]).startswith("watch 50 %")]
    assert rung[-1]["share"]["green"] >= 300
    assert len(world.rules()) == len(rung) - 1
