"""Webhooks both ways: events that reach the partner whatever dies, and messages that are taken once."""

import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aiohttp import web

from tminus.depot.webhooks import SIGNATURE, TIMESTAMP, is_signed, is_timely, signature

if TYPE_CHECKING:
    from tests.integration.depot.depot_world import Start, Unpacked, answer, log_in, query, until, wait_until
else:
    from depot_world import Start, Unpacked, answer, log_in, query, until, wait_until

pytestmark = pytest.mark.slow

OUT = "the partner's secret"
IN = "the secret of depot"


@dataclass
class Partner:
    """Answers where events go, and refuses as long as it is told to."""

    url: str = ""
    status: int = 200
    refused: int = 0
    events: list[dict[str, Any]] = field(default_factory=list)

    def settings(self) -> dict[str, str]:
        return {"WEBHOOK_URL": self.url, "WEBHOOK_SECRET": OUT}

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        timestamp, given = request.headers[TIMESTAMP], request.headers[SIGNATURE]
        assert is_signed(OUT.encode(), timestamp, given, body)
        assert is_timely(timestamp, int(time.time()))  # noqa: TID251 - the partner's own clock
        if self.status == 200:
            self.events.append(json.loads(body))
        else:
            self.refused += 1
        return web.Response(status=self.status, headers={"Location": "/elsewhere"})


@pytest.fixture
async def partner() -> AsyncIterator[Partner]:
    found = Partner()
    app = web.Application()
    app.router.add_post("/events", found.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}/events"
    yield found
    await runner.cleanup()


async def store(http: aiohttp.ClientSession, url: str, token: dict[str, str], title: str) -> int:
    new = {"title": title, "body": "about cranes"}
    status, made = await answer(http, "POST", f"{url}/documents", json=new, headers=token)
    assert status == 201, made
    return int(made["id"])


class TestOutgoing:
    async def test_the_partner_is_told_what_was_stored_and_removed(
        self,
        v2: Unpacked,
        database: str,
        start: Start,
        start_worker: Start,
        http: aiohttp.ClientSession,
        partner: Partner,
    ) -> None:
        depot = start(v2, database, **partner.settings())
        token = await log_in(http, depot.url)
        start_worker(v2, database, **partner.settings())
        number = await store(http, depot.url, token, "Permit")
        assert (await answer(http, "DELETE", f"{depot.url}/documents/{number}", headers=token))[0] == 204

        async def told() -> bool:
            return len(partner.events) == 2

        await until(told)
        stored, removed = sorted(partner.events, key=lambda event: str(event["at"]))
        assert (stored["event"], stored["data"]) == (
            "document.stored",
            {"id": number, "title": "Permit", "owner": "ada"},
        )
        assert (removed["event"], removed["data"]) == ("document.removed", {"id": number})
        assert stored["id"] != removed["id"]

        async def nothing_waits() -> bool:
            _, seen = await answer(http, "GET", f"{depot.url}/integrations", headers=token)
            return bool(seen["outgoing"]["waiting"] == 0)

        await until(nothing_waits)

    @pytest.mark.parametrize("status", [500, 302])
    async def test_what_the_partner_refuses_is_told_again_later(
        self,
        v2: Unpacked,
        database: str,
        start: Start,
        start_worker: Start,
        http: aiohttp.ClientSession,
        partner: Partner,
        status: int,
    ) -> None:
        partner.status = status
        depot = start(v2, database, **partner.settings())
        token = await log_in(http, depot.url)
        number = await store(http, depot.url, token, "Permit")
        start_worker(v2, database, **partner.settings())

        async def refused() -> bool:
            _, seen = await answer(http, "GET", f"{depot.url}/integrations", headers=token)
            return bool(seen["outgoing"]["failing"] == 1)

        await until(refused)
        _, seen = await answer(http, "GET", f"{depot.url}/integrations", headers=token)
        assert (seen["outgoing"]["waiting"], seen["outgoing"]["last_error"]) == (1, f"status {status}")
        async with http.get(f"{depot.url}/metrics") as reply:
            assert 'depot_backlog{kind="outbox"} 1.0' in await reply.text()
        partner.status = 200

        async def told() -> bool:
            return len(partner.events) == 1

        await until(told)
        assert partner.events[0]["data"]["id"] == number
        assert partner.refused >= 1

    async def test_nothing_is_lost_when_the_worker_dies(
        self,
        v2: Unpacked,
        database: str,
        start: Start,
        start_worker: Start,
        http: aiohttp.ClientSession,
        partner: Partner,
    ) -> None:
        partner.status = 500
        depot = start(v2, database, **partner.settings())
        token = await log_in(http, depot.url)
        worker = start_worker(v2, database, **partner.settings())
        numbers = {await store(http, depot.url, token, f"Memo {number}") for number in range(5)}
        wait_until(lambda: "event not delivered" in worker.log.read_text())
        worker.process.kill()
        worker.process.wait(10)
        # What the dead worker had claimed is claimed again when the lease is over; here it is over now.
        query(database, "UPDATE outbox SET next_at = now()")
        partner.status = 200
        start_worker(v2, database, **partner.settings())

        async def told() -> bool:
            return {event["data"]["id"] for event in partner.events} == numbers

        await until(told)

    async def test_without_a_partner_no_events_pile_up(
        self, v2: Unpacked, database: str, start: Start, http: aiohttp.ClientSession
    ) -> None:
        depot = start(v2, database)
        await store(http, depot.url, await log_in(http, depot.url), "Permit")
        assert query(database, "SELECT count(*) FROM outbox") == [(0,)]


class TestIncoming:
    async def send(
        self,
        http: aiohttp.ClientSession,
        url: str,
        body: bytes,
        *,
        age: int = 0,
        secret: str = IN,
        timestamp: str = "",
    ) -> tuple[int, dict[str, Any]]:
        timestamp = timestamp or str(int(time.time()) - age)  # noqa: TID251 - the partner's own clock
        headers = {TIMESTAMP: timestamp, SIGNATURE: signature(secret.encode(), timestamp, body)}
        return await answer(http, "POST", f"{url}/hooks", data=body, headers=headers)

    async def test_a_signed_message_is_taken_and_can_be_seen(
        self, v2: Unpacked, database: str, start: Start, http: aiohttp.ClientSession
    ) -> None:
        depot = start(v2, database, HOOK_SECRET=IN)
        token = await log_in(http, depot.url)
        body = json.dumps({"id": "m1", "event": "invoice.paid", "data": {"n": 7}}).encode()
        assert await self.send(http, depot.url, body) == (200, {"id": "m1", "duplicate": False})
        status, seen = await answer(http, "GET", f"{depot.url}/hooks/m1", headers=token)
        assert (status, seen["event"], seen["data"]) == (200, "invoice.paid", {"n": 7})
        assert (await answer(http, "GET", f"{depot.url}/hooks/m2", headers=token))[0] == 404
        _, told = await answer(http, "GET", f"{depot.url}/integrations", headers=token)
        assert (told["incoming"]["configured"], told["incoming"]["messages"]) == (True, 1)

    async def test_unsigned_altered_late_and_repeated_messages_are_refused(
        self, v2: Unpacked, database: str, start: Start, http: aiohttp.ClientSession
    ) -> None:
        depot = start(v2, database, HOOK_SECRET=IN)
        url = depot.url
        body = json.dumps({"id": "m1", "event": "invoice.paid"}).encode()
        now = str(int(time.time()))  # noqa: TID251 - the partner's own clock
        right = signature(IN.encode(), now, body)
        for headers, sent in (
            ({}, body),
            ({TIMESTAMP: now}, body),
            ({SIGNATURE: right}, body),
            ({TIMESTAMP: now, SIGNATURE: right.removeprefix("v1=")}, body),
            ({TIMESTAMP: str(int(now) + 1), SIGNATURE: right}, body),
            ({TIMESTAMP: now, SIGNATURE: right}, body + b" "),
            ({TIMESTAMP: now, SIGNATURE: signature(OUT.encode(), now, body)}, body),
        ):
            assert (await answer(http, "POST", f"{url}/hooks", data=sent, headers=headers))[0] == 401
        for age in (400, -400):
            assert (await self.send(http, url, body, age=age))[0] == 401
        assert query(database, "SELECT count(*) FROM received") == [(0,)]
        assert (await self.send(http, url, body, timestamp=now))[0] == 200
        assert (await self.send(http, url, body, timestamp=now))[0] == 409
        # The partner tries again by itself, with a new time: the same message, taken once.
        assert await self.send(http, url, body, age=5) == (200, {"id": "m1", "duplicate": True})
        assert query(database, "SELECT count(*) FROM received") == [(1,)]

    async def test_both_sides_of_a_launch_remember_what_came(
        self, v1: Unpacked, v2: Unpacked, database: str, start: Start, http: aiohttp.ClientSession
    ) -> None:
        blue, green = start(v1, database, HOOK_SECRET=IN), start(v2, database, HOOK_SECRET=IN)
        now = str(int(time.time()))  # noqa: TID251 - the partner's own clock
        body = json.dumps({"id": "m1", "event": "e"}).encode()
        assert (await self.send(http, blue.url, body, timestamp=now))[0] == 200
        assert (await self.send(http, green.url, body, timestamp=now))[0] == 409

    async def test_a_message_that_says_nothing_is_refused(
        self, v2: Unpacked, database: str, start: Start, http: aiohttp.ClientSession
    ) -> None:
        depot = start(v2, database, HOOK_SECRET=IN)
        for body in (
            b"",
            b"{",
            b"[]",
            b'{"id": "m1"}',
            b'{"id": "m1", "event": "e", "data": []}',
            b'{"id": "m1", "event": "e", "data": {"a": "\\u0000"}}',
            b'{"id": "m1", "event": "e", "data": {"a": NaN}}',
            b"[" * 50_000,
        ):
            assert (await self.send(http, depot.url, body))[0] == 422, body[:60]
        assert (await self.send(http, depot.url, b"x" * 70_000))[0] == 413

    async def test_without_a_secret_no_message_is_taken(
        self, shared: str, http: aiohttp.ClientSession
    ) -> None:
        status, body = await self.send(http, shared, b"{}", secret="")
        assert (status, body["detail"]) == (501, "off: DEPOT_HOOK_SECRET is not set")
