"""The partner that depot's events go to: what it believes, what it tells, and what it still knows after a kill."""

import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp.test_utils import TestClient, TestServer

from tminus.standins.journal import Journal
from tminus.standins.partner import Partner

SECRET = b"shared by two"
NOW = 1_700_000_000.0


@asynccontextmanager
async def partner(folder: Path, answer: int = 200) -> AsyncIterator["TestClient[Any, Any]"]:
    made = Partner(Journal(folder / "arrived.jsonl"), SECRET, answer, lambda: NOW)
    async with TestClient(TestServer(made.application())) as client:
        yield client


async def send(
    client: "TestClient[Any, Any]", body: bytes, *, secret: bytes = SECRET, at: str = str(int(NOW))
) -> int:
    proof = hmac.digest(secret, at.encode() + b"." + body, "sha256").hex()
    headers = {"X-Depot-Timestamp": at, "X-Depot-Signature": f"v1={proof}"}
    async with client.post("/events", data=body, headers=headers) as reply:
        assert "stand-in" in reply.headers["X-Stand-In"]
        return reply.status


async def told(client: "TestClient[Any, Any]", title: str) -> list[dict[str, Any]]:
    async with client.get("/events", params={"title": title}) as reply:
        events: list[dict[str, Any]] = (await reply.json())["events"]
        return events


def event(title: str) -> bytes:
    return json.dumps({"id": "e1", "event": "document.stored", "data": {"title": title}}).encode()


async def test_what_is_rightly_signed_is_taken_and_told(tmp_path: Path) -> None:
    async with partner(tmp_path) as client:
        assert await send(client, event("Permit")) == 200
        assert await told(client, "Permit") == [
            {"id": "e1", "event": "document.stored", "title": "Permit", "signed": True, "answer": 200}
        ]
        assert await told(client, "Offer") == []


async def test_what_somebody_else_signed_or_long_ago_is_refused_and_told_as_that(tmp_path: Path) -> None:
    async with partner(tmp_path) as client:
        assert await send(client, event("Permit"), secret=b"another") == 401
        assert await send(client, event("Permit"), at=str(int(NOW) - 301)) == 401
        assert await send(client, event("Permit"), at=str(int(NOW) + 301)) == 401
        assert await send(client, event("Permit"), at="soon") == 401
        assert await send(client, event("Permit"), at=str(int(NOW) - 300)) == 200
        found = [(one["signed"], one["answer"]) for one in await told(client, "Permit")]
        assert found == [(False, 401)] * 4 + [(True, 200)]


async def test_it_can_be_told_to_fail(tmp_path: Path) -> None:
    async with partner(tmp_path, answer=500) as client:
        assert await send(client, event("Permit")) == 500
        assert [(one["signed"], one["answer"]) for one in await told(client, "Permit")] == [(True, 500)]


async def test_what_is_no_event_is_answered_and_told_too(tmp_path: Path) -> None:
    async with partner(tmp_path) as client:
        for body in (b"", b"not json", b"[1]", b'{"data": 5}'):
            assert await send(client, body) == 200
        assert len(await told(client, "")) == 4


async def test_after_a_kill_it_still_knows_what_came_and_no_secret_is_kept(tmp_path: Path) -> None:
    async with partner(tmp_path) as client:
        await send(client, event("Permit"))
    async with partner(tmp_path) as client:
        assert len(await told(client, "Permit")) == 1
    assert SECRET.decode() not in (tmp_path / "arrived.jsonl").read_text()
