"""Who is asking: `/login`, `/refresh`, `/logout`, `/me`, and the dependency of every protected route."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Header, HTTPException
from pydantic import BaseModel, Field

from . import sessions
from .clock import wall_clock
from .credentials import Claims, issue_token, matches, read_claims
from .database import Row
from .parts import NO_NUL, Parts, Wired

router = APIRouter()

_NOBODY: Row = {"salt": bytes(16), "hash": bytes(32)}
_HASHING = asyncio.Semaphore(2)
"""Hashing takes a core and 16 MiB; a burst of logins must not take them all."""


class Login(BaseModel):
    """A name and a password."""

    user: str = Field(min_length=1, max_length=100, pattern=NO_NUL)
    password: str = Field(max_length=1024)


class Refresh(BaseModel):
    """The newest refresh token of a session."""

    refresh_token: str = Field(min_length=1, max_length=200)


async def current_claims(parts: Wired, authorization: Annotated[str, Header()] = "") -> Claims | None:
    """What the bearer token of this request says; none without a valid one, or after its logout."""
    scheme, _, token = authorization.partition(" ")
    claims = read_claims(token.strip(), wall_clock(), parts.settings.token_secret)
    if scheme.lower() != "bearer" or claims is None:
        return None
    if claims.session is not None and not await sessions.is_open(parts.database, claims.session):
        return None
    return claims


TokenClaims = Annotated[Claims | None, Depends(current_claims)]


async def current_user(claims: TokenClaims) -> str:
    """The user whose bearer token came with the request; 401 without a valid one."""
    name = claims.user if claims is not None else None
    if name is None:
        raise _unauthorized("a valid bearer token is needed: POST /login")
    return name


User = Annotated[str, Depends(current_user)]


@router.post("/login")
async def login(parts: Wired, asked: Login) -> dict[str, str | int]:
    """A short-lived token and a refresh token for a user who knows the password.

    An unknown name costs the same hash as a wrong password, so that the time does not tell who exists.
    """
    user = await parts.database.row("SELECT salt, hash FROM users WHERE name = %s", (asked.user,))
    known = user or _NOBODY
    async with _HASHING:
        right = await asyncio.to_thread(matches, asked.password, bytes(known["salt"]), bytes(known["hash"]))
    if user is None or not right:
        raise _unauthorized("user or password is wrong")
    return _tokens(parts, await sessions.begin(parts.database, asked.user, parts.settings.refresh_seconds))


@router.post("/refresh")
async def refresh(parts: Wired, asked: Refresh) -> dict[str, str | int]:
    """Fresh tokens for the newest refresh token of a session; one that was used before ends the session."""
    session = await sessions.renew(parts.database, asked.refresh_token, parts.settings.refresh_seconds)
    if session is None:
        raise _unauthorized("the refresh token is unknown, expired or used: POST /login")
    return _tokens(parts, session)


@router.post("/logout", status_code=204, dependencies=[Depends(current_user)])
async def logout(parts: Wired, claims: TokenClaims) -> None:
    """End the session of the token: its refresh token and its access tokens are good no more."""
    if claims is not None and claims.session is not None:
        await sessions.end(parts.database, claims.session)


@router.get("/me")
async def me(parts: Wired, user: User) -> Row:
    """The user of the token, as long as the user exists."""
    found = await parts.database.row("SELECT name AS user, created_at FROM users WHERE name = %s", (user,))
    if found is None:
        raise _unauthorized("this user no longer exists")
    return found


def _tokens(parts: Parts, session: sessions.Session) -> dict[str, str | int]:
    settings = parts.settings
    expires = wall_clock() + settings.token_seconds
    return {
        "token": issue_token(session.user, expires, settings.token_secret, session.id),
        "token_type": "Bearer",
        "expires_in": settings.token_seconds,
        "refresh_token": session.refresh_token,
        "refresh_expires_in": settings.refresh_seconds,
    }


def _unauthorized(why: str) -> HTTPException:
    return HTTPException(401, why, headers={"WWW-Authenticate": "Bearer"})
