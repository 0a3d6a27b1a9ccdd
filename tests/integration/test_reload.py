"""The proxy is reloaded, sides are stopped, and nobody loses a request; done by halves, somebody does."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

if TYPE_CHECKING:
    from benchmarks.light import NEW, Scene, opened
    from benchmarks.zero_loss import NAIVE, Counted, Users, naive, shipped
else:
    from light import NEW, Scene, opened
    from zero_loss import NAIVE, Counted, Users, naive, shipped

from tminus import processes
from tminus.demo.machine import ThisMachine
from tminus.demo.packages import locate
from tminus.domain.traffic import Side
from tminus.errors import PartError
from tminus.haproxy import State, Weights, finishing, reloading, settle
from tminus.processes import Process

LOADED = pytest.mark.skipif(ThisMachine().which("wrk") is None, reason="wrk is not installed")
pytestmark = pytest.mark.skipif(
    locate(ThisMachine()) is None, reason="a program of the stage is not installed"
)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with opened(tmp_path, 1) as scene:
        yield scene


def proxy_of(scene: Scene) -> Process:
    process = processes.find(scene.stage.folder, "haproxy")
    assert process is not None
    return process


async def test_after_a_reload_everything_stands_as_before(scene: Scene) -> None:
    await scene.target.start(Side.GREEN, NEW)
    await scene.target.set_weight(25)
    before = proxy_of(scene)
    after = await scene.stage.reload_haproxy()
    assert after.pid == proxy_of(scene).pid != before.pid
    assert not before.alive()
    assert await scene.proxy.get_weights() == Weights(75, 25)
    assert all(server.up for server in (await scene.proxy.servers()).values())
    assert scene.deaths == [], "that the old one ended is no news"
    await scene.target.set_weight(100)
    await scene.target.stop(Side.BLUE, 5)
    await scene.stage.reload_haproxy()
    assert await scene.proxy.get_weights() == Weights(0, 100)
    assert await scene.proxy.get_state(Side.BLUE) is State.MAINT


async def test_a_weight_that_a_person_lowered_by_hand_is_kept(scene: Scene) -> None:
    await scene.target.start(Side.GREEN, NEW)
    await scene.target.set_weight(50)
    await scene.proxy.set_weights(90, 10)
    await scene.stage.reload_haproxy()
    assert await scene.proxy.get_weights() == Weights(90, 10)


async def test_a_proxy_that_does_not_come_up_leaves_the_old_one(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = proxy_of(scene)
    monkeypatch.setattr(type(scene.stage), "_proxy_command", ["/bin/false"])
    with pytest.raises(PartError, match="ended"):
        await scene.stage.reload_haproxy()
    assert proxy_of(scene).pid == before.pid
    assert await scene.target.set_weight(0) == 0
    assert scene.deaths == []


@pytest.mark.parametrize(("where", "what"), [(Process, "ready"), (reloading, "_until_served")])
async def test_a_reload_that_was_cut_off_leaves_one_proxy_that_hears_the_target(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, where: object, what: str
) -> None:
    async def cut_off(*_: object) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr(where, what, cut_off)
    with pytest.raises(asyncio.CancelledError):
        await scene.stage.reload_haproxy()
    monkeypatch.undo()
    folder = scene.stage.folder
    assert len(finishing(folder)) == 1
    with scene.stage._supervisor.replacing("haproxy"):
        await settle(folder, scene.proxy)
    assert finishing(folder) == []
    assert f"Pid: {proxy_of(scene).pid}" in await scene.proxy.ask("show info")
    await scene.target.start(Side.GREEN, NEW)
    assert await scene.target.set_weight(10) == 10


async def test_a_side_is_not_stopped_while_an_earlier_proxy_still_serves(scene: Scene) -> None:
    idle = processes.start(
        scene.stage.folder / "haproxy", "earlier", [sys.executable, "-c", "input()"], env=dict(os.environ)
    )
    idle._process.send_signal(signal.SIGSTOP)
    await scene.target.start(Side.GREEN, NEW)
    assert await scene.target.stop(Side.GREEN, 0.3) == 1
    await idle.kill()
    assert await scene.target.stop(Side.GREEN, 0.3) == 0


@LOADED
@pytest.mark.slow
async def test_no_log_line_of_a_request_is_lost_by_a_reload(scene: Scene) -> None:
    await scene.target.start(Side.GREEN, NEW)
    await scene.target.set_weight(50)
    counted = Counted()
    users = Users(scene)
    async with users.sending(counted):
        for number in range(3):
            await users.until(1_000 * (number + 1), 120)
            await scene.stage.reload_haproxy()
    assert counted.lost == 0
    # Whoever was cut off when the users left has a line too, and no answer.
    assert counted.logged >= counted.requests
    assert counted.unlogged == 0


@LOADED
@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_two_whole_cycles_lose_nothing(tmp_path: Path) -> None:
    counted = await shipped(tmp_path, cycles=2, requests=4_000)
    assert counted.requests >= 4_000
    assert (counted.lost, counted.failed, counted.unlogged) == (0, 0, 0), str(counted)


@LOADED
@pytest.mark.slow
@pytest.mark.parametrize("what", NAIVE)
async def test_the_naive_way_loses_some(tmp_path: Path, what: str) -> None:
    counted = await naive(tmp_path, NAIVE[what])
    assert counted.lost > 0, str(counted)
