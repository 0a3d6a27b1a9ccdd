"""The way back: the weight first, seen in traffic, green stopped, blue shown to serve."""

from typing import TYPE_CHECKING

import pytest

from tminus.control.ports import Json, SideStatus
from tminus.control.rollback import QUIET, RETRY, TRIES, Rollback
from tminus.domain.canonical import instant
from tminus.domain.course import STUCK
from tminus.domain.telling import is_news
from tminus.domain.traffic import Side, WeightChange
from tminus.errors import InconclusiveError, PartError, RolloutError, UnreachableError
from tminus.testing import Behaviour, Crash
from tminus.testing.stage import BY_HAND

if TYPE_CHECKING:
    from tests.unit.launch_world import RUNS_NEW, RUNS_OLD, World
else:
    from launch_world import RUNS_NEW, RUNS_OLD, World


async def in_flight() -> tuple[World, Rollback]:
    world = World()
    await world.open()
    await world.target.start(Side.GREEN, RUNS_NEW)
    await world.target.set_weight(50)
    await world.clock.sleep(3.0)
    return world, Rollback(world.steps, world.record, world.target, world.clock)


async def back(world: World, rollback: Rollback) -> None:
    await rollback.run("a1", "green fails", world.watch, RUNS_OLD)
    await rollback.stop_green(5.0)


async def test_the_weight_comes_first_and_everything_is_read_back() -> None:
    world, rollback = await in_flight()
    await back(world, rollback)
    assert [what for _, what in world.fate.acts][-2:] == ["set weight 0", "stop green"]
    assert [event.type for event in world.chain[1:]] == ["rollback.done", "rollback.seen", "side.stopped"]
    assert world.events("rollback.done")[0]["rule"] == "a1"
    assert world.events("rollback.seen")[0] == {
        "blue": pytest.approx(300, abs=5),
        "failed": 0,
        "green": 0,
        "seconds": QUIET,
    }
    changes = [item.percent for item in world.traffic.items(0) if isinstance(item, WeightChange)]
    assert changes == [0], "the way back stands in the trace"


async def test_it_says_for_how_long_users_had_met_bad_answers_of_green() -> None:
    world, rollback = await in_flight()
    assert await rollback.run("person.rollback", "ordered", world.watch, RUNS_OLD) == {}
    assert "bad_seconds" not in world.events("rollback.done")[0], "green gave none"
    world, rollback = await in_flight()
    began = world.clock.now()
    assert world.watch.outcomes(), "what came before was good"
    world.traffic.behaviour[Side.GREEN] = Behaviour(errors=1.0)
    await world.clock.sleep(2.0)
    told = await rollback.run("a1", "green fails", world.watch, RUNS_OLD)
    (done,) = [event for event in world.chain if event.type == "rollback.done"]
    assert told == {"bad_seconds": done.data["bad_seconds"]}
    first = min(outcome.at for outcome in world.watch.outcomes() if outcome.failed)
    assert first >= began
    assert told["bad_seconds"] == pytest.approx(instant(done.at) - first, abs=0.002)


async def test_the_ending_says_of_bad_answers_what_the_record_has_also_after_a_crash_between_the_two() -> (
    None
):
    world, rollback = await in_flight()
    world.traffic.behaviour[Side.GREEN] = Behaviour(errors=1.0)
    await world.clock.sleep(2.0)
    before: Json = {"rule": "a1", "text": "green fails", "seconds": 0.1, "bad_seconds": 1.5}
    await world.record.append_once("rollback", "rollback.done", before)
    assert await rollback.run("a1", "green fails", world.watch, RUNS_OLD) == {"bad_seconds": 1.5}


async def test_a_schema_that_the_launch_migrated_is_said_to_stay() -> None:
    world, rollback = await in_flight()
    assert "schema" not in await rollback.prove(RUNS_OLD, world.smoke)
    world, rollback = await in_flight()
    migrated: Json = {"step": "migrate", "before": "0001", "after": "0002"}
    await world.record.append_once("done:migrate", "step.done", migrated)
    assert (await rollback.prove(RUNS_OLD, world.smoke))["schema"] == "0002"


async def test_a_blue_that_was_stopped_is_started_before_any_traffic_goes_to_it() -> None:
    world, rollback = await in_flight()
    await world.target.stop(Side.BLUE, 5.0)
    await back(world, rollback)
    acts = [what for _, what in world.fate.acts]
    assert acts[-3:] == ["start blue", "set weight 0", "stop green"]


async def test_a_blue_that_cannot_be_started_leaves_the_traffic_where_it_is_until_it_can() -> None:
    world, rollback = await in_flight()
    await world.target.stop(Side.BLUE, 5.0)
    real, weights = world.target.start, []

    async def broken(side: Side, digest: str) -> None:
        weights.append(world.traffic.weight)
        raise RolloutError(f"{side} does not start from {digest}", hint="look")

    world.target.start = broken  # type: ignore[method-assign, assignment] # this world's blue is broken
    world.clock.later(100.0, lambda: setattr(world.target, "start", real))
    await back(world, rollback)
    assert set(weights) == {50}
    assert world.traffic.weight == 0
    (held,) = world.events("launch.held")
    assert "does not start" in held["text"]


async def test_slow_requests_that_green_still_answers_are_waited_for() -> None:
    world, rollback = await in_flight()
    world.traffic.behaviour[Side.GREEN] = Behaviour(slow=1.0, slow_ms=5000.0)
    await world.clock.sleep(1.0)
    began = world.clock.now()
    await back(world, rollback)
    assert world.events("rollback.seen")[0]["green"] == 0
    assert world.clock.now() - began > QUIET


@pytest.mark.parametrize(
    "error",
    [
        UnreachableError("the socket is gone", hint="look"),
        RolloutError("refused", hint="look"),
        PartError("the process does not end", hint="look"),
    ],
)
@pytest.mark.parametrize("act", ["set_weight", "stop", "status"])
async def test_each_part_is_insisted_on(act: str, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    world, rollback = await in_flight()
    real, tries = getattr(world.target, act), []

    async def late(*arguments: object) -> object:
        tries.append(arguments)
        if len(tries) < TRIES:
            raise error
        return await real(*arguments)

    monkeypatch.setattr(world.target, act, late)
    await back(world, rollback)
    proof = await rollback.prove(RUNS_OLD, world.smoke)
    assert proof["as_before"]
    assert len(tries) == TRIES + (act == "status")  # the proof asks once more


async def test_a_proxy_that_is_away_calls_people_once_with_what_to_type_and_is_tried_until_it_is_back() -> (
    None
):
    world, rollback = await in_flight()
    before = world.target.calls
    world.target.unreachable = set(range(before, before + 100))
    began = world.clock.now()
    await back(world, rollback)
    assert world.traffic.weight == 0
    assert world.events("rollback.done")[0]["seconds"] == pytest.approx(100 * RETRY)
    (held,) = [event for event in world.chain if event.type == "launch.held"]
    assert held.data["rule"] == STUCK
    assert held.data["by_hand"] == list(BY_HAND)
    assert "the proxy does not answer" in str(held.data["text"])
    assert f"without tminus, type: {BY_HAND[0]}" in str(held.data["text"])
    assert instant(held.at) - began == pytest.approx((TRIES - 1) * RETRY, abs=0.1)
    assert is_news(held), "people are told"


async def test_a_weight_that_is_not_read_back_is_set_again_also_by_the_next_process() -> None:
    world, rollback = await in_flight()
    world.target.misread[0] = 3
    world.clock.later(100.0, lambda: setattr(world.fate, "dead", True))
    with pytest.raises(Crash):
        await back(world, rollback)
    world.fate.dead = False
    world.boot()
    world.clock.later(100.0, world.target.misread.clear)
    await back(world, Rollback(world.steps, world.record, world.target, world.clock))
    assert world.traffic.weight == 0
    assert world.rules() == [STUCK], "the call is not repeated"


async def test_a_rollback_without_any_traffic_says_that_nothing_was_seen_and_goes_on() -> None:
    world, rollback = await in_flight()
    world.traffic.rate = 0.0
    await back(world, rollback)
    assert world.traffic.weight == 0
    assert world.events("rollback.seen") == [{"blue": 0, "failed": 0, "green": 0, "seconds": 3.0}]
    assert world.events("side.stopped")


async def test_a_rollback_after_which_green_still_gets_requests_calls_a_person() -> None:
    world, rollback = await in_flight()
    world.target.misread[0] = 0
    world.target.after_weight[0] = lambda: setattr(world.traffic, "weight", 50)
    await back(world, rollback)
    assert world.traffic.weight == 0, "it is set again"
    (held,) = world.events("launch.held")
    assert "green still gets requests" in held["text"]


async def test_blue_is_shown_to_serve_what_it_served_before_on_the_schema_as_it_is() -> None:
    world, rollback = await in_flight()
    await back(world, rollback)
    world.smoke.found[world.target.private_url(Side.BLUE)] = ["login fails"]
    proof = await rollback.prove("sha256:other", world.smoke)
    assert proof == {
        "digest": RUNS_OLD,
        "as_before": False,
        "weight": 100,
        "up": True,
        "smoke_failures": ["login fails"],
        "schema_compatible": False,
    }
    assert world.events("rollback.proved") == [proof]


async def test_weights_that_make_no_sense_do_not_keep_traffic_from_going_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, rollback = await in_flight()
    status = world.target.status

    async def senseless(side: Side) -> SideStatus:
        if world.traffic.weight:
            raise InconclusiveError("the rules give green different shares", hint="see who changed them")
        return await status(side)

    monkeypatch.setattr(world.target, "status", senseless)
    began = world.clock.now()
    await back(world, rollback)
    assert world.traffic.weight == 0
    assert instant(world.chain[-1].at) - began < 60.0
    assert not world.events("launch.held")


async def test_a_rollback_that_nobody_could_see_in_traffic_says_so_and_goes_on() -> None:
    world, rollback = await in_flight()
    world.traffic.blind = "Prometheus gives no samples"
    await back(world, rollback)
    assert world.traffic.weight == 0
    (seen,) = world.events("rollback.seen")
    assert seen == {
        "blue": 0,
        "failed": 0,
        "green": 0,
        "seconds": 0.0,
        "unseen": "Prometheus gives no samples",
    }
    assert world.events("side.stopped")


async def test_a_rollback_is_seen_once_requests_are_seen_again() -> None:
    world, rollback = await in_flight()
    world.traffic.blind = "Prometheus gives no samples"
    world.clock.later(20.0, lambda: setattr(world.traffic, "blind", ""))
    await back(world, rollback)
    (seen,) = world.events("rollback.seen")
    assert (int(str(seen["blue"])) > 0, seen["green"], "unseen" in seen) == (True, 0, False)
