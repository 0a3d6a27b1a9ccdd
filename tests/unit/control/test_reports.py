"""The button: a person says that a trigger's condition holds, and the guard takes it as if it had seen it."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.launch_world import NEW, OLD, World
else:
    from launch_world import NEW, OLD, World

from tminus.control.liftoff import Liftoff
from tminus.domain.guard import Action, Guard, GuardLimits
from tminus.domain.orders import Act
from tminus.domain.trigger import CORRUPTION, REPORTABLE, TRIGGERS, UNAVAILABLE, VULNERABILITY
from tminus.errors import OutOfSequenceError, RefusedError

DECLARED = tuple({"id": trigger.id, "text": trigger.text} for trigger in TRIGGERS)


async def ready() -> tuple[World, Liftoff]:
    world = World()
    world.plan = replace(world.plan, triggers=DECLARED)
    await world.open()
    world.go()
    await world.clock.sleep(2.0)
    return world, world.liftoff()


async def test_a_reported_vulnerability_holds_the_shift_until_a_person_lets_it_go_on() -> None:
    world, liftoff = await ready()
    world.target.after_weight[50] = lambda: world.order(
        Act.REPORT, "CVE-1 is used against us", trigger=VULNERABILITY
    )
    world.clock.later(120.0, lambda: world.order(Act.RESUME, "it cannot be reached"))
    began = world.clock.now()
    assert (await world.passing(liftoff.run({"depot": NEW}, {"depot": OLD}))).action is Action.CONTINUE
    assert world.clock.now() - began > 120
    (reported,) = world.events("trigger.reported")
    assert reported["text"] == "Lena Ortiz reported: CVE-1 is used against us"
    held = world.events("launch.held")
    assert {hold["rule"] for hold in held} == {"trigger.vulnerability"}
    assert "discovered: Lena Ortiz reported: CVE-1 is used against us" in str(held[0]["text"])


@pytest.mark.parametrize("trigger", [CORRUPTION, UNAVAILABLE])
async def test_reported_damage_or_outage_rolls_back_without_a_second_look(trigger: str) -> None:
    world, liftoff = await ready()
    world.target.after_weight[50] = lambda: world.order(Act.REPORT, "I saw it", trigger=trigger)
    began = world.clock.now()
    seen = await world.passing(liftoff.run({"depot": NEW}, {"depot": OLD}))
    assert (seen.action, seen.rule) == (Action.ROLLBACK, trigger.replace("trig", "trigger"))
    assert "Lena Ortiz reported: I saw it" in seen.text
    assert world.clock.now() - began < 60


@pytest.mark.parametrize("trigger", ["trig.errors", "trig.latency", "trig.nothing", "a1"])
async def test_what_is_counted_or_unknown_is_refused_with_what_may_be_reported(trigger: str) -> None:
    world, liftoff = await ready()
    refused: list[RefusedError] = []

    def order() -> None:
        with pytest.raises(RefusedError) as caught:
            world.order(Act.REPORT, "it is slow", trigger=trigger)
        refused.append(caught.value)

    world.target.after_weight[50] = order
    await world.passing(liftoff.run({"depot": NEW}, {"depot": OLD}))
    assert trigger in str(refused[0])
    assert all(name in refused[0].hint for name in REPORTABLE)
    assert world.events("trigger.reported") == []


async def test_before_any_user_is_on_the_release_nothing_is_reported() -> None:
    world, _ = await ready()
    with pytest.raises(OutOfSequenceError, match="report makes no sense now"):
        world.order(Act.REPORT, "CVE-1", trigger=VULNERABILITY)


def test_a_report_fires_once_and_a_resume_makes_room_for_another() -> None:
    guard = Guard(GuardLimits())
    guard.report(VULNERABILITY, 1.0, "first")
    guard.report(VULNERABILITY, 2.0, "second")
    assert guard.alarm is not None
    assert "first" in guard.alarm.text
    guard.resume()
    assert guard.alarm is None
    guard.report(VULNERABILITY, 3.0, "third")
    assert guard.alarm is not None
    assert "third" in guard.alarm.text
