"""Launches in memory: two days in milliseconds, and a death between any two steps."""

from collections import Counter
from collections.abc import Awaitable, Callable

import pytest

from tminus.control.ports import Engine, Json
from tminus.engine.memory import MemoryEngine
from tminus.errors import PartError, RolloutError
from tminus.testing import Crash, FakeClock, Fate

DAY = 86_400.0


class World:
    """A launch of two days, its outside world, and what was done there."""

    def __init__(self) -> None:
        self.done: Counter[str] = Counter()
        self.clock, self.fate = FakeClock(patience=3 * DAY), Fate()
        self.engine = MemoryEngine({"launch": self.body}, self.clock, self.fate)
        self.t0 = self.clock.now() + 2 * DAY

    def act(self, what: str) -> Callable[[], Awaitable[Json]]:
        async def act() -> Json:
            self.done[what] += 1
            return {"at": self.clock.now()}

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
        while True:
            await self.engine.start()
            await self.engine.begin("launch", "a")
            await self.engine.send("a", "control", {"order": "hold"}, "hold")
            try:
                return await self.engine.finish("a")
            except Crash:
                await self.engine.stop()


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
    moments = undisturbed.fate.moments
    assert len(moments) > 10
    for moment, what in enumerate(moments):
        world = World()
        world.fate.dies_at = moment
        assert await world.run() == expected, what
        assert world.fate.starts == 2, what
        name = what.removeprefix("inside ")
        assert world.done == Counter({"open": 1, "go": 1}) + Counter([name] if what != name else []), what


async def test_a_message_that_is_planned_wakes_a_launch_at_its_instant_and_not_at_the_end_of_its_wait() -> (
    None
):
    world = World()
    await world.engine.start()
    await world.engine.begin("launch", "a")
    woken: list[float] = []

    async def listens(engine: Engine) -> None:
        await engine.receive("control", world.t0)
        woken.append(world.clock.now())

    steps = world.engine.steps("b")
    world.clock.later(5.25, lambda: world.engine.leave("b", "control", {}, "word"))
    await world.engine.passing(listens(steps))
    assert woken == [world.t0 - 2 * DAY + 5.25]
    await world.engine.stop()


async def test_a_death_that_falls_into_a_wait_is_told_to_whoever_lets_time_pass() -> None:
    world = World()
    await world.engine.start()
    await world.engine.begin("launch", "a")
    world.clock.later(5.0, lambda: setattr(world.fate, "dead", True))
    with pytest.raises(Crash):
        await world.engine.finish("a")
    await world.engine.stop()
    assert await world.engine.result("a") is None
    assert (await world.run())["gone"] == world.t0


async def test_a_launch_that_breaks_says_by_what_and_is_not_begun_again() -> None:
    async def breaks(engine: Engine, _: str) -> Json:
        begun.append(engine)
        raise RolloutError("green did not come up", hint="read its log")

    begun: list[Engine] = []
    engine = MemoryEngine({"launch": breaks}, FakeClock(), Fate())
    await engine.start()
    await engine.begin("launch", "a")
    for _ in range(2):
        with pytest.raises(PartError, match="green did not come up") as error:
            await engine.finish("a")
        assert isinstance(error.value.__cause__, RolloutError)
        await engine.stop()
        await engine.start()
    assert len(begun) == 1


async def test_a_wait_that_nothing_ends_does_not_hang_a_test() -> None:
    async def waits(engine: Engine, _: str) -> Json:
        await engine.receive("control", 2_000_000_000.0)
        return {}

    engine = MemoryEngine({"launch": waits}, FakeClock(), Fate())
    await engine.start()
    await engine.begin("launch", "a")
    with pytest.raises(AssertionError, match="nothing ends this wait"):
        await engine.finish("a")
    await engine.stop()
