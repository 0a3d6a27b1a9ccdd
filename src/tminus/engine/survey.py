"""How the common database stands: one look that changes nothing, makes nothing and waits for nobody.

The rows of DBOS are read here without starting it: whoever only looks must not take part in running launches.
"""

import shutil
import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from threading import Thread
from typing import TypeVar

from sqlalchemy import ColumnElement, Connection, Engine, column, func, inspect, select, table
from sqlalchemy.exc import SQLAlchemyError

from tminus.domain.course import MOVING, course_of
from tminus.domain.health import UNDER_WAY, Heart, OpenLaunch, Schema, Survey, Waiting, dues
from tminus.domain.record import OPENED, decode
from tminus.errors import PartError, RecordError
from tminus.store import migrating
from tminus.store.chain import OPEN
from tminus.store.tables import EVENTS, LAUNCHES, WORKERS, connect, database_now, shown, unreachable

SECONDS = 20.0
"""How long one look may take in all; each of its questions has a limit of two seconds beside it."""
_WAITING = UNDER_WAY - {"PENDING"}
_PAGE = 500
"""Rows of records that are held in memory at once."""

T = TypeVar("T")


def survey(database_url: str, clock: Callable[[], float], seconds: float = SECONDS) -> Survey:
    """How the database stands now; `clock` is that of this machine, in seconds of the epoch.

    Raises `PartError` when it does not answer in time, or when there is no such SQLite file: none is made.
    """
    engine = connect(database_url, keeper=True)
    file = _file(engine)
    if file is not None and not file.exists():
        raise PartError(
            f"there is no database at {file}",
            hint="`tminus database migrate` makes it; or correct TMINUS_DATABASE_URL",
        )
    try:
        # A server that is frozen behind an open connection answers nothing for ever, whatever it was asked to limit.
        return _within(seconds, lambda: _look(engine, clock), engine)
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        raise unreachable(engine, error) from error


def _within(seconds: float, work: Callable[[], T], engine: Engine) -> T:
    """What the work gives; raises `PartError` when it takes longer: it is left behind in a thread that nobody joins."""
    done: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:  # noqa: BLE001 - it is raised again in the thread that waits
            failed.append(error)
        finally:
            engine.dispose()

    thread = Thread(target=run, name="tminus survey", daemon=True)
    thread.start()
    thread.join(seconds)
    if failed:
        raise failed[0]
    if thread.is_alive():
        raise PartError(
            f"the store {shown(engine.url)} gave no answer within {seconds:g} s",
            hint="see whether the database is overloaded or frozen, and look again",
        )
    return done[0]


def _look(engine: Engine, clock: Callable[[], float]) -> Survey:
    with engine.connect() as connection:
        before = clock()
        now = float(connection.scalar(select(database_now(connection))) or 0.0)
        after = clock()
        schema = schema_of(connection)
        rows = Rows(connection, now) if schema.right else None
        return Survey(
            now,
            (before + after) / 2 - now,
            (after - before) / 2,
            schema,
            rows.hearts() if rows else None,
            rows.launches() if rows else None,
            rows.queues() if rows else None,
            rows.outbox() if rows else None,
            _free(engine),
        )


def schema_of(connection: Connection) -> Schema:
    """The revision of a database's tables beside those that this tminus knows."""
    revisions = migrating.revisions()
    known = tuple(found.revision for found in revisions)
    return Schema(migrating.revision(connection), known, migrating.newest_safe(revisions))


class Rows:
    """What the rows of one connection say; those of the engine only where it has its tables.

    `now` is the instant by the clock of the database.
    """

    def __init__(self, connection: Connection, now: float) -> None:
        self._connection = connection
        self._now = now
        schema = "dbos" if connection.dialect.name == "postgresql" else None
        self._work = table(
            "workflow_status",
            *map(
                column,
                (
                    "workflow_uuid",
                    "status",
                    "executor_id",
                    "queue_name",
                    "created_at",
                    "delay_until_epoch_ms",
                ),
            ),
            schema=schema,
        )
        self._mail = table(
            "notifications",
            *map(column, ("destination_uuid", "created_at_epoch_ms", "consumed")),
            schema=schema,
        )
        self._engine = inspect(connection).has_table("workflow_status", schema=schema)

    def hearts(self) -> tuple[Heart, ...]:
        """Every process that runs launches, or ran them of late, the first one first."""
        rows = self._connection.execute(select(WORKERS).where(WORKERS.c.pid > 0).order_by(WORKERS.c.started))
        return tuple(
            Heart(
                row.executor,
                self._now - row.seen,
                row.buried is not None,
                None if row.clock is None else row.clock - row.seen,
                row.knows or "",
            )
            for row in rows
        )

    def launches(self, only: Collection[str] | None = None) -> tuple[OpenLaunch, ...]:
        """Every open launch, or those of these names, the earliest opened first."""
        chosen = [LAUNCHES.c.state == OPEN]
        if only is not None:
            chosen.append(LAUNCHES.c.id.in_(only))
        states = self._states(chosen)
        wanted = (
            select(EVENTS.c.launch, EVENTS.c.seq, EVENTS.c.line)
            .join(LAUNCHES, LAUNCHES.c.id == EVENTS.c.launch)
            .where(*chosen, EVENTS.c.type.in_({OPENED, *MOVING}))
            .order_by(LAUNCHES.c.opened_at, LAUNCHES.c.id, EVENTS.c.seq)
            .execution_options(yield_per=_PAGE)
        )
        rows = ((str(row.launch), row.seq, bytes(row.line)) for row in self._connection.execute(wanted))
        return tuple(
            _followed(launch, [(seq, line) for _, seq, line in lines], *states.get(launch, ("", "")))
            for launch, lines in groupby(rows, key=lambda row: row[0])
        )

    def _states(self, chosen: Sequence[ColumnElement[bool]]) -> dict[str, tuple[str, str]]:
        if not self._engine:
            return {}
        work = self._work.c
        wanted = select(work.workflow_uuid, work.status, work.executor_id).join(
            LAUNCHES, LAUNCHES.c.id == work.workflow_uuid
        )
        rows = self._connection.execute(wanted.where(*chosen))
        return {row.workflow_uuid: (row.status, row.executor_id or "") for row in rows}

    def queues(self) -> Mapping[str, Waiting] | None:
        """What waits to be taken, by the queue's name; none where the engine has no tables."""
        if not self._engine:
            return None
        work = self._work.c
        # A launch at rest waits for nobody before it is due; what waits since then is as old as that, not as itself.
        due = func.coalesce(work.delay_until_epoch_ms, work.created_at)
        waits = work.status.in_(_WAITING), due <= self._now * 1000
        wanted = select(work.queue_name, func.count(), func.min(due))
        rows = self._connection.execute(wanted.where(*waits).group_by(work.queue_name))
        return {str(name): self._waiting(count, oldest) for name, count, oldest in rows}

    def outbox(self) -> Waiting | None:
        """The orders that their launch has not heard; none where the engine has no tables."""
        if not self._engine:
            return None
        work, mail = self._work.c, self._mail.c
        wanted = select(func.count(), func.min(mail.created_at_epoch_ms)).join(
            self._work, work.workflow_uuid == mail.destination_uuid
        )
        left = wanted.where(mail.consumed.is_(False), work.status.in_(UNDER_WAY))
        return self._waiting(*self._connection.execute(left).one())

    def _waiting(self, count: int, oldest_ms: int | None) -> Waiting:
        return Waiting(count, 0.0 if oldest_ms is None else max(0.0, self._now - oldest_ms / 1000))


def _followed(launch: str, lines: Sequence[tuple[int, bytes]], state: str, executor: str) -> OpenLaunch:
    try:
        events = [decode(seq + 1, line) for seq, line in lines]
        return OpenLaunch(launch, course_of(events), dues(events[0]), state, executor)
    except RecordError:
        # Told as a finding: the others must be seen all the same.
        return OpenLaunch(launch, None, (), state, executor)


def _file(engine: Engine) -> Path | None:
    """The file of an SQLite database; none for one elsewhere."""
    named = engine.url.database
    return Path(named) if engine.dialect.name == "sqlite" and named else None


def _free(engine: Engine) -> int | None:
    file = _file(engine)
    return None if file is None else shutil.disk_usage(file.parent).free
