"""A Grafana of a test's own, and a Prometheus behind it that says what the test wants."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from tminus.standins.grafana import Grafana, Tokens
from tminus.standins.grafana_store import Store
from tminus.standins.journal import Journal

NOW = 1_700_000_000.0
TOKEN, VIEWER = "an editor's token", "a viewer's token"
QUERY = {
    "refId": "A",
    "datasource": {"uid": "prom", "type": "prometheus"},
    "expr": "up",
    "format": "time_series",
    "instant": False,
    "range": True,
    "intervalMs": 15_000,
    "maxDataPoints": 60,
}


def store(folder: Path) -> Store:
    return Store(Journal(folder / "kept.jsonl"), lambda: NOW)


@asynccontextmanager
async def grafana(kept: Store, *, legacy: bool = True) -> AsyncIterator["TestClient[Any, Any]"]:
    made = Grafana(kept, Tokens(TOKEN, VIEWER), legacy=legacy)
    async with TestClient(TestServer(made.application())) as client:
        yield client


async def ask(
    client: "TestClient[Any, Any]", method: str, path: str, body: Any = None, token: str = TOKEN
) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with client.request(method, path, json=body, headers=headers) as reply:
        assert "stand-in" in reply.headers["X-Stand-In"]
        return reply.status, await reply.json()


def board(uid: str = "shop", **more: Any) -> dict[str, Any]:
    return {"uid": uid, "title": "Shop", "panels": [], "schemaVersion": 39, **more}


class Prometheus:
    """Answers what it is told to, and remembers what it was asked."""

    def __init__(self, answer: dict[str, Any] | None = None, code: int = 200) -> None:
        self.code = code
        nothing: dict[str, Any] = {"status": "success", "data": {"resultType": "matrix", "result": []}}
        self.answer = nothing if answer is None else answer
        self.asked: list[tuple[str, dict[str, str]]] = []

    @asynccontextmanager
    async def up(self) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_route("*", "/api/v1/{what}", self._tell)
        async with TestServer(app) as server:
            yield f"http://{server.host}:{server.port}"

    async def _tell(self, request: web.Request) -> web.Response:
        given = await request.post() if request.method == "POST" else request.query
        self.asked.append((request.match_info["what"], {name: str(value) for name, value in given.items()}))
        return web.json_response(self.answer, status=self.code)


class LabelPrometheus(Prometheus):
    """One that is asked for the values of labels alone."""

    def __init__(self) -> None:
        super().__init__({"status": "success", "data": ["shop"]})

    @asynccontextmanager
    async def up(self) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_get("/api/v1/label/{what}/values", self._tell)
        async with TestServer(app) as server:
            yield f"http://{server.host}:{server.port}"
