"""The local target: every act states what shall be, reads it back, and may be repeated."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tminus import processes
from tminus.domain.traffic import Side
from tminus.errors import ReleaseError
from tminus.targets.local import LocalTarget

if TYPE_CHECKING:
    from tests.integration.line_world import World, a_layer, order_faults, send_users
else:
    from line_world import World, a_layer, order_faults, send_users


@pytest.fixture
async def target(world: World) -> AsyncIterator[LocalTarget]:
    """The target; afterwards both sides are as the others expect them."""
    yield world.scene.target()
    await asyncio.gather(*(world.restart(side) for side in Side))
    await world.scene.target().set_weight(100)


async def test_starting_what_runs_changes_nothing(world: World, target: LocalTarget) -> None:
    before = await target.status(Side.GREEN)
    for _ in range(2):
        again = await target.start(Side.GREEN, world.scene.release)
        assert (again.started, again.digest, again.up) == (before.started, world.scene.release, True)
    assert before.version == "2.0.0"


async def test_another_digest_takes_the_place_of_the_running_one(world: World, target: LocalTarget) -> None:
    before = await target.status(Side.BLUE)
    after = await target.start(Side.BLUE, world.scene.release)
    assert (before.digest, after.digest) == (world.scene.previous, world.scene.release)
    assert after.started > before.started
    assert after.up


async def test_weights_are_read_back_and_may_be_set_again(target: LocalTarget) -> None:
    for percent in (10, 10, 0, 50, 100):
        assert await target.set_weight(percent) == percent
        weights = [(await target.status(side)).weight for side in Side]
        assert weights == [100 - percent, percent]


async def test_an_altered_image_is_refused_before_anything_runs(
    world: World, target: LocalTarget, tmp_path: Path
) -> None:
    await target.stop(Side.BLUE, 5)
    scene = world.copied_images(tmp_path)
    a_layer(scene, scene.release).write_bytes(b"altered")
    for act in (scene.target().prepare(scene.release), scene.target().start(Side.BLUE, scene.release)):
        with pytest.raises(ReleaseError) as caught:
            await act
        assert caught.value.hint
    assert processes.find(world.stage.folder, "blue") is None


async def test_stopping_lets_every_request_finish_and_may_be_repeated(
    world: World, target: LocalTarget
) -> None:
    await order_faults(world, Side.GREEN, "slow=1:1.0")
    users = asyncio.create_task(send_users(world.scene, 20, at_once=20))

    async def busy() -> bool:
        return (await target.status(Side.GREEN)).sessions == 20

    await processes.wait_until(busy, 10, "users on green")
    assert await target.stop(Side.GREEN, 10) == 0
    assert set(await users) <= {200, 401}
    for _ in range(2):
        status = await target.status(Side.GREEN)
        assert (status.running, status.up, status.digest, status.sessions) == (False, False, "", 0)
        assert await target.stop(Side.GREEN, 1) == 0


async def test_a_stop_that_cannot_wait_tells_how_many_were_cut_off(world: World, target: LocalTarget) -> None:
    await order_faults(world, Side.GREEN, "slow=1:1.5")
    users = asyncio.create_task(send_users(world.scene, 3, at_once=3))

    async def busy() -> bool:
        return (await target.status(Side.GREEN)).sessions == 3

    await processes.wait_until(busy, 10, "users on green")
    assert await target.stop(Side.GREEN, 0.1) == 3
    await users


async def test_a_killed_side_does_not_run_and_a_restart_shows(world: World, target: LocalTarget) -> None:
    before = await target.status(Side.GREEN)
    await world.process("green").kill()
    dead = await target.status(Side.GREEN)
    assert (dead.running, dead.digest, dead.started) == (False, "", 0.0)
    again = await target.start(Side.GREEN, world.scene.release)
    assert again.running
    assert again.started > before.started
