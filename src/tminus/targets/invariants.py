"""A database's invariants, read beside the service: a connection of its own, and nothing that could change a row.

All queries of one look see one moment: a repeatable-read, read-only transaction. The look as a whole has a time limit,
so that an expensive query costs the database no more than that; one that takes longer is not observed.
"""

import asyncio
from dataclasses import dataclass, field
from decimal import Decimal
from math import isfinite
from typing import Any

import psycopg

from tminus.domain.canonical import JsonValue
from tminus.domain.invariant import Invariant
from tminus.errors import InconclusiveError, UnreachableError
from tminus.postgres import connect

LEAST_SECONDS = 2.0
"""How long a look may always take."""
MOST_SECONDS = 30.0
"""How long it may take at most, however seldom one looks."""


@dataclass(frozen=True, slots=True)
class DatabaseInvariants:
    """The invariants of one PostgreSQL database."""

    dsn: str = field(repr=False)
    """`postgresql://…`; it may hold a password. A role that may only read is enough, and better."""
    invariants: tuple[Invariant, ...]
    every: float
    """Seconds from one look to the next; a look may take no longer, within the limits above."""

    @property
    def seconds(self) -> float:
        """The time limit of one look."""
        return min(max(self.every, LEAST_SECONDS), MOST_SECONDS)

    async def values(self) -> dict[str, JsonValue]:
        """See `Invariants.values`."""
        try:
            async with asyncio.timeout(self.seconds), connect(self.dsn, self.seconds) as connection:
                await connection.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
                await connection.set_read_only(True)
                return {one.name: await self._value(connection, one) for one in self.invariants}
        except TimeoutError as error:
            raise UnreachableError(
                f"the invariants were not read within {self.seconds:g} s",
                hint="is the database overloaded? Let a query look at fewer rows, for instance by LIMIT",
            ) from error

    async def _value(self, connection: psycopg.AsyncConnection, invariant: Invariant) -> JsonValue:
        # A prepared statement is one statement, so that none can end the transaction and its read-only mode.
        try:
            cursor = await connection.execute(invariant.query, prepare=True)
            rows = await cursor.fetchmany(2) if cursor.description else []
        except psycopg.errors.QueryCanceled as error:
            raise TimeoutError from error
        except psycopg.OperationalError:
            raise  # the database went away, which no query is to blame for
        except psycopg.Error as error:
            why = " ".join(str(error).split())[:200]
            raise InconclusiveError(
                f"the invariant {invariant.name!r} cannot be read: {why}",
                hint="correct its query in the plan",
            ) from error
        if len(rows) != 1 or len(rows[0]) != 1:
            raise InconclusiveError(
                f"the invariant {invariant.name!r} gives no single value",
                hint="let its query give one row of one column, such as count(*)",
            )
        return _plain(invariant, rows[0][0])


def _plain(invariant: Invariant, value: Any) -> JsonValue:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if value is None or isinstance(value, str | int) or (isinstance(value, float) and isfinite(value)):
        return value
    raise InconclusiveError(
        f"the invariant {invariant.name!r} gives a {type(value).__name__}",
        hint="cast it to a number or a text",
    )
