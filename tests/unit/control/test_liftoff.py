"""The rollout alone: steps, holds while nothing can be read back, rungs, and the orders of people."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tminus.control.liftoff import Liftoff
from tminus.domain.canonical import instant
from tminus.domain.guard import Action
from tminus.domain.orders import Act
from tminus.domain.plan import Rollout, Rung
from tminus.domain.traffic import Side
from tminus.errors import PartError, RolloutError, UnreachableError

if TYPE_CHECKING:
    from tests.unit.launch_world import NAME, NEW, OLD, PLAN, RUNS_NEW, World
else:
    from launch_world import NAME, NEW, OLD, PLAN, RUNS_NEW, World


async def ready(world: World | None = None) -> tuple[World, Liftoff]:
    world = world or World()
    await world.open()
    world.go()
    await world.clock.sleep(2.0)
    return world, world.liftoff()


async def test_the_steps_run_in_their_order() -> None:
    world, liftoff = await ready()
    seen = await world.passing(liftoff.run({"depot": NEW}, {"depot": OLD}))
    assert seen.action is Action.CONTINUE
    steps = [data["step"] for data in world.events("step.done")]
    assert steps == ["initiate", "back up", "migrate", "green", "smoke", "shift 50", "shift 100", "promote"]
    assert [what for _, what in world.fate.acts] == [
        f"prepare {RUNS_NEW}",
        "back up",
        "migrate",
        f"prepare {RUNS_NEW}",
        "start green",
        "set weight 50",
        "set weight 100",
    ]


async def test_every_step_has_its_own_backup_and_verdict_in_the_record() -> None:
    world, liftoff = await ready()
    await world.passing(liftoff.run({"depot": NEW}, {"depot": OLD}))
    assert {
        line: world.verdicts()[line] for line in ("t0.bg", "t0.migrate", "t0.green", "t0.smoke", "t0.shift")
    } == dict.fromkeys(("t0.bg", "t0.migrate", "t0.green", "t0.smoke", "t0.shift"), "passed")
    assert {data["source"] for data in world.events("check.observed")} == {"step"}


@pytest.mark.parametrize(
    "error", [UnreachableError("no answer", hint="wait"), PartError("not started", hint="start it")]
)
async def test_a_step_whose_result_cannot_be_read_holds_and_is_tried_again(error: PartError) -> None:
    world, liftoff = await ready()
    world.database.errors["back up"] = [error, error]
    began = world.clock.now()
    backup = await world.passing(liftoff.steady("back up", lambda: world.database.back_up("first")))
    assert backup["file"] == "backup.dump"
    assert [name for name in world.engine.remembered(NAME) if name != "receive control"] == [
        "back up",
        "hold back up",
        "back up (try 2)",
        "hold back up (try 2)",
        "back up (try 3)",
    ]
    assert world.rules() == ["hold.blind", "hold.blind"]
    assert world.clock.now() - began >= 4.0


async def test_a_step_that_is_seen_to_fail_fails_its_line_and_is_not_tried_again() -> None:
    world, liftoff = await ready()
    world.database.errors["migrate"] = [RolloutError("no space", hint="make room")]
    seen = await world.passing(liftoff.run({"depot": NEW}, {"depot": OLD}))
    assert (seen.action, seen.rule, seen.text) == (Action.ROLLBACK, "step.failed", "no space (make room)")
    assert world.verdicts()["t0.migrate"] == "failed"
    assert not any(what == "migrate" for _, what in world.fate.acts)


async def test_traffic_moves_rung_by_rung_and_is_seen_to() -> None:
    ladder = (Rung(10, 3.0, 20), Rung(50, 3.0, 50), Rung(100, 3.0, 100))
    world, liftoff = await ready(World(plan=replace(PLAN, rollout=Rollout(ladder, 5.0))))
    assert (await world.passing(liftoff.run({"depot": NEW}, {"depot": OLD}))).action is Action.CONTINUE
    last = {data["share"]["set"]: data["share"] for data in world.events("traffic.seen")}
    for percent, share in last.items():
        assert share["explained"]
        assert share["green"] / share["total"] == pytest.approx(percent / 100, abs=0.05)
    assert list(last) == [10, 50, 100]


async def test_a_weight_that_traffic_does_not_show_keeps_the_rung() -> None:
    world, liftoff = await ready()

    def turn(percent: int) -> None:
        world.traffic.flow()
        world.traffic.weight = percent

    def meddle() -> None:
        turn(10)
        world.clock.later(1.0, lambda: turn(50))

    world.target.after_weight[50] = meddle
    await world.passing(liftoff.run({"depot": NEW}, {"depot": OLD}))
    rung = [data for data in world.events("traffic.seen") if data["where"].startswith("watch 50 %")]
    assert len(rung) > 1
    assert not rung[0]["share"]["explained"]
    assert rung[-1]["share"]["explained"]


async def test_a_weight_that_somebody_changes_holds_until_it_is_as_it_was_set() -> None:
    world, liftoff = await ready()
    world.target.misread[100] = 100

    def meddle() -> None:
        world.target.misread[100] = 60
        world.clock.later(12.0, mend)

    def mend() -> None:
        world.target.misread[100] = 100

    world.target.after_weight[100] = lambda: world.clock.later(1.0, meddle)
    seen = await world.passing(liftoff.run({"depot": NEW}, {"depot": OLD}))
    assert seen.action is Action.CONTINUE
    held = world.events("launch.held")
    assert {hold["rule"] for hold in held} == {"hold.weight"}
    assert "the proxy reports 60 % on green, but 100 % was set" in str(held[0]["text"])


async def test_a_person_s_order_is_heard_while_a_step_is_held() -> None:
    world, liftoff = await ready()
    world.database.errors["back up"] = [PartError("the disk is full", hint="make room")] * 3
    world.clock.later(1.0, lambda: world.order(Act.ABORT))
    seen = await world.passing(liftoff.run({"depot": NEW}, {"depot": OLD}))
    assert (seen.action, seen.rule) == (Action.ROLLBACK, "person.abort")
    assert "enough" in seen.text


async def test_the_line_about_the_shift_fails_when_the_guard_rolls_back_during_it() -> None:
    world, liftoff = await ready(World(release="errors"))
    assert (await world.passing(liftoff.run({"depot": NEW}, {"depot": OLD}))).action is Action.ROLLBACK
    assert world.verdicts()["t0.shift"] == "failed"


async def test_a_resume_is_taken_note_of_and_the_watch_goes_on() -> None:
    world, liftoff = await ready()
    await world.passing(liftoff.run({"depot": NEW}, {"depot": OLD}))
    await world.record.append_once(
        "hold", "launch.held", {"where": "watch", "rule": "hold.errors", "text": "1 %"}
    )
    world.order(Act.RESUME, "seen")
    assert (await world.passing(liftoff.watch("50 %", 2.0))).action is Action.CONTINUE
    (taken,) = world.events("order.taken")
    assert (taken["order"], taken["text"]) == ("resume", "Lena Ortiz ordered resume: seen")


async def test_a_held_clock_keeps_the_shift_where_it_is_while_the_guard_goes_on() -> None:
    world, liftoff = await ready()
    world.target.after_weight[50] = lambda: world.order(Act.HOLD, "the fire alarm rings")
    world.clock.later(120.0, lambda: world.order(Act.RESUME, "a false alarm"))
    began = world.clock.now()
    assert (await world.passing(liftoff.run({"depot": NEW}, {"depot": OLD}))).action is Action.CONTINUE
    assert world.clock.now() - began > 120
    looks = [
        data["where"] for data in world.events("traffic.seen") if str(data["where"]).startswith("watch 50 %")
    ]
    assert len(looks) > 20, "the guard looked all the time"


async def test_a_bad_release_is_rolled_back_also_while_the_clock_is_held() -> None:
    world, liftoff = await ready(World(release="errors"))
    world.target.after_weight[50] = lambda: world.order(Act.HOLD, "the fire alarm rings")
    assert (await world.passing(liftoff.run({"depot": NEW}, {"depot": OLD}))).action is Action.ROLLBACK


async def test_nothing_is_begun_while_the_clock_is_held_before_the_shift() -> None:
    world, liftoff = await ready()
    world.order(Act.HOLD, "the fire alarm rings")
    world.clock.later(60.0, lambda: world.order(Act.RESUME, "a false alarm"))
    began = world.clock.now()
    assert (await world.passing(liftoff.run({"depot": NEW}, {"depot": OLD}))).action is Action.CONTINUE
    started = [event for event in world.chain if event.key == "start:back up"]
    assert instant(started[0].at) - began >= 60


async def test_the_requests_under_way_at_a_change_of_weight_count_for_neither_share() -> None:
    world, liftoff = await ready()
    await world.passing(liftoff.run({"depot": NEW}, {"depot": OLD}))
    assert world.watch.share(Rung(100, 3.0, 1)).observed == 1.0
    assert any(outcome.side is Side.BLUE for outcome in world.watch.outcomes())
