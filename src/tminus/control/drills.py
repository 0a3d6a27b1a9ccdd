"""What a rehearsal works with: where a drill takes place, what is asked of it, and how it tells people."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Protocol

from tminus.control.inspection import Inspection
from tminus.control.ports import Clock, Engine, Prober, Record, Smoke, Target, Traffic
from tminus.control.watch import Watch
from tminus.domain.guard import GuardLimits
from tminus.domain.rehearsal import Rehearsal
from tminus.domain.traffic import Outcome, WeightChange
from tminus.domain.trigger import WINDOW

EVIDENCE_SECONDS = 180.0
"""How long a sequential test, or what fires at once, may take; ten times the usual."""
SLACK_SECONDS = 2.0 * WINDOW
"""How long beside its hold time a trigger may take: its window has to fill with bad answers first."""


class Rehearsals(Protocol):
    """The rehearsals that are kept."""

    def now(self) -> float:
        """The time by which their age is told, in seconds of the epoch."""
        ...

    async def kept(self) -> Sequence[Rehearsal]:
        """All of them; raises `ProbeError` when they cannot be read, or one is not what its name says."""
        ...


class Writers(Protocol):
    """Users who write meanwhile, and remember what they were told is stored."""

    async def begin(self) -> None:
        """Write from now on."""
        ...

    async def end(self) -> None:
        """Write no more."""
        ...

    async def look(self) -> tuple[int, tuple[str, ...]]:
        """How much was stored since `begin`, and which of it is not there as it was written."""
        ...


@dataclass(frozen=True, slots=True)
class Wish:
    """One drill as it is asked for."""

    subject: str
    """See `domain.rehearsal.SUBJECTS`."""
    definition: str
    fault: str
    """In words."""
    strike: Callable[[Watch], Awaitable[None]]
    """Injects the fault; the watch is given for faults that are a finding."""
    weight: int
    hold_seconds: float
    planned_seconds: float
    """The plan's own hold time."""
    unready: str = ""
    """Why this cannot be rehearsed; empty where it can."""

    @property
    def rule(self) -> str:
        """Its name in a decision."""
        kind, _, name = self.subject.partition(".")
        return name if kind == "guard" else f"trigger.{name}"

    @property
    def patience(self) -> float:
        """How long after the fault it must have fired."""
        return self.hold_seconds + SLACK_SECONDS if self.hold_seconds else EVIDENCE_SECONDS


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a drill takes place: one proxy, both sides, and their users."""

    target: Target
    traffic: Traffic
    prober: Prober
    smoke: Smoke
    writers: Writers
    clock: Clock
    limits: GuardLimits
    engine: Engine
    record: Callable[[], Record]
    """A new one for each drill."""
    inspection: Callable[[], Inspection | None]
    """The same; nothing where the plan has no invariants."""
    previous: str
    release: str
    drain_seconds: float
    one_by_one: AbstractAsyncContextManager[object] = field(default_factory=nullcontext)
    """Held while green starts: several at once would take from each other the time that each has."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a drill has come, for people."""

    subject: str
    text: str
    seconds: float | None = None
    """Since the fault; nothing before it."""
    breached: float = 0.0
    """For how long the condition has held."""
    hold: float = 0.0
    """Of how long."""
    routine: bool = False
    """Whether it is only the same thing a moment later."""


Tell = Callable[[Progress], None]


class FromNow:
    """Traffic as it comes from this moment on: a drill is not judged by the fault of the one before."""

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic
        self._before = len(traffic.items(0))

    def items(self, after: int) -> list[Outcome | WeightChange]:
        """See `Traffic.items`."""
        return self._traffic.items(self._before + after)

    def lost(self) -> int:
        """See `Traffic.lost`."""
        return self._traffic.lost()

    def received(self) -> int:
        """See `Traffic.received`."""
        return self._traffic.received()

    def blindness(self) -> str:
        """See `Traffic.blindness`."""
        return self._traffic.blindness()

    def refused(self) -> int:
        """See `Traffic.refused`."""
        return self._traffic.refused()

    def note_weight(self, change: WeightChange) -> None:
        """See `Traffic.note_weight`."""
        self._traffic.note_weight(change)
