"""How the common database stands, as it was seen at one moment; what follows from it is `domain.diagnosis`."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from tminus.domain import fields
from tminus.domain.course import Course
from tminus.domain.offsets import clock
from tminus.domain.orders import BEFORE_GO
from tminus.domain.record import Event
from tminus.domain.rollout import State

UNDER_WAY = frozenset({"ENQUEUED", "PENDING", "DELAYED"})
"""What the engine calls work that is not over; only what is `PENDING` has somebody who runs it."""


class Grade(StrEnum):
    """How one finding is to be taken."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """There is no data: nobody may take it for good."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, what it means, and what to do now."""

    subject: str
    """`database`, `schema`, `workers`, `launches`, `queues`, `outbox`, `clocks` or `disk`."""
    grade: Grade
    says: str
    do: str = ""
    """What to do now; empty when there is nothing to do."""


@dataclass(frozen=True, slots=True)
class Heart:
    """One process that runs launches, or ran them within the last hour."""

    executor: str
    age: float
    """Seconds since its newest heartbeat, both by the clock of the database."""
    buried: bool = False
    """Whether it has ended, or others have taken its work."""
    ahead: float | None = None
    """Seconds by which its machine's clock was ahead of the database's at that heartbeat; none where it is not told."""
    knows: str = ""
    """The newest revision of the tables that its code knows; empty where it is not told."""


@dataclass(frozen=True, slots=True)
class Schema:
    """The revision of the tables beside those that this tminus knows."""

    revision: str | None
    """None before the first."""
    known: tuple[str, ...]
    """The first one first."""
    needed: str
    """What this tminus runs with; every later one waits until no earlier tminus runs."""

    @property
    def right(self) -> bool:
        """Whether this tminus can work with the tables."""
        return self.revision in self.known and not self.behind

    @property
    def waits(self) -> bool:
        """Whether a migration waits until no earlier tminus runs."""
        return self.right and self.revision != self.known[-1]

    def earlier(self, heart: Heart) -> bool:
        """Whether a process may run code that the newest revision would break."""
        return heart.knows in {"", *self.known[:-1]}

    @property
    def behind(self) -> bool:
        """Whether the tables are older than this tminus needs."""
        if self.revision not in self.known:
            return self.revision is None
        return self.known.index(self.revision) < self.known.index(self.needed)


@dataclass(frozen=True, slots=True)
class OpenLaunch:
    """A launch that has not ended."""

    id: str
    course: Course | None
    """Where it stands; none when its record cannot be followed."""
    dues: tuple[float, ...] = ()
    """The milestones before T-0 that hold lines which GO needs, as offsets in seconds."""
    state: str = ""
    """What the engine says of it, in capitals; empty when it does not know the launch."""
    executor: str = ""
    """Who runs it, or ran it last."""

    def late(self, now: float) -> tuple[str, float] | None:
        """The first milestone that should have been reached at `now`, and for how many seconds; none when none should.

        After GO the record does not say what is due, and where waits are shortened, not when.
        """
        due = self.due()
        return (due[0], now - due[1]) if due is not None and due[1] < now else None

    def due(self) -> tuple[str, float] | None:
        """The next milestone, T-0 among them, and its instant in seconds of the epoch; none when only people wait."""
        course = self.course
        if course is None or course.t0 is None or course.held or course.speed != 1:
            return None
        if course.phase not in BEFORE_GO:
            return None
        left = [offset for offset in sorted(self.dues) if clock(offset) not in course.reached]
        if not left and course.phase is State.COUNTING:
            left = [0.0]
        return (clock(left[0]), course.t0 + left[0]) if left else None


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits somewhere: how much, and the oldest of it."""

    count: int
    oldest: float = 0.0
    """Seconds for which the oldest has waited; 0 where nothing waits."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What the database said at one moment."""

    now: float
    """Seconds of the epoch, by the clock of the database."""
    ahead: float
    """Seconds by which the clock of this machine is ahead of it."""
    doubt: float
    """Seconds by which `ahead` may be wrong: half the time that the answer took."""
    schema: Schema
    hearts: tuple[Heart, ...] | None = None
    """None, here and below, where the tables that would say it are not there."""
    launches: tuple[OpenLaunch, ...] | None = None
    queues: Mapping[str, Waiting] | None = None
    """By the queue's name: launches that wait to be taken."""
    outbox: Waiting | None = None
    """Messages that their launch has not taken yet."""
    free: int | None = None
    """Bytes left on the disk of the database; none where it is not a file of this machine."""


def dues(opened: Event) -> tuple[float, ...]:
    """The milestones before T-0 of a launch, by the first event of its record; raises `RecordError`."""
    found = {fields.number(line, "due_ms") / 1000 for line in fields.rows(opened.data, "required")}
    return tuple(sorted(offset for offset in found if offset < 0))
