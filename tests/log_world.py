"""A service of some pods whose lines go to a stand-in for Loki, on a way that a test can break."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import cycle

from aiohttp import web
from aiohttp.test_utils import TestServer

from tminus.probes import logs
from tminus.standins.loki import NANO, Loki
from tminus.wiring import SystemClock

TOKEN = "token-7f3a9c-of-the-logs"
NOW = SystemClock().now
PODS = ("green-1", "green-2")
LABELS = {"app": "depot", "side": "green"}
"""What the lines of the new side are known by."""


def line(pod: str, at: float, mark: str = "") -> str:
    """A line as depot writes it."""
    time = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    said = {"time": time, "level": "info", "event": "request", "release": "2.0.0", "instance": pod}
    return json.dumps({**said, "request_id": mark or "none", "status": 200})


@dataclass
class LogWorld:
    """Everything that a test may break before it looks."""

    loki: Loki
    pods: tuple[str, ...] = PODS
    serving: tuple[str, ...] = PODS
    """Those that answer the marked requests, in turn."""
    delay: float = 0.0
    """Seconds from a line to its arrival."""
    stamped: bool = False
    """Whether whoever ships lines stamps them with its own time."""
    skew: float = 0.0
    """How far ahead the pods' clocks are."""
    labels: Callable[[str], dict[str, str]] = lambda pod: {**LABELS, "instance": pod}
    text: Callable[[str, float, str], str] = line
    """How a line is written."""
    ships: Callable[[str, str], bool] = lambda pod, mark: True  # noqa: ARG005 - replaced by tests
    """Whether a line of a pod arrives at all."""
    status: int = 200
    copies: int = 1
    site: str = ""
    address: str = ""
    asked: list[str] = field(default_factory=list)
    running: tuple[str, ...] | None = None

    def say(self, pod: str, at: float, mark: str = "") -> None:
        """A pod writes a line at an instant."""
        if not self.ships(pod, mark):
            return
        text, seen = self.text(pod, at + self.skew, mark), at + self.delay
        for copy in range(self.copies):
            stamp = (seen if self.stamped else at + self.skew) + copy * 1e-3
            known = {**self.labels(pod), **({"shipper": str(copy)} if copy else {})}
            self.loki.take(tuple(sorted(known.items())), int(stamp * NANO), text, seen)

    def history(self, *pods: str, since: float = 240.0, until: float = 0.0, every: float = 1.0) -> None:
        """The pods have written lines since so many seconds ago."""
        now, back = NOW(), since
        while back > until:
            for pod in pods or self.pods:
                self.say(pod, now - back)
            back -= every

    @property
    def system(self) -> logs.System:
        """As the probe has it."""

        async def running() -> tuple[str, ...]:
            return self.running or ()

        return logs.System(self.address, NOW, self.site, None if self.running is None else running)

    async def behave(self, told: dict[str, object]) -> None:
        """Have the aggregator behave otherwise."""
        self.loki.behaviour = type(self.loki.behaviour)(**told)  # type: ignore[arg-type] # what a test writes


@asynccontextmanager
async def log_world() -> AsyncIterator[LogWorld]:
    """The service, and the stand-in that its lines go to."""
    world = LogWorld(Loki(NOW, TOKEN))
    turn = cycle(range(10_000))

    async def answer(request: web.Request) -> web.Response:
        world.asked.append(request.path_qs)
        if world.status == 200 and world.serving:
            pod = world.serving[next(turn) % len(world.serving)]
            world.say(pod, NOW(), request.headers.get("X-Request-Id", ""))
        return web.Response(status=world.status)

    site = web.Application()
    site.router.add_get("/{path:.*}", answer)
    async with TestServer(site) as service, TestServer(world.loki.application()) as aggregator:
        world.site = str(service.make_url("")).rstrip("/")
        world.address = f"loki+http://:{TOKEN}@{aggregator.host}:{aggregator.port}"
        yield world
