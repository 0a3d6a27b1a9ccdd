"""Virtual time, death at a chosen moment, and an engine in memory that survives it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from math import inf, nextafter
from typing import TypeVar

from tminus.control.ports import Engine, Json
from tminus.control.remembered import given, kept
from tminus.control.turns import Rested

T = TypeVar("T")


class Crash(BaseException):
    """The process died at this moment; only who starts it again catches this."""


@dataclass(slots=True)
class Fate:
    """What the fakes of one launch did, and at which of these moments the process dies."""

    dies_at: int | None = None
    """The moment, counted from 0, after which the process is dead; none: it lives."""
    moments: list[str] = field(default_factory=list)
    """Everything that a fake did or an engine reached, in order."""
    acts: list[tuple[str, str]] = field(default_factory=list)
    """The step under way and what was done to the world in it."""
    step: str = ""
    """The step under way: its place and its name."""
    dead: bool = False

    def act(self, what: str) -> None:
        """Something was done to the world."""
        self.acts.append((self.step, what))
        self.moment(what)

    def moment(self, what: str) -> None:
        """A moment passes; raises `Crash` when it is the last, and for whatever a dead process tries."""
        if self.dead:
            raise Crash(what)
        self.moments.append(what)
        if self.dies_at == len(self.moments) - 1:
            self.dead = True
            raise Crash(what)


class FakeClock:
    """Time that passes only while somebody sleeps.

    Whoever is still asleep after `patience` seconds waits for what never comes: that is an `AssertionError`.
    """

    def __init__(self, now: float = 1_800_000_000.0, patience: float = 1800.0) -> None:
        self._now = now
        self._ends = now + patience
        self._alarms: list[tuple[float, int, Callable[[], None]]] = []
        self._set = 0

    def now(self) -> float:
        """See `Clock.now`."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """See `Clock.sleep`; whatever was planned for the time that passes happens in its order."""
        # A wait too short for this size of number would otherwise never end.
        until = max(self._now + seconds, nextafter(self._now, inf)) if seconds > 0 else self._now
        assert until <= self._ends, "nothing ends this wait"  # noqa: S101 - see the class
        while self._alarms and self._alarms[0][0] <= until:
            at, _, act = heappop(self._alarms)
            self._now = max(self._now, at)
            act()
        self._now = max(self._now, until)
        await asyncio.sleep(0)

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Plan something for a moment to come."""
        self._set += 1
        heappush(self._alarms, (self._now + seconds, self._set, act))


class VirtualEngine:
    """An engine whose memory outlives its process, as the durable one's does.

    Steps are remembered by place and name. A start after a crash answers finished steps from memory; one that comes in
    another order than before is an `AssertionError`, because the durable engine could not go on either.
    """

    def __init__(self, clock: FakeClock, fate: Fate | None = None) -> None:
        self._clock = clock
        self._fate = fate or Fate()
        self.memory: list[tuple[str, Json]] = []
        self.starts = 0
        self._place = 0
        self._mail: list[tuple[float, str, Json]] = []
        self._keys: set[str] = set()
        self._rests: float | None = None

    async def start(self, body: Callable[[Engine], Awaitable[T]]) -> T:
        """Run a body with what is remembered, once more after each rest; a crash on the way is raised."""
        self._fate.dead = False
        self.starts += 1
        while True:
            await self._sleep_at_rest()
            self._place = 0
            try:
                return await body(self)
            except Rested:
                continue

    async def _sleep_at_rest(self) -> None:
        while self._rests is not None and self._clock.now() < self._rests and not self._arrived():
            await self._clock.sleep(min(1.0, self._rests - self._clock.now()))
        self._rests = None

    async def run(self, body: Callable[[Engine], Awaitable[T]]) -> T:
        """Run a body, and start it again after every crash, until it ends."""
        while True:
            try:
                return await self.start(body)
            except Crash:
                continue

    async def step(self, name: str, act: Callable[[], Awaitable[Json]]) -> Json:
        """See `Engine.step`."""
        place, known = self._recall(name)
        if known is None:
            self._fate.step = f"{place} {name}"
            self._fate.moment(f"before {name}")
            known = await _kept(act)
            self._fate.moment(f"inside {name}")
            known = self._remember(name, known)
        return given(known)

    async def act(self, name: str, act: Callable[[], Awaitable[Json]]) -> Json:
        """See `Engine.act`."""
        self._fate.step = f"- {name}"
        self._fate.moment(f"before {name}")
        done = await _kept(act)
        self._fate.moment(f"inside {name}")
        return given(done)

    async def rest(self, until: float) -> None:
        """See `Engine.rest`."""
        self._fate.moment("before rest")
        if arrived := self._arrived():
            self._mail = [message for message in self._mail if message not in arrived]
            return
        self.memory.clear()
        self._rests = until
        self._fate.moment("after rest")
        raise Rested

    async def receive(self, topic: str, until: float) -> Json | None:
        """See `Engine.receive`."""
        name = f"receive {topic}"
        _, known = self._recall(name)
        if known is None:
            message = self._take(topic)
            while message is None and self._clock.now() < until:
                await self._clock.sleep(min(1.0, until - self._clock.now()))
                message = self._take(topic)
            known = self._remember(name, {"result": message})
        return known["result"]  # type: ignore[return-value] # a remembered message is Json or nothing

    async def sleep_until(self, until: float) -> None:
        """See `Engine.sleep_until`."""
        await self._clock.sleep(max(0.0, until - self._clock.now()))

    async def now(self) -> float:
        """See `Engine.now`."""
        _, known = self._recall("now")
        if known is None:
            known = self._remember("now", {"result": self._clock.now()})
        return float(str(known["result"]))

    async def patched(self, change: str) -> bool:
        """See `Engine.patched`."""
        name = f"patch {change}"
        if self._place < len(self.memory) and self.memory[self._place][0] != name:
            return False
        if self._recall(name)[1] is None:
            self._remember(name, {"result": True})
        return True

    def send(self, topic: str, message: Json, *, at: float = 0.0, key: str = "") -> None:
        """Leave a message that arrives at an instant, at once by default; the same key is delivered once."""
        if key and key in self._keys:
            return
        self._keys.add(key)
        self._mail.append((at, topic, message))

    def _recall(self, name: str) -> tuple[int, Json | None]:
        place = self._place
        self._place += 1
        if place >= len(self.memory):
            return place, None
        known, answer = self.memory[place]
        assert known == name, f"step {place} was {known!r} and is now {name!r}"  # noqa: S101 - see the class
        return place, answer

    def _remember(self, name: str, answer: Json) -> Json:
        kept: Json = json.loads(json.dumps(answer, allow_nan=False))
        self.memory.append((name, kept))
        self._fate.moment(f"after {name}")
        return kept

    def _arrived(self) -> list[tuple[float, str, Json]]:
        return [message for message in self._mail if message[0] <= self._clock.now()]

    def _take(self, topic: str) -> Json | None:
        for index, (at, there, message) in enumerate(self._mail):
            if there == topic and at <= self._clock.now():
                del self._mail[index]
                return message
        return None


async def _kept(act: Callable[[], Awaitable[Json]]) -> Json:
    try:
        return await kept(act)
    except BaseExceptionGroup as group:
        # A task group wraps what its tasks raise; a dead process raises nothing else.
        if group.split(Crash)[1] is None:
            raise Crash(str(group)) from group
        raise
