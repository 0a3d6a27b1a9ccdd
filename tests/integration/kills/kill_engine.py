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
from tminus.engine.keeper import FENCED
from tminus.errors import TminusError
from tminus.standins.clock import wall_clock
from tminus.wiring import LAUNCH, SystemClock

TAKES_OVER = True
"""Whether a process takes over what another left while it runs already; else only a later start does."""
ENDED = frozenset({-signal.SIGKILL, FENCED})
"""How a process ends that another goes on for: killed, or silent for so long that its work was taken over."""


def durable(database: str, body: Body, *, alone: bool) -> DurableEngine:
    """This process's engine over the launch's database; alone, or beside others that may take over."""
    return DurableEngine(database, {LAUNCH: body}, SystemClock(), alone=alone)


async def begin(engine: DurableEngine, launch: str) -> None:
    """Start the launch, or go on with it."""
    await engine.begin(LAUNCH, launch)


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


Do = Callable[[str, Callable[[], Awaitable[Json]]], Awaitable[Json]]


class Told:
    """An engine whose boundaries are told: `begun` and `acted` in a step that runs, `after` once it is recorded."""

    def __init__(self, engine: Engine, doing: Doing) -> None:
        self._engine = engine
        self._doing = doing
        self._waits = 0
        """Messages waited for so far: each life that replays the launch counts the same ones."""

    async def step(self, name: str, act: Callable[[], Awaitable[Json]]) -> Json:
        """See `Engine.step`."""
        return await self._done(name, act, self._engine.step)

    async def act(self, name: str, act: Callable[[], Awaitable[Json]]) -> Json:
        """See `Engine.act`."""
        return await self._done(name, act, self._engine.act)

    async def _done(self, name: str, act: Callable[[], Awaitable[Json]], do: Do) -> Json:
        doing = self._doing

        async def acting() -> Json:
            doing.step = name
            doing.reach("begun", name)
            try:
                result = await act()
            except TminusError:
                doing.reach("acted", name)
                raise
            doing.reach("acted", name)
            return result

        doing.reach("before", name)
        try:
            result = await do(name, acting)
        except TminusError as error:
            doing.reach("after", name, {"error": str(error)})
            raise
        doing.reach("after", name, result)
        return result

    async def receive(self, topic: str, until: float) -> Json | None:
        """See `Engine.receive`."""
        self._waits += bool(until)
        name = f"receive {topic}, wait {self._waits}"
        if until:
            self._doing.reach("before", name)
        message = await self._engine.receive(topic, until)
        if until:
            self._doing.reach("after", name, {"message": message})
        return message

    async def rest(self, until: float) -> None:
        """See `Engine.rest`."""
        self._doing.reach("before", "rest")
        await self._engine.rest(until)

    async def sleep_until(self, until: float) -> None:
        """See `Engine.sleep_until`."""
        await self._engine.sleep_until(until)

    async def now(self) -> float:
        """See `Engine.now`."""
        return await self._engine.now()

    async def patched(self, change: str) -> bool:
        """See `Engine.patched`."""
        return await self._engine.patched(change)
