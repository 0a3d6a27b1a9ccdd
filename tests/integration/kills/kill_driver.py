"""Runs whole launches and kills them: at each boundary of a step, and at moments that a seed chooses."""

import asyncio
import multiprocessing
import random
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Protocol

import kill_world
from kill_engine import ENDED, TAKES_OVER
from kill_findings import Story, faults, told, with_users
from kill_worker import PLAN, Task, live

from tminus.http import connect
from tminus.planfile import read
from tminus.standins.clock import wall_clock
from tminus.wiring.keys import Keys

SECONDS = 480.0
"""How long one launch may take with all its kills, on a machine that does much else; undisturbed it takes 15."""
AHEAD = 86_400.0
"""T-0 lies a day ahead when a launch begins, so that its first milestone is due at once."""
CONTEXT = multiprocessing.get_context("forkserver")
"""Each process is forked from one that has read the code already: a life costs milliseconds to begin."""


class Database(Protocol):
    """Where launches keep what survives them."""

    @property
    def name(self) -> str:
        """What it is called in a report."""
        ...

    async def url(self, folder: Path) -> str:
        """A database for one launch."""
        ...


@dataclass(frozen=True, slots=True)
class SqliteFile:
    """One file for each launch."""

    name: str = "SQLite"

    async def url(self, folder: Path) -> str:
        """See `Database.url`."""
        return f"sqlite:///{folder / 'launch.db'}"


@dataclass(frozen=True, slots=True)
class Kills:
    """Where one launch is killed."""

    boundaries: tuple[str, ...] = ()
    after: tuple[float, ...] = ()
    """For each life in turn, after how many seconds it is ended."""
    overtaken: bool = False
    """Whether another process stands by from the beginning and takes over."""

    def __str__(self) -> str:
        where = [
            *(f"at {boundary!r}" for boundary in self.boundaries),
            *(f"after {s:.3f} s" for s in self.after),
        ]
        return ("taken over, " if self.overtaken else "") + (", ".join(where) or "undisturbed")


@dataclass(frozen=True, slots=True)
class Run:
    """One launch and what became of it."""

    release: str
    kills: Kills
    story: Story
    killed: int
    """How many processes were ended."""
    seconds: float
    died: tuple[str, ...]
    """The boundaries at which a process really died: a step may not come, or another kill may come first."""
    faults: list[str]
    exposed: float = 0.0
    """For how many seconds green had users while no process of the launch lived."""

    def __str__(self) -> str:
        told = "".join(f"\n    {fault}" for fault in self.faults)
        return f"{self.seconds:.1f} s, {self.killed} killed, {self.kills}: {self.story.outcome}{told}"


class Site:
    """Where launches are run: a home for their keys and records, and the world outside."""

    def __init__(self, home: Path, database: Database) -> None:
        self.home = home
        self.database = database
        self.port = 0
        self._number = 0
        Keys(home).enrol(read(PLAN))

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Site"]:
        """The world runs within it."""
        CONTEXT.set_forkserver_preload(["aiohttp.web", "tminus.wiring", "tminus.planfile", "tminus.testing"])
        here, there = CONTEXT.Pipe()
        process = CONTEXT.Process(target=kill_world.serve, args=(there,))
        process.start()
        there.close()
        try:
            self.port = await asyncio.to_thread(here.recv)
            yield self
        finally:
            here.close()
            await asyncio.to_thread(process.join)

    async def run(self, release: str, kills: Kills, clean: Story | None = None) -> Run:
        """One launch of a release, killed where it is to be; compared with an undisturbed one where there is one."""
        self._number += 1
        launch = f"{release}-{self._number}"
        task = Task(
            self.home, launch, "", self.port, wall_clock() + AHEAD, kills.boundaries, not kills.overtaken
        )
        task.folder.mkdir(parents=True)
        task = replace(task, database=await self.database.url(task.folder))
        began = wall_clock()
        await self._ask("PUT", launch, {"release": release})
        lives = Lives(task, kills)
        ended = await lives.through()
        story = told(task.folder, self.home, await self._ask("GET", launch))
        await self._ask("DELETE", launch)
        story.faults.extend(ended)
        found = faults(story, clean) if clean else story.faults
        died = tuple(
            at for number, at in enumerate(kills.boundaries) if (task.folder / f"died {number}").exists()
        )
        if not found:
            shutil.rmtree(task.folder)
        exposed = with_users(story, lives.dead)
        return Run(release, kills, story, lives.killed, wall_clock() - began, died, found, exposed)

    async def _ask(self, method: str, launch: str, body: Any = None) -> dict[str, Any]:
        async with connect(f"http://127.0.0.1:{self.port}", seconds=20) as http:
            answer = await http.ask(method, f"/{launch}", json_body=body)
        result: dict[str, Any] = answer.json()
        return result


class Lives:
    """The processes of one launch, one after the other or side by side."""

    def __init__(self, task: Task, kills: Kills) -> None:
        self._task = task
        self._after = list(kills.after)
        self._side_by_side = 2 if kills.overtaken and TAKES_OVER else 1
        self._begun = 0
        self._living = 0
        self._died_at: float | None = None
        self.killed = 0
        self.dead: list[tuple[float, float]] = []
        """From when to when no process lived, after the first one."""

    async def through(self) -> list[str]:
        """Start processes until the launch is over; says what is wrong with how they ended."""
        try:
            async with asyncio.timeout(SECONDS):
                ends = await asyncio.gather(*(self._one_after_other() for _ in range(self._side_by_side)))
        except TimeoutError:
            return [f"it did not end within {SECONDS:g} s"]
        return [f"a process ended with {code} by itself" for code in ends if code]

    async def _one_after_other(self) -> int:
        while True:
            code = await self._life()
            if code not in ENDED:
                return code
            self.killed += 1

    async def _life(self) -> int:
        number = self._begun
        self._begun += 1
        process = CONTEXT.Process(target=live, args=(replace(self._task, life=str(number)),))
        process.start()
        self._lives()
        try:
            when = self._after.pop(0) if self._after else None
            await _joined(process, when)
            if process.exitcode is None:
                process.kill()
            await _joined(process, None)
        finally:
            process.kill()
            self._dies()
        assert process.exitcode is not None
        return process.exitcode

    def _lives(self) -> None:
        # What the process needs to begin counts as life; the fork that it is has read the code already.
        if self._died_at is not None:
            self.dead.append((self._died_at, wall_clock()))
            self._died_at = None
        self._living += 1

    def _dies(self) -> None:
        self._living -= 1
        if not self._living:
            self._died_at = wall_clock()


async def _joined(process: BaseProcess, seconds: float | None) -> None:
    """Wait for the end of a process, here and in no thread.

    Starting a process asks after all others, and of two threads that ask at once one is told 255.
    """
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(process.sentinel, over.set)
    try:
        with suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), seconds)
    finally:
        loop.remove_reader(process.sentinel)


def spread(boundaries: Sequence[str], each: int) -> list[Kills]:
    """Every boundary once, so many in one launch and far from each other."""
    stride = -(-len(boundaries) // each)
    return [Kills(boundaries=tuple(boundaries[first::stride])) for first in range(stride)]


def drawn(dice: random.Random, seconds: float) -> Kills:
    """One to three moments, the first somewhere in a launch of this length."""
    first = dice.uniform(0.0, seconds)
    more = [dice.uniform(0.05, seconds / 2) for _ in range(dice.choice((0, 0, 1, 2)))]
    return Kills(after=(first, *more), overtaken=dice.random() < 0.5 and TAKES_OVER)
