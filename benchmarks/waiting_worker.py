"""A worker whose launches wait for one milestone each, and write down how late it began.

The milestone's instant is part of the launch's name, as T-0 is part of a record: whoever runs the launch finds it
there. Called as `waiting_worker.py URL FILE WAY`.
"""

import asyncio
import os
import signal
import sys

from tminus.control.ports import Engine, Json
from tminus.engine.durable import DurableEngine
from tminus.wiring import SystemClock

CLOCK = SystemClock()
DAY = 86_400.0


def name(number: int, due: float) -> str:
    """The launch of this number whose milestone is due at this instant, in seconds of the epoch."""
    return f"wait-{number}-{round(due * 1000)}"


def due_of(launch: str) -> float:
    """The instant in a launch's name."""
    return int(launch.rpartition("-")[2]) / 1000


class Worker:
    """The launches of one process."""

    def __init__(self, url: str, file: str, way: str) -> None:
        self._notes = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._way = way
        self.engine = DurableEngine(url, {"launch": self.body}, CLOCK)

    def note(self, *words: object) -> None:
        """One line for whoever measures; whatever was written survives the process."""
        os.write(self._notes, " ".join(map(str, (os.getpid(), *words, "\n"))).encode())

    async def body(self, engine: Engine, launch: str) -> Json:
        """Wait in the way that is asked for, and begin the milestone; a countdown then waits for its next."""
        due = due_of(launch)
        self.note("waits", launch)
        if self._way == "rest":
            if CLOCK.now() < due:
                await engine.rest(due)
        elif self._way == "receive":
            await engine.receive("control", due)
        else:
            await engine.sleep_until(due)

        async def milestone() -> Json:
            self.note("begins", launch, f"{CLOCK.now() - due:.3f}")
            return {}

        if self._way == "rest":
            await engine.act("milestone", milestone)
            await engine.rest(due + DAY)
        return await engine.step("milestone", milestone)

    async def run(self) -> None:
        """Until the process is told to end."""
        over = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
        await self.engine.start()
        self.note("works")
        await over.wait()
        await self.engine.stop()


if __name__ == "__main__":
    asyncio.run(Worker(*sys.argv[1:4]).run())
