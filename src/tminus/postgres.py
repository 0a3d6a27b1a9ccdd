"""PostgreSQL's own tools, as backups and their proof need them: dump, restore, count, compare.

The dump and the counts that it is compared with come from one exported snapshot, so that a database under load can
be compared row by row with its copy.
"""

import hashlib
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from tminus import processes
from tminus.errors import DeniedError, InconclusiveError, PartError, UnreachableError

SECONDS = 120.0
"""The time limit of one dump or restore."""

CONNECT_SECONDS = 5

Contents = dict[str, dict[str, str]]
"""By table: its row count and a checksum over all rows, both as text."""

_TABLES = "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
_SUM = "SELECT count(*)::text, coalesce(md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))), 'empty') FROM {} AS t"
_SCHEMA = """
SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || coalesce(column_default, '')
FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT conrelid::regclass::text || ' ' || conname || ' ' || pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid <> 0 ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Tools:
    """Where PostgreSQL's programs are, and the database they work on."""

    bin: Path
    """The folder of `pg_dump` and `pg_restore`."""
    dsn: str
    """The database, as `postgresql://…`; it may hold a password and is never shown."""

    def other(self, database: str) -> str:
        """The address of another database of the same server."""
        return urlunsplit(urlsplit(self.dsn)._replace(path=f"/{database}"))


@asynccontextmanager
async def connect(dsn: str, seconds: float = SECONDS) -> AsyncIterator[psycopg.AsyncConnection]:
    """A connection whose statements may take so many seconds.

    Raises `UnreachableError`, `DeniedError` or `InconclusiveError`, never psycopg's own.
    """
    try:
        connection = await psycopg.AsyncConnection.connect(
            dsn,
            connect_timeout=CONNECT_SECONDS,
            options=f"-c statement_timeout={int(seconds * 1000)} -c lock_timeout={int(seconds * 1000)}",
        )
    except psycopg.OperationalError as error:
        if "authentication" in str(error) or "permission" in str(error):
            raise DeniedError(
                f"PostgreSQL refuses us: {_brief(error)}", hint="check user and password"
            ) from error
        raise UnreachableError(
            f"PostgreSQL does not answer: {_brief(error)}", hint="is it running?"
        ) from error
    try:
        async with connection:
            yield connection
    except psycopg.Error as error:
        raise InconclusiveError(f"PostgreSQL: {_brief(error)}", hint="see the server's log") from error


async def contents(connection: psycopg.AsyncConnection) -> Contents:
    """Row count and checksum of every table, in the connection's snapshot."""
    found: Contents = {}
    for (name,) in await (await connection.execute(_TABLES)).fetchall():
        schema, table = str(name).split(".", 1)
        query = sql.SQL(_SUM).format(sql.Identifier(schema, table))
        row = await (await connection.execute(query)).fetchone()
        assert row is not None  # noqa: S101 - an aggregate always has a row
        found[str(name)] = {"rows": str(row[0]), "checksum": str(row[1])}
    return found


async def schema_digest(connection: psycopg.AsyncConnection) -> str:
    """SHA-256 over every column, index and constraint of the public schema."""
    rows = await (await connection.execute(_SCHEMA)).fetchall()
    return hashlib.sha256("\n".join(str(row[0]) for row in rows).encode()).hexdigest()


async def revision(connection: psycopg.AsyncConnection) -> str:
    """The revision in `alembic_version`; raises `InconclusiveError` where there is none or more than one."""
    table = await (await connection.execute("SELECT to_regclass('public.alembic_version')::text")).fetchone()
    if table is None or table[0] is None:
        raise InconclusiveError("the database has no alembic_version table", hint="was it ever migrated?")
    rows = await (await connection.execute("SELECT version_num FROM public.alembic_version")).fetchall()
    if len(rows) != 1:
        raise InconclusiveError(f"alembic_version has {len(rows)} rows, not one", hint="merge the heads")
    return str(rows[0][0])


async def dump(tools: Tools, file: Path) -> tuple[Contents, str]:
    """Dump the database into a file; the contents and the schema digest of the very snapshot that was dumped."""
    async with connect(tools.dsn) as connection:
        await connection.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
        row = await (await connection.execute("SELECT pg_export_snapshot()")).fetchone()
        assert row is not None  # noqa: S101 - a function call always has a row
        held = await contents(connection), await schema_digest(connection)
        await run(tools, "pg_dump", "--format=custom", f"--snapshot={row[0]}", f"--file={file}")
    return held


async def restore(tools: Tools, file: Path, database: str) -> None:
    """Restore a dump into a database that exists and is empty."""
    elsewhere = Tools(tools.bin, tools.other(database))
    await run(elsewhere, "pg_restore", "--exit-on-error", "--no-owner", f"--dbname={database}", str(file))


@asynccontextmanager
async def scratch(tools: Tools, database: str) -> AsyncIterator[str]:
    """An empty database beside the real one, gone afterwards; a leftover of an earlier crash is dropped first."""
    await _recreate(tools, database)
    try:
        yield tools.other(database)
    finally:
        await _recreate(tools, database, only_drop=True)


async def _recreate(tools: Tools, database: str, *, only_drop: bool = False) -> None:
    async with connect(tools.dsn) as connection:
        await connection.set_autocommit(True)
        name = sql.Identifier(database)
        await _drop(connection, name)
        if not only_drop:
            await connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(name))


async def _drop(connection: psycopg.AsyncConnection, name: sql.Identifier) -> None:
    try:
        await connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
    except psycopg.errors.InsufficientPrivilege:
        # PostgreSQL is vacuuming it, and only a superuser may end that by force; a plain drop asks it to go away.
        await connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(name))


async def run(tools: Tools, program: str, *arguments: str) -> str:
    """Run one of PostgreSQL's programs on the database; what it printed. Raises `InconclusiveError` when it fails."""
    parts = conninfo_to_dict(tools.dsn)
    names = {
        "host": "PGHOST",
        "port": "PGPORT",
        "user": "PGUSER",
        "password": "PGPASSWORD",
        "dbname": "PGDATABASE",
    }
    # Through the environment: an argument list can be read by every user of the machine.
    environment = {**os.environ, **{names[key]: str(value) for key, value in parts.items() if key in names}}
    try:
        ended = await processes.run([str(tools.bin / program), *arguments], env=environment, seconds=SECONDS)
    except PartError as error:
        raise UnreachableError(str(error), hint="install PostgreSQL's client programs") from error
    if ended.code is None:
        raise UnreachableError(f"{program} took longer than {SECONDS:g} s", hint="see the server's locks")
    if ended.code != 0:
        raise InconclusiveError(
            f"{program} failed: {ended.said.strip()[-300:]}", hint="see the message above"
        )
    return ended.said


def differences(source: Mapping[str, Mapping[str, str]], copy: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Every table in which a copy differs from its source, with both counts."""
    found = []
    for table in sorted({*source, *copy}):
        one, other = source.get(table), copy.get(table)
        if one != other:
            rows = [entry["rows"] if entry else "no table" for entry in (one, other)]
            found.append(
                f"{table}: source {rows[0]}, copy {rows[1]}"
                + ("" if rows[0] != rows[1] else ", other content")
            )
    return found


def _brief(error: psycopg.Error) -> str:
    return " ".join(str(error).split())[:200]
