"""After the shift: soak, criteria, and the end of blue."""

from typing import TYPE_CHECKING

import pytest

from tminus.control.liftoff import Liftoff
from tminus.control.review import Review
from tminus.domain.evidence import Observation
from tminus.domain.guard import Action
from tminus.domain.plan import Severity
from tminus.domain.traffic import Side
from tminus.errors import UnreachableError

if TYPE_CHECKING:
    from tests.unit.launch_world import NEW, OLD, PLAN, World, line, with_line
else:
    from launch_world import NEW, OLD, PLAN, World, line, with_line


async def shifted(world: World | None = None) -> tuple[World, Liftoff, Review]:
    world = world or World()
    await world.open()
    world.go()
    await world.clock.sleep(2.0)
    world.time.launch.ahead = 7200.0
    liftoff = world.liftoff()
    await world.passing(liftoff.run({"depot": NEW}, {"depot": OLD}))
    return world, liftoff, Review(liftoff, world.time)


async def test_criteria_hold_and_blue_ends() -> None:
    world, _, review = await shifted()
    seen = await world.passing(review.run())
    assert (seen.action, seen.text) == (Action.CONTINUE, "landed")
    assert not world.target.sides[Side.BLUE].running
    assert world.verdicts()["t4p.blueoff"] == "passed"
    assert [data["milestone"] for data in world.events("milestone.reached")] == ["T+01:00:00", "T+04:00:00"]


async def test_milestones_come_on_the_launch_clock() -> None:
    world, _, review = await shifted()
    await world.passing(review.run())
    reached = [event.t_ms for event in world.chain if event.type == "milestone.reached"]
    assert reached == [pytest.approx(3_600_000, abs=2000), pytest.approx(14_400_000, abs=2000)]
    assert world.time.read() >= 14400


async def test_blue_stands_until_every_criterion_is_known() -> None:
    world, _, review = await shifted()
    world.observer.scripts["ok.err"] = [Observation(0.5)]
    seen = await world.passing(review.run())
    assert (seen.action, seen.rule) == (Action.ROLLBACK, "criterion.ok.err")
    assert world.target.sides[Side.BLUE].running


async def test_a_criterion_that_fails_after_it_was_unknown_rolls_back() -> None:
    world, _, review = await shifted()
    world.observer.scripts["ok.err"] = [UnreachableError("gone", hint="wait"), Observation(0.5)]
    assert (await world.passing(review.run())).rule == "criterion.ok.err"


async def test_an_unknown_advisory_line_is_not_waited_for() -> None:
    world, _, review = await shifted(World(plan=with_line(PLAN, "ok.err", severity=Severity.ADVISORY)))
    world.observer.scripts["ok.err"] = [UnreachableError("gone", hint="wait")]
    assert (await world.passing(review.run())).action is Action.CONTINUE
    assert world.verdicts()["ok.err"] == "error"


async def test_a_blue_that_does_not_end_is_told_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    world, _, review = await shifted()
    stop, tries = world.target.stop, []

    async def stubborn(side: Side, drain: float) -> int:
        tries.append(side)
        return await stop(side, drain) if len(tries) > 2 else 0

    monkeypatch.setattr(world.target, "stop", stubborn)
    assert (await world.passing(review.run())).action is Action.CONTINUE
    assert len(tries) == 3
    assert "still runs" in world.events("launch.held")[0]["text"]


async def test_a_plan_that_keeps_blue_ends_without_stopping_it() -> None:
    world = World(plan=with_line(PLAN, "t4p.blueoff", step="initiate"))
    world, _, review = await shifted(world)
    assert (await world.passing(review.run())).action is Action.CONTINUE
    assert world.target.sides[Side.BLUE].running


def test_a_line_of_the_end_of_blue_is_a_step() -> None:
    assert PLAN.check("t4p.blueoff").step == "end blue"
    assert line("x", 3600.0).probe == "website.health"
