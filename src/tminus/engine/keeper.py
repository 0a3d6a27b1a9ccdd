"""Who lives: the heartbeats of all processes that run launches, and what happens to the work of the dead.

Each process counts its heartbeats in the database, one every second. Whoever sees another's count stand still for the
time to live, by a clock of its own that nobody sets, buries that process: from then on it can write no heartbeat any
more, and its work is taken over. So the database alone says who owns what, and no two clocks need to agree:

- A process that was frozen, or cut off, is in doubt by its own clock before anybody may bury it, and acts no more (see
  `fence`). Back again it finds itself buried, and ends with `FENCED`; or not, and goes on.
- While the database is away nobody can be buried. When it is back, whose heartbeat comes first buries nobody: after a
  gap in its own heartbeats a keeper lets the others have time for theirs.
- Burial is a mark that stays for long, and graves are looked through again and again, so a take-over that was
  interrupted is completed by the next.
"""

import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from threading import Event, Thread

from sqlalchemy import Connection, Engine, and_, delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from tminus.engine.fence import Fence, elapsed
from tminus.errors import StoreError
from tminus.store.tables import WORKERS, WRITE, database_now, unreachable

TTL_SECONDS = 4.0
"""How long a heart may be still before others take the work."""
BEAT_SECONDS = 1.0
FENCED = 70
"""The exit code of a process whose work was taken over while it lived."""
ORPHAN_SECONDS = 60.0
"""How often work is looked for whose owner is not in the table at all."""
KEPT_SECONDS = 3600.0
"""How long a grave is kept, so that `tminus doctor` can show it."""
_KEEPER_LOCK = 7341
"""The PostgreSQL advisory lock under which one keeper acts; any number that nobody else uses."""

_LOG = logging.getLogger(__name__)

Tidings = Callable[[str], None]
"""Takes what a keeper has to tell, one sentence each."""
Owners = Callable[[], set[str]]
TakeOver = Callable[[Sequence[str]], int]


@dataclass(frozen=True, slots=True)
class Worker:
    """One process that runs launches."""

    executor: str
    host: str
    version: str
    knows: str
    """The newest revision of the tables that its code knows."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """How a keeper keeps."""

    ttl: float = TTL_SECONDS
    """Seconds that a heart may be still before others take the work; three heartbeats at least."""
    tidings: Tidings = _LOG.warning
    executor: str = ""
    """The name of this process, which no other ever had; made up where it is left out."""
    dead: Sequence[str] = ()
    """Processes that the caller knows to have ended: their work is taken over at once."""
    sole: bool = False
    """Whether the caller holds the only place at this database: whoever else is entered has ended."""


def end_as_fenced(worker: Worker) -> None:
    """End this process at once and without any last act: others do its work already."""
    try:
        print(  # noqa: T201 - the last words; nothing else can be trusted to be flushed
            f"{worker.executor} was silent for too long and others took over: it ends with {FENCED}",
            file=sys.stderr,
            flush=True,
        )
    finally:
        # Also where nobody can be told any more: what lives on without its work would be taken for a worker.
        os._exit(FENCED)


class Trouble:
    """Trouble that comes every second is told once, and so is its end."""

    def __init__(self, whose: str, tell: Tidings) -> None:
        self._whose = whose
        self._tell = tell
        self._now = ""

    def met(self, error: Exception) -> None:
        """It is there."""
        found = f"{type(error).__name__}: {error}".partition("\n")[0]
        if found != self._now:
            self._now = found
            self._tell(f"{self._whose} meets {found}; it tries again every second")

    def gone(self) -> None:
        """It is not there any more, or never was."""
        if self._now:
            self._now = ""
            self._tell(f"{self._whose} goes on: what it met is over")


class Keeper:
    """The heartbeat of one process, and its share in looking after the dead.

    `wall` is its machine's own clock, told with each heartbeat so that people may compare it; nothing is judged by it.
    """

    def __init__(self, database: Engine, worker: Worker, keeping: Keeping, wall: Callable[[], float]) -> None:
        self.fence = Fence(keeping.ttl - BEAT_SECONDS, elapsed)
        self._database = database
        self._writer = database.execution_options(**{WRITE: True})
        self._worker = worker
        self._wall = wall
        self._ttl = keeping.ttl
        self._keeping = keeping
        self._tell = keeping.tidings
        self._end: Callable[[Worker], None] = end_as_fenced
        self._rests = Event()
        self._stops = Event()
        self._heart: Thread | None = None
        self._watcher: Thread | None = None
        self._last_beat = elapsed()
        self._steady_since = self._last_beat
        self._watched: dict[str, tuple[int, float]] = {}
        self._looked_for_orphans = self._last_beat - ORPHAN_SECONDS

    def begin(self) -> None:
        """Enter this process among the living; raises `StoreError` when the database does not answer."""
        begun = elapsed()
        try:
            with self._writer.begin() as connection:
                row = {**asdict(self._worker), "pid": os.getpid(), "beats": 0, "clock": self._wall()}
                now = database_now(connection)
                connection.execute(insert(WORKERS).values(**row, started=now, seen=now))
                ended = self._bury_ended(connection)
        except IntegrityError as error:
            raise StoreError(
                f"a worker was called {self._worker.executor} before, and its grave is kept for an hour",
                hint="give each start a name that no other ever had, or leave --name out",
            ) from error
        except SQLAlchemyError as error:
            raise unreachable(self._database, error) from error
        self._steady_since = self._last_beat = begun
        self.fence.heard(begun)
        for executor in ended:
            self._tell(f"{executor} has ended: its launches are taken over")

    def _bury_ended(self, connection: Connection) -> list[str]:
        """Bury who is known to have ended, without waiting for a heart to stand still; whoever that was."""
        others, keeping = WORKERS.c.executor != self._worker.executor, self._keeping
        ended = others if keeping.sole else and_(others, WORKERS.c.executor.in_(keeping.dead))
        found = list(connection.scalars(select(WORKERS.c.executor).where(ended, WORKERS.c.buried.is_(None))))
        now = database_now(connection)
        connection.execute(update(WORKERS).where(WORKERS.c.executor.in_(found)).values(buried=now))
        return found

    def beat(self) -> None:
        """Beat from now on, in a thread of its own: neither a start nor a take-over that takes long may keep it."""
        self._heart = Thread(target=self._keep, args=(self._stops, self._beat, "heart"), daemon=True)
        self._heart.start()

    def watch(self, owners: Owners, take_over: TakeOver) -> None:
        """Take over from the dead from now on, in a thread of its own."""
        look = partial(self._look_after, owners, take_over)
        self._watcher = Thread(target=self._keep, args=(self._rests, look, "watch"), daemon=True)
        self._watcher.start()

    def rest(self) -> None:
        """Look after nobody any more, then beat no more."""
        for over, thread in ((self._rests, self._watcher), (self._stops, self._heart)):
            over.set()
            if thread is not None:
                thread.join()

    def leave(self) -> None:
        """Take this process from among the living: what it leaves is there for the others at once."""
        try:
            with self._writer.begin() as connection:
                mine = WORKERS.c.executor == self._worker.executor
                now = database_now(connection)
                connection.execute(update(WORKERS).where(mine, WORKERS.c.buried.is_(None)).values(buried=now))
        except SQLAlchemyError as error:
            # The others find out by themselves.
            Trouble(f"the heart of {self._worker.executor}", self._tell).met(error)
        self._database.dispose()

    def _keep(self, over: Event, act: Callable[[], None], what: str) -> None:
        """Do one thing every second until it is over, whatever happens to it."""
        trouble = Trouble(f"the {what} of {self._worker.executor}", self._tell)
        while not over.wait(BEAT_SECONDS):
            # A keeper that dies silently would leave its process in doubt for ever, and the dead with their work.
            try:
                act()
            except Exception as error:  # noqa: BLE001 - see above
                trouble.met(error)
            else:
                trouble.gone()

    def _beat(self) -> None:
        begun = elapsed()
        with self._writer.begin() as connection:
            mine = WORKERS.c.executor == self._worker.executor, WORKERS.c.buried.is_(None)
            # Both clocks are read behind the wait for the transaction, so that it tells them not apart.
            now = {"seen": database_now(connection), "clock": self._wall()}
            alive = connection.execute(update(WORKERS).where(*mine).values(beats=WORKERS.c.beats + 1, **now))
        if not alive.rowcount:
            self._end(self._worker)
            return
        if begun - self._last_beat > self._ttl / 2:
            self._steady_since = begun
        self._last_beat = begun
        self.fence.heard(begun)

    def _look_after(self, owners: Owners, take_over: TakeOver) -> None:
        if elapsed() - self._looked_for_orphans >= ORPHAN_SECONDS:
            self._bury_unknown(owners())
            self._looked_for_orphans = elapsed()
        with self._only_keeper() as connection:
            self._watch(connection)
            dead = self._bury_still(connection)
        # Outside the transaction: on SQLite the engine's own would wait for it. Whoever else does the same at this
        # moment takes nothing twice.
        if dead:
            self._empty(dead, owners, take_over)

    def _watch(self, connection: Connection) -> None:
        """Note whose heart has beaten since the last look."""
        now = elapsed()
        rows = connection.execute(
            select(WORKERS.c.executor, WORKERS.c.beats).where(WORKERS.c.buried.is_(None))
        )
        counts = {str(row.executor): int(row.beats) for row in rows}
        before = self._watched
        self._watched = {
            executor: before[executor] if before.get(executor, (None,))[0] == beats else (beats, now)
            for executor, beats in counts.items()
        }

    def _bury_still(self, connection: Connection) -> list[str]:
        """Bury whose heart stands still; everybody who is buried, the earlier dead included."""
        now = elapsed()
        # A gap of our own, after which the others need time to be heard; it may also have begun just now.
        deaf = now - self._steady_since < self._ttl / 2 or now - self._last_beat > self._ttl / 2
        for executor, (beats, since) in self._watched.items():
            if deaf or now - since < self._ttl:
                continue
            still = WORKERS.c.executor == executor, WORKERS.c.beats == beats, WORKERS.c.buried.is_(None)
            grave = update(WORKERS).where(*still).values(buried=database_now(connection))
            if connection.execute(grave).rowcount:
                self._tell(f"{executor} is silent for {self._ttl:g} s: its launches are taken over")
        return list(connection.scalars(select(WORKERS.c.executor).where(WORKERS.c.buried.is_not(None))))

    def _bury_unknown(self, busy: set[str]) -> None:
        """Give a grave to owners of work who have no row: from before this table, or of a row that was cleared."""
        with self._writer.begin() as connection:
            known = set(connection.scalars(select(WORKERS.c.executor)))
            now = database_now(connection)
            for executor in sorted(busy - known):
                row = {"executor": executor, "host": "", "pid": 0, "version": ""}
                connection.execute(insert(WORKERS).values(**row, beats=0, started=now, seen=now, buried=now))

    def _empty(self, dead: Sequence[str], owners: Owners, take_over: TakeOver) -> None:
        """Take the work out of every grave; the grave goes when nothing came out of it for long."""
        take_over(dead)
        with self._writer.begin() as connection:
            old = WORKERS.c.buried < database_now(connection) - KEPT_SECONDS
            candidates = set(connection.scalars(select(WORKERS.c.executor).where(old)))
        if candidates and (empty := candidates - owners()):
            with self._writer.begin() as connection:
                connection.execute(delete(WORKERS).where(WORKERS.c.executor.in_(empty)))

    @contextmanager
    def _only_keeper(self) -> Iterator[Connection]:
        """A transaction in which no other keeper acts: the next waits, for as long as its connection waits at all."""
        with self._writer.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _KEEPER_LOCK})
            yield connection
