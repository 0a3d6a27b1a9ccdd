"""The tables of the store, and the engine that reaches them.

`prepare` creates what is missing. Changes to existing tables will be Alembic revisions; all tables begin with `tm_`,
so that a migration can tell them from those of the workflow engine in the same file.
"""

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    BigInteger,
    Column,
    Connection,
    Engine,
    ForeignKey,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    create_engine,
    event,
    make_url,
    text,
)
from sqlalchemy.exc import SQLAlchemyError

from tminus import files
from tminus.errors import PartError, UsageError

BUSY_SECONDS = 30
"""How long one transaction waits for another before the store counts as unreachable."""
WRITE = "tm_write"
"""The execution option of a connection that will write."""
_PREPARE_LOCK = 7342
"""The PostgreSQL advisory lock under which tables are created; any number that nobody else uses."""

METADATA = MetaData()

LAUNCHES = Table(
    "tm_launch",
    METADATA,
    Column("id", String(200), primary_key=True),
    Column("plan_digest", String(64), nullable=False),
    Column("state", String(20), nullable=False),
    Column("opened_at", String(24), nullable=False),
    Column("ended_at", String(24)),
)

EVENTS = Table(
    "tm_event",
    METADATA,
    Column("launch", String(200), ForeignKey("tm_launch.id"), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("prev", String(64), nullable=False),
    Column("key", String(200), nullable=False),
    Column("type", String(100), nullable=False),
    Column("at", String(24), nullable=False),
    Column("line", LargeBinary, nullable=False),
    UniqueConstraint("launch", "key", name="tm_event_key"),
)


def connect(url: str | URL) -> Engine:
    """An engine for `sqlite:///PATH` or `postgresql+psycopg://…`, with a time limit on every wait.

    On SQLite a writing transaction takes the lock when it begins, so that what it read cannot be outdated when it
    writes, and a commit is on the disk before it returns.
    """
    address = make_url(url)
    if address.get_backend_name() == "postgresql":
        return create_engine(address, connect_args={"connect_timeout": BUSY_SECONDS}, pool_pre_ping=True)
    if address.get_backend_name() != "sqlite":
        raise UsageError(f"no store at {address.get_backend_name()}", hint="use sqlite or postgresql+psycopg")
    engine = create_engine(address, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def prepare(engine: Engine) -> None:
    """Create the tables that are missing, and set SQLite's journal once; safe when many processes do it at once."""
    try:
        if engine.dialect.name == "sqlite":
            _set_journal(engine)
        with engine.execution_options(**{WRITE: True}).begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _PREPARE_LOCK})
            METADATA.create_all(connection)
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        raise unreachable(engine, error) from error


def unreachable(engine: Engine, error: Exception) -> PartError:
    """What to raise when the database does not do its part."""
    cause = getattr(error, "orig", None) or error
    return PartError(
        f"the store {engine.url.render_as_string()} does not answer: {cause}",
        hint="check that the database runs, its folder is writable and its disk is not full",
    )


def _set_journal(engine: Engine) -> None:
    """Readers do not wait for the writer in WAL mode; changing it needs the file for oneself, so only when needed."""
    database = engine.url.database
    if database in {None, "", ":memory:"}:
        return
    with files.locked(Path(f"{database}.lock")), engine.connect() as connection:
        raw = connection.connection.driver_connection
        if raw is not None and raw.execute("pragma journal_mode").fetchone()[0] != "wal":
            raw.execute("pragma journal_mode = wal")


def _set_up_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None
    connection.execute("pragma synchronous = full")
    connection.execute("pragma foreign_keys = on")


def _begin_sqlite(connection: Connection) -> None:
    write = connection.get_execution_options().get(WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
