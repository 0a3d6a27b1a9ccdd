"""Sessions of users: a chain of refresh tokens, each good for one use, until the user logs out.

Only the hash of a refresh token is stored. A token that comes a second time was stolen, from the user or by the
user's thief; nobody can tell which, so the session ends for both.
"""

import hashlib
import logging
import secrets
import uuid
from dataclasses import dataclass

from psycopg import AsyncConnection
from psycopg.rows import DictRow

from .database import Database

logger = logging.getLogger("depot")


@dataclass(frozen=True)
class Session:
    """A session that is open, and the one token that continues it."""

    id: str
    user: str
    refresh_token: str


async def begin(database: Database, user: str, seconds: int) -> Session:
    """Open a session for a user who has proved who it is."""
    session = uuid.uuid4().hex
    async with database.transaction() as connection:
        await connection.execute(
            "INSERT INTO sessions (id, user_name, expires_at)"
            " VALUES (%s::uuid, %s, now() + make_interval(secs => %s))",
            (session, user, seconds),
        )
        return Session(session, user, await _new_token(connection, session, seconds))


async def renew(database: Database, token: str, seconds: int) -> Session | None:
    """Continue a session with its newest token; none when the token is unknown, expired or used."""
    async with database.transaction() as connection:
        # Of two requests with one token the row lock lets one use it; the other finds it used.
        used = await connection.execute(
            "UPDATE refresh_tokens t SET used_at = now() FROM sessions s JOIN users u ON u.name = s.user_name"
            " WHERE t.hash = %s AND t.used_at IS NULL AND t.expires_at > now()"
            " AND s.id = t.session AND s.ended_at IS NULL RETURNING s.id, s.user_name",
            (_hash(token),),
        )
        row = await used.fetchone()
        if row is not None:
            await connection.execute(
                "UPDATE sessions SET expires_at = now() + make_interval(secs => %s) WHERE id = %s",
                (seconds, row["id"]),
            )
            session: uuid.UUID = row["id"]
            refresh_token = await _new_token(connection, session.hex, seconds)
            return Session(session.hex, row["user_name"], refresh_token)
    await _end_if_reused(database, token)
    return None


async def end(database: Database, session: str) -> None:
    """Log out: neither the refresh token nor an access token of this session is good from now on."""
    await database.rows("UPDATE sessions SET ended_at = now() WHERE id = %s::uuid RETURNING id", (session,))


async def is_open(database: Database, session: str) -> bool:
    """Whether the user of this session has not logged out."""
    query = "SELECT id FROM sessions WHERE id = %s::uuid AND ended_at IS NULL"
    return await database.row(query, (session,)) is not None


async def forget_old(database: Database, seconds: int) -> int:
    """Remove sessions that ran out so many seconds ago; returns how many."""
    query = "DELETE FROM sessions WHERE expires_at < now() - make_interval(secs => %s) RETURNING id"
    return len(await database.rows(query, (seconds,)))


async def _new_token(connection: AsyncConnection[DictRow], session: str, seconds: int) -> str:
    token = secrets.token_urlsafe(32)
    await connection.execute(
        "INSERT INTO refresh_tokens (hash, session, expires_at)"
        " VALUES (%s, %s::uuid, now() + make_interval(secs => %s))",
        (_hash(token), session, seconds),
    )
    return token


async def _end_if_reused(database: Database, token: str) -> None:
    ended = await database.row(
        "UPDATE sessions SET ended_at = now() WHERE ended_at IS NULL AND id ="
        " (SELECT session FROM refresh_tokens WHERE hash = %s AND used_at IS NOT NULL) RETURNING user_name",
        (_hash(token),),
    )
    if ended is not None:
        logger.warning("refresh token reused", extra={"fields": {"user": ended["user_name"]}})


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
