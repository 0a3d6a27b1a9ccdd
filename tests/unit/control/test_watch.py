"""Watching a rollout: what continues, holds and rolls back, and what is never done blind."""

from typing import TYPE_CHECKING

import pytest

from tminus.control.green import Green
from tminus.control.sight import Sight, sight
from tminus.control.watch import SLICE, TICK
from tminus.domain.guard import Action
from tminus.domain.plan import Rung
from tminus.domain.traffic import Side, WeightChange
from tminus.errors import RolloutError, UnreachableError
from tminus.testing import Behaviour

if TYPE_CHECKING:
    from tests.unit.launch_world import RUNS_NEW, World
else:
    from launch_world import RUNS_NEW, World


async def shifted(percent: int = 50, behaviour: Behaviour | None = None) -> tuple[World, Green]:
    world = World()
    world.traffic.behaviour[Side.GREEN] = behaviour or Behaviour()
    status = await world.target.start(Side.GREEN, RUNS_NEW)
    await world.clock.sleep(5.0)
    await world.target.set_weight(percent)
    world.watch.note_weight(percent)
    return world, Green(status.started, status.digest)


async def test_all_well_is_watched_for_its_whole_time() -> None:
    world, green = await shifted()
    began = world.clock.now()
    seen = await world.watch.slice(green, SLICE)
    assert (seen.action, seen.rule) == (Action.CONTINUE, "")
    assert seen.seconds == pytest.approx(SLICE)
    assert world.clock.now() - began == pytest.approx(SLICE)
    assert world.watch.share(Rung(50, SLICE, 1)).explained
    assert world.watch.share(Rung(50, SLICE, 1)).observed == pytest.approx(0.5, abs=0.02)


async def test_harm_ends_the_watching_at_once() -> None:
    world, green = await shifted(50, Behaviour(errors=0.5))
    began = world.clock.now()
    seen = await world.watch.slice(green, SLICE)
    assert (seen.action, seen.rule) == (Action.ROLLBACK, "a1")
    assert world.clock.now() - began < 2.0
    assert seen.at is not None
    assert began < seen.at <= world.clock.now()


@pytest.mark.parametrize(
    "error", [UnreachableError("the socket is gone", hint="look"), RolloutError("refused", hint="look")]
)
async def test_a_green_that_cannot_be_seen_holds(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    world, green = await shifted()

    async def status(_side: Side) -> None:
        raise error

    monkeypatch.setattr(world.target, "status", status)
    seen = await world.watch.slice(green, SLICE)
    assert (seen.action, seen.rule, seen.seconds) == (Action.HOLD, "hold.blind", 0.0)
    assert "green cannot be seen" in seen.text


async def test_harm_seen_in_traffic_rolls_back_even_while_green_cannot_be_seen() -> None:
    world, green = await shifted(50, Behaviour(errors=0.5))
    world.target.unreachable = set(range(1000))
    assert (await world.watch.slice(green, SLICE)).action is Action.ROLLBACK


async def test_a_log_with_a_break_holds_and_goes_on_by_itself() -> None:
    world, green = await shifted()
    await world.watch.slice(green, SLICE)
    world.clock.later(1.0, lambda: setattr(world.traffic, "blind", "the proxy's log has ended"))
    world.clock.later(2.0, lambda: setattr(world.traffic, "blind", ""))
    began = world.clock.now()
    seen = await world.watch.slice(green, SLICE)
    assert (seen.action, seen.rule) == (Action.HOLD, "hold.blind")
    assert "the proxy's log has ended" in seen.text
    assert world.clock.now() - began < 1.5, "a hold is told when it begins"
    assert seen.seconds == pytest.approx(1.0, abs=TICK)
    after = await world.watch.slice(green, SLICE)
    assert after.action is Action.CONTINUE
    assert after.seconds == pytest.approx(SLICE - 1.0, abs=2 * TICK)


async def test_harm_rolls_back_also_while_not_every_request_is_seen() -> None:
    world, green = await shifted(50, Behaviour(errors=0.5))
    world.traffic.blind = "the trace cannot be written"
    assert (await world.watch.slice(green, SLICE)).action is Action.ROLLBACK


async def test_a_missing_part_holds_is_named_and_the_watching_goes_on_when_it_is_back() -> None:
    world, green = await shifted()
    await world.watch.slice(green, SLICE)
    gone = {"prometheus"}
    world.watch.missing = lambda: ", ".join(f"{part} does not run" for part in gone)
    seen = await world.watch.slice(green, SLICE)
    assert (seen.action, seen.rule, seen.seconds) == (Action.HOLD, "hold.parts", 0.0)
    assert "a part is missing: prometheus does not run" in seen.text
    world.clock.later(1.0, gone.clear)
    after = await world.watch.slice(green, SLICE)
    assert after.action is Action.CONTINUE
    assert after.seconds == pytest.approx(SLICE - 1.0, abs=2 * TICK)


async def test_a_missing_part_never_stands_in_the_way_of_a_rollback_and_never_causes_one() -> None:
    world, green = await shifted(50, Behaviour(errors=0.5))
    world.watch.missing = lambda: "prometheus does not run"
    assert (await world.watch.slice(green, SLICE)).rule == "a1"
    world, green = await shifted()
    world.watch.missing = lambda: "prometheus does not run"
    for _ in range(70):
        assert (await world.watch.slice(green, SLICE)).action is Action.HOLD


async def test_the_gauges_count_the_lines_that_others_wrote() -> None:
    world, green = await shifted()
    world.traffic.forged = 3
    await world.watch.slice(green, 1.0)
    lines = world.watch.gauges()["lines"]
    assert isinstance(lines, dict)
    assert (lines["refused"], lines["lost"]) == (3, 0)


async def test_without_a_green_only_traffic_is_judged() -> None:
    world = World()
    await world.clock.sleep(1.0)
    assert (await world.watch.slice(None, 1.0)).action is Action.CONTINUE


async def test_no_request_at_all_is_not_seeing() -> None:
    world = World(rate=0.0)
    seen = await world.watch.slice(None, 1.0)
    assert (seen.action, seen.rule) == (Action.HOLD, "hold.blind")


async def test_a_new_process_judges_from_the_trace_as_if_it_had_never_been_away() -> None:
    world, green = await shifted(50, Behaviour(errors=0.03))
    await world.watch.slice(green, SLICE)
    before = world.watch
    world.boot()
    await world.watch.slice(green, TICK)
    await before.slice(green, TICK)
    assert world.watch.outcomes() == before.outcomes()
    assert world.watch.gauges()["counts"] == before.gauges()["counts"]


async def test_a_hold_that_was_resumed_stays_so_for_a_new_process() -> None:
    world, green = await shifted(50, Behaviour(errors=0.04))
    world.traffic.behaviour[Side.BLUE] = Behaviour(errors=0.04)
    while (held := await world.watch.slice(green, SLICE)).action is Action.CONTINUE:
        assert world.clock.now() < 1_800_000_300
    assert held.rule == "hold.errors"
    world.traffic.flow()
    world.traffic.behaviour[Side.GREEN] = Behaviour()
    assert (await world.watch.slice(green, SLICE)).action is Action.HOLD, "it does not end by itself"
    at = world.clock.now()
    world.watch.resume(at)
    assert (await world.watch.slice(green, SLICE)).action is Action.CONTINUE
    world.boot()
    world.watch.resume(at)
    assert (await world.watch.slice(green, SLICE)).action is Action.CONTINUE


async def test_a_service_that_nobody_can_reach_for_five_minutes_is_rolled_back() -> None:
    world, green = await shifted()
    world.prober.ok = False
    began = world.clock.now()
    while (seen := await world.watch.slice(green, SLICE)).action is not Action.ROLLBACK:
        assert world.clock.now() - began < 400
    assert seen.rule == "trigger.unavailable"
    assert 300 <= world.clock.now() - began < 310


async def test_the_prober_asks_once_in_a_second() -> None:
    world, green = await shifted()
    await world.watch.slice(green, SLICE)
    assert 5 <= world.prober.asked <= 6


async def test_the_gauges_name_every_test_and_trigger() -> None:
    world, green = await shifted()
    await world.watch.slice(green, 1.0)
    gauges = world.watch.gauges()
    assert [t["rule"] for t in gauges["tests"]] == ["a1", "a2", "b1", "b2", "hold.errors"]  # type: ignore[index,call-overload,union-attr] # JSON
    assert len(gauges["triggers"]) == 5  # type: ignore[arg-type] # JSON


async def test_a_weight_is_noted_when_it_was_confirmed() -> None:
    world, _ = await shifted(10)
    changes = [item for item in world.traffic.items(0) if isinstance(item, WeightChange)]
    assert changes == [WeightChange(world.clock.now(), 10)]


def test_a_sight_survives_its_step() -> None:
    seen = Sight(Action.HOLD, "hold.blind", "why", 1.25, None)
    assert sight(seen.data()) == seen
