"""A process with one launch of three steps, which kills itself where it is told to, but only the first time."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from tminus.control.ports import Engine, Json
from tminus.engine.durable import DurableEngine
from tminus.errors import RolloutError
from tminus.processes import wait_until
from tminus.wiring import SystemClock

LAUNCH = "launch-1"
FOLDER = Path(sys.argv[1]) if __name__ == "__main__" else Path()
DIES = sys.argv[2] if __name__ == "__main__" else ""


def note(what: str) -> None:
    """Write down what was done, so that it is known after a kill."""
    with (FOLDER / "done").open("a") as file:
        file.write(f"{what}\n")
        file.flush()
        os.fsync(file.fileno())


def die(where: str) -> None:
    if where == DIES:
        os.kill(os.getpid(), signal.SIGKILL)


async def one() -> Json:
    note("one")
    return {"made": os.urandom(8).hex()}


async def refused() -> Json:
    note("refused")
    raise RolloutError("green did not come up", hint="read green's log")


async def two() -> Json:
    note("two begins")
    die("inside two")
    note("two")
    return {"made": 2}


async def body(engine: Engine, launch: str) -> Json:
    note("body")
    first = await engine.step("one", one)
    note(f"made {first['made']}")
    die("after one")
    try:
        await engine.step("refused", refused)
    except RolloutError as error:
        caught = [type(error).__name__, str(error), error.hint]
    else:
        raise AssertionError
    die("after refused")
    note("listens")
    message = await engine.receive("control", await engine.now() + 60)
    again = await engine.receive("control", await engine.now() + 0.5)
    second = await engine.step("two", two)
    told: Json = {"message": message, "again": again}
    return {"launch": launch, "first": first, "caught": [*caught], "second": second, **told}


async def main() -> None:
    engine = DurableEngine(f"sqlite:///{FOLDER / 'launch.db'}", {"launch": body}, SystemClock(), alone=True)
    await engine.start()
    for _ in range(2):  # the second start of the same launch must not begin another
        await engine.begin("launch", LAUNCH)

    async def over() -> bool:
        return await engine.result(LAUNCH) is not None

    await wait_until(over, 60, "the launch")
    (FOLDER / "result.json").write_text(json.dumps(await engine.result(LAUNCH)))
    await engine.stop()


if __name__ == "__main__":
    asyncio.run(main())
