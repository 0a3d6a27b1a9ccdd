"""Milestones before T-0: when they are reached, and what is observed at them."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tminus.domain.evidence import Observation
from tminus.errors import RolloutError

if TYPE_CHECKING:
    from tests.unit.launch_world import PLAN, World, line
else:
    from launch_world import PLAN, World, line

MILESTONES = (-86400.0, -7200.0, 0.0, 3600.0)
CHECKS = (
    line("rb.images", -86400.0),
    line("bk.db", -7200.0, act="back up"),
    line("bk.again", -7200.0, act="back up"),
)


async def counted(world: World) -> None:
    await world.open()
    await world.countdown().run({"back up": world.database.back_up})


def small(**more: object) -> World:
    world = World(plan=replace(PLAN, checks=CHECKS, milestones=MILESTONES))
    for name, value in more.items():
        setattr(world, name, value)
    return world


async def test_milestones_before_t_0_are_reached_in_order_and_on_time() -> None:
    world = small(t0=1_800_100_000.0)
    world.boot()
    await counted(world)
    reached = [event for event in world.chain if event.type == "milestone.reached"]
    assert [event.t_ms for event in reached] == [-86_400_000, -7_200_000]
    assert [event.data["milestone"] for event in reached] == ["T-24:00:00", "T-02:00:00"]
    assert world.clock.now() == pytest.approx(1_800_000_000 + 13600 / 3600 + 79200 / 3600)


async def test_what_lines_ask_for_is_done_once_before_they_are_observed() -> None:
    world = small()
    await counted(world)
    assert [what for _, what in world.fate.acts] == ["back up"]
    order = [event.key for event in world.chain]
    assert order.index("act:back up@T-02:00:00") < order.index("check:bk.db@T-02:00:00")


async def test_an_act_that_fails_is_recorded_and_its_line_is_still_looked_at() -> None:
    world = small()
    world.database.errors["back up"] = [RolloutError("disk full", hint="make room")]
    await counted(world)
    (act,) = world.events("act.done")
    assert act == {"act": "back up", "failed": "disk full (make room)"}
    assert "bk.db" in world.verdicts()


async def test_an_earlier_gate_that_stays_closed_is_told_and_the_clock_runs_on() -> None:
    world = small()
    world.observer.scripts["rb.images"] = [Observation(["the image is gone"])]
    await counted(world)
    closed, opened = world.events("gate.judged")
    assert (closed["open"], opened["open"]) == (False, True)
    assert closed["late"][0]["check"] == "rb.images"
    assert closed["late"][0]["standing"] == "failed"
    assert len(world.events("milestone.reached")) == 2


async def test_a_launch_that_begins_late_observes_at_once_what_fell_due() -> None:
    world = small()
    began = world.clock.now()
    world.t0 = began - 60
    world.boot()
    await counted(world)
    assert world.clock.now() == began
    assert len(world.verdicts()) == 3


async def test_a_finished_wait_is_taken_over_from_memory() -> None:
    world = small()
    await counted(world)
    read, ends = world.time.read(), world.clock.now()

    async def again(_engine: object) -> None:
        world.boot()
        await world.countdown().run({"back up": world.database.back_up})

    world.engine.memory.pop()  # the last milestone had not been remembered
    await world.engine.start(again)
    assert world.clock.now() == ends
    assert world.time.read() == pytest.approx(read)
