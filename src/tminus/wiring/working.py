"""A worker: one process's share in running the launches of the common database, by the code of every launch."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from traceback import extract_tb

from sqlalchemy import make_url

from tminus import files
from tminus.control.courier import Courier, Post
from tminus.control.launch import Crew, Launch
from tminus.control.launchtime import LaunchTime
from tminus.control.opening import Binding
from tminus.control.ports import Engine, EvidenceStore, Json
from tminus.control.readiness import Readiness
from tminus.control.stages import Stages
from tminus.control.watch import Watch
from tminus.domain.canonical import timestamp
from tminus.domain.course import GUARDED, course_of
from tminus.domain.plan import Plan
from tminus.domain.rollout import State
from tminus.domain.timeline import LaunchClock
from tminus.domain.words import shown_files
from tminus.engine.durable import DurableEngine
from tminus.engine.keeper import Keeping
from tminus.engine.patience import Patience
from tminus.errors import (
    OutOfSequenceError,
    PartError,
    PlanError,
    RecordError,
    RefusedError,
    TminusError,
    UsageError,
)
from tminus.picture.reading import plan_digest
from tminus.store.orders import Order
from tminus.store.record import RecordStore
from tminus.store.tables import address, connect
from tminus.targets.absent import LACKS, AbsentTarget
from tminus.wiring import LaunchRecord, SystemClock, launch_folder
from tminus.wiring.appraisal import AFAR, afar
from tminus.wiring.attended import RECORD, AttendedRecord, Journal
from tminus.wiring.doubted import DoubtedRecord
from tminus.wiring.judging import guard_limits
from tminus.wiring.keys import Keys
from tminus.wiring.opening import BODY, binding_of, plan_of, seal_kept
from tminus.wiring.proving import OwnTrust
from tminus.wiring.rolling import Rolling, rolling
from tminus.wiring.shown import bundled
from tminus.wiring.telling import Counter, notifiers

_BEHIND_GO = {State.GO, State.LAUNCHING, State.SOAKING}
STRANGE_SECONDS = 30.0
"""How long a launch rests that this worker cannot read; another may take it then."""


def _place(error: Exception) -> str:
    """What kind of error it is, and where it was raised."""
    *_, frame = extract_tb(error.__traceback__)
    return f"{type(error).__name__} in {frame.name} ({Path(frame.filename).name}:{frame.lineno})"


@dataclass(frozen=True, slots=True)
class Yard:
    """Where a worker works."""

    database: str
    """`sqlite:///…` or `postgresql+psycopg://…`."""
    home: Path
    """Where its keys are, and where the records of launches that have ended go."""
    environment: Mapping[str, str]
    """What `env:` stands for in plans."""
    trust: Path
    """The trust root with which it verifies a GO before it acts on it."""
    evidence: EvidenceStore | None = None
    """Where all machines keep what people show; none where each keeps it beside its own records."""
    executor: str = ""
    """The name of this worker, which no other ever had; made up where it is left out."""
    dead: Sequence[str] = ()
    """Workers that whoever started this one has seen end."""


class Worker:
    """Runs launches from `start` to `stop`; `journal` takes what happens.

    Whoever runs one holds `place_of` meanwhile.
    """

    def __init__(self, yard: Yard, journal: Journal) -> None:
        self._yard = yard
        self._journal = journal
        self._clock = SystemClock()
        self._database = connect(yard.database)
        self._store = RecordStore(self._database)
        self._plans: dict[tuple[str, bool], Plan] = {}
        """By digest, and whether it is the shorter form."""
        self._told: dict[str, int | None] = {}
        """By launch that has not ended: the last event of which this process has told."""
        self._doubted: set[str] = set()
        """The launches whose records do not hold together, of which this process has said so."""
        self._strange: set[str] = set()
        """The launches whose plans this tminus reads otherwise than the one that opened them, and has said so."""
        self.engine = DurableEngine(
            yard.database,
            {BODY: self._body},
            self._clock,
            keeping=Keeping(
                tidings=lambda words: journal.say("", words),
                dead=yard.dead,
                sole=lock_of(yard.database) is not None,
                executor=yard.executor,
            ),
        )
        self._counter = Counter(self.engine.fenced)

    async def start(self) -> None:
        """Begin to work; raises `PartError` when the database does not answer."""
        Keys(self._yard.home).enrol_server()
        self._journal.say("", OwnTrust(self._yard.trust).told())
        await self.engine.start()

    async def stop(self) -> None:
        """Take nothing more, and leave the launches under way to others or to the next start."""
        await self.engine.stop()
        await asyncio.to_thread(self._database.dispose)

    async def _body(self, engine: Engine, launch: str) -> Json:
        if launch not in self._told:
            self._journal.say(launch, "is taken")
        try:
            while True:
                try:
                    return await self._run(engine, launch)
                except RecordError as error:
                    await self._hold(engine, launch, error)
        except TminusError as error:
            self._journal.say(launch, f"is left by an error: {error}; {error.hint}")
            raise
        except Exception as error:
            # Its words may hold anything, and are in the traceback that the engine logs.
            self._journal.say(
                launch, f"is left by a defect of tminus, {_place(error)}; report it with this worker's log"
            )
            raise

    async def _run(self, engine: Engine, launch: str) -> Json:
        patience = Patience(self._clock, partial(self._journal.say, launch))
        order = await patience.run(RECORD, lambda: self._store.order(launch))
        events = await patience.run(RECORD, lambda: self._store.events(launch))
        plan, binding = await self._understood(engine, order, launch, plan_digest(events)), binding_of(order)
        time = LaunchTime(self._clock, LaunchClock(binding.t0, binding.speed))
        own = LaunchRecord(self._store, launch, time)
        record = AttendedRecord(own, launch, self._journal, patience, self._told.get(launch))
        record.verifier = OwnTrust(self._yard.trust)
        courier = self._courier(launch, order.environment, plan, record)
        record.heard = courier.hear
        # What is left to be told of earlier runs; the record is not read again before the first wait is over.
        courier.hear(events)
        rolls: Rolling | None = None
        try:
            rolls = await self._rolling(engine, launch, plan, time, record)
            crew = replace(self._crew(plan, binding, record, time, rolls), settle=courier.settle)
            result = await Launch(binding, crew, engine).run()
        finally:
            self._told[launch] = record.told
            if rolls:
                await rolls.close()
            await courier.close()

        async def sealed() -> Json:
            seal = partial(seal_kept, self._store, launch, self._yard.home, time)
            path = await patience.run("its seal", seal, not_now=PartError)
            await self._bundle(launch, path, patience)
            self._journal.say(launch, f"has ended: {result['outcome']}; its record is {path}")
            return result

        ended = await engine.act("seal", sealed)
        await courier.tell_of_the_end(engine)
        del self._told[launch]
        return ended

    async def _hold(self, engine: Engine, launch: str, error: RecordError) -> None:
        """Let a launch rest whose record does not hold together; it is looked at again, and goes on once it does."""
        until = self._clock.now() + STRANGE_SECONDS
        if launch not in self._doubted:
            self._journal.say(launch, f"is held, for its record does not verify: {error}; {error.hint}")
            self._doubted.add(launch)
        try:
            until = await self._told_of(engine, launch, error, until)
        except OutOfSequenceError:
            raise error from None  # it has ended: nothing is left to be held
        except RecordError as worse:
            self._journal.say(launch, f"nothing can be written into its record: {worse}")
        await engine.rest(until)

    async def _told_of(self, engine: Engine, launch: str, error: RecordError, until: float) -> float:
        """Say in the record why the launch is held, and tell people; until when it may rest."""
        patience = Patience(self._clock, partial(self._journal.say, launch))
        doubted = DoubtedRecord(self._store, launch, self._clock)
        await patience.run(RECORD, lambda: doubted.hold(error))
        order = await patience.run(RECORD, lambda: self._store.order(launch))
        plan = await self._understood(engine, order, launch, plan_digest(await doubted.events()))
        record = AttendedRecord(doubted, launch, self._journal, patience)
        courier = self._courier(launch, order.environment, plan, record)
        record.heard = courier.hear
        try:
            await record.events()
            return await courier.settle(until)
        finally:
            await courier.close()

    async def _bundle(self, launch: str, record: Path, patience: Patience) -> None:
        """Lay what people showed beside the record; that something is lacking is said, and ends no launch."""
        if self._yard.evidence is None:
            return
        events = await patience.run(RECORD, lambda: self._store.events(launch))
        for words in await bundled(self._yard.evidence, shown_files(events), record):
            self._journal.say(launch, words)

    def _courier(self, launch: str, environment: str, plan: Plan, record: AttendedRecord) -> Courier:
        def say(words: str) -> None:
            self._journal.say(launch, words)

        told_by = notifiers(plan, self._yard.environment, self._clock, self._counter)
        return Courier(Post(launch, environment, plan, told_by, say), record, self._clock)

    async def _understood(self, engine: Engine, order: Order, launch: str, digest: str) -> Plan:
        """The plan of a launch; while this tminus reads another one in it, the launch rests for one that does not."""
        while True:
            try:
                return self._plan(order, digest)
            except PlanError as error:
                if launch not in self._strange:
                    self._journal.say(launch, f"waits for another worker: {error}; {error.hint}")
                    self._strange.add(launch)
            await engine.rest(self._clock.now() + STRANGE_SECONDS)

    def _plan(self, order: Order, digest: str) -> Plan:
        """The plan of a launch, which it shares with others of the same digest: thousands may wait."""
        key = digest, bool(order.binding.get("expedited"))
        if key not in self._plans:
            self._plans[key] = plan_of(order, digest)
        return self._plans[key]

    async def _rolling(
        self, engine: Engine, launch: str, plan: Plan, time: LaunchTime, record: AttendedRecord
    ) -> Rolling | None:
        """What the launch acts by; it waits while a reference of its target stands for nothing on this machine.

        Before GO it rests, for another worker too. Behind GO it holds, and people are called: a launch that rests
        forgets its steps, and nobody guards its users.
        """
        if plan.target is None:
            return None
        verifier, folder = OwnTrust(self._yard.trust), launch_folder(self._yard.home, launch)
        held = f"hold:target:{timestamp(self._clock.now())}"
        while True:
            try:
                return rolling(plan, self._yard.environment, folder, (time, self._clock), verifier)
            except (TminusError, OSError) as error:
                hint = f"; {error.hint}" if isinstance(error, TminusError) else ""
                why = f"this worker cannot reach the launch's target: {error}{hint}"
            if launch not in self._strange:
                self._journal.say(launch, f"waits: {why}")
                self._strange.add(launch)
            if course_of(await record.events()).phase in _BEHIND_GO:
                data: Json = {"where": "target", "rule": "hold.target", "text": why}
                await record.append_once(held, GUARDED, data)
                await self._clock.sleep(STRANGE_SECONDS)
            else:
                await engine.rest(self._clock.now() + STRANGE_SECONDS)

    def _crew(
        self, plan: Plan, binding: Binding, record: AttendedRecord, time: LaunchTime, rolls: Rolling | None
    ) -> Crew:
        """What a launch works with that can be seen; nobody signs in it, and some have no target."""
        bound = {"release": binding.release, "previous": binding.previous}
        component = plan.components[0]
        values = {name: f"sha256:{its[component]}" for name, its in bound.items() if component in its}
        shown = rolls.probes() if rolls else None
        observer = afar(plan, self._yard.environment, AFAR, values, trust=self._yard.trust, by_target=shown)
        readiness = Readiness(plan.checks, record, observer, self._clock)
        if rolls:
            return Crew(plan, record, readiness, None, time, rolls.stages, begin=partial(rolls.count, record))
        none = AbsentTarget()
        watch = Watch(none, none, none, self._clock, guard_limits(plan))
        stages = Stages(none, none, none, none, watch, time, none, none, OwnTrust(self._yard.trust))
        return Crew(plan, record, readiness, None, time, stages, LACKS)


@contextmanager
def place_of(database_url: str) -> Iterator[None]:
    """The place of a worker at a database: PostgreSQL has many, a SQLite file one.

    Raises `RefusedError` while another process has that one, `UsageError` for a database that no file holds.
    """
    lock = lock_of(database_url)
    if lock is None:
        yield
        return
    try:
        with files.locked_at_once(lock):
            yield
    except BlockingIOError as error:
        raise RefusedError(
            f"another worker runs the launches of {lock.with_suffix('')}",
            hint="one worker has a SQLite file; to share launches use PostgreSQL (TMINUS_DATABASE_URL)",
        ) from error


def lock_of(database_url: str) -> Path | None:
    """The file whose lock is the place of the one worker of an SQLite database; none for PostgreSQL.

    Raises `UsageError` for a database that no file holds.
    """
    found = make_url(address(database_url))
    if found.get_backend_name() != "sqlite":
        return None
    if not found.database or found.database == ":memory:":
        raise UsageError(
            "no other process could see the launches of a database in memory", hint="use sqlite:///PATH"
        )
    return Path(f"{Path(found.database).resolve()}.worker")
