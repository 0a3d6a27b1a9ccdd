"""Every engine keeps the same promises, whatever becomes of its process."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tminus.control.ports import Engine, Json
from tminus.errors import PartError, RolloutError

if TYPE_CHECKING:
    from tests.conftest import Cluster
    from tests.contract import engine_homes
    from tests.contract.engine_homes import Bodies, Home
else:
    import engine_homes

Make = Callable[["Bodies"], Awaitable["Home"]]


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def make(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Make]:
    made: list[Home] = []

    async def start(bodies: "Bodies") -> "Home":
        if request.param == "memory":
            home: Home = engine_homes.MemoryHome(bodies)
        elif request.param == "sqlite":
            home = engine_homes.DurableHome(f"sqlite:///{tmp_path / 'tminus.db'}", bodies)
        else:
            cluster: Cluster = request.getfixturevalue("postgres")
            home = engine_homes.DurableHome(cluster.engine_database(), bodies)
        made.append(home)
        await home.start()
        return home

    yield start
    for home in made:
        await home.stop()


class World:
    """What launches do outside, counted."""

    def __init__(self) -> None:
        self.done: Counter[str] = Counter()

    def act(self, what: str) -> Callable[[], Awaitable[Json]]:
        async def act() -> Json:
            self.done[what] += 1
            return {"count": self.done[what]}

        return act

    async def refuse(self) -> Json:
        self.done["refused"] += 1
        raise RolloutError("green did not come up", hint="read green's log")

    def seen(self, what: str) -> Callable[[], bool]:
        return lambda: self.done[what] > 0


@pytest.fixture
def world() -> World:
    return World()


async def told(engine: Engine, seconds: float = 3600.0) -> Json | None:
    return await engine.receive("control", await engine.now() + seconds)


async def test_a_finished_step_an_error_and_the_time_are_remembered_over_a_restart(
    make: Make, world: World
) -> None:
    async def body(engine: Engine, _: str) -> Json:
        first = await engine.step("one", world.act("one"))
        try:
            await engine.step("refused", world.refuse)
        except RolloutError as error:
            caught = [type(error).__name__, str(error), error.hint]
        else:
            raise AssertionError
        now = await engine.now()
        world.done[f"at {now}"] += 1
        world.done["waits"] += 1
        await told(engine)
        return {"first": first, "caught": [*caught], "now": now}

    home = await make({"launch": body})
    await home.engine.begin("launch", "a")
    await home.until(world.seen("waits"))
    await home.stop()
    await home.start()
    await home.send("a", {"order": "go on"}, "1")
    result = await home.finish("a")
    assert (world.done["one"], world.done["refused"], world.done["waits"]) == (1, 1, 2)
    assert result["first"] == {"count": 1}
    assert result["caught"] == ["RolloutError", "green did not come up", "read green's log"]
    assert world.done[f"at {result['now']}"] == 2


async def test_messages_arrive_in_order_once_for_each_key_and_none_is_lost_while_nobody_listens(
    make: Make, world: World
) -> None:
    async def body(engine: Engine, _: str) -> Json:
        world.done["begun"] += 1
        await engine.receive("begin", await engine.now() + 3600)
        taken = [await told(engine), await told(engine), await told(engine)]
        return {"taken": [*taken], "more": await engine.receive("control", until=0.0)}

    home = await make({"launch": body})
    await home.engine.begin("launch", "a")
    await home.until(world.seen("begun"))
    await home.send("a", {"n": 1}, "first")
    await home.stop()
    await home.send("a", {"n": 2}, "second")
    await home.send("a", {"n": 1}, "first")
    await home.start()
    await home.send("a", {"n": 3}, "third")
    await home.engine.send("a", "begin", {}, "begin")
    assert await home.finish("a") == {"taken": [{"n": 1}, {"n": 2}, {"n": 3}], "more": None}


async def test_a_deadline_is_an_instant_that_a_restart_does_not_move(make: Make, world: World) -> None:
    async def body(engine: Engine, _: str) -> Json:
        until = await engine.now() + 1.5
        world.done[f"until {until}"] += 1
        world.done["waits"] += 1
        message = await engine.receive("control", until)
        return {"message": message, "late": await engine.now() - until}

    home = await make({"launch": body})
    await home.engine.begin("launch", "a")
    await home.until(world.seen("waits"))
    await home.stop()
    await home.start()
    result = await home.finish("a")
    assert result["message"] is None
    assert float(str(result["late"])) >= 0.0
    assert sum(key.startswith("until") for key in world.done) == 1


async def test_a_sleep_ends_at_its_instant_and_not_before(make: Make) -> None:
    async def body(engine: Engine, _: str) -> Json:
        until = await engine.now() + 0.3
        await engine.sleep_until(until)
        await engine.sleep_until(until - 3600)
        return {"late": await engine.now() - until}

    home = await make({"launch": body})
    await home.engine.begin("launch", "a")
    assert float(str((await home.finish("a"))["late"])) >= 0.0


async def test_many_launches_of_two_kinds_wait_side_by_side_each_for_its_own_message(make: Make) -> None:
    def of(kind: str) -> Callable[[Engine, str], Awaitable[Json]]:
        async def body(engine: Engine, launch: str) -> Json:
            return {"kind": kind, "launch": launch, "told": await told(engine)}

        return body

    home = await make({"launch": of("launch"), "drill": of("drill")})
    kinds = {f"{n}": "drill" if n % 2 else "launch" for n in range(10)}
    for launch, kind in kinds.items():
        await home.engine.begin(kind, launch)
        await home.engine.begin(kind, launch)
    await asyncio.gather(
        *(home.engine.send(launch, "control", {"for": launch}, "word") for launch in reversed(kinds))
    )
    for launch, kind in kinds.items():
        assert await home.finish(launch) == {"kind": kind, "launch": launch, "told": {"for": launch}}


async def test_a_launch_in_flight_goes_on_in_the_old_way_behind_a_patch_and_a_new_one_in_the_new(
    make: Make, world: World
) -> None:
    async def old(engine: Engine, launch: str) -> Json:
        await engine.step("one", world.act(f"one {launch}"))
        await engine.step("two", world.act(f"two {launch}"))
        world.done["waits"] += 1
        await told(engine)
        return await engine.step("three", world.act(f"three {launch}"))

    async def new(engine: Engine, launch: str) -> Json:
        await engine.step("one", world.act(f"one {launch}"))
        if await engine.patched("check in between"):
            await engine.step("between", world.act(f"between {launch}"))
        await engine.step("two", world.act(f"two {launch}"))
        await told(engine)
        return await engine.step("three", world.act(f"three {launch}"))

    home = await make({"launch": old})
    await home.engine.begin("launch", "old")
    await home.until(world.seen("waits"))
    await home.stop()
    await home.start({"launch": new})
    await home.engine.begin("launch", "new")
    for launch in ("old", "new"):
        await home.engine.send(launch, "control", {}, "word")
        assert await home.finish(launch) == {"count": 1}
    assert (world.done["between old"], world.done["between new"]) == (0, 1)
    assert (world.done["one old"], world.done["two old"]) == (1, 1)


async def test_a_launch_in_flight_under_steps_in_another_order_stops_and_says_so(
    make: Make, world: World
) -> None:
    async def old(engine: Engine, _: str) -> Json:
        await engine.step("one", world.act("one"))
        world.done["waits"] += 1
        await told(engine)
        return {}

    async def changed(engine: Engine, _: str) -> Json:
        await engine.step("another", world.act("another"))
        return {}

    home = await make({"launch": old})
    await home.engine.begin("launch", "a")
    await home.until(world.seen("waits"))
    await home.stop()
    await home.start({"launch": changed})
    with pytest.raises(PartError, match="another"):
        await home.finish("a")
    assert world.done["another"] == 0


async def test_a_launch_at_rest_begins_again_at_its_instant_and_remembers_nothing(
    make: Make, world: World
) -> None:
    until: list[float] = []

    async def body(engine: Engine, _: str) -> Json:
        await engine.step("one", world.act("one"))
        now = await engine.now()
        until[:] = until or [now + 1.0]
        world.done["begun"] += 1
        if now < until[0]:
            await engine.rest(until[0])
        return await engine.act("two", world.act("two"))

    home = await make({"launch": body})
    await home.engine.begin("launch", "a")
    await home.until(world.seen("begun"))
    await home.stop()
    await home.start()
    assert await home.finish("a") == {"count": 1}
    assert world.done["one"] == world.done["begun"] >= 2


async def test_a_message_wakes_a_launch_at_rest_also_one_that_came_while_nobody_lived(
    make: Make, world: World
) -> None:
    async def body(engine: Engine, _: str) -> Json:
        world.done["begun"] += 1
        while not world.done["over"]:
            await engine.rest(await engine.now() + 3600)
            world.done["taken"] += 1
        return {}

    home = await make({"launch": body})
    await home.engine.begin("launch", "a")
    await home.until(world.seen("begun"))
    for number in (1, 2):
        await home.send("a", {"n": number}, f"{number}")
        await home.until(lambda number=number: world.done["taken"] == number)  # type: ignore[misc] # bound now
    await home.stop()
    world.done["over"] = 1
    await home.send("a", {"n": 3}, "3")
    await home.start()
    assert await home.finish("a") == {}
    assert world.done["taken"] == 2


async def test_an_error_of_an_act_is_raised_and_the_act_is_done_again_by_a_later_run(
    make: Make, world: World
) -> None:
    async def body(engine: Engine, _: str) -> Json:
        try:
            await engine.act("refused", world.refuse)
        except RolloutError as error:
            caught = [type(error).__name__, str(error), error.hint]
        else:
            raise AssertionError
        world.done["waits"] += 1
        await told(engine)
        return {"caught": [*caught]}

    home = await make({"launch": body})
    await home.engine.begin("launch", "a")
    await home.until(world.seen("waits"))
    await home.stop()
    await home.start()
    await home.send("a", {}, "word")
    assert await home.finish("a") == {"caught": ["RolloutError", "green did not come up", "read green's log"]}
    assert world.done["refused"] == 2


async def test_a_launch_that_remembered_its_steps_under_earlier_code_goes_on_by_rests_under_later(
    make: Make, world: World
) -> None:
    async def old(engine: Engine, _: str) -> Json:
        await engine.step("one", world.act("one"))
        world.done["waits"] += 1
        await told(engine)
        return {}

    async def new(engine: Engine, _: str) -> Json:
        await engine.act("another", world.act("another"))
        if world.done["another"] == 1:
            await engine.rest(0.0)
        return await engine.step("three", world.act("three"))

    home = await make({"launch": old})
    await home.engine.begin("launch", "a")
    await home.until(world.seen("waits"))
    await home.stop()
    await home.start({"launch": new})
    assert await home.finish("a") == {"count": 1}
    assert world.done["another"] == 2
