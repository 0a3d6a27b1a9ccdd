"""Launches in memory and in virtual time: the durable engine's twin for tests, under the same contract.

Time passes only when the test lets it, so a launch of two days takes milliseconds. The process can be told to die at
any moment between two steps; started again, it goes on as the durable one does.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tminus.control.ports import Engine, Json
from tminus.control.remembered import given, kept
from tminus.control.turns import Rested
from tminus.errors import PartError

Body = Callable[[Engine, str], Awaitable[Json]]
"""See `durable.Body`."""


class Killed(BaseException):
    """The process died at this moment; nothing in a launch may catch it."""


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
    error: str = ""


class MemoryEngine:
    """Runs launches in this process; `dies_at` counts the moments before and after each step, from 0."""

    def __init__(self, bodies: Mapping[str, Body], now: float = 1_800_000_000.0) -> None:
        self.time = now
        self.dies_at: int | None = None
        self.moments: list[str] = []
        self._bodies = bodies
        self._launches: dict[str, _Launch] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._waits: dict[asyncio.Event, float] = {}
        self._alive = False

    @property
    def alive(self) -> bool:
        """Whether the process lives: it was started, and neither stopped nor killed since."""
        return self._alive

    async def start(self) -> None:
        """See `DurableEngine.start`."""
        self._alive = True
        for launch_id in self._launches:
            self._spawn(launch_id)

    async def begin(self, body: str, launch_id: str) -> None:
        """See `DurableEngine.begin`."""
        if launch_id not in self._launches:
            self._launches[launch_id] = _Launch(body)
            self._spawn(launch_id)

    async def result(self, launch_id: str) -> Json | None:
        """See `DurableEngine.result`."""
        launch = self._launches.get(launch_id)
        if launch is not None and launch.error:
            raise PartError(
                f"the launch {launch_id} stopped by an error of its own: {launch.error}",
                hint="report this with the record; nothing was rolled back by it",
            )
        return launch.result if launch else None

    async def send(self, launch_id: str, topic: str, message: Json, key: str) -> None:
        """See `DurableEngine.send`."""
        launch = self._launches[launch_id]
        if key not in launch.keys:
            launch.keys.add(key)
            launch.mail.append((topic, _plain(message)))
            self._wake(list(self._waits))

    async def stop(self) -> None:
        """See `DurableEngine.stop`; also what is left after a death."""
        self._alive = False
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()
        self._waits.clear()

    async def advance(self, until: float) -> None:
        """Let time pass up to an instant; everything that falls due on the way happens in its order."""
        await self._settle()
        while self._alive and (due := min(self._waits.values(), default=until)) < until:
            await self._pass(due)
        await self._pass(until)

    async def finish(self, launch_id: str) -> Json:
        """Let time pass until this launch is over; its result."""
        await self._settle()
        while await self.result(launch_id) is None:
            assert self._alive, f"the process died at {self.moments[-1]}"  # noqa: S101 - see `dies_at`
            assert self._waits, f"nothing ends the wait of {launch_id}"  # noqa: S101 - a test would hang
            await self.advance(min(self._waits.values()))
        found = await self.result(launch_id)
        assert found is not None  # noqa: S101 - the loop ended by it
        return found

    def moment(self, what: str) -> None:
        """A moment passes; raises `Killed` when it is the last."""
        if not self._alive:
            raise Killed(what)
        self.moments.append(what)
        if self.dies_at == len(self.moments) - 1:
            self._alive = False
            raise Killed(what)

    async def wait(self, until: float) -> None:
        """Wait for an instant of virtual time, or for any message."""
        event = asyncio.Event()
        self._waits[event] = until
        await event.wait()

    async def _pass(self, until: float) -> None:
        self.time = max(self.time, until)
        self._wake([event for event, due in self._waits.items() if due <= self.time])
        await self._settle()

    def _wake(self, events: Sequence[asyncio.Event]) -> None:
        """Let them look; whoever was woken for nothing waits again."""
        for event in events:
            del self._waits[event]
            event.set()

    async def _settle(self) -> None:
        """Let every launch come to its next wait, its end or its death."""
        while self._alive and self._busy():  # noqa: ASYNC110 - whatever runs is not ours to notify us
            await asyncio.sleep(0)
        self._note_breaks()

    def _busy(self) -> bool:
        running = sum(not task.done() for task in self._tasks.values())
        return running > len(self._waits)

    def _spawn(self, launch_id: str) -> None:
        launch = self._launches[launch_id]
        if launch.result is None and not launch.error:
            self._tasks[launch_id] = asyncio.create_task(self._run(launch_id, launch))

    async def _run(self, launch_id: str, launch: _Launch) -> None:
        while launch.result is None:
            await self._rest(launch)
            try:
                launch.result = _plain(await self._bodies[launch.body](MemorySteps(self, launch), launch_id))
            except Rested:
                continue

    async def _rest(self, launch: _Launch) -> None:
        while launch.rests is not None and self.time < launch.rests and not launch.mail:
            await self.wait(launch.rests)
        launch.rests = None

    def _note_breaks(self) -> None:
        """A launch that breaks is an ending, which `result` tells; one that was killed has none yet."""
        for launch_id, task in self._tasks.items():
            error = task.exception() if task.done() and not task.cancelled() else None
            if error is not None and not isinstance(error, Killed):
                self._launches[launch_id].error = str(error)


class MemorySteps:
    """The engine as a launch sees it."""

    def __init__(self, engine: MemoryEngine, launch: _Launch) -> None:
        self._engine = engine
        self._launch = launch
        self._place = 0

    async def step(self, name: str, act: Callable[[], Awaitable[Json]]) -> Json:
        """See `Engine.step`."""
        known = self._recall(name)
        if known is None:
            self._engine.moment(f"before {name}")
            done = await kept(act)
            self._engine.moment(f"inside {name}")
            known = self._remember(name, done)
        return given(known)

    async def act(self, name: str, act: Callable[[], Awaitable[Json]]) -> Json:
        """See `Engine.act`."""
        self._engine.moment(f"before {name}")
        done = await kept(act)
        self._engine.moment(f"inside {name}")
        return given(done)

    async def rest(self, until: float) -> None:
        """See `Engine.rest`."""
        self._engine.moment("before rest")
        if self._launch.mail:
            self._launch.mail.clear()
            self._engine.moment("told before rest")
            return
        self._launch.memory.clear()
        self._launch.rests = until
        self._engine.moment("after rest")
        raise Rested

    async def receive(self, topic: str, until: float) -> Json | None:
        """See `Engine.receive`."""
        name = f"receive {topic}"
        known = self._recall(name)
        if known is None:
            while (place := self._oldest(topic)) is None and self._engine.time < until:
                await self._engine.wait(until)
            self._engine.moment(f"before {name}")
            # Taken and remembered at one moment, as in one transaction of a database.
            message = None if place is None else self._launch.mail.pop(place)[1]
            known = self._remember(name, {"result": message})
        return known["result"]  # type: ignore[return-value] # a remembered message is Json or nothing

    async def sleep_until(self, until: float) -> None:
        """See `Engine.sleep_until`."""
        while self._engine.time < until:
            await self._engine.wait(until)

    async def now(self) -> float:
        """See `Engine.now`."""
        known = self._recall("now") or self._remember("now", {"result": self._engine.time})
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
        self._engine.moment(f"after {name}")
        return kept

    def _oldest(self, topic: str) -> int | None:
        return next((place for place, (there, _) in enumerate(self._launch.mail) if there == topic), None)


def _plain(value: Json) -> Json:
    kept: Json = json.loads(json.dumps(value, allow_nan=False))
    return kept
