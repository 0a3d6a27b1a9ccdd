"""Who is asking: `/login`, `/me`, and the dependency that every protected route has."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Header, HTTPException
from pydantic import BaseModel, Field

from .clock import wall_clock
from .credentials import issue_token, matches, read_token
from .database import Row
from .parts import NO_NUL, Wired

router = APIRouter()

_NOBODY: Row = {"salt": bytes(16), "hash": bytes(32)}
_HASHING = asyncio.Semaphore(2)
"""Hashing takes a core and 16 MiB; a burst of logins must not take them all."""


class Login(BaseModel):
    """A name and a password."""

    user: str = Field(min_length=1, max_length=100, pattern=NO_NUL)
    password: str = Field(max_length=1024)


async def current_user(parts: Wired, authorization: Annotated[str, Header()] = "") -> str:
    """The user whose bearer token came with the request; 401 without a valid one."""
    scheme, _, token = authorization.partition(" ")
    name = read_token(token.strip(), wall_clock(), parts.settings.token_secret)
    if scheme.lower() != "bearer" or name is None:
        raise _unauthorized("a valid bearer token is needed: POST /login")
    return name


User = Annotated[str, Depends(current_user)]


@router.post("/login")
async def login(parts: Wired, asked: Login) -> dict[str, str | int]:
    """A short-lived token for a user who knows the password.

    An unknown name costs the same hash as a wrong password, so that the time does not tell who exists.
    """
    user = await parts.database.row("SELECT salt, hash FROM users WHERE name = %s", (asked.user,))
    known = user or _NOBODY
    async with _HASHING:
        right = await asyncio.to_thread(matches, asked.password, bytes(known["salt"]), bytes(known["hash"]))
    if user is None or not right:
        raise _unauthorized("user or password is wrong")
    seconds = parts.settings.token_seconds
    token = issue_token(asked.user, wall_clock() + seconds, parts.settings.token_secret)
    return {"token": token, "token_type": "Bearer", "expires_in": seconds}


@router.get("/me")
async def me(parts: Wired, user: User) -> Row:
    """The user of the token, as long as the user exists."""
    found = await parts.database.row("SELECT name AS user, created_at FROM users WHERE name = %s", (user,))
    if found is None:
        raise _unauthorized("this user no longer exists")
    return found


def _unauthorized(why: str) -> HTTPException:
    return HTTPException(401, why, headers={"WWW-Authenticate": "Bearer"})
