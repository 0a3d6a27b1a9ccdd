"""Looking at the data beside the traffic: two looks in a row, never a hit without seeing, and a hold that tells why."""

import asyncio
from typing import TYPE_CHECKING

import pytest

from tminus.control.green import Green
from tminus.control.inspection import Inspection
from tminus.control.watch import SLICE
from tminus.domain.guard import Action
from tminus.domain.traffic import Side
from tminus.errors import InconclusiveError, RolloutError, UnreachableError
from tminus.testing import Behaviour, FakeClock, FakeInvariants

if TYPE_CHECKING:
    from tests.unit.launch_world import INVARIANTS, RUNS_NEW, WHOLE, World
else:
    from launch_world import INVARIANTS, RUNS_NEW, WHOLE, World

GONE = UnreachableError("PostgreSQL does not answer", hint="is it running?")


async def shifted(behaviour: Behaviour | None = None) -> tuple[World, Green, Inspection]:
    world = World(inspected=True)
    world.traffic.behaviour[Side.GREEN] = behaviour or Behaviour()
    status = await world.target.start(Side.GREEN, RUNS_NEW)
    await world.clock.sleep(5.0)
    await world.target.set_weight(50)
    world.watch.note_weight(50)
    inspection = world.watch.inspection
    assert inspection is not None
    inspection.remember(await inspection.begin())
    return world, Green(status.started, status.digest), inspection


async def test_whole_data_is_looked_at_again_and_again_and_disturbs_nothing() -> None:
    world, green, _ = await shifted()
    before = world.data.asked
    for added in range(4):
        world.data.now["rows"] = 100 + added
        seen = await world.watch.slice(green, SLICE)
        assert seen.action is Action.CONTINUE
        assert seen.seconds == pytest.approx(SLICE)
    assert 19 <= world.data.asked - before <= 21, "once a second"
    gauges = world.watch.gauges()
    assert gauges["data"]["text"] == "all 2 invariants of the data hold"  # type: ignore[index, call-overload] # JSON
    assert {"trig.corruption": "clear"}.items() <= states(world).items()


async def test_damage_rolls_back_at_the_second_look_and_says_what_is_broken_and_since_when() -> None:
    world, green, _ = await shifted()
    await world.watch.slice(green, SLICE)
    world.data.now["orphans"] = 3
    began = world.clock.now()
    seen = await world.watch.slice(green, SLICE)
    assert (seen.action, seen.rule) == (Action.ROLLBACK, "trigger.corruption")
    assert 1.0 <= world.clock.now() - began <= 2.5
    assert "Data corruption detected: orphans: found 3, expected == 0; first seen at 2027-" in seen.text
    assert ", and again 1.0 s later; green failed 0 of" in seen.text
    assert states(world)["trig.corruption"] == "fired"


async def test_damage_that_one_look_alone_found_does_not_roll_back() -> None:
    world, green, _ = await shifted()
    world.data.now["orphans"] = 3
    world.clock.later(0.9, lambda: world.data.now.update(WHOLE))
    seen = await world.watch.slice(green, SLICE)
    assert seen.action is Action.CONTINUE
    world.data.now["orphans"] = 3
    seen = await world.watch.slice(green, SLICE)
    assert ", and again 1.0 s later" in seen.text, "the first hit is the first of these two"


async def test_a_look_that_sees_nothing_is_no_hit_and_parts_the_two_that_roll_back() -> None:
    world, green, _ = await shifted()

    def every_other_second(second: int) -> None:
        world.data.error = None if second % 2 else GONE

    world.data.now["orphans"] = 3
    for second in range(12):
        world.clock.later(second + 0.9, lambda second=second: every_other_second(second))  # type: ignore[misc] # bound
    for _ in range(2):
        assert (await world.watch.slice(green, SLICE)).action is not Action.ROLLBACK


async def test_data_that_is_not_seen_for_three_turns_holds_and_goes_on_by_itself() -> None:
    world, green, _ = await shifted()
    await world.watch.slice(green, SLICE)
    world.data.error = GONE
    began = world.clock.now()
    seen = await world.watch.slice(green, SLICE)
    assert (seen.action, seen.rule) == (Action.HOLD, "hold.blind")
    assert 2.0 <= world.clock.now() - began <= 3.5
    assert "the data's invariants have not been observed for 3 s: PostgreSQL does not answer" in seen.text
    assert states(world)["trig.corruption"] == "not observed"
    world.data.error = None
    await world.watch.slice(green, SLICE)
    assert (await world.watch.slice(green, SLICE)).action is Action.CONTINUE


async def test_harm_that_users_see_rolls_back_also_while_the_data_is_not_seen() -> None:
    world, green, _ = await shifted(Behaviour(errors=0.5))
    world.data.error = GONE
    assert (await world.watch.slice(green, SLICE)).rule == "a1"


async def test_time_in_which_nobody_watched_is_not_time_in_which_the_data_was_not_seen() -> None:
    world, green, _ = await shifted()
    await world.watch.slice(green, SLICE)
    await world.clock.sleep(60.0)
    seen = await world.watch.slice(green, 0.5)
    assert (seen.action, seen.rule) == (Action.CONTINUE, "")


async def test_a_look_that_takes_long_delays_no_judgement() -> None:
    world, green, inspection = await shifted(Behaviour(errors=0.5))
    asked = asyncio.Event()

    async def never() -> dict[str, int]:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    world.data.values = never  # type: ignore[method-assign, assignment] # a database that hangs
    seen = await world.watch.slice(green, SLICE)
    assert asked.is_set()
    assert (seen.action, seen.rule) == (Action.ROLLBACK, "a1")
    await inspection.stop()


async def test_data_that_is_damaged_already_blames_no_release() -> None:
    data = FakeInvariants({"rows": 100, "orphans": 2})
    inspection = Inspection(INVARIANTS, data, FakeClock(), every=1.0)
    with pytest.raises(RolloutError, match="damaged before the release has met it: orphans: found 2"):
        await inspection.begin()


async def test_nothing_is_looked_at_before_the_floors_are_known() -> None:
    data = FakeInvariants(WHOLE)
    inspection = Inspection(INVARIANTS, data, FakeClock(), every=1.0)
    assert inspection.poll(1e9) is None
    assert inspection.blindness(1e9) == ""
    assert (data.asked, inspection.gauge(), inspection.found()) == (0, None, "")


async def test_a_floor_that_is_no_number_is_not_taken_for_one() -> None:
    data = FakeInvariants({"rows": None, "orphans": 0})
    inspection = Inspection(INVARIANTS, data, FakeClock(), every=1.0)
    with pytest.raises(
        InconclusiveError, match="'rows' cannot be judged: 'None' cannot be compared with a number"
    ):
        await inspection.begin()


def states(world: World) -> dict[str, str]:
    rows = world.watch.gauges()["triggers"]
    assert isinstance(rows, list)
    return {str(row["trigger"]): str(row["state"]) for row in rows if isinstance(row, dict)}
