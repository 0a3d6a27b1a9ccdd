"""A process in doubt acts no more."""

import asyncio

import pytest

from tminus.control.ports import Json
from tminus.engine.fence import Fence, elapsed
from tminus.errors import RolloutError


class Watch:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def watch() -> Watch:
    return Watch()


async def test_an_act_runs_while_the_heart_beats_and_its_error_is_its_own(watch: Watch) -> None:
    async def act() -> Json:
        return {"done": True}

    async def refuse() -> Json:
        raise RolloutError("no", hint="none")

    fence = Fence(3.0, watch)
    assert await fence.run(act) == {"done": True}
    with pytest.raises(RolloutError):
        await fence.run(refuse)
    assert await Fence().run(act) == {"done": True}


async def test_no_act_begins_in_doubt_and_it_begins_when_the_heart_is_heard_again(watch: Watch) -> None:
    begun = asyncio.Event()

    async def act() -> Json:
        begun.set()
        return {}

    fence = Fence(3.0, watch)
    watch.now += 3.0
    running = asyncio.create_task(fence.run(act))
    # A heartbeat that was begun before the doubt, and whose answer came late, ends no doubt.
    fence.heard(100.0)
    for _ in range(5):
        await asyncio.sleep(0)
    assert not begun.is_set()
    fence.heard(watch.now)
    await running
    assert begun.is_set()


async def test_an_act_in_which_doubt_arises_is_cancelled_and_begun_again_after_it(watch: Watch) -> None:
    lives: list[str] = []
    first = asyncio.Event()

    async def act() -> Json:
        lives.append("begins")
        if len(lives) == 1:
            watch.now += 2.99
            first.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                lives.append("cancelled")
                watch.now += 10
                fence.heard(watch.now)
                raise
        return {"lives": len(lives)}

    fence = Fence(3.0, watch)
    running = asyncio.create_task(fence.run(act))
    await first.wait()
    watch.now += 0.01
    assert await running == {"lives": 3}
    assert lives == ["begins", "cancelled", "begins"]


async def test_who_cancels_the_launch_cancels_its_act(watch: Watch) -> None:
    begun = asyncio.Event()
    ended = asyncio.Event()

    async def act() -> Json:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return {}

    running = asyncio.create_task(Fence(3.0, watch).run(act))
    await begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await ended.wait()


def test_the_clock_of_a_fence_does_not_go_back() -> None:
    first = elapsed()
    assert elapsed() >= first
