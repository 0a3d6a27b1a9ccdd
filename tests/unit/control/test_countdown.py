"""Milestones before T-0: when they are reached, and what is observed at them."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tminus.control.launchtime import LaunchTime
from tminus.domain.agenda import Due
from tminus.domain.canonical import instant, timestamp
from tminus.domain.evidence import Observation
from tminus.domain.orders import Act
from tminus.domain.record import Event
from tminus.domain.timeline import LaunchClock
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
    await world.passing(world.countdown().run({"back up": world.database.back_up}))


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


async def test_a_held_clock_moves_t_0_and_every_milestone_that_is_left() -> None:
    world = small(t0=1_800_100_000.0)
    world.speed = 1.0
    world.boot()
    world.clock.later(20_000.0, lambda: world.order(Act.HOLD, "the fire alarm rings"))
    world.clock.later(23_600.0, lambda: world.order(Act.RESUME, "a false alarm"))
    world.clock._ends = 1_900_000_000.0
    await counted(world)
    reached = {event.data["milestone"]: event for event in world.chain if event.type == "milestone.reached"}
    assert instant(reached["T-24:00:00"].at) == pytest.approx(1_800_013_600.0, abs=1)
    assert instant(reached["T-02:00:00"].at) == pytest.approx(1_800_092_800.0 + 3600, abs=1)
    assert reached["T-02:00:00"].t_ms == pytest.approx(-7_200_000, abs=1000)


async def test_a_new_date_reaches_every_milestone_anew() -> None:
    world = small(t0=1_800_100_000.0)
    world.speed = 1.0
    world.boot()
    world.clock._ends = 1_900_000_000.0
    world.clock.later(
        95_000.0, lambda: world.order(Act.RESCHEDULE, "the team sleeps", new_t0=1_800_300_000.0)
    )
    await world.open()
    countdown = world.countdown()
    stop = await world.passing(countdown.run({"back up": world.database.back_up}))
    assert (stop.due, stop.date.attempt) == (Due.POLL, 2)
    names = [event.data["milestone"] for event in world.chain if event.type == "milestone.reached"]
    assert names == ["T-24:00:00", "T-02:00:00"] * 2
    assert world.clock.now() == pytest.approx(1_800_300_000.0 - 900, abs=2)


async def test_a_scrubbed_launch_counts_no_further() -> None:
    world = small(t0=1_800_100_000.0)
    world.speed = 1.0
    world.boot()
    world.clock._ends = 1_900_000_000.0
    world.clock.later(20_000.0, lambda: world.order(Act.SCRUB, "not this year"))
    await world.open()
    stop = await world.passing(world.countdown().run({"back up": world.database.back_up}))
    assert stop.due is Due.OVER
    assert len(world.events("milestone.reached")) == 1


async def test_an_owner_whose_line_fails_is_told_once_of_each_kind() -> None:
    world = small(t0=1_800_100_000.0)
    world.observer.scripts["rb.images"] = [Observation(["the image is gone"])]
    world.boot()
    await counted(world)
    told = [
        (data["notice"], data["to"])
        for data in world.events("notice.raised")
        if "rb.images" in data["checks"]
    ]
    assert len(told) == len(set(told))
    assert ("late", "devops") in told
    assert ("escalated", "lead") in told


async def test_a_launch_that_begins_late_observes_at_once_what_fell_due() -> None:
    world = small()
    began = world.clock.now()
    world.t0 = began - 60
    world.boot()
    await counted(world)
    assert world.clock.now() == began
    assert len(world.verdicts()) == 3


async def test_a_finished_wait_is_taken_over_from_memory() -> None:
    clean, world = small(), small()
    for one in (clean, world):
        one.code = one.until_poll
    await clean.launch()
    # It dies when all waits are over, before it remembers that it has seen so.
    world.fate.dies_at = max(at for at, what in enumerate(clean.fate.moments) if "before turn" in what)
    await world.launch()
    assert world.fate.starts == 2
    assert world.clock.now() == clean.clock.now()
    assert world.time.read() == pytest.approx(clean.time.read())


def test_a_process_that_did_not_see_the_launch_takes_its_clock_from_the_last_event() -> None:
    world = small()
    time = LaunchTime(world.clock, LaunchClock(world.clock.now() + 86400.0, 1.0))
    last = Event(0, "0" * 64, timestamp(world.clock.now() - 10), 3_600_000, "step.done", "done:x", {})
    time.go_on_from(last)
    assert time.read() == pytest.approx(3610.0)
