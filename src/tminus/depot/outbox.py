"""The outbox: events for the partner, written with what they are about and delivered by the worker.

An event is stored in the transaction that causes it, so that neither exists without the other. Delivery is *at
least once*: an event is claimed for `LEASE_SECONDS` and stays until the partner said 2xx; when the worker dies, it
is claimed again. The partner tells repeats by the event's `id`, which stays the same.
"""

from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from .database import Database, Row

LEASE_SECONDS = 30
"""Longer than one delivery may take."""
LONGEST_PAUSE_SECONDS = 300
KEEP_SENT_SECONDS = 86_400


@dataclass(frozen=True)
class Event:
    """One claimed event, and which attempt this is."""

    number: int
    attempt: int
    content: dict[str, Any]
    """What is sent: id, event, at, data."""


@dataclass(frozen=True)
class OutboxState:
    """What was not delivered yet: how many, how old, how many failed at least once and why."""

    waiting: int
    oldest_seconds: float
    failing: int
    last_error: str | None


async def put(connection: AsyncConnection[DictRow], event: str, data: dict[str, Any]) -> None:
    """Store an event in the transaction of this connection."""
    await connection.execute("INSERT INTO outbox (event, data) VALUES (%s, %s)", (event, Jsonb(data)))


async def claim(database: Database, most: int) -> list[Event]:
    """Events that are due, oldest first; nobody else gets them for `LEASE_SECONDS`."""
    rows = await database.rows(
        "UPDATE outbox SET attempts = attempts + 1, next_at = now() + make_interval(secs => %s) WHERE id IN"
        " (SELECT id FROM outbox WHERE sent_at IS NULL AND next_at <= now() ORDER BY id LIMIT %s"
        " FOR UPDATE SKIP LOCKED) RETURNING id, delivery, event, data, created_at, attempts",
        (LEASE_SECONDS, most),
    )
    return [_event(row) for row in sorted(rows, key=lambda row: row["id"])]


async def delivered(database: Database, event: Event) -> None:
    """The partner has it."""
    await database.rows("UPDATE outbox SET sent_at = now() WHERE id = %s RETURNING id", (event.number,))


async def failed(database: Database, event: Event, why: str) -> None:
    """The partner did not take it: the next attempt is due after a pause that doubles each time."""
    await database.rows(
        "UPDATE outbox SET next_at = now() + make_interval(secs => %s), last_error = %s"
        " WHERE id = %s AND sent_at IS NULL RETURNING id",
        (pause_seconds(event.attempt), why, event.number),
    )


def pause_seconds(attempt: int) -> int:
    """How long to wait after so many attempts: 1, 2, 4 ... `LONGEST_PAUSE_SECONDS`."""
    return min(1 << min(attempt - 1, 30), LONGEST_PAUSE_SECONDS)


async def state(database: Database) -> OutboxState:
    """What is waiting now."""
    row = await database.row(
        "SELECT count(*) AS waiting, coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS oldest,"
        " count(last_error) AS failing, (array_agg(last_error ORDER BY id) FILTER (WHERE last_error IS NOT NULL))[1]"
        " AS error FROM outbox WHERE sent_at IS NULL"
    )
    found = row or {"waiting": 0, "oldest": 0.0, "failing": 0, "error": None}
    return OutboxState(found["waiting"], round(found["oldest"], 3), found["failing"], found["error"])


async def forget_delivered(database: Database) -> int:
    """Remove what was delivered more than `KEEP_SENT_SECONDS` ago; returns how many."""
    query = "DELETE FROM outbox WHERE sent_at < now() - make_interval(secs => %s) RETURNING id"
    return len(await database.rows(query, (KEEP_SENT_SECONDS,)))


def _event(row: Row) -> Event:
    content = {
        "id": str(row["delivery"]),
        "event": row["event"],
        "at": row["created_at"].isoformat(),
        "data": row["data"],
    }
    return Event(row["id"], row["attempts"], content)
