"""A worker of its own: it runs launches of many short steps, and writes down what it does."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from tminus.control.ports import Engine, Json
from tminus.engine.durable import DurableEngine
from tminus.wiring import SystemClock

URL, FOLDER, NAME = sys.argv[1:4] if __name__ == "__main__" else ("", "", "")
STEPS = 40
PAUSE = 0.2


def note(what: str) -> None:
    """Write down what was done, so that it is known after a kill."""
    with (Path(FOLDER) / "done").open("a") as file:
        file.write(f"{NAME} {what}\n")
        file.flush()
        os.fsync(file.fileno())


async def body(engine: Engine, launch: str) -> Json:
    for number in range(STEPS):

        async def act(number: int = number) -> Json:
            note(f"begins {launch} {number}")
            await asyncio.sleep(PAUSE)
            note(f"ends {launch} {number}")
            return {"by": NAME}

        await engine.step(f"step {number}", act)
    note(f"lands {launch}")
    return {"by": NAME}


async def main() -> None:
    engine = DurableEngine(URL, {"launch": body}, SystemClock())
    await engine.start()
    note("works")
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    await over.wait()
    await engine.stop()


if __name__ == "__main__":
    asyncio.run(main())
