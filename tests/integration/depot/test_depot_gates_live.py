"""Rate limits, origins, maintenance and flags of a running depot."""

import asyncio
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

if TYPE_CHECKING:
    from tests.integration.depot.depot_world import (
        FAULT_TOKEN,
        RedisServer,
        Start,
        Unpacked,
        answer,
        log_in,
        until,
    )
else:
    from depot_world import FAULT_TOKEN, RedisServer, Start, Unpacked, answer, log_in, until

pytestmark = pytest.mark.slow

ADMIN = {"X-Fault-Token": FAULT_TOKEN}
PAGE = "https://app.example"


async def statuses(http: aiohttp.ClientSession, url: str, count: int, headers: dict[str, str]) -> list[int]:
    return [(await answer(http, "GET", url, headers=headers))[0] for _ in range(count)]


class TestRateLimits:
    async def test_exactly_the_excess_of_one_client_is_refused_and_no_other(
        self, v2: Unpacked, database: str, redis: RedisServer, start: Start, http: aiohttp.ClientSession
    ) -> None:
        limits = "*=1000/60,probe-a=5/60,probe-b=5/60"
        depot = start(v2, database, REDIS_URL=redis.url, RATE_LIMITS=limits)
        token = await log_in(http, depot.url)
        a, b = {**token, "X-Client-Key": "probe-a"}, {**token, "X-Client-Key": "probe-b"}
        assert await statuses(http, f"{depot.url}/me", 10, a) == [200] * 5 + [429] * 5
        assert await statuses(http, f"{depot.url}/me", 5, b) == [200] * 5
        assert await statuses(http, f"{depot.url}/me", 5, token) == [200] * 5
        # A key that nobody gave out is no way to a fresh allowance, nor to none.
        async with http.get(f"{depot.url}/me", headers={**token, "X-Client-Key": "made-up"}) as reply:
            assert int(reply.headers["RateLimit-Remaining"]) == 1000 - 6
        for path in ("/health", "/metrics"):
            async with http.get(depot.url + path, headers=a) as reply:
                assert (reply.status, "RateLimit-Limit" in reply.headers) == (200, False)
        assert (await answer(http, "GET", f"{depot.url}/faults", headers={**a, **ADMIN}))[0] == 200

    async def test_a_client_is_told_its_limit_and_when_to_come_back(
        self, v2: Unpacked, database: str, redis: RedisServer, start: Start, http: aiohttp.ClientSession
    ) -> None:
        depot = start(v2, database, REDIS_URL=redis.url, RATE_LIMITS="probe=1/1")
        token = {**await log_in(http, depot.url), "X-Client-Key": "probe"}
        async with http.get(f"{depot.url}/me", headers=token) as reply:
            assert (reply.headers["RateLimit-Limit"], reply.headers["RateLimit-Remaining"]) == ("1", "0")
            assert reply.headers["RateLimit-Policy"] == "1;w=1"
            assert "Retry-After" not in reply.headers
        async with http.get(f"{depot.url}/me", headers=token) as reply:
            assert (reply.status, reply.headers["Retry-After"]) == (429, reply.headers["RateLimit-Reset"])

        async def again() -> bool:
            return (await answer(http, "GET", f"{depot.url}/me", headers=token))[0] == 200

        await until(again, 5)

    async def test_both_sides_count_together_and_at_once(
        self,
        v1: Unpacked,
        v2: Unpacked,
        database: str,
        redis: RedisServer,
        start: Start,
        http: aiohttp.ClientSession,
    ) -> None:
        given = {"REDIS_URL": redis.url, "RATE_LIMITS": "probe=10/60"}
        sides = start(v1, database, **given), start(v2, database, **given)
        headers = {**await log_in(http, sides[0].url), "X-Client-Key": "probe"}
        asked = [answer(http, "GET", f"{side.url}/me", headers=headers) for side in sides for _ in range(15)]
        seen = [status for status, _ in await asyncio.gather(*asked)]
        assert (seen.count(200), seen.count(429)) == (10, 20)

    async def test_the_address_is_the_one_that_the_proxy_saw(
        self, v2: Unpacked, database: str, redis: RedisServer, start: Start, http: aiohttp.ClientSession
    ) -> None:
        depot = start(v2, database, REDIS_URL=redis.url, RATE_LIMITS="*=3/60")

        async def ask(forwarded: str) -> int:
            headers = {"X-Forwarded-For": forwarded}
            return (await answer(http, "GET", f"{depot.url}/me", headers=headers))[0]

        # What a client writes before the proxy's own entry does not make it another client.
        seen = [await ask(f"10.0.0.{number}, 192.0.2.7") for number in range(5)]
        assert seen == [401] * 3 + [429] * 2
        assert await ask("192.0.2.8") == 401

    async def test_without_redis_requests_pass_unlimited_and_are_counted(
        self, v2: Unpacked, database: str, redis: RedisServer, start: Start, http: aiohttp.ClientSession
    ) -> None:
        depot = start(v2, database, REDIS_URL=redis.url, RATE_LIMITS="probe=1/60")
        headers = {**await log_in(http, depot.url), "X-Client-Key": "probe"}
        assert await statuses(http, f"{depot.url}/me", 2, headers) == [200, 429]
        redis.kill()
        assert await statuses(http, f"{depot.url}/me", 5, headers) == [200] * 5
        async with http.get(f"{depot.url}/metrics") as reply:
            text = await reply.text()
        assert "depot_rate_limit_skipped_total 5.0" in text
        assert 'depot_dependency_up{dependency="redis"} 0.0' in text
        redis.start()

        async def limited() -> bool:
            return (await answer(http, "GET", f"{depot.url}/me", headers=headers))[0] == 429

        await until(limited, 10)


class TestOrigins:
    async def test_allowed_pages_may_use_depot_and_others_get_nothing(
        self, v2: Unpacked, database: str, start: Start, http: aiohttp.ClientSession
    ) -> None:
        depot = start(v2, database, CORS_ORIGINS=PAGE)
        for origin, allowed in ((PAGE, PAGE), ("https://evil.example", None), ("null", None)):
            async with http.get(f"{depot.url}/me", headers={"Origin": origin}) as reply:
                assert (reply.status, reply.headers["Vary"]) == (401, "Origin")
                assert reply.headers.get("Access-Control-Allow-Origin") == allowed
                assert "X-Request-Id" in reply.headers
            asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
            async with http.options(f"{depot.url}/documents", headers=asked) as reply:
                assert reply.status == (204 if allowed else 403)
                assert reply.headers.get("Access-Control-Allow-Origin") == allowed


class TestMaintenance:
    async def test_it_is_switched_on_and_off_while_depot_runs(
        self, v2: Unpacked, database: str, start: Start, http: aiohttp.ClientSession
    ) -> None:
        depot = start(v2, database)
        token = await log_in(http, depot.url)
        order = {"on": True, "text": "back at noon", "retry_after": 90}
        url = f"{depot.url}/maintenance"
        assert (await answer(http, "PUT", url, json=order))[0] == 403
        assert (await answer(http, "GET", url))[0] == 403
        assert await answer(http, "GET", url, headers=ADMIN) == (200, {"on": False})
        assert await answer(http, "PUT", url, json=order, headers=ADMIN) == (200, order)
        async with http.get(f"{depot.url}/me", headers=token) as reply:
            assert (reply.status, reply.headers["Retry-After"]) == (503, "90")
            assert await reply.json() == {"detail": "back at noon"}
        status, health = await answer(http, "GET", f"{depot.url}/health")
        assert (status, health["maintenance"]) == (200, True)
        assert (await answer(http, "GET", f"{depot.url}/faults", headers=ADMIN))[0] == 200
        assert await answer(http, "PUT", url, json={"on": False}, headers=ADMIN) == (200, {"on": False})
        assert (await answer(http, "GET", f"{depot.url}/me", headers=token))[0] == 200
        assert (await answer(http, "GET", f"{depot.url}/health"))[1]["maintenance"] is False


class TestFlags:
    async def test_a_flag_is_defined_evaluated_and_removed(
        self, v2: Unpacked, database: str, start: Start, http: aiohttp.ClientSession
    ) -> None:
        depot = start(v2, database)
        token = await log_in(http, depot.url)
        definition = {
            "variants": {"plain": "plain", "cards": "cards"},
            "default": "plain",
            "rules": [{"attribute": "audience", "values": ["beta"], "variant": "cards"}],
        }
        url, read = f"{depot.url}/flags/style", f"{depot.url}/ofrep/v1/evaluate/flags/style"
        assert (await answer(http, "PUT", url, json=definition, headers=token))[0] == 403
        status, missing = await answer(http, "POST", read, json={"context": {}}, headers=token)
        assert (status, missing["key"], missing["errorCode"]) == (404, "style", "FLAG_NOT_FOUND")
        assert (await answer(http, "PUT", url, json=definition, headers=ADMIN))[0] == 200

        async def found() -> bool:
            return (await answer(http, "POST", read, json={}, headers=token))[0] == 200

        await until(found, 5)
        for context, value, reason in (
            ({"targetingKey": "ada"}, "plain", "DEFAULT"),
            ({"targetingKey": "ada", "audience": "beta"}, "cards", "TARGETING_MATCH"),
        ):
            status, body = await answer(http, "POST", read, json={"context": context}, headers=token)
            assert status == 200
            assert (body["key"], body["value"], body["variant"], body["reason"]) == (
                "style",
                value,
                value,
                reason,
            )
            assert "changed_at" in body["metadata"]
        for wrong, code in (
            ({"context": []}, "INVALID_CONTEXT"),
            ({"context": {"targetingKey": 5}}, "INVALID_CONTEXT"),
            ([], "INVALID_CONTEXT"),
        ):
            status, body = await answer(http, "POST", read, json=wrong, headers=token)
            assert (status, body["errorCode"]) == (400, code)
        status, body = await answer(http, "POST", read, data=b"{", headers=token)
        assert (status, body["errorCode"]) == (400, "PARSE_ERROR")
        contradiction = {**definition, "default": "none"}
        assert (await answer(http, "PUT", url, json=contradiction, headers=ADMIN))[0] == 422
        assert (await answer(http, "DELETE", url, headers=ADMIN))[0] == 204
        assert (await answer(http, "GET", url, headers=ADMIN))[0] == 404

    async def test_all_flags_come_with_a_tag_and_only_when_they_changed(
        self, v2: Unpacked, database: str, start: Start, http: aiohttp.ClientSession
    ) -> None:
        seeded = v2.run("seed", "--documents", "1", DATABASE_URL=database, USER_PASSWORD="demo password")
        assert seeded.returncode == 0, seeded.stderr
        depot = start(v2, database)
        token = await log_in(http, depot.url)
        url = f"{depot.url}/ofrep/v1/evaluate/flags"

        async def evaluate(audience: str, tag: str = "") -> tuple[int, str, Any]:
            body = {"context": {"targetingKey": "ada", "audience": audience}}
            async with http.post(url, json=body, headers={**token, "If-None-Match": tag}) as reply:
                return (
                    reply.status,
                    reply.headers["ETag"],
                    await reply.json() if reply.status == 200 else None,
                )

        status, tag, body = await evaluate("public")
        assert status == 200
        assert {flag["key"]: flag["value"] for flag in body["flags"]} == {
            "exports": True,
            "result-style": "plain",
        }
        assert (await evaluate("public", tag))[:2] == (304, tag)
        status, other, body = await evaluate("beta", tag)
        assert (status, other != tag) == (200, True)
        assert {flag["key"]: flag["reason"] for flag in body["flags"]} == {
            "exports": "STATIC",
            "result-style": "TARGETING_MATCH",
        }

    @pytest.mark.parametrize("state", ["on", "off"])
    async def test_the_kill_switch_of_exports_is_obeyed(
        self,
        v2: Unpacked,
        database: str,
        redis: RedisServer,
        start: Start,
        http: aiohttp.ClientSession,
        state: str,
    ) -> None:
        depot = start(v2, database, REDIS_URL=redis.url)
        token = await log_in(http, depot.url)
        definition = {"variants": {"on": True, "off": False}, "default": state}
        url = f"{depot.url}/flags/exports"
        assert (await answer(http, "PUT", url, json=definition, headers=ADMIN))[0] == 200
        expected = 202 if state == "on" else 403
        assert (await answer(http, "POST", f"{depot.url}/exports", headers=token))[0] == expected
