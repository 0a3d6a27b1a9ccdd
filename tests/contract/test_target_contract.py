"""Every target keeps the same promises: the fake, Kubernetes (a stand-in), and processes behind a real HAProxy."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tminus.control.ports import SideStatus, Target
from tminus.domain.traffic import Side
from tminus.errors import ProbeError, RolloutError, TminusError, UnreachableError

if TYPE_CHECKING:
    from tests.contract.target_worlds import WORLDS, World
else:
    from target_worlds import WORLDS, World

Call = Callable[[Target], Awaitable[object]]


@pytest.fixture(
    params=[
        pytest.param(name, marks=[pytest.mark.slow] if name in {"local", "cluster"} else [])
        for name in WORLDS
    ]
)
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    async with WORLDS[request.param](tmp_path) as made:
        yield made


def told(status: SideStatus) -> tuple[bool, str, bool, int]:
    """What of a status must be the same however often a launch was begun again."""
    return status.running, status.digest, status.up, status.weight


async def both(target: Target) -> list[tuple[bool, str, bool, int]]:
    return [told(await target.status(side)) for side in Side]


async def test_a_release_is_prepared_as_often_as_one_likes_and_runs_nowhere(world: World) -> None:
    before = await both(world.target)
    for _ in range(2):
        assert (await world.target.prepare(world.green))["digest"] == world.green
    assert await both(world.target) == before
    assert before[0] == (True, world.blue, True, 100)


async def test_green_starts_without_traffic_and_starting_it_again_changes_nothing(world: World) -> None:
    await world.target.prepare(world.green)
    first = await world.target.start(Side.GREEN, world.green)
    assert told(first) == (True, world.green, True, 0)
    again = await world.again().start(Side.GREEN, world.green)
    assert (told(again), again.started) == (told(first), first.started)
    assert told(await world.target.status(Side.BLUE)) == (True, world.blue, True, 100)


async def test_a_weight_is_set_and_read_back_for_both_sides(world: World) -> None:
    await world.target.start(Side.GREEN, world.green)
    for percent in world.shares:
        assert await world.target.set_weight(percent) == percent
        assert [(await world.again().status(side)).weight for side in Side] == [100 - percent, percent]


async def test_a_weight_that_something_else_changes_is_never_told_as_set(world: World) -> None:
    await world.target.start(Side.GREEN, world.green)
    world.meddle()
    reported = 20
    with suppress(RolloutError):
        reported = await world.target.set_weight(100)
    assert reported == 20
    assert (await world.target.status(Side.GREEN)).weight != 100


async def test_what_cannot_be_seen_is_unreachable_and_is_seen_again_afterwards(world: World) -> None:
    async with world.away():
        for side in Side:
            with pytest.raises(UnreachableError) as caught:
                await world.target.status(side)
            assert caught.value.hint
    assert told(await world.target.status(Side.BLUE)) == (True, world.blue, True, 100)


async def test_a_stopped_side_is_gone_and_the_other_serves_and_stopping_it_again_changes_nothing(
    world: World,
) -> None:
    await world.target.start(Side.GREEN, world.green)
    await world.target.set_weight(100)
    for _ in range(2):
        left = await world.again().stop(Side.BLUE, 0.1)
        assert left == (0 if world.counts else None)
        assert told(await world.target.status(Side.BLUE)) == (False, "", False, 0)
    assert told(await world.target.status(Side.GREEN)) == (True, world.green, True, 100)
    assert (await world.target.status(Side.BLUE)).started == 0.0


async def test_a_side_that_was_stopped_starts_again_and_shows_that_it_is_another_start(world: World) -> None:
    before = (await world.target.start(Side.GREEN, world.green)).started
    await world.target.stop(Side.GREEN, 0.1)
    await world.pass_time(0.01)
    after = await world.target.start(Side.GREEN, world.green)
    assert told(after) == (True, world.green, True, 0)
    assert after.started != before


async def test_each_side_has_a_private_address_of_its_own(world: World) -> None:
    addresses = [world.target.private_url(side) for side in Side]
    assert len(set(addresses)) == 2
    assert all(address.startswith("http://") for address in addresses)


def launch(world: World) -> list[Call]:
    """The calls of a launch that comes to its end."""
    ladder = [percent for percent in world.shares if percent > 0]
    return [
        lambda target: target.prepare(world.green),
        lambda target: target.start(Side.GREEN, world.green),
        *(_weighing(percent) for percent in sorted(set(ladder))),
        lambda target: target.stop(Side.BLUE, 0.05),
    ]


def _weighing(percent: int) -> Call:
    return lambda target: target.set_weight(percent)


async def cut_off(call: Awaitable[object], seconds: float) -> None:
    """Begin a call and let it be cut off after so long, as by a kill; what it raises until then is not asked."""
    task = asyncio.ensure_future(call)
    await asyncio.wait([task], timeout=seconds)
    task.cancel()
    with suppress(asyncio.CancelledError, TminusError):
        await task


@pytest.mark.parametrize("seconds", [0.0, 0.004, 0.015, 0.06])
async def test_a_launch_that_is_cut_off_in_any_call_and_goes_on_ends_the_same(
    world: World, seconds: float
) -> None:
    for call in launch(world):
        await cut_off(asyncio.ensure_future(call(world.target)), seconds)
        await call(world.again())
    assert await both(world.again()) == [(False, "", False, 0), (True, world.green, True, 100)]


async def test_a_launch_that_forgets_each_call_and_does_it_again_ends_the_same(world: World) -> None:
    for call in launch(world):
        await call(world.target)
        await call(world.again())
    assert await both(world.again()) == [(False, "", False, 0), (True, world.green, True, 100)]


async def test_a_rollback_from_any_weight_brings_blue_back(world: World) -> None:
    await world.target.start(Side.GREEN, world.green)
    for percent in world.shares:
        await world.target.set_weight(percent)
        assert await world.again().set_weight(0) == 0
    await world.again().stop(Side.GREEN, 0.05)
    assert await both(world.again()) == [(True, world.blue, True, 100), (False, "", False, 0)]


async def test_a_call_while_nothing_answers_raises_and_done_again_later_is_done(world: World) -> None:
    await world.target.start(Side.GREEN, world.green)
    async with world.away():
        with pytest.raises(ProbeError):
            await world.target.set_weight(100)
    assert await world.again().set_weight(100) == 100
