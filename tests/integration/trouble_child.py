"""A worker whose launches append to their record in each step, and which writes to nothing else but that database."""

import asyncio
import signal
import sys

from tminus.control.ports import Engine, Json
from tminus.domain.canonical import timestamp
from tminus.domain.record import Entry
from tminus.engine.durable import DurableEngine
from tminus.store import RecordStore, connect
from tminus.wiring import SystemClock

CLOCK = SystemClock()
STEPS = 8
PAUSE = 0.2


class Worker:
    """The launches of one process."""

    def __init__(self, url: str) -> None:
        self.store = RecordStore(connect(url))
        self.engine = DurableEngine(url, {"launch": self.body}, CLOCK)

    async def append(self, launch: str, kind: str, key: str, data: Json) -> None:
        await self.store.append_once(launch, Entry(kind, key, data, timestamp(CLOCK.now())))

    async def body(self, engine: Engine, launch: str) -> Json:
        for number in range(STEPS):

            async def act(number: int = number) -> Json:
                await self.append(launch, "note.taken", f"begins {number}", {})
                await asyncio.sleep(PAUSE)
                await self.append(launch, "note.taken", f"ends {number}", {})
                return {}

            await engine.step(f"step {number}", act)

        async def end() -> Json:
            await self.append(launch, "launch.ended", "ended", {"outcome": "landed"})
            return {}

        return await engine.step("end", end)

    async def run(self) -> None:
        over = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
        await self.engine.start()
        sys.stderr.write("works\n")
        sys.stderr.flush()
        await over.wait()
        await self.engine.stop()


if __name__ == "__main__":
    asyncio.run(Worker(sys.argv[1]).run())
