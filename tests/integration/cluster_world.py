"""A service on a stand-in cluster whose users' requests a real Prometheus counts; no container runs anywhere.

Each request is one draw: which side it goes to by the weights that stand in the route, and how it ends by what the side
is told to do. What it comes to stands in counters as a gateway shows them.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from aiohttp import ClientError, ClientSession, web

from tminus import loopback, processes
from tminus.demo.machine import ThisMachine
from tminus.demo.packages import locate
from tminus.domain.traffic import Side

if TYPE_CHECKING:
    from tests.kubernetes_world import ROUTED, Kube, kube
else:
    from kubernetes_world import ROUTED, Kube, kube

FOUND = locate(ThisMachine())
needs_prometheus = pytest.mark.skipif(FOUND is None, reason="Prometheus is not installed")
BOUNDS = (0.05, 0.1, 0.3, 0.5, 1.0, 2.0, 5.0)
PER_SECOND = 80


@dataclass
class Users:
    """Who asks, and what they got."""

    world: Kube
    errors: dict[Side, float] = field(default_factory=dict)
    """The share of a side's requests that fail."""
    seconds: dict[Side, float] = field(default_factory=dict)
    """How long a side takes on average, 20 ms where nothing is said."""
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    """By Service and status."""
    times: Counter[tuple[str, float]] = field(default_factory=Counter)
    """By Service and bucket."""
    silent: bool = False
    """Whether nobody is told what was counted."""
    chance: random.Random = field(default_factory=lambda: random.Random(7))

    def ask(self) -> None:
        """One request."""
        weight = self.green_weight()
        side = Side.GREEN if self.chance.random() * 100 < weight else Side.BLUE
        service = ROUTED.sides[side]
        alive = any(pod["status"].get("phase") == "Running" for pod in self.world.pods(side))
        fails = not alive or self.chance.random() < self.errors.get(side, 0.0)
        self.answers[service, 503 if fails else 200] += 1
        took = self.chance.expovariate(1 / self.seconds.get(side, 0.02))
        self.times[service, next((bound for bound in BOUNDS if took <= bound), float("inf"))] += 1

    def green_weight(self) -> int:
        """What stands in the route now, in percent."""
        (rule,) = self.world.find("HTTPRoute", ROUTED.route)["spec"]["rules"]
        weights = {one["name"]: int(one["weight"]) for one in rule["backendRefs"]}
        return weights[ROUTED.sides[Side.GREEN]]

    def exposition(self) -> str:
        """The counters, as Prometheus reads them."""
        lines = [
            f'http_requests_total{{service="{service}",code="{code}"}} {count}'
            for (service, code), count in sorted(self.answers.items())
        ]
        for service in sorted({service for service, _ in self.answers}):
            so_far = 0
            for bound in (*BOUNDS, float("inf")):
                so_far += self.times[service, bound]
                name = "+Inf" if bound == float("inf") else f"{bound:g}"
                lines.append(f'http_request_seconds_bucket{{service="{service}",le="{name}"}} {so_far}')
        return "\n".join(lines) + "\n"

    async def go_on(self) -> None:
        """Ask again and again, without end; what a busy machine has left out is caught up."""
        loop = asyncio.get_running_loop()
        began, asked = loop.time(), 0
        while True:
            while asked < (loop.time() - began) * PER_SECOND:
                self.ask()
                asked += 1
            await asyncio.sleep(0.05)


@dataclass
class ClusterWorld:
    """Everything that a launch on the cluster meets."""

    kube: Kube
    users: Users
    site: str
    metrics: str
    """Prometheus' address."""


@asynccontextmanager
async def cluster_world(folder: Path) -> AsyncIterator[ClusterWorld]:
    """A cluster on which blue serves, its users, and their counters scraped each second."""
    async with kube(_made(folder)) as cluster:
        users = Users(cluster)

        async def answer(request: web.Request) -> web.Response:
            if request.path == "/metrics" and users.silent:
                return web.Response(status=503)
            if request.path == "/metrics":
                return web.Response(text=users.exposition())
            return web.Response(status=200 if request.path == "/health" else 404)

        site = web.Application()
        site.add_routes([web.get("/{path}", answer)])
        runner = web.AppRunner(site, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = int(runner.addresses[0][1])
        asking = asyncio.create_task(users.go_on())
        try:
            async with _prometheus(folder / "prometheus", port) as metrics:
                yield ClusterWorld(cluster, users, f"http://127.0.0.1:{port}", metrics)
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            await runner.cleanup()


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _configure(folder: Path, scraped: int) -> None:
    folder.mkdir(parents=True)
    jobs = [{"job_name": "gateway", "static_configs": [{"targets": [f"127.0.0.1:{scraped}"]}]}]
    settings = {"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": jobs}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(settings))


@asynccontextmanager
async def _prometheus(folder: Path, scraped: int) -> AsyncIterator[str]:
    assert FOUND is not None
    _configure(folder, scraped)
    listen = f"127.0.0.1:{loopback.free_port()}"
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            str(FOUND.prometheus),
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={listen}",
            "--log.level=warn",
            stdout=log,
            stderr=log,
        )

    async def scrapes() -> bool:
        try:
            async with (
                ClientSession() as http,
                http.get(f"http://{listen}/api/v1/query", params={"query": "up == 1"}) as reply,
            ):
                return reply.status == 200 and bool((await reply.json())["data"]["result"])
        except ClientError:
            return False

    try:
        await processes.wait_until(scrapes, 60, "Prometheus to scrape", log=folder / "log")
        yield f"http://{listen}"
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
