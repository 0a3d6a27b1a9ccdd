"""The common database as the page sees it: read, never written, never made, and never waited for without end.

Whoever reads does so in a thread of its own that nobody joins: a server that is frozen behind an open connection
answers nothing for ever, and the page must say so, and must be able to end.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, func, select
from sqlalchemy.exc import SQLAlchemyError

from tminus.domain.diagnosis import of_schema
from tminus.domain.health import Heart, OpenLaunch
from tminus.domain.plan import Plan
from tminus.domain.record import Event, decode
from tminus.engine.survey import Rows, schema_of
from tminus.errors import PartError, PlanError, RecordError, StoreError, TminusError
from tminus.picture.reading import Tail
from tminus.store.chain import OPEN, LaunchRow
from tminus.store.orders import Order, read_order
from tminus.store.tables import EVENTS, LAUNCHES, connect, database_now, shown, unreachable

READ_SECONDS = 5.0
"""How long one read may take before it counts as no answer."""
FORGOTTEN_SECONDS = 60.0
"""How long no other read is begun while one gives no answer."""
SEEN_SECONDS = 1.0
"""How old the list may be that another viewer has just asked for."""
MOST_OPEN = 100
"""Open launches that the list shows, the latest opened ones: each is followed from its record."""
MOST_ENDED = 50
"""Launches that have ended that the list shows, the latest opened ones."""

PlanOf = Callable[[Order, str], Plan]
"""The plan of an order, by the digest that its launch was opened with; raises `PlanError` where it is another now."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Seen:
    """The launches of one database at one moment, and who runs them."""

    now: float
    """Seconds of the epoch, by the clock of the database."""
    rows: tuple[LaunchRow, ...]
    """Those that are shown, the open ones first, the latest opened first."""
    followed: Mapping[str, OpenLaunch]
    """Where each open one of them stands."""
    hearts: tuple[Heart, ...]
    more_open: int
    more_ended: int
    """How many launches there are beside those that are shown."""


class CommonDatabase:
    """The common database, `sqlite:///…` or `postgresql+psycopg://…`.

    Each read has a limit; while one is overdue the next ones fail at once instead of waiting behind it.
    """

    def __init__(self, url: str, plan_of: PlanOf, seconds: float = READ_SECONDS) -> None:
        self.shown = shown(url)
        """Its address without the password."""
        self._engine = connect(url, keeper=True)
        self._plan_of = plan_of
        self._seconds = seconds
        self._overdue: tuple[Thread, float] | None = None
        self._seen: tuple[float, Seen] | None = None
        self._looking = asyncio.Lock()

    @property
    def made(self) -> bool:
        """Whether it is there at all: a server may be, a file is or is not."""
        file = self._file
        return file is None or file.is_file()

    async def seen(self) -> Seen:
        """The list; raises `PartError` where it cannot be read, also for tables that are not those of this tminus."""
        async with self._looking:
            at = asyncio.get_running_loop().time()
            if self._seen is None or at - self._seen[0] >= SEEN_SECONDS:
                self._seen = at, await self._ask(_look)
            return self._seen[1]

    async def holds(self, launch: str) -> bool:
        """Whether a launch is kept here; raises as `seen` does."""
        return self.made and await self._ask(lambda connection: _holds(connection, launch))

    async def events(self, launch: str, after_seq: int) -> list[Event]:
        """The events of a launch behind this one; raises `PartError`, and `RecordError` for an event that is none."""
        lines = await self._ask(lambda connection: _lines(connection, launch, after_seq))
        # A long record takes its time to be understood, which says nothing against the database.
        return await asyncio.to_thread(lambda: [decode(seq + 1, line) for seq, line in lines])

    async def plan(self, launch: str, digest: str) -> Plan | None:
        """The plan that a launch was opened with; none where it is not kept, or is read as another one now."""
        try:
            order = await self._ask(lambda connection: read_order(connection, launch))
            return await asyncio.to_thread(self._plan_of, order, digest)
        except (RecordError, PlanError):
            return None  # the page says that the plan is not at hand, and shows the words of the record

    def close(self) -> None:
        """Let go of its connections; the next read makes new ones."""
        self._engine.dispose()

    async def _ask(self, work: Callable[[Connection], T]) -> T:
        """What the work gives, done in a thread; raises `PartError` when the database does not answer in time."""
        if not self.made:
            raise PartError(f"{self.shown} is not made yet", hint="starting a worker makes it")
        at = asyncio.get_running_loop().time()
        if self._overdue and self._overdue[0].is_alive() and at - self._overdue[1] < FORGOTTEN_SECONDS:
            raise self._silent()
        thread, answer = self._begin(work)
        try:
            async with asyncio.timeout(self._seconds):
                return await answer
        except TimeoutError:
            self._overdue = thread, at
            raise self._silent() from None

    def _begin(self, work: Callable[[Connection], T]) -> tuple[Thread, asyncio.Future[T]]:
        """The work begun in a thread that nobody joins, and what it will give."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()

        def tell(settle: Callable[[Any], None], what: object) -> None:
            if not answer.done():
                settle(what)

        def run() -> None:
            settle: Callable[[Any], None] = answer.set_result
            try:
                what: object = self._read(work)
            except (TminusError, OSError) as error:  # it is raised where the answer is awaited
                settle, what = answer.set_exception, error
            with suppress(RuntimeError):  # the page has ended meanwhile
                loop.call_soon_threadsafe(tell, settle, what)

        thread = Thread(target=run, name="tminus common database", daemon=True)
        thread.start()
        return thread, answer

    def _read(self, work: Callable[[Connection], T]) -> T:
        pool = self._engine.pool
        try:
            with self._engine.begin() as connection:
                return work(connection)
        except SQLAlchemyError as error:
            raise unreachable(self._engine, error) from error
        finally:
            if self._file is not None:
                self._engine.dispose()  # a file may be replaced, and must not be kept from those who do
            elif self._engine.pool is not pool:
                pool.dispose()  # it was closed while this read was overdue

    def _silent(self) -> StoreError:
        return StoreError(
            f"the store {self.shown} gave no answer within {self._seconds:g} s",
            hint="see whether the database is overloaded or frozen; it is asked again",
        )

    @property
    def _file(self) -> Path | None:
        name = self._engine.url.database
        return Path(name) if self._engine.dialect.name == "sqlite" and name else None


class CommonTail(Tail):
    """The record of a launch in the common database, read on at most every `pause` seconds, whoever asks."""

    def __init__(self, database: CommonDatabase, launch: str, pause: float) -> None:
        super().__init__(launch)
        self._database = database
        self._pause = pause
        self._read_at: float | None = None

    async def read(self) -> bool:
        """See `Tail.read`."""
        at = asyncio.get_running_loop().time()
        if self._read_at is not None and at - self._read_at < self._pause:
            return False
        new = await self._take(await self._database.events(self._launch, len(self.events) - 1))
        self._read_at = at
        return new


def _look(connection: Connection) -> Seen:
    _readable(connection)
    now = float(connection.scalar(select(database_now(connection))) or 0.0)
    is_open = LAUNCHES.c.state == OPEN
    (under_way, more_open), (ended, more_ended) = (
        _latest(connection, is_open, MOST_OPEN),
        _latest(connection, ~is_open, MOST_ENDED),
    )
    found = Rows(connection, now)
    followed = {one.id: one for one in found.launches([row.id for row in under_way])}
    return Seen(now, (*under_way, *ended), followed, found.hearts(), more_open, more_ended)


def _readable(connection: Connection) -> None:
    schema = schema_of(connection)
    if not schema.right:
        said = of_schema(schema)
        raise PartError(f"the launches cannot be read: {said.says}", hint=said.do)


def _latest(
    connection: Connection, which: ColumnElement[bool], most: int
) -> tuple[tuple[LaunchRow, ...], int]:
    """The latest opened launches, and how many more there are."""
    columns = [LAUNCHES.c[name] for name in LaunchRow.__dataclass_fields__]
    wanted = select(*columns).where(which).order_by(LAUNCHES.c.opened_at.desc(), LAUNCHES.c.id).limit(most)
    rows = tuple(LaunchRow(**row) for row in connection.execute(wanted).mappings())
    count = connection.scalar(select(func.count()).select_from(LAUNCHES).where(which)) or 0
    return rows, max(0, count - len(rows))


def _holds(connection: Connection, launch: str) -> bool:
    _readable(connection)
    return connection.scalar(select(LAUNCHES.c.id).where(LAUNCHES.c.id == launch)) is not None


def _lines(connection: Connection, launch: str, after_seq: int) -> list[tuple[int, bytes]]:
    wanted = select(EVENTS.c.seq, EVENTS.c.line).where(EVENTS.c.launch == launch, EVENTS.c.seq > after_seq)
    rows = connection.execute(wanted.order_by(EVENTS.c.seq))
    return [(row.seq, bytes(row.line)) for row in rows]
