"""How these tests take hold of the engine: the only file here that knows how it is made and what it offers.

`Told` stands between a launch and its engine: it says each boundary of each step, and the process dies where the task
says so.
"""

import json
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from tminus.control.ports import Engine, Json
from tminus.engine.durable import Body, DurableEngine
from tminus.errors import TminusError
from tminus.standins.clock import wall_clock
from tminus.wiring import SystemClock

TAKES_OVER = False
"""Whether a process takes over what another left while it runs already; else only a later start does."""


def durable(database: str, body: Body) -> DurableEngine:
    """This process's engine over the launch's database; nobody else lives when it starts."""
    return DurableEngine(database, {"launch": body}, SystemClock(), alone=True)


async def begin(engine: DurableEngine, launch: str) -> None:
    """Start the launch, or go on with it."""
    await engine.begin("launch", launch)


@dataclass(slots=True)
class Doing:
    """What one process is about, and where it is to die."""

    folder: Path
    life: str
    """The name of this process among those of its launch."""
    dies: tuple[str, ...]
    """Boundaries, each for the first process that reaches it."""
    step: str = ""
    """The step under way."""

    def by(self) -> Json:
        """Who asks the world for something."""
        return {"life": self.life, "step": self.step}

    def reach(self, moment: str, name: str, result: Json | None = None) -> None:
        """Write down a boundary, and die there if it is meant to be the end."""
        self.note({"moment": moment, "step": name, "result": result})
        boundary = f"{moment} {name}"
        if boundary in self.dies and self._first(boundary):
            os.kill(os.getpid(), signal.SIGKILL)

    def note(self, line: Json) -> None:
        """One line of this launch's diary; whatever was written survives the process."""
        text = json.dumps({**line, "life": self.life, "at": wall_clock()}) + "\n"
        with (self.folder / "diary.jsonl").open("ab", buffering=0) as diary:
            diary.write(text.encode())

    def _first(self, boundary: str) -> bool:
        try:
            (self.folder / f"died {self.dies.index(boundary)}").touch(exist_ok=False)
        except FileExistsError:
            return False
        return True


class Told:
    """An engine whose boundaries are told: `begun` and `acted` in a step that runs, `after` once it is recorded."""

    def __init__(self, engine: Engine, doing: Doing) -> None:
        self._engine = engine
        self._doing = doing

    async def step(self, name: str, act: Callable[[], Awaitable[Json]]) -> Json:
        """See `Engine.step`."""
        doing = self._doing

        async def acting() -> Json:
            doing.step = name
            doing.reach("begun", name)
            try:
                return await act()
            finally:
                doing.reach("acted", name)

        doing.reach("before", name)
        try:
            result = await self._engine.step(name, acting)
        except TminusError as error:
            doing.reach("after", name, {"error": str(error)})
            raise
        doing.reach("after", name, result)
        return result

    async def receive(self, topic: str, until: float) -> Json | None:
        """See `Engine.receive`."""
        name = f"receive {topic}"
        if until:
            self._doing.reach("before", name)
        message = await self._engine.receive(topic, until)
        if until:
            self._doing.reach("after", name, {"message": message})
        return message

    async def sleep_until(self, until: float) -> None:
        """See `Engine.sleep_until`."""
        await self._engine.sleep_until(until)

    async def now(self) -> float:
        """See `Engine.now`."""
        return await self._engine.now()

    async def patched(self, change: str) -> bool:
        """See `Engine.patched`."""
        return await self._engine.patched(change)
