"""Vantage points: an answer, none, and not having been able to look are three different things."""

import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tminus.errors import InconclusiveError, UnreachableError
from tminus.targets.vantages import ExporterVantage, OwnVantage


@dataclass
class Service:
    status: int = 200
    probe: str = "# TYPE probe_success gauge\nprobe_success 1\nprobe_http_status_code 200\n"
    exporter: int = 200
    asked: list[dict[str, str]] = field(default_factory=list)
    peers: list[str] = field(default_factory=list)

    async def health(self, request: web.Request) -> web.Response:
        self.peers.append(str(request.remote))
        return web.Response(status=self.status)

    async def ask(self, request: web.Request) -> web.Response:
        self.asked.append(dict(request.query))
        return web.Response(text=self.probe, status=self.exporter)


@pytest.fixture
async def at() -> AsyncIterator[tuple[Service, str]]:
    service = Service()
    app = web.Application()
    app.router.add_get("/health", service.health)
    app.router.add_get("/probe", service.ask)
    async with TestServer(app, host="127.0.0.1") as server:
        yield service, f"http://127.0.0.1:{server.port}"


async def test_tminus_itself_sees_what_a_user_here_sees(at: tuple[Service, str]) -> None:
    service, url = at
    assert await OwnVantage(url, "/health").answers() == (True, "status 200")
    service.status = 503
    assert await OwnVantage(url, "/health").answers() == (False, "status 503")
    seen, why = await OwnVantage("http://127.0.0.1:1", "/health").answers()
    assert not seen
    assert "127.0.0.1:1" in why


async def test_it_asks_from_the_address_that_it_is_told(at: tuple[Service, str]) -> None:
    service, url = at
    assert (await OwnVantage(url, "/health", "127.0.0.7").answers())[0]
    assert service.peers == ["127.0.0.7"]


@pytest.mark.parametrize("local", ["192.0.2.1", "2001:db8::1"])
async def test_from_an_address_that_this_machine_has_not_nobody_could_look(
    at: tuple[Service, str], local: str
) -> None:
    with pytest.raises(InconclusiveError, match=f"no address {local}"):
        await OwnVantage(at[1], "/health", local).answers()


async def test_an_exporter_says_what_it_sees_there(at: tuple[Service, str]) -> None:
    service, url = at
    vantage = ExporterVantage(url, "http://shop.example/health", "public")
    assert await vantage.answers() == (True, "status 200")
    assert service.asked == [{"target": "http://shop.example/health", "module": "public"}]
    service.probe = "probe_success 0\nprobe_http_status_code 503\n"
    assert await vantage.answers() == (False, "status 503")


@pytest.mark.parametrize(
    ("status", "text"),
    [(400, "Unknown module"), (200, ""), (200, "go_goroutines 7\n"), (200, "probe_success one\n"), (503, "")],
)
async def test_an_exporter_that_says_nothing_has_not_looked(
    at: tuple[Service, str], status: int, text: str
) -> None:
    service, url = at
    service.exporter, service.probe = status, text
    with pytest.raises(InconclusiveError):
        await ExporterVantage(url, "http://shop.example/health").answers()


async def test_an_exporter_that_is_away_has_not_looked() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        with pytest.raises(UnreachableError):
            await ExporterVantage(
                f"http://127.0.0.1:{held.getsockname()[1]}", "http://shop.example"
            ).answers()
