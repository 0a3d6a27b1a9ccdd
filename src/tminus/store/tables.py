"""The tables of the store, and the engine that reaches them.

Each change to a table is an Alembic revision in `migrations`, and `prepare` applies it. All tables begin with `tm_`, so
that a migration can tell them from those of the workflow engine in the same file.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from threading import Event
from typing import Any

from sqlalchemy import (
    URL,
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Engine,
    Float,
    ForeignKey,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    create_engine,
    event,
    func,
    inspect,
    literal_column,
    make_url,
    text,
)
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from tminus import files
from tminus.errors import PartError, StoreError, UsageError
from tminus.store.migrating import is_behind, migrate, newest_safe, revision, revisions

BUSY_SECONDS = 30
"""How long one transaction waits for another before the store counts as unreachable."""
IDLE_SECONDS = 10
"""How long PostgreSQL lets a transaction of ours do nothing before it ends it."""
KEEPER_SECONDS = 2
"""The same for a keeper, whose next heartbeat is due."""
WRITE = "tm_write"
"""The execution option of a connection that will write."""
PREPARE_SECONDS = 300
"""How long one process may prepare a store while others wait."""
_IN_MEMORY = {None, "", ":memory:"}
_PREPARE_LOCK = 7342
"""The PostgreSQL advisory lock under which tables are created; any number that nobody else uses."""

_ADDRESS_HINT = "use sqlite:///PATH or postgresql+psycopg://USER:PASSWORD@HOST/NAME"

METADATA = MetaData()

LAUNCHES = Table(
    "tm_launch",
    METADATA,
    Column("id", String(200), primary_key=True),
    Column("plan_digest", String(64), nullable=False),
    Column("state", String(20), nullable=False),
    Column("opened_at", String(24), nullable=False),
    Column("ended_at", String(24)),
    Column("environment", String(200)),
    Column("document", Text),
    Column("binding", Text),
)

ENVIRONMENTS = Table(
    "tm_environment",
    METADATA,
    Column("name", String(200), primary_key=True),
    Column("launch", String(200), ForeignKey("tm_launch.id"), nullable=False, unique=True),
)
"""Which launch has an environment now; it is freed in the transaction that ends the launch."""

WORKERS = Table(
    "tm_worker",
    METADATA,
    Column("executor", String(200), primary_key=True),
    Column("host", String(255), nullable=False),
    Column("pid", BigInteger, nullable=False),
    Column("version", String(100), nullable=False),
    Column("beats", BigInteger, nullable=False),
    Column("started", Float(53), nullable=False),
    Column("seen", Float(53), nullable=False),
    Column("buried", Float(53)),
    Column("clock", Float(53)),
    Column("knows", String(32)),
)
"""Who runs launches; instants are seconds of the epoch by the clock of the database, but `clock` by the worker's own.

A row with `buried` is of a process whose work others take: it can never be seen again. `clock` was read when `seen`
was; `knows` is the newest revision of the tables that the worker's code knows. Both are empty in rows of earlier code.
"""

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


def connect(url: str | URL, *, keeper: bool = False) -> Engine:
    """An engine for `sqlite:///PATH` or `postgresql+psycopg://…`, with a time limit on every wait.

    On SQLite a writing transaction takes the lock when it begins, so that what it read cannot be outdated when it
    writes, and a commit is on the disk before it returns. A `keeper` waits less, since it must try again soon; so does
    whoever only looks.
    """
    found = make_url(address(url))
    seconds = KEEPER_SECONDS if keeper else BUSY_SECONDS
    if found.get_backend_name() == "postgresql":
        limits: dict[str, int | str] = {**patience(seconds)}
        idle = KEEPER_SECONDS if keeper else IDLE_SECONDS
        # A process that is frozen within a transaction would keep its locks from everybody.
        options = f"-c idle_in_transaction_session_timeout={idle * 1000}"
        if keeper:
            options += f" -c statement_timeout={seconds * 1000}"
        limits["options"] = options
        return create_engine(found, connect_args=limits, pool_pre_ping=True)
    engine = create_engine(found, connect_args={"timeout": seconds})
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def patience(seconds: int = BUSY_SECONDS) -> dict[str, int]:
    """For how long a connection to PostgreSQL waits for a machine that is gone without a word, as libpq takes it.

    Who waits for an answer asks three times whether the machine is there: after half of these seconds, and twice more
    before they are over, which is when the kernel gives up (`TCP_USER_TIMEOUT` in tcp(7)).
    """
    return {
        "connect_timeout": seconds,
        "tcp_user_timeout": seconds * 1000,
        "keepalives_idle": max(1, seconds // 2),
        "keepalives_interval": max(1, seconds // 6),
        "keepalives_count": 3,
    }


def address(url: str | URL) -> str:
    """The address with its password and driver; raises `UsageError` for a database that tminus cannot live in."""
    try:
        found = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise UsageError("the address of the store cannot be read", hint=_ADDRESS_HINT) from error
    if "@" in (found.host or ""):
        raise UsageError(
            "the address of the store has more than one @", hint="write an @ within a password as %40"
        )
    kind = found.get_backend_name()
    if kind not in {"sqlite", "postgresql"}:
        raise UsageError(f"no store at {kind}", hint=_ADDRESS_HINT)
    if kind == "postgresql":
        found = found.set(drivername="postgresql+psycopg")
    return found.render_as_string(hide_password=False)


def shown(url: str | URL) -> str:
    """The address as people may see it: without its password; raises what `address` raises."""
    found = make_url(address(url))
    # SQLAlchemy masks the one before the host; libpq takes them from the query too.
    hidden = {name: "***" for name in found.query if "password" in name}
    return found.update_query_dict(hidden).render_as_string()


def database_now(connection: Connection) -> ColumnElement[float]:
    """The instant by the clock of the database, in seconds of the epoch, as part of a statement."""
    if connection.dialect.name == "postgresql":
        return literal_column("extract(epoch from clock_timestamp())::float8", Float(53))
    return (func.julianday("now", type_=Float(53)) - 2440587.5) * 86400.0


def prepare(engine: Engine, also: Callable[[], None] | None = None, *, post: bool = False) -> None:
    """Bring our tables to what this code needs, and set SQLite's journal once; many processes may do it at once.

    `also` prepares what else lives in the same database, while nobody else prepares anything in it. `post` says that no
    earlier code runs any more, see `migrating.migrate`.
    """
    try:
        with _alone(engine):
            if engine.dialect.name == "sqlite":
                _set_journal(engine)
            with engine.execution_options(**{WRITE: True}).begin() as connection:
                migrate(connection, post=post)
            if also is not None:
                also()
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        raise unreachable(engine, error) from error


def prepare_if_there(engine: Engine) -> bool:
    """The same for a database that has tables of ours, and nothing for one that has none; whether it has.

    Whoever only looks writes nothing into a database that is as it should be.
    """
    try:
        with engine.connect() as connection:
            here = revision(connection)
            there = here is not None or inspect(connection).has_table(LAUNCHES.name)
    except (SQLAlchemyError, OSError) as error:
        raise unreachable(engine, error) from error
    if there and is_behind(here, newest_safe(revisions())):
        prepare(engine)
    return there


@contextmanager
def _alone(engine: Engine) -> Iterator[None]:
    """Prepare one after the other.

    On PostgreSQL whoever waits has no transaction open: building an index there waits for every transaction.
    """
    database = engine.url.database
    if engine.dialect.name == "sqlite":
        with files.locked(Path(f"{database}.lock")) if database not in _IN_MEMORY else nullcontext():
            yield
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        _wait_for_lock(connection)
        try:
            yield
        finally:
            connection.execute(text("select pg_advisory_unlock(:lock)"), {"lock": _PREPARE_LOCK})


def _wait_for_lock(connection: Connection) -> None:
    for _ in range(PREPARE_SECONDS * 5):
        if connection.scalar(text("select pg_try_advisory_lock(:lock)"), {"lock": _PREPARE_LOCK}):
            return
        Event().wait(0.2)
    raise PartError(
        f"another process prepares the store since more than {PREPARE_SECONDS} s",
        hint="see what it does, and start again when it is done",
    )


def unreachable(engine: Engine, error: Exception) -> StoreError:
    """What to raise when the database does not do its part."""
    cause = getattr(error, "orig", None) or error
    return StoreError(
        f"the store {shown(engine.url)} does not answer: {cause}",
        hint="check that the database runs, its folder is writable and its disk is not full",
    )


def _set_journal(engine: Engine) -> None:
    """Readers do not wait for the writer in WAL mode; changing it needs the file for oneself, so only when needed."""
    if engine.url.database in _IN_MEMORY:
        return
    with engine.connect() as connection:
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
