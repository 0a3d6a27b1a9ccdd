"""depot's connections to PostgreSQL: a pool, time limits, and one way to ask whether it answers."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, LiteralString

from psycopg import AsyncConnection, OperationalError
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from .patience import Question

MIN_CONNECTIONS = 2
MAX_CONNECTIONS = 10
ACQUIRE_SECONDS = 2.0
"""Wait for a connection; a database that is away is answered with 503 after this."""
STATEMENT_SECONDS = 5
"""Life of one statement, enforced by the server."""
REQUEST_SECONDS = 8.0
"""Everything one request does in the database, for a server that accepts and then says nothing."""
PING_SECONDS = 1.0
"""Limit of a health check: shorter than what a proxy waits."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Ping:
    """Whether the database answered, and how fast in milliseconds."""

    ok: bool
    ms: float


class Database:
    """The pool of connections that all requests share."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool = _new_pool(url, MAX_CONNECTIONS)
        # Health is asked beside the pool: it is about a database that is away, not about requests that hold every
        # connection. Those are harm that users see, which has to be seen in their traffic.
        self._beside = _new_pool(url, 1)
        self._ping = Question(self._answers, PING_SECONDS)
        self._leaked: list[AsyncConnection[DictRow]] = []

    async def open(self) -> None:
        """Start connecting, without waiting: a database that is away degrades depot and does not stop it."""
        await self._pool.open(wait=False)
        await self._beside.open(wait=False)

    async def close(self) -> None:
        """Close every connection."""
        self._ping.drop()
        await self._close(self._pool)
        await self._beside.close(timeout=2.0)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection[DictRow]]:
        """A connection whose statements succeed or fail together."""
        async with self._connection() as connection, connection.transaction():
            yield connection

    async def rows(self, query: LiteralString, values: Sequence[object] = ()) -> list[Row]:
        """Every row that a statement returns."""
        async with self._connection() as connection:
            cursor = await connection.execute(query, values)
            return await cursor.fetchall()

    async def row(self, query: LiteralString, values: Sequence[object] = ()) -> Row | None:
        """The first row that a statement returns, if any."""
        found = await self.rows(query, values)
        return found[0] if found else None

    async def ping(self) -> Ping:
        """Ask whether the database answers, in at most `PING_SECONDS`."""
        started = time.monotonic()
        ok = bool(await self._ping.answer())
        return Ping(ok=ok, ms=round((time.monotonic() - started) * 1000, 2))

    async def set_leak(self, connections: int | None) -> None:
        """Begin a rehearsed leak with room for so many connections; none ends it and frees what leaked.

        The pool is replaced, since one that was larger keeps the connections it has.
        """
        left = self._pool
        self._pool = _new_pool(self._url, MAX_CONNECTIONS if connections is None else connections + 1)
        await self._pool.open(wait=False)
        await self._close(left)

    async def leak(self) -> None:
        """Take a connection from the pool and never give it back; fails like any user of an empty pool."""
        self._leaked.append(await self._pool.getconn())

    async def _close(self, pool: AsyncConnectionPool[AsyncConnection[DictRow]]) -> None:
        while self._leaked:
            await pool.putconn(self._leaked.pop())
        await pool.close(timeout=2.0)

    @asynccontextmanager
    async def _connection(
        self, pool: AsyncConnectionPool[AsyncConnection[DictRow]] | None = None
    ) -> AsyncIterator[AsyncConnection[DictRow]]:
        """A connection that works now, from the pool of all requests or from another one.

        The pool's own check waits a second after the first dead connection; here each dead one is dropped and
        the next is tried at once, so that a restarted database costs no request.
        """
        async with asyncio.timeout(REQUEST_SECONDS):
            while True:
                async with (pool or self._pool).connection() as connection:
                    if await _works(connection):
                        yield connection
                        return

    async def _answers(self) -> bool:
        try:
            async with self._connection(self._beside) as connection:
                await connection.execute("SELECT 1 AS one")
        except (OperationalError, TimeoutError):
            return False
        return True


def _new_pool(url: str, most: int) -> AsyncConnectionPool[AsyncConnection[DictRow]]:
    return AsyncConnectionPool(
        url,
        min_size=min(MIN_CONNECTIONS, most),
        max_size=most,
        open=False,
        timeout=ACQUIRE_SECONDS,
        # Attempts to connect back off by doubling; giving up early keeps the return of a database quick.
        reconnect_timeout=2.0,
        kwargs={
            "autocommit": True,
            "row_factory": dict_row,
            "connect_timeout": 2,
            "application_name": "depot",
            "options": f"-c statement_timeout={STATEMENT_SECONDS * 1000}",
        },
    )


async def _works(connection: AsyncConnection[DictRow]) -> bool:
    try:
        await connection.execute("")
    except OperationalError:
        if not connection.closed:
            raise
        return False
    return True
