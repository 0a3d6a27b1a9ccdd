"""Asking for advisories: the client against the stand-in, which refuses what OSV refuses and fails where it is told."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tminus import osv
from tminus.errors import InconclusiveError, UnreachableError
from tminus.osv import Osv
from tminus.standins.osv import Advisories

A, B = "pkg:pypi/a@1.5", "pkg:npm/%40scope/b@2.0.0"
V3 = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
V4 = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H"


class Service:
    """The stand-in on a port of its own, and what it was asked."""

    def __init__(self) -> None:
        self.at = 1_800_000_000.0
        self.known = Advisories(lambda: self.at, "token", lambda data: self.known.take(data, self.at))
        self.asked: list[str] = []

        @web.middleware
        async def note(request: web.Request, handler: Any) -> web.StreamResponse:
            self.asked.append(f"{request.method} {request.path}")
            reply: web.StreamResponse = await handler(request)
            return reply

        app = self.known.application()
        app.middlewares.append(note)
        self.server = TestServer(app)

    @property
    def osv(self) -> Osv:
        return Osv(str(self.server.make_url("")).rstrip("/"))

    def publish(self, name: str, **more: Any) -> None:
        affected = [{"package": {"ecosystem": "PyPI", "name": "a"}, "versions": ["1.5"]}]
        self.known.take({"id": name, "affected": affected, **more}, self.at)

    def behave(self, **how: Any) -> None:
        for name, value in how.items():
            setattr(self.known._behaviour, name, value)


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    made = Service()
    async with made.server:
        yield made


async def test_a_package_without_advisories_has_none_known_or_not(service: Service) -> None:
    service.publish("CVE-1")
    assert await service.osv.advisories(["pkg:pypi/unknown@1", "pkg:pypi/a@1.6", B]) == []


@pytest.mark.parametrize(
    ("more", "score", "said"),
    [
        ({"severity": [{"type": "CVSS_V3", "score": V3}]}, 9.8, ""),
        ({"severity": [{"type": "CVSS_V4", "score": V4}]}, 10.0, ""),
        ({"severity": [{"type": "CVSS_V2", "score": "AV:N/AC:L/Au:N/C:P/I:N/A:N"}]}, 5.0, ""),
        ({"severity": [{"type": "CVSS_V3", "score": "no vector"}]}, None, ""),
        ({"severity": [{"type": "Ubuntu", "score": "high"}]}, None, ""),
        ({"database_specific": {"severity": "CRITICAL"}}, None, "CRITICAL"),
        ({}, None, ""),
    ],
)
async def test_its_rating_is_read_wherever_it_stands(
    service: Service, more: dict[str, Any], score: float | None, said: str
) -> None:
    service.publish("CVE-1", aliases=["GHSA-1"], **more)
    (found,) = await service.osv.advisories([A])
    assert (found.id, found.package, found.score, found.said) == ("CVE-1", A, score, said)
    assert found.aliases == {"GHSA-1"}


async def test_one_that_is_published_or_withdrawn_meanwhile_is_seen_at_the_next_scan(
    service: Service,
) -> None:
    source = service.osv
    service.publish("CVE-1")
    assert [one.id for one in await source.advisories([A])] == ["CVE-1"]
    service.publish("CVE-2")
    assert {one.id for one in await source.advisories([A])} == {"CVE-1", "CVE-2"}
    assert service.asked.count("GET /v1/vulns/CVE-1") == 1, (
        "what was read and has not changed is not read again"
    )
    service.at += 60
    service.publish("CVE-1", withdrawn="2027-01-01T00:00:00Z")
    assert [one.id for one in await source.advisories([A])] == ["CVE-2"]


async def test_a_change_of_the_rating_is_read_again(service: Service) -> None:
    source = service.osv
    service.publish("CVE-1")
    assert (await source.advisories([A]))[0].score is None
    service.at += 60
    service.publish("CVE-1", severity=[{"type": "CVSS_V3", "score": V3}])
    assert (await source.advisories([A]))[0].score == 9.8


async def test_every_page_of_every_package_is_read(service: Service) -> None:
    for number in range(7):
        service.publish(f"CVE-{number}")
    service.behave(page=2)
    found = await service.osv.advisories(["pkg:pypi/z@1", A])
    assert [one.id for one in found] == [f"CVE-{number}" for number in range(7)]
    assert service.asked.count("POST /v1/querybatch") == 4


async def test_more_packages_than_one_question_takes_are_asked_in_several(service: Service) -> None:
    service.publish("CVE-1")
    many = [f"pkg:pypi/p{number}@1" for number in range(osv.BATCH)]
    assert [one.id for one in await service.osv.advisories([*many, A])] == ["CVE-1"]
    assert service.asked.count("POST /v1/querybatch") == 2


async def test_an_endless_list_of_pages_is_no_answer(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(osv, "PAGES", 3)
    for number in range(7):
        service.publish(f"CVE-{number}")
    service.behave(page=2)
    with pytest.raises(InconclusiveError, match="more than 3 pages about pkg"):
        await service.osv.advisories([A])


@pytest.mark.parametrize("status", [400, 429, 500, 503])
async def test_a_source_that_fails_has_not_said_that_all_is_well(service: Service, status: int) -> None:
    service.behave(status=status)
    with pytest.raises(InconclusiveError, match=f"the batch was answered with {status}"):
        await service.osv.advisories([A])


async def test_a_package_url_that_is_none_is_refused_in_the_source_s_words(service: Service) -> None:
    with pytest.raises(InconclusiveError, match="Invalid Package URL"):
        await service.osv.advisories(["no-purl"])


async def test_a_source_that_is_slow_is_given_up(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(osv, "SECONDS", 0.05)
    service.behave(seconds=30.0)
    with pytest.raises(UnreachableError, match=r"took longer than 0\.05 s"):
        await service.osv.advisories([A])


async def test_a_source_that_is_away_is_unreachable(service: Service) -> None:
    source = service.osv
    await service.server.close()
    with pytest.raises(UnreachableError, match="/v1/querybatch"):
        await source.advisories([A])


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"[]", b"{}", b'{"results": []}', b'{"results": [{"vulns": [{"modified": "x"}]}]}'],
)
async def test_what_is_no_answer_of_such_a_source_proves_nothing(body: bytes) -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    app = web.Application()
    app.router.add_post("/v1/querybatch", answer)
    async with TestServer(app) as server:
        with pytest.raises(InconclusiveError):
            await Osv(str(server.make_url("")).rstrip("/")).advisories([A])
