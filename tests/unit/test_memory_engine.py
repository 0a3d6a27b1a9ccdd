"""Launches in memory: two days in milliseconds, and a death between any two steps."""

from collections import Counter
from collections.abc import Awaitable, Callable

import pytest

from tminus.control.ports import Engine, Json
from tminus.engine.memory import MemoryEngine

DAY = 86_400.0


class World:
    """A launch of two days, its outside world, and what was done there."""

    def __init__(self) -> None:
        self.done: Counter[str] = Counter()
        self.engine = MemoryEngine({"launch": self.body})
        self.t0 = self.engine.time + 2 * DAY

    def act(self, what: str) -> Callable[[], Awaitable[Json]]:
        async def act() -> Json:
            self.done[what] += 1
            return {"at": self.engine.time}

        return act

    async def body(self, engine: Engine, _: str) -> Json:
        begun = await engine.now()
        await engine.step("open", self.act("open"))
        word = await engine.receive("control", self.t0 - DAY)
        nothing = await engine.receive("control", self.t0 - DAY / 2)
        await engine.sleep_until(self.t0)
        gone = await engine.step("go", self.act("go"))
        return {"begun": begun, "word": word, "nothing": nothing, "gone": gone["at"]}

    async def run(self) -> Json:
        """The launch, started again after every death, with a message in its first hour."""
        await self.engine.start()
        await self.engine.begin("launch", "a")
        await self.engine.send("a", "control", {"order": "hold"}, "hold")
        while True:
            try:
                return await self.engine.finish("a")
            except AssertionError:
                assert not self.engine.alive
                await self.engine.stop()
                self.engine.dies_at = None
                await self.engine.send("a", "control", {"order": "hold"}, "hold")
                await self.engine.start()


@pytest.fixture
async def undisturbed() -> World:
    world = World()
    await world.run()
    return world


async def test_two_days_pass_and_every_wait_ends_at_its_instant(undisturbed: World) -> None:
    result = await undisturbed.engine.result("a")
    assert result is not None
    assert result["word"] == {"order": "hold"}
    assert result["nothing"] is None
    assert result["gone"] == undisturbed.t0
    assert float(str(result["begun"])) == undisturbed.t0 - 2 * DAY


async def test_a_death_at_any_moment_changes_nothing_and_repeats_only_the_step_under_way(
    undisturbed: World,
) -> None:
    expected = await undisturbed.engine.result("a")
    moments = undisturbed.engine.moments
    assert len(moments) > 10
    for moment, what in enumerate(moments):
        world = World()
        world.engine.dies_at = moment
        assert await world.run() == expected, what
        name = what.removeprefix("inside ")
        assert world.done == Counter({"open": 1, "go": 1}) + Counter([name] if what != name else []), what
