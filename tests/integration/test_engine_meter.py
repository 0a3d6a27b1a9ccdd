"""What the durable engine tells a meter: what was really acted and waited for, nothing that is only remembered."""

import asyncio
from collections import Counter
from pathlib import Path

from tminus.control.ports import Engine, Json
from tminus.engine.durable import DurableEngine
from tminus.errors import RolloutError
from tminus.wiring import SystemClock


class Told:
    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.late: list[float] = []

    def step(self, *, failed: bool) -> None:
        self.counts["failed" if failed else "done"] += 1

    def broke(self) -> None:
        self.counts["broke"] += 1

    def woke(self, late: float) -> None:
        self.late.append(late)


async def act() -> Json:
    return {}


async def refuse() -> Json:
    raise RolloutError("green did not come up", hint="read green's log")


async def lose() -> Json:
    raise OSError("nobody expects this")


async def body(engine: Engine, launch: str) -> Json:
    await engine.step("one", act)
    try:
        await engine.step("two", refuse)
    except RolloutError:
        await engine.step("three", act)
    await engine.receive("control", await engine.now() + 0.2)
    await engine.sleep_until(await engine.now() + 0.2)
    await engine.sleep_until(0.0)
    if launch == "breaks":
        await engine.step("four", lose)
    await engine.receive("go on", await engine.now() + 3600)
    return {}


async def life(url: str, told: Told, *launches: str) -> DurableEngine:
    engine = DurableEngine(url, {"launch": body}, SystemClock(), alone=True)
    engine.meter = told
    await engine.start()
    for launch in launches:
        await engine.begin("launch", launch)
    return engine


async def until(told: Told, waits: int, **counts: int) -> None:
    async with asyncio.timeout(60):
        while len(told.late) < waits or Counter(counts) - told.counts:  # noqa: ASYNC110 - it runs on another loop
            await asyncio.sleep(0.02)


async def test_a_meter_hears_of_steps_waits_and_breaks_once_over_a_restart(tmp_path: Path) -> None:
    url, first, second = f"sqlite:///{tmp_path / 'tminus.db'}", Told(), Told()
    engine = await life(url, first, "a", "breaks")
    await until(first, 4, done=4, failed=2, broke=1)
    await engine.stop()
    assert first.counts == {"done": 4, "failed": 2, "broke": 1}
    assert len(first.late) == 4
    assert min(first.late) >= 0.0
    engine = await life(url, second, "b")
    await until(second, 2, done=2, failed=1)
    await engine.send("a", "go on", {}, "word")
    async with asyncio.timeout(60):
        while await engine.result("a") is None:  # noqa: ASYNC110 - it runs on another loop
            await asyncio.sleep(0.02)
    await engine.stop()
    assert second.counts == {"done": 2, "failed": 1}, "what `a` has done is remembered, not acted"
    assert len(second.late) == 2
