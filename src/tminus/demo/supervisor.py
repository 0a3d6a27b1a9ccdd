"""Keeps the parts of a stage running: starts them, sees them end, and starts those again that may be.

A part is a description: its folder, command, environment, and how one knows that it answers. What runs outlives tminus
(see `tminus.processes`); the looking after does not, and the next tminus takes it up. Blue and green are not parts:
the target starts them, and one that ends has failed.
"""

import asyncio
import signal
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tminus import processes
from tminus.errors import PartError, ProbeError
from tminus.processes import Process

START_SECONDS = 30.0
"""How long a part may take to answer; a hundred times the usual, for a busy laptop."""
POLITE_SECONDS = 120.0
"""The same for one that is polite, so that on a busy machine everybody else comes first."""
STOP_SECONDS = 12.0
"""How long a part may take to finish; longer than a user waits for an answer."""
LOOK_SECONDS = 0.2
"""How often each part is looked at."""
LISTEN_SECONDS = 2.0
"""How often each part is asked whether it answers, and how long it may take: one that is stopped runs, and is deaf."""
DEAF_SECONDS = 6.0
"""How long a part may give no answer before it counts as missing: a busy machine makes each wait."""
SETTLE_SECONDS = 2.0
"""How long a part that came back counts as missing still: Prometheus knows a rate only after two scrapes."""


@dataclass(frozen=True, slots=True)
class Restarts:
    """How often a part that ended by itself is started again; each further time waits twice as long."""

    most: int
    within_seconds: float = 60.0
    """Restarts longer ago are forgotten."""
    pause_seconds: float = 0.1
    """The wait before the first."""


NEVER = Restarts(0)
"""For a part whose end is what a person must see: data, and the users themselves."""
AGAIN = Restarts(5)
"""For a part without memory: 0.1 s to 1.6 s of waiting, and whoever cannot be started after that needs a person."""


class Attempts:
    """Which restarts a part has had of late."""

    def __init__(self, policy: Restarts) -> None:
        self._policy = policy
        self._at: deque[float] = deque()

    def next_pause(self, now: float) -> float | None:
        """How long to wait before the next start, which this counts; nothing when there were too many."""
        while self._at and now - self._at[0] > self._policy.within_seconds:
            self._at.popleft()
        if len(self._at) >= self._policy.most:
            return None
        self._at.append(now)
        return float(self._policy.pause_seconds * 2 ** (len(self._at) - 1))


async def _at_once() -> bool:
    return True


async def _nothing() -> None:
    return


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a stage: all that is needed to start it, also again."""

    name: str
    """Also the name of its folder, in which it runs."""
    command: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    """It may hold secrets and is never shown."""
    answers: Callable[[], Awaitable[bool]] = _at_once
    """Whether it is ready to be used."""
    prepare: Callable[[], Awaitable[None]] = _nothing
    """What is done before each start, such as to write its configuration."""
    look: Callable[[], Awaitable[None]] = _nothing
    """What is done at each look while it runs."""
    restarts: Restarts = NEVER
    user: str | None = None
    """As whom it runs; needs root."""
    start_seconds: float = START_SECONDS
    """How long it may take until it is ready."""


@dataclass(frozen=True, slots=True)
class News:
    """Something that happened to a part."""

    part: str
    event: str
    """`ended`, `restarted`, `renewed` (on purpose), `failed` (to start again) or `left` (as it is, for a person)."""
    at: float
    """When it was noticed, in seconds of the epoch."""
    alive: float
    """When it was last seen alive, before it ended."""
    text: str
    """In words."""


Told = Callable[[News], Awaitable[None]]


async def together(*acts: Coroutine[Any, Any, object]) -> None:
    """Do all of this side by side; when one fails, the others are given up before that is told."""
    tasks = [asyncio.create_task(act) for act in acts]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _answers(part: Part) -> bool:
    """Whether a part answers within its time."""
    try:
        async with asyncio.timeout(LISTEN_SECONDS):
            return await part.answers()
    except (TimeoutError, ProbeError, PartError):
        return False


class Supervisor:
    """Looks after the parts in one stage folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parts: dict[str, Part] = {}
        self._renewed: set[str] = set()
        self._replaced: set[str] = set()
        self._away: dict[str, float | None] = {}
        self._deaf: dict[str, float] = {}
        """Since when each part that runs gives no answer."""

    async def start(self, part: Part) -> Process:
        """Have a part run and answer; a running one is left as it is. From now on it is one of ours."""
        self._parts[part.name] = part
        return await self._run(part)

    async def stop(self, name: str, *, by: signal.Signals = signal.SIGTERM) -> None:
        """End a part, whoever started it; it is no longer looked after. Nothing when it does not run."""
        self._parts.pop(name, None)
        process = processes.find(self._folder, name)
        if process is not None:
            await process.stop(STOP_SECONDS, by=by)

    async def renew(self, name: str) -> None:
        """End a part that is looked after, to be started anew as its preparation says now; its end is no news."""
        process = processes.find(self._folder, name)
        if process is not None:
            self._renewed.add(name)
            await process.stop(STOP_SECONDS)

    @contextmanager
    def replacing(self, name: str) -> Iterator[None]:
        """Within it another process takes the place of a part's: that one of them ends is no news."""
        self._replaced.add(name)
        try:
            yield
        finally:
            self._replaced.discard(name)

    def missing(self, now: float) -> dict[str, str]:
        """Which parts have ended or give no answer, or do so only just again; in words how each stands."""
        found = {
            name: f"{name} runs, but has given no answer for {now - since:.0f} s"
            for name, since in self._deaf.items()
            if now - since >= DEAF_SECONDS
        }
        for name, back in self._away.items():
            if back is None:
                found[name] = f"{name} does not run"
            elif now - back < SETTLE_SECONDS:
                found[name] = f"{name} has only just come back"
        return found

    async def watch(self, told: Told, now: Callable[[], float]) -> None:
        """Look after every part that was started by now, without end; what happens is told before it is acted on."""
        await together(*(self._keep(part, told, now) for part in self._parts.values()))

    async def _run(self, part: Part) -> Process:
        process = processes.find(self._folder, part.name)
        if process is None:
            processes.make_part_folder(self._folder, part.name, part.user)
            await part.prepare()
            process = processes.start(
                self._folder, part.name, part.command, env=part.environment, user=part.user
            )
        await process.ready(part.answers, part.start_seconds)
        return process

    async def _keep(self, part: Part, told: Told, now: Callable[[], float]) -> None:
        attempts = Attempts(part.restarts)
        while True:
            alive = await self._until_gone(part, now)
            if part.name not in self._parts:
                return  # somebody stopped it

            async def tell(event: str, text: str, alive: float = alive) -> None:
                if event in {"ended", "restarted"}:
                    self._away[part.name] = None if event == "ended" else now()
                await told(News(part.name, event, now(), alive, text))

            renewed = part.name in self._renewed
            self._renewed.discard(part.name)
            if not renewed:
                await tell("ended", "it does not run any more, and nobody here stopped it")
            if not await self._start_again(part, attempts, tell, now):
                return
            if renewed:
                await tell(
                    "renewed", "it was started anew, so that it runs the release that serves, and answers"
                )
            else:
                await tell("restarted", "it was started again and answers")

    async def _until_gone(self, part: Part, now: Callable[[], float]) -> float:
        """When it was last seen alive, once it is not."""
        alive = now()
        listening = asyncio.create_task(self._listen(part, now))
        try:
            while part.name in self._replaced or processes.find(self._folder, part.name) is not None:
                alive = now()
                if part.name not in self._replaced:
                    await part.look()
                await asyncio.sleep(LOOK_SECONDS)
                if listening.done():
                    listening.result()
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            self._deaf.pop(part.name, None)
        return alive

    async def _listen(self, part: Part, now: Callable[[], float]) -> None:
        """Ask a part that runs whether it answers, without end; what comes back has to settle like one that is new."""
        while True:
            await asyncio.sleep(LISTEN_SECONDS)
            asked = now()
            if not await _answers(part):
                self._deaf.setdefault(part.name, asked)
            elif (since := self._deaf.pop(part.name, None)) is not None and asked - since >= DEAF_SECONDS:
                self._away[part.name] = now()

    async def _start_again(
        self,
        part: Part,
        attempts: Attempts,
        tell: Callable[[str, str], Awaitable[None]],
        now: Callable[[], float],
    ) -> bool:
        """Start it as often as its policy allows; whether it runs again."""
        while (pause := attempts.next_pause(now())) is not None:
            await asyncio.sleep(pause)
            if part.name not in self._parts:
                return False
            try:
                await self._run(part)
            except PartError as error:
                await tell("failed", f"{error} ({error.hint})")
            else:
                return True
        often = part.restarts.most
        await tell(
            "left",
            f"it ended {often} times in {part.restarts.within_seconds:g} s"
            if often
            else "it is not started again",
        )
        return False
