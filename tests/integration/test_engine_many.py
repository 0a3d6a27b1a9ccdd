"""Many launches in one worker: what they need does not grow with them."""

import asyncio
import threading
from pathlib import Path

from tminus.control.ports import Engine, Json
from tminus.engine.durable import THREADS, DurableEngine
from tminus.wiring import SystemClock

LAUNCHES = 120
OTHERS = 20
"""Threads that serve the process whatever runs in it: queues, listeners, the keeper, the test's own."""


async def test_launches_that_fall_due_together_share_a_bounded_number_of_threads(tmp_path: Path) -> None:
    seen: list[int] = []
    together = asyncio.Event()

    async def body(engine: Engine, _: str) -> Json:
        async def act() -> Json:
            seen.append(threading.active_count())
            return {}

        await engine.receive("control", 0.0)
        await engine.step("milestone", act)
        if len(seen) == LAUNCHES:
            loop.call_soon_threadsafe(together.set)
        return {}

    loop = asyncio.get_running_loop()
    engine = DurableEngine(f"sqlite:///{tmp_path / 'tminus.db'}", {"launch": body}, SystemClock(), alone=True)
    await engine.start()
    try:
        for number in range(LAUNCHES):
            await engine.begin("launch", f"a-{number}")
        await asyncio.wait_for(together.wait(), 120)
    finally:
        await engine.stop()
    assert max(seen) <= THREADS + OTHERS
