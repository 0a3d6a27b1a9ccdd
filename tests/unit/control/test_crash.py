"""A crash at every moment of a launch: started again, it ends the same and repeats no finished step."""

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tminus.domain.agenda import Due
from tminus.testing import Crash

if TYPE_CHECKING:
    from tests.unit.launch_world import NAME, KeySignatory, World
else:
    from launch_world import NAME, KeySignatory, World


def steps_of(world: World) -> list[str]:
    return world.engine.remembered(NAME)


def story(world: World) -> list[tuple[str, str]]:
    """The record without what depends on the instant: which events, in which order."""
    return [(event.type, event.key) for event in world.chain]


def acts_of(world: World) -> Counter[tuple[str, str]]:
    """How often each act was done to the world, by the name of its step."""
    return Counter((step.partition(" ")[2], what) for step, what in world.fate.acts)


@pytest.mark.parametrize("release", [pytest.param("good", marks=pytest.mark.slow), "errors"])
async def test_a_crash_at_every_moment_changes_nothing(release: str) -> None:
    clean = World(release=release)
    ending = await clean.launch()
    moments, acts = clean.fate.moments, acts_of(clean)
    assert len(moments) > 150
    for moment, what in enumerate(moments):
        world = World(release=release)
        world.fate.dies_at = moment
        result = await world.launch()
        told = f"crash at moment {moment}, {what!r}"
        assert world.fate.starts == 2, told
        assert result["outcome"] == ending["outcome"], told
        keys = [event.key for event in world.chain]
        assert len(keys) == len(set(keys)), told
        assert Counter(keys).keys() >= {"opened", "decision", "ended"}, told
        _nothing_finished_ran_twice(world, acts, told)
        assert len(world.database.backups) == len(clean.database.backups) == 2, told


@pytest.mark.parametrize("key", ["act:back up@T-02:00:00", "done:back up", "done:migrate", "done:green"])
async def test_what_the_record_knows_as_done_is_not_done_again(key: str) -> None:
    clean, world = World(), World()
    await clean.launch()
    world.fate.dies_at = clean.fate.moments.index(f"recorded {key}")
    await world.launch()
    assert world.fate.starts == 2
    assert acts_of(world) == acts_of(clean)


async def test_a_crash_at_many_moments_hides_no_damage_and_forgets_no_floor() -> None:
    def damaged_world() -> World:
        world = World(inspected=True)
        world.target.after_weight[50] = lambda: world.data.now.update(rows=99)
        return world

    clean = damaged_world()
    await clean.launch()
    for moment in range(0, len(clean.fate.moments), 5):
        world = damaged_world()
        world.fate.dies_at = moment
        await world.launch()
        (ended,) = world.events("launch.ended")
        told = f"crash at moment {moment}, {clean.fate.moments[moment]!r}"
        assert ended["rule"] == "trigger.corruption", told
        assert "rows: found 99, expected >= 100, as before the shift" in ended["text"], told
        assert ended["data"]["broken"], told
        assert len(world.events("rollback.data")) == 1, told


def _nothing_finished_ran_twice(world: World, clean: Counter[tuple[str, str]], told: str) -> None:
    """Only the step that was under way began again, and only its acts may have been done again."""
    began = Counter(what for what in world.fate.moments if what.startswith("before "))
    assert sum(times > 1 for times in began.values()) <= 1, told
    for (step, act), times in acts_of(world).items():
        assert times <= clean[(step, act)] * began[f"before {step}"], f"{told}: {act}"


async def test_a_record_with_crashes_in_it_still_proves_its_ending() -> None:
    clean = World(release="errors")
    await clean.launch()
    for moment in range(5, len(clean.fate.moments), 17):
        world = World(release="errors")
        world.signatory = KeySignatory(world.fate)
        world.fate.dies_at = moment
        await world.launch()
        assert world.sealed().outcome == "rolled-back", clean.fate.moments[moment]


async def test_a_crash_after_every_third_moment_still_comes_to_the_end() -> None:
    world = World()
    died = 0
    clean = World()
    await clean.launch()
    while True:
        world.fate.dies_at = len(world.fate.moments) + 2 + died % 5
        try:
            result = await world.start()
        except Crash:
            died += 1
            assert died < 400
            continue
        break
    assert result["outcome"] == "landed"
    assert died > 20
    assert [key for _, key in story(world) if key in {"opened", "decision", "ended"}] == [
        "opened",
        "decision",
        "ended",
    ]
    assert steps_of(world)[0] == "open"


async def test_a_hold_that_a_person_ended_stays_ended_after_a_crash() -> None:
    world = World()
    world.target.unreachable = {0}
    clean_steps: list[str] = []
    await world.launch()
    clean_steps = steps_of(world)
    again = World()
    again.target.unreachable = {0}
    again.fate.dies_at = world.fate.moments.index("after hold initiate")
    await again.launch()
    assert steps_of(again) == clean_steps
    assert again.fate.starts == 2


@pytest.mark.parametrize("speed", [1.0, 3600.0])
async def test_a_wait_repeated_after_a_crash_waits_only_the_rest(speed: float) -> None:
    clean = World(speed=speed, rate=20.0)
    began = clean.clock.now()
    # At real speed the launch itself would take hours of virtual requests: only the countdown is run.
    await _until_go(clean)
    took = clean.clock.now() - began
    world = World(speed=speed, rate=20.0)
    world.t0 = clean.t0
    wait = took
    world.clock.later(wait / 2, lambda: setattr(world.fate, "dead", True))
    await _until_go(world)
    assert world.fate.starts == 2
    assert world.clock.now() - began == pytest.approx(took, abs=1e-3)


async def _until_go(world: World) -> None:
    world.code = world.until_poll
    assert await world.launch() == {"due": Due.POLL.value}
