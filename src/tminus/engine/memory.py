"""Launches in memory and in virtual time: the durable engine's twin for tests, under the same contract.

Time passes only when the test lets it, so a launch of two days takes milliseconds. The process can be told to die at
any moment between two steps; started again, it goes on as the durable one does.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Protocol, TypeVar

from tminus.control.ports import Clock, Engine, Json
from tminus.control.remembered import given, kept
from tminus.control.turns import Rested
from tminus.errors import PartError

T = TypeVar("T")

Body = Callable[[Engine, str], Awaitable[Json]]
"""See `durable.Body`."""


class Time(Clock, Protocol):
    """Time that passes only while somebody sleeps, as of `tminus.testing.FakeClock`."""

    def planned(self) -> float:
        """The instant of what happens next by itself; infinity where nothing does."""
        ...


class Life(Protocol):
    """The life of the process in which launches run, as of `tminus.testing.Fate`."""

    dead: bool
    step: str
    """The step under way: its place and its name."""

    def begin(self) -> None:
        """A new process begins."""
        ...

    def moment(self, what: str) -> None:
        """A moment passes; raises what nobody in a launch may catch when it is the last, or the process is dead."""
        ...


@dataclass(slots=True)
class _Launch:
    """What outlives the process."""

    body: str
    memory: list[tuple[str, Json]] = field(default_factory=list)
    mail: list[tuple[str, Json]] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    rests: float | None = None
    """Until when it is at rest; none while it is run."""
    result: Json | None = None
    broke: BaseException | None = None
    """The error of its own by which it stopped."""


class MemoryEngine:
    """Runs launches in this process, which lives as long as its `life`, and lets their `clock` go on meanwhile."""

    def __init__(self, bodies: Mapping[str, Body], clock: Time, life: Life) -> None:
        self.clock = clock
        self.life = life
        self._bodies = bodies
        self._launches: dict[str, _Launch] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._parts: set[asyncio.Future[Any]] = set()
        self._waits: dict[asyncio.Event, float] = {}

    async def start(self) -> None:
        """See `DurableEngine.start`."""
        self.life.begin()
        for launch_id in self._launches:
            self._spawn(launch_id)

    async def begin(self, body: str, launch_id: str) -> None:
        """See `DurableEngine.begin`."""
        if launch_id not in self._launches:
            self._launches[launch_id] = _Launch(body)
            self._spawn(launch_id)

    async def result(self, launch_id: str) -> Json | None:
        """See `DurableEngine.result`; the error that stopped a launch is the cause of the one that is raised."""
        launch = self._launches.get(launch_id)
        if launch is not None and launch.broke is not None:
            raise PartError(
                f"the launch {launch_id} stopped by an error of its own: {launch.broke}",
                hint="report this with the record; nothing was rolled back by it",
            ) from launch.broke
        return launch.result if launch else None

    async def send(self, launch_id: str, topic: str, message: Json, key: str) -> None:
        """See `DurableEngine.send`."""
        self.leave(launch_id, topic, message, key)

    def leave(self, launch_id: str, topic: str, message: Json, key: str) -> None:
        """The same for who cannot wait: what a clock has planned."""
        launch = self._launches[launch_id]
        if key not in launch.keys:
            launch.keys.add(key)
            launch.mail.append((topic, _plain(message)))
            self._wake(list(self._waits))

    async def stop(self) -> None:
        """See `DurableEngine.stop`; also what is left after a death."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()

    async def finish(self, launch_id: str) -> Json:
        """Let time pass until this launch is over; its result. Raises what ends a process that dies meanwhile."""
        await self.settle()
        while (result := await self.result(launch_id)) is None:
            await self._pass()
        return result

    async def passing(self, act: Awaitable[T]) -> T:
        """Let time pass while something acts by `steps`; what it gives or raises."""
        part = asyncio.ensure_future(act)
        self._parts.add(part)
        try:
            await self.settle()
            while not part.done():
                await self._pass()
            return part.result()
        finally:
            part.cancel()
            await asyncio.wait({part})
            self._parts.discard(part)

    async def settle(self) -> None:
        """Let every launch come to its next wait, its end or its death; no time passes but what it sleeps itself."""
        while not self.life.dead and self._busy():  # noqa: ASYNC110 - whatever runs is not ours to notify us
            await asyncio.sleep(0)
        self._note_breaks()

    def steps(self, launch_id: str) -> Engine:
        """A run from its beginning of a launch that no body runs: for a part of one alone, see `passing`."""
        return MemorySteps(self, self._launches.setdefault(launch_id, _Launch(body="")))

    def remembered(self, launch_id: str) -> list[str]:
        """The names of what a launch remembers, in order."""
        return [name for name, _ in self._launches[launch_id].memory]

    async def wait(self, until: float) -> None:
        """Wait for an instant of virtual time, or for any message."""
        event = asyncio.Event()
        self._waits[event] = until
        try:
            await event.wait()
        finally:
            self._waits.pop(event, None)

    async def _pass(self) -> None:
        """Let time pass up to what happens next: the end of a wait, or what is planned."""
        if self.life.dead:
            self.life.moment("no time passes for the dead")
        assert self._waits, "whoever acts waits for nothing that time brings"  # noqa: S101 - a test would hang
        soonest = min(*self._waits.values(), self.clock.planned())
        await self.clock.sleep(max(0.0, soonest - self.clock.now()))
        self._wake([event for event, due in self._waits.items() if due <= self.clock.now()])
        await self.settle()

    def _wake(self, events: Sequence[asyncio.Event]) -> None:
        """Let them look; whoever was woken for nothing waits again."""
        for event in events:
            del self._waits[event]
            event.set()

    def _busy(self) -> bool:
        """Whether anything acts; a launch takes one step after the other, so each has one wait at the most."""
        running = sum(not acts.done() for acts in chain(self._tasks.values(), self._parts))
        return running > len(self._waits)

    def _spawn(self, launch_id: str) -> None:
        launch = self._launches[launch_id]
        if launch.body and launch.result is None and launch.broke is None:
            self._tasks[launch_id] = asyncio.create_task(self._run(launch_id, launch))

    async def _run(self, launch_id: str, launch: _Launch) -> None:
        while launch.result is None:
            await self._rest(launch)
            try:
                launch.result = _plain(await self._bodies[launch.body](MemorySteps(self, launch), launch_id))
            except Rested:
                continue

    async def _rest(self, launch: _Launch) -> None:
        while launch.rests is not None and self.clock.now() < launch.rests and not launch.mail:
            await self.wait(launch.rests)
        launch.rests = None

    def _note_breaks(self) -> None:
        """A launch that breaks is an ending, which `result` tells; whatever broke in a death is none."""
        for launch_id, task in self._tasks.items():
            error = task.exception() if task.done() and not task.cancelled() else None
            if error is not None and not self.life.dead:
                self._launches[launch_id].broke = error


class MemorySteps:
    """The engine as a launch sees it."""

    def __init__(self, engine: MemoryEngine, launch: _Launch) -> None:
        self._engine = engine
        self._life = engine.life
        self._launch = launch
        self._place = 0

    async def step(self, name: str, act: Callable[[], Awaitable[Json]]) -> Json:
        """See `Engine.step`."""
        place = self._place
        known = self._recall(name)
        if known is None:
            known = self._remember(name, await self._acted(f"{place}", name, act))
        return given(known)

    async def act(self, name: str, act: Callable[[], Awaitable[Json]]) -> Json:
        """See `Engine.act`."""
        return given(await self._acted("-", name, act))

    async def _acted(self, place: str, name: str, act: Callable[[], Awaitable[Json]]) -> Json:
        self._life.step = f"{place} {name}"
        self._life.moment(f"before {name}")
        done = await kept(act)
        self._life.moment(f"inside {name}")
        return done

    async def rest(self, until: float) -> None:
        """See `Engine.rest`."""
        self._life.moment("before rest")
        if self._launch.mail:
            self._launch.mail.clear()
            self._life.moment("told before rest")
            return
        self._launch.memory.clear()
        self._launch.rests = until
        self._life.moment("after rest")
        raise Rested

    async def receive(self, topic: str, until: float) -> Json | None:
        """See `Engine.receive`."""
        name = f"receive {topic}"
        known = self._recall(name)
        if known is None:
            while (place := self._oldest(topic)) is None and self._engine.clock.now() < until:
                await self._engine.wait(until)
            self._life.moment(f"to {name}")
            # Taken and remembered at one moment, as in one transaction of a database.
            message = None if place is None else self._launch.mail.pop(place)[1]
            known = self._remember(name, {"result": message})
        return known["result"]  # type: ignore[return-value] # a remembered message is Json or nothing

    async def sleep_until(self, until: float) -> None:
        """See `Engine.sleep_until`."""
        while self._engine.clock.now() < until:
            await self._engine.wait(until)

    async def now(self) -> float:
        """See `Engine.now`."""
        known = self._recall("now") or self._remember("now", {"result": self._engine.clock.now()})
        return float(str(known["result"]))

    async def patched(self, change: str) -> bool:
        """See `Engine.patched`."""
        name = f"patch {change}"
        memory = self._launch.memory
        if self._place < len(memory) and memory[self._place][0] != name:
            return False
        if self._recall(name) is None:
            self._remember(name, {"result": True})
        return True

    def _recall(self, name: str) -> Json | None:
        place = self._place
        self._place += 1
        if place >= len(self._launch.memory):
            return None
        known, answer = self._launch.memory[place]
        if known != name:
            raise PartError(
                f"{name} comes where {known} was recorded: the order of steps has changed",
                hint="put the change behind `patched`, or raise the version of the engine",
            )
        return answer

    def _remember(self, name: str, answer: Json) -> Json:
        kept = _plain(answer)
        self._launch.memory.append((name, kept))
        self._life.moment(f"after {name}")
        return kept

    def _oldest(self, topic: str) -> int | None:
        return next((place for place, (there, _) in enumerate(self._launch.mail) if there == topic), None)


def _plain(value: Json) -> Json:
    kept: Json = json.loads(json.dumps(value, allow_nan=False))
    return kept
