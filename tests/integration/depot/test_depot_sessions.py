"""Sessions of users: refresh and logout, against a real PostgreSQL."""

import asyncio
from typing import TYPE_CHECKING, Any

import aiohttp
import psycopg
import pytest

if TYPE_CHECKING:
    from tests.integration.depot.depot_world import PASSWORD, PROXIED, SECRET, Start, Unpacked, answer, query
else:
    from depot_world import PASSWORD, PROXIED, SECRET, Start, Unpacked, answer, query

pytestmark = pytest.mark.slow


async def tokens(http: aiohttp.ClientSession, url: str) -> dict[str, Any]:
    status, body = await answer(http, "POST", f"{url}/login", json={"user": "ada", "password": PASSWORD})
    assert status == 200, body
    return body


async def refresh(http: aiohttp.ClientSession, url: str, token: str) -> tuple[int, dict[str, Any]]:
    return await answer(http, "POST", f"{url}/refresh", json={"refresh_token": token})


async def opens(http: aiohttp.ClientSession, url: str, token: str) -> int:
    return (await answer(http, "GET", f"{url}/me", headers={"Authorization": f"Bearer {token}"}))[0]


async def test_each_refresh_token_gives_the_next(shared: str, http: aiohttp.ClientSession) -> None:
    first = await tokens(http, shared)
    assert first["refresh_expires_in"] == 86_400
    status, second = await refresh(http, shared, first["refresh_token"])
    assert status == 200
    assert second["refresh_token"] != first["refresh_token"]
    assert await opens(http, shared, second["token"]) == 200
    assert (await refresh(http, shared, second["refresh_token"]))[0] == 200


async def test_a_refresh_token_used_twice_ends_the_session_for_both(
    shared: str, http: aiohttp.ClientSession
) -> None:
    first, other = await tokens(http, shared), await tokens(http, shared)
    _, second = await refresh(http, shared, first["refresh_token"])
    assert (await refresh(http, shared, first["refresh_token"]))[0] == 401
    assert (await refresh(http, shared, second["refresh_token"]))[0] == 401
    assert await opens(http, shared, second["token"]) == 401
    # Another session of the same user goes on.
    assert await opens(http, shared, other["token"]) == 200
    assert (await refresh(http, shared, other["refresh_token"]))[0] == 200


async def test_of_two_at_once_with_one_token_one_is_refused(shared: str, http: aiohttp.ClientSession) -> None:
    for _ in range(5):
        first = await tokens(http, shared)
        both = await asyncio.gather(*(refresh(http, shared, first["refresh_token"]) for _ in range(2)))
        assert sorted(status for status, _ in both) == [200, 401]
        (winner,) = (body for status, body in both if status == 200)
        assert await opens(http, shared, winner["token"]) == 401


async def test_after_logout_no_token_of_the_session_is_good(shared: str, http: aiohttp.ClientSession) -> None:
    given = await tokens(http, shared)
    headers = {"Authorization": f"Bearer {given['token']}"}
    assert await opens(http, shared, given["token"]) == 200
    assert (await answer(http, "POST", f"{shared}/logout", headers=headers))[0] == 204
    assert await opens(http, shared, given["token"]) == 401
    assert (await refresh(http, shared, given["refresh_token"]))[0] == 401
    assert (await answer(http, "POST", f"{shared}/logout", headers=headers))[0] == 401


async def test_foreign_and_malformed_refresh_tokens_are_refused(
    shared: str, http: aiohttp.ClientSession
) -> None:
    given = await tokens(http, shared)
    for wrong in ("x" * 43, given["token"][:200], given["refresh_token"][:-1], "\x00"):
        assert (await refresh(http, shared, wrong))[0] == 401
    assert (await refresh(http, shared, ""))[0] == 422
    assert (await refresh(http, shared, given["refresh_token"]))[0] == 200


async def test_expired_tokens_and_those_of_removed_users_are_refused(
    v2: Unpacked, database: str, start: Start, http: aiohttp.ClientSession
) -> None:
    depot = start(v2, database)
    given = await tokens(http, depot.url)
    query(database, "UPDATE refresh_tokens SET expires_at = now() - interval '1 second'")
    assert (await refresh(http, depot.url, given["refresh_token"]))[0] == 401
    again = await tokens(http, depot.url)
    query(database, "DELETE FROM users")
    assert (await refresh(http, depot.url, again["refresh_token"]))[0] == 401


async def test_blue_and_green_know_the_same_sessions_and_no_token_is_stored(
    v1: Unpacked, v2: Unpacked, database: str, start: Start, http: aiohttp.ClientSession
) -> None:
    blue, green = start(v1, database), start(v2, database)
    given = await tokens(http, blue.url)
    status, second = await refresh(http, green.url, given["refresh_token"])
    assert status == 200
    assert await opens(http, blue.url, second["token"]) == 200
    headers = {"Authorization": f"Bearer {second['token']}", **PROXIED}
    assert (await answer(http, "POST", f"{blue.url}/logout", headers=headers))[0] == 204
    assert await opens(http, green.url, second["token"]) == 401
    stored = query(database, "SELECT encode(hash, 'escape') FROM refresh_tokens")
    assert len(stored) == 2
    with psycopg.connect(database) as connection:
        rows = connection.execute("SELECT t::text FROM refresh_tokens t").fetchall()
    for token in (given["refresh_token"], second["refresh_token"], SECRET):
        assert not [row for row in rows if token in row[0]]
