"""Launch records in a database: appended exactly once for each key, exported whole.

Every method may be called again after a crash. The work is SQLAlchemy's synchronous kind, in threads: the same code
serves SQLite and PostgreSQL.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from tminus.domain.record import (
    CHECKPOINT,
    NO_LINE,
    OPENED,
    Entry,
    Event,
    append,
    check_place,
    decode,
    digest,
    encode,
)
from tminus.errors import OutOfSequenceError, UsageError
from tminus.store import chain, orders
from tminus.store.chain import LaunchRow, Sign
from tminus.store.orders import Order
from tminus.store.outbox import Message, Outbox
from tminus.store.tables import EVENTS, LAUNCHES, WRITE, prepare, prepare_if_there, unreachable

_ATTEMPTS = 50
"""How often an append is tried again when another process took its place in the chain."""
_PAGE = 500
"""Lines that an export holds in memory."""

_ROW = [LAUNCHES.c[name] for name in LaunchRow.__dataclass_fields__]
"""What a list of launches shows; plans and bindings are large, and are read one by one."""

Choose = Callable[[Sequence[Event]], Sequence[Entry]]
"""Decides by what is recorded what is to be recorded now, or raises why nothing may be."""

T = TypeVar("T")


class RecordStore:
    """The records of all launches in one database.

    With an `outbox` it also leaves messages for running launches, and begins launches, in its own transactions.
    """

    def __init__(self, engine: Engine, outbox: Outbox | None = None) -> None:
        self._engine = engine
        self._outbox = outbox
        self._writer = engine.execution_options(**{WRITE: True})

    async def prepare(self) -> None:
        """Create what is missing in the database."""
        await asyncio.to_thread(prepare, self._engine)

    async def is_there(self) -> bool:
        """Whether the database has ever held launches; older tables are brought up to date, and none are made."""
        return await asyncio.to_thread(prepare_if_there, self._engine)

    async def append_once(self, launch: str, entry: Entry) -> Event:
        """Record an entry, unless its key is recorded already; either way, the event that is recorded.

        Raises `OutOfSequenceError` when the launch is not open.
        """
        chain.check_checkpoint(entry)
        return await self._write(lambda connection: _append_once(connection, launch, entry))

    async def act(self, launch: str, choose: Choose, message: Message | None = None) -> list[Event]:
        """Record what a pure function chooses by the events so far, and leave the launch a message about it.

        One transaction: both are there, or neither. Two acts at the same time are one after the other: the later one
        chooses again, by what the earlier one has recorded. An entry whose key is recorded already stands as it is.
        Raises `OutOfSequenceError` when the launch is not open, and whatever `choose` raises.
        """
        return await self._write(lambda connection: self._act(connection, launch, choose, message))

    def _act(
        self, connection: Connection, launch: str, choose: Choose, message: Message | None
    ) -> list[Event]:
        known = list(_events(connection, launch, -1))
        events = []
        for entry in choose(known):
            chain.check_checkpoint(entry)
            event = next((event for event in known if event.key == entry.key), None)
            if event is None:
                chain.check_open(_launch(connection, launch), launch, entry)
                # Behind what `choose` was shown, whatever came since: then the place is taken, and it chooses again.
                event = _insert(connection, launch, append(known[-1] if known else None, entry))
                known.append(event)
            events.append(event)
        if message is not None:
            self._post().send(connection, launch, message)
        return events

    async def open(self, launch: str, entry: Entry, order: Order) -> Event:
        """Open a launch for whoever runs launches: its first event, its order, its environment, and its beginning.

        One transaction: all of it, or nothing. Opened already with the same key: the event that is recorded. Raises
        `OutOfSequenceError` while another launch has the environment.
        """
        return await self._write(lambda connection: self._open(connection, launch, entry, order))

    def _open(self, connection: Connection, launch: str, entry: Entry, order: Order) -> Event:
        if recorded := _recorded(connection, launch, entry.key):
            return recorded
        event = _append_once(connection, launch, entry)
        mine = update(LAUNCHES).where(LAUNCHES.c.id == launch)
        connection.execute(mine.values(orders.columns(order)))
        orders.claim(connection, launch, order.environment)
        self._post().begin(connection, launch, order.body)
        return event

    def _post(self) -> Outbox:
        if self._outbox is None:
            raise UsageError(
                "this store cannot reach running launches", hint="give it the outbox of the engine"
            )
        return self._outbox

    async def order(self, launch: str) -> Order:
        """What was ordered to be launched; raises `RecordError` when the store does not hold it."""
        return await self._read(lambda connection: orders.read_order(connection, launch))

    async def checkpoint(self, launch: str, sign: Sign) -> Event:
        """Sign the record up to its last event; the last event itself when that is a checkpoint already.

        Raises `RecordError` where the chain does not hold: nobody vouches for a record that was changed.
        """
        return await self._write(lambda connection: _checkpoint(connection, launch, sign))

    async def events(self, launch: str, after_seq: int = -1) -> list[Event]:
        """The events behind this one, in order; all of them by default, none for an unknown launch.

        Raises `RecordError` where a line does not stand behind the one that it names: somebody has changed one.
        """
        return await self._read(lambda connection: list(_events(connection, launch, after_seq)))

    async def as_they_stand(self, launch: str, after_seq: int) -> list[Event]:
        """The same events, also where the chain is broken: for those who show them, and say that by themselves."""
        return await self._read(
            lambda connection: [decode(*row) for row in _lines(connection, launch, after_seq)]
        )

    async def last(self, launch: str) -> Event | None:
        """The newest event; none for an unknown launch."""
        return await self._read(lambda connection: _last(connection, launch))

    async def launches(self) -> list[LaunchRow]:
        """Every launch, the latest first."""
        return await self._read(_launches)

    async def export(self, launch: str, path: Path) -> None:
        """Write the record into a file, which is whole or not there; raises `RecordError` for an unknown launch."""
        await self._read(lambda connection: _export(connection, launch, path))

    async def forget(self, launch: str) -> None:
        """Remove a launch that is over, events included; raises `OutOfSequenceError` while it is open."""
        await self._write(lambda connection: _forget(connection, launch))

    async def _read(self, work: Callable[[Connection], T]) -> T:
        return await asyncio.to_thread(self._transact, self._engine, work)

    async def _write(self, work: Callable[[Connection], T]) -> T:
        return await asyncio.to_thread(self._retry, work)

    def _retry(self, work: Callable[[Connection], T]) -> T:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._transact(self._writer, work)
            except IntegrityError as error:
                if attempt == _ATTEMPTS:
                    raise unreachable(self._engine, error) from error
        raise AssertionError(_ATTEMPTS)  # pragma: no cover - the last attempt returns or raises

    def _transact(self, engine: Engine, work: Callable[[Connection], T]) -> T:
        try:
            with engine.begin() as connection:
                return work(connection)
        except IntegrityError:
            raise
        except SQLAlchemyError as error:
            raise unreachable(self._engine, error) from error


def _append_once(connection: Connection, launch: str, entry: Entry) -> Event:
    if recorded := _recorded(connection, launch, entry.key):
        return recorded
    chain.check_open(_launch(connection, launch), launch, entry)
    return _insert(connection, launch, append(_last(connection, launch), entry))


def _checkpoint(connection: Connection, launch: str, sign: Sign) -> Event:
    *_, last = (None, *_events(connection, launch, -1))
    last = chain.signable(last, launch)
    if last.type == CHECKPOINT:
        return last
    return _insert(connection, launch, append(last, sign(last)))


def _insert(connection: Connection, launch: str, event: Event) -> Event:
    if event.type == OPENED:
        connection.execute(insert(LAUNCHES).values(asdict(chain.opened_row(launch, event))))
    row = {name: getattr(event, name) for name in ("seq", "prev", "key", "type", "at")}
    connection.execute(insert(EVENTS).values(launch=launch, line=encode(event), **row))
    if outcome := chain.outcome(event):
        ended = update(LAUNCHES).where(LAUNCHES.c.id == launch).values(state=outcome, ended_at=event.at)
        connection.execute(ended)
        orders.free(connection, launch)
    return event


def _recorded(connection: Connection, launch: str, key: str) -> Event | None:
    wanted = select(EVENTS.c.seq, EVENTS.c.line).where(EVENTS.c.launch == launch, EVENTS.c.key == key)
    row = connection.execute(wanted).one_or_none()
    return decode(row.seq + 1, row.line) if row else None


def _last(connection: Connection, launch: str) -> Event | None:
    wanted = (
        select(EVENTS.c.seq, EVENTS.c.line).where(EVENTS.c.launch == launch).order_by(EVENTS.c.seq.desc())
    )
    row = connection.execute(wanted.limit(1)).one_or_none()
    return decode(row.seq + 1, row.line) if row else None


def _events(connection: Connection, launch: str, after_seq: int) -> Iterator[Event]:
    """The events behind this one, each behind the line that it names."""
    prev = NO_LINE if after_seq < 0 else None
    for number, line in _lines(connection, launch, after_seq):
        event = decode(number, line)
        check_place(event, number, event.prev if prev is None else prev)
        yield event
        prev = digest(line)


def _lines(connection: Connection, launch: str, after_seq: int) -> Iterator[tuple[int, bytes]]:
    wanted = (
        select(EVENTS.c.seq, EVENTS.c.line)
        .where(EVENTS.c.launch == launch, EVENTS.c.seq > after_seq)
        .order_by(EVENTS.c.seq)
        .execution_options(yield_per=_PAGE)
    )
    for row in connection.execute(wanted):
        yield row.seq + 1, bytes(row.line)


def _launch(connection: Connection, launch: str) -> LaunchRow | None:
    row = connection.execute(select(*_ROW).where(LAUNCHES.c.id == launch)).one_or_none()
    return LaunchRow(**row._mapping) if row else None  # noqa: SLF001 - SQLAlchemy's documented name


def _forget(connection: Connection, launch: str) -> None:
    row = _launch(connection, launch)
    if row is not None and row.state == chain.OPEN:
        raise OutOfSequenceError(f"launch {launch} is open", hint="end it before it is removed")
    connection.execute(delete(EVENTS).where(EVENTS.c.launch == launch))
    connection.execute(delete(LAUNCHES).where(LAUNCHES.c.id == launch))


def _launches(connection: Connection) -> list[LaunchRow]:
    wanted = select(*_ROW).order_by(LAUNCHES.c.opened_at.desc(), LAUNCHES.c.id)
    return [LaunchRow(**row) for row in connection.execute(wanted).mappings()]


def _export(connection: Connection, launch: str, path: Path) -> None:
    if _launch(connection, launch) is None:
        raise chain.unknown(launch)
    chain.write(path, (line for _, line in _lines(connection, launch, -1)))
