"""Too little traffic: the shift waits before its first rung and on each, and says how much came of how much."""

from dataclasses import replace
from typing import TYPE_CHECKING

from tminus.control.liftoff import Liftoff
from tminus.domain.guard import Action
from tminus.domain.plan import Rollout, Rung

if TYPE_CHECKING:
    from tests.unit.launch_world import NEW, OLD, PLAN, World
else:
    from launch_world import NEW, OLD, PLAN, World

ASKS = replace(PLAN, rollout=Rollout((Rung(50, 2.0, 5), Rung(100, 2.0, 5)), 5.0, per_second=10.0))


async def ready(rate: float) -> tuple[World, Liftoff]:
    world = World(plan=ASKS, rate=rate)
    await world.open()
    world.go()
    await world.clock.sleep(40.0)
    world.traffic.flow()
    return world, world.liftoff()


def weights(world: World) -> list[str]:
    return [what for _, what in world.fate.acts if what.startswith("set weight")]


async def test_no_user_is_sent_to_green_before_there_is_traffic_to_judge_it_by() -> None:
    world, liftoff = await ready(4.0)

    def more() -> None:
        assert weights(world) == [], "it waited"
        world.traffic.flow()
        world.traffic.rate = 20.0

    world.clock.later(120.0, more)
    seen = await world.passing(liftoff.run({"depot": NEW}, {"depot": OLD}))
    assert seen.action is Action.CONTINUE
    assert weights(world) == ["set weight 50", "set weight 100"]
    held = world.events("launch.held")
    assert {data["rule"] for data in held} == {"hold.requests"}
    assert held[0]["text"].startswith("4.0 of the 10 requests a second that the plan asks for, over 30 s")


async def test_traffic_that_falls_away_on_a_rung_keeps_it_until_it_is_back() -> None:
    world, liftoff = await ready(20.0)

    def less() -> None:
        world.traffic.flow()
        world.traffic.rate = 2.0
        world.clock.later(300.0, more)

    def more() -> None:
        assert weights(world) == ["set weight 50"], "it waited"
        world.traffic.flow()
        world.traffic.rate = 20.0

    world.target.after_weight[50] = less
    world.plan = ASKS
    slow = replace(ASKS, rollout=replace(ASKS.rollout, ladder=(Rung(50, 40.0, 5), Rung(100, 2.0, 5))))
    liftoff.plan = slow
    assert (await world.passing(liftoff.run({"depot": NEW}, {"depot": OLD}))).action is Action.CONTINUE
    assert {data["rule"] for data in world.events("launch.held")} == {"hold.requests"}


async def test_a_rung_on_which_no_request_was_judged_never_ends() -> None:
    """Also one that asks for none: nothing seen explains no weight."""
    nothing = Rollout((Rung(50, 2.0, 0), Rung(100, 2.0, 0)), 5.0)
    world = World(plan=replace(PLAN, rollout=nothing), rate=20.0)
    await world.open()
    world.go()
    await world.clock.sleep(5.0)
    world.target.after_weight[50] = lambda: setattr(world.traffic, "rate", 0.0)
    world.clock.later(300.0, lambda: setattr(world.traffic, "rate", 20.0))
    began = world.clock.now()
    liftoff = world.liftoff()
    assert (await world.passing(liftoff.run({"depot": NEW}, {"depot": OLD}))).action is Action.CONTINUE
    assert world.clock.now() - began > 300.0
    assert weights(world) == ["set weight 50", "set weight 100"]
