"""The stand-in for a source of advisories: who publishes, what it refuses, and which versions one is about."""

from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from tminus.standins.osv import BATCH, Advisories

TOKEN = {"Authorization": "Bearer token"}
ABOUT = {"affected": [{"package": {"ecosystem": "PyPI", "name": "a"}, "versions": ["1.5"]}]}


def client() -> "TestClient[Any, Any]":
    known = Advisories(lambda: 1_800_000_000.0, "token", lambda data: known.take(data, 1_800_000_000.0))
    return TestClient(TestServer(known.application()))


async def asked(one: "TestClient[Any, Any]", *queries: Any) -> Any:
    return await (await one.post("/v1/querybatch", json={"queries": queries})).json()


async def test_what_is_published_while_it_runs_is_found_and_told() -> None:
    async with client() as one:
        query = {"package": {"purl": "pkg:pypi/a@1.5"}}
        assert await asked(one, query) == {"results": [{}]}
        assert (await one.put("/advisories/CVE-1", json=ABOUT, headers=TOKEN)).status == 200
        (result,) = (await asked(one, query))["results"]
        assert [row["id"] for row in result["vulns"]] == ["CVE-1"]
        assert (await (await one.get("/v1/vulns/CVE-1")).json())["affected"] == ABOUT["affected"]
        await one.delete("/advisories/CVE-1", headers=TOKEN)
        assert await asked(one, query) == {"results": [{}]}
        assert (await (await one.get("/v1/vulns/CVE-1")).json())["withdrawn"]


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer other"}])
async def test_a_stranger_publishes_nothing(headers: dict[str, str]) -> None:
    async with client() as one:
        for method, path in (("PUT", "/advisories/X"), ("DELETE", "/advisories/X"), ("PUT", "/behaviour")):
            assert (await one.request(method, path, json={}, headers=headers)).status == 401
        assert (await one.get("/v1/vulns/X")).status == 404


@pytest.mark.parametrize(
    "body",
    [
        {"queries": [{"package": {"purl": "a"}}]},
        {"queries": [{"package": {"purl": "pkg:pypi/a@1"}, "version": "1"}]},
        {"queries": [{"package": {"purl": "pkg:pypi/a@1"}, "page_token": "of nobody"}]},
        {"queries": [{}] * (BATCH + 1)},
        {"queries": ["a"]},
        {},
        [],
    ],
)
async def test_what_osv_refuses_is_refused(body: Any) -> None:
    async with client() as one:
        reply = await one.post("/v1/querybatch", json=body)
        assert (reply.status, (await reply.json())["code"]) == (400, 3)


@pytest.mark.parametrize(
    ("version", "hit"), [("1.1.9", False), ("1.2.0", True), ("1.9.9", True), ("2.0.0", False), ("3.1", True)]
)
async def test_a_range_holds_from_where_it_is_introduced_until_it_is_fixed(
    version: str, *, hit: bool
) -> None:
    events = [{"introduced": "1.2.0"}, {"fixed": "2.0.0"}, {"introduced": "3.0.0"}]
    row = {"package": {"ecosystem": "npm", "name": "@s/b"}, "ranges": [{"type": "SEMVER", "events": events}]}
    async with client() as one:
        await one.put("/advisories/CVE-1", json={"affected": [row]}, headers=TOKEN)
        (result,) = (await asked(one, {"package": {"purl": f"pkg:npm/%40s/b@{version}"}}))["results"]
        assert bool(result.get("vulns")) is hit
        (result,) = (await asked(one, {"package": {"ecosystem": "npm", "name": "@s/b"}, "version": version}))[
            "results"
        ]
        assert bool(result.get("vulns")) is hit
