"""What the controls need from outside, as protocols; adapters and fakes implement them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tminus.domain.canonical import JsonValue
from tminus.domain.course import Course
from tminus.domain.evidence import Observation
from tminus.domain.measurement import Reading
from tminus.domain.message import Message
from tminus.domain.plan import Check
from tminus.domain.record import Event
from tminus.domain.traffic import Outcome, Side, WeightChange

Json = dict[str, JsonValue]


class Clock(Protocol):
    """Real time; the only place where the controls can ask for it."""

    def now(self) -> float:
        """Seconds of the epoch."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let this much time pass."""
        ...


class Steps(Protocol):
    """What a launch does step by step, and how it waits."""

    async def step(self, name: str, act: Callable[[], Awaitable[Json]]) -> Json:
        """Run an act at least once and remember its result; a later run returns what was remembered.

        An error that tminus raises on purpose is remembered too and raised again.
        """
        ...

    async def receive(self, topic: str, until: float) -> Json | None:
        """The oldest message to this launch that it has not taken yet, or nothing when none came by that instant.

        `until` is in seconds of the epoch, so the deadline survives restarts and steps of the clock: the wait goes on
        until the clock itself reads it. An instant that has passed looks once and does not wait.
        """
        ...

    async def now(self) -> float:
        """The instant, in seconds of the epoch; remembered like a step, so that a later run reads the same."""
        ...

    async def patched(self, change: str) -> bool:
        """Whether this launch goes the new way at a place where the order of its steps has changed.

        A launch that was past this place before the change goes on in the old way; each later one goes the new.
        """
        ...


class Engine(Steps, Protocol):
    """What survives a crash: finished steps are not repeated, messages are not lost."""

    async def act(self, name: str, act: Callable[[], Awaitable[Json]]) -> Json:
        """Run an act at least once and remember nothing: a later run acts again, and finds in the record what was done.

        What it raises is raised, and remembered by nobody either.
        """
        ...

    async def rest(self, until: float) -> None:
        """End this run of the launch; another begins, from the beginning of the launch, with nothing remembered.

        That is at an instant, in seconds of the epoch, or as soon as a message of any topic comes. Where one came
        already it returns instead, and all that came are taken: the record must hold what they are about. Raises what
        nobody may catch.
        """
        ...

    async def sleep_until(self, until: float) -> None:
        """Let time pass up to this instant, in seconds of the epoch; one that has passed is not waited for."""
        ...


class Record(Protocol):
    """The launch record, as one launch sees it."""

    async def append_once(self, key: str, kind: str, data: Json) -> Event:
        """Append an event unless this key is recorded already; either way, the event that is recorded."""
        ...

    async def append_while(self, allowed: Callable[[Course], None], key: str, kind: str, data: Json) -> Event:
        """The same, unless `allowed` raises for where the launch stands when it is written: that is raised then."""
        ...

    async def events(self, after_seq: int = -1) -> list[Event]:
        """Everything recorded so far behind this event, in order; all of it by default."""
        ...


async def recorded(record: Record, key: str) -> Event | None:
    """The event of this key; nothing while it is not recorded."""
    return next((event for event in await record.events() if event.key == key), None)


class Verifier(Protocol):
    """Reads a record as somebody does who does not believe it."""

    async def verify(self, events: Sequence[Event]) -> None:
        """Raise an error of ours, in words, unless the record of a launch under way proves what it says so far."""
        ...


@dataclass(frozen=True, slots=True)
class SideStatus:
    """How one side stands, read from the process and from the proxy."""

    running: bool
    """Its process lives."""
    started: float
    """When its process was created; another value than before is a restart."""
    digest: str
    """The image digest that the running code reports of itself; empty when it does not answer."""
    version: str
    up: bool
    """The proxy counts it as able to serve."""
    weight: int
    """Its share of new requests in percent, read back from the proxy."""
    sessions: int | None
    """Requests it is serving now; nothing where nobody counts them."""


class Target(Protocol):
    """Where blue and green run, and what divides the traffic between them."""

    async def prepare(self, digest: str) -> Json:
        """Verify every blob of a release and lay it ready to run; raises `ReleaseError` when it is not intact."""
        ...

    async def start(self, side: Side, digest: str) -> SideStatus:
        """Have this release run on that side, without traffic; already so: nothing happens."""
        ...

    async def set_weight(self, percent: int) -> int:
        """Give green this share of new requests; the share that the proxy reports afterwards."""
        ...

    async def status(self, side: Side) -> SideStatus:
        """How a side stands now; raises `UnreachableError` when that cannot be seen."""
        ...

    async def stop(self, side: Side, drain_seconds: float) -> int | None:
        """Drain a side to zero sessions, then stop it; the number of sessions at the moment of stopping.

        Where nobody counts sessions the drain is waited for in full, and the number is nothing.
        """
        ...

    def private_url(self, side: Side) -> str:
        """Where one side answers without the proxy."""
        ...

    def by_hand(self) -> tuple[str, ...]:
        """What a person types, line by line, to send all traffic to blue without tminus."""
        ...


class Traffic(Protocol):
    """What users meet, request by request, as the proxy logs it."""

    def items(self, after: int) -> list[Outcome | WeightChange]:
        """The trace of this launch after its first `after` items, in order of arrival; it survives our own death.

        Of very many only the first come at once; ask again for those behind them.
        """
        ...

    def lost(self) -> int:
        """How many requests the proxy counted of which no line arrived."""
        ...

    def received(self) -> int:
        """How many lines arrived since this process listens."""
        ...

    def blindness(self) -> str:
        """Why not every request can be seen at this moment; empty while each one is."""
        ...

    def refused(self) -> int:
        """How many lines somebody else tried to put into the proxy's log."""
        ...

    def note_weight(self, change: WeightChange) -> None:
        """Write a confirmed weight into the trace."""
        ...


class Memory(Protocol):
    """Keeps what the guard has come to, so that the next process need not read the whole trace of a day again."""

    def save(self, state: object) -> None:
        """Keep this in the place of what was kept; what cannot be written now is not kept."""
        ...

    def load(self) -> object | None:
        """What was kept; nothing where nothing is, or other code or other limits have kept it."""
        ...


class Prober(Protocol):
    """An independent look at the service through its public name."""

    async def answers(self) -> bool:
        """Whether a user would get an answer now."""
        ...


class Observer(Protocol):
    """Runs one probe."""

    async def observe(self, check: Check, arguments: Mapping[str, JsonValue]) -> Observation:
        """What the check's probe sees with these arguments; raises `ProbeError` when it can see nothing."""
        ...


class Database(Protocol):
    """The service's database, as the launch changes it."""

    async def back_up(self, name: str) -> Json:
        """Dump it into the file of this name; the file's SHA-256 and size, and what it holds.

        The same name again takes the place of what an earlier call has left.
        """
        ...

    async def migrate(self, digest: str) -> Json:
        """Bring the schema to the head of this release; the revisions read back before and after."""
        ...


class Invariants(Protocol):
    """What is always true of the service's data, as it can be read beside the service."""

    async def values(self) -> Mapping[str, JsonValue]:
        """By the name of each invariant: what it gives, all at one moment; raises `ProbeError` for one not seen."""
        ...


class Meter(Protocol):
    """Who answers the queries of a team's metrics."""

    async def read(self, system: str, query: str) -> Reading:
        """What a query gives now at the system of this name, within a time limit.

        Raises `ProbeError` when there is no answer; an answer without a number is a reading all the same, and one that
        rests on nothing that is measured now says so in its `doubt`.
        """
        ...


class Smoke(Protocol):
    """The smoke tests of the service."""

    async def failures(self, url: str) -> list[str]:
        """What fails at this private address, each as one sentence; nothing when all is well."""
        ...


class Commands(Protocol):
    """Runs commands of releases beside the service."""

    async def run(self, digest: str, command: Sequence[str], name: str = "") -> str:
        """Run a command of an image to its end; the last line that it printed.

        With a name it is the same run that an earlier call has begun by this name, where that can go on without us.
        Raises `RolloutError` when it fails, `ProbeError` when nobody can tell how it ended.
        """
        ...

    async def settle(self, name: str) -> None:
        """Wait for the run of this name, if there is one that goes on; raises `ProbeError` when that is not known."""
        ...


class Notifier(Protocol):
    """Tells people something by one system outside."""

    async def send(self, message: Message) -> str:
        """Hand a message over; the system's own word that it has taken it.

        Raises `UndeliveredError` when the system did not take it, or nobody can tell whether it did; a system that
        is silent is given a minute at the most.
        """
        ...


class Signatory(Protocol):
    """Signs statements in a person's name, with a key of that person's own."""

    def sign(self, role: str, statement: Json) -> Json:
        """The DSSE envelope of a statement."""
        ...


class EvidenceStore(Protocol):
    """Keeps what people show with their word, by its content.

    Everything that cannot be done now is `EvidenceError`, and nothing waits without end.
    """

    @property
    def where(self) -> str:
        """What people call the place; it holds no login."""
        ...

    async def put(self, content: bytes) -> str:
        """Keep this under its SHA-256, which is returned in hex; again, or by two at once, is the same.

        What stands there and is something else gives way to it. Raises `RefusedError` for nothing and for too much.
        """
        ...

    async def get(self, digest: str) -> bytes | None:
        """What is kept under a digest, compared with it; nothing where nothing is.

        Raises `SwappedError` when it is something else, `RecordError` for what is no digest.
        """
        ...

    async def has(self, digest: str) -> bool:
        """Whether anything is kept under a digest; what it is tells `get` alone."""
        ...
