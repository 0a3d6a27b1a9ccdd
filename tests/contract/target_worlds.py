"""Every target of the contract, each with its users' side and with what can happen to it."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from tminus import loopback, processes
from tminus.control.ports import Target
from tminus.domain.traffic import Side
from tminus.errors import ReleaseError
from tminus.haproxy import SECRET_VARIABLE, Proxy, Runtime, render
from tminus.haproxy.configuration import BACKEND
from tminus.kubernetes import Access, Api
from tminus.releases import Releases
from tminus.standins.kubernetes.orders import Rewrite
from tminus.targets.kubernetes import KubernetesTarget, Service, manifests
from tminus.targets.kubernetes.manifests import Example
from tminus.targets.local import LocalTarget
from tminus.testing import FakeClock, FakeTarget, FakeTraffic

if TYPE_CHECKING:
    from tests import kubernetes_world
else:
    import kubernetes_world

BLUE, GREEN = kubernetes_world.BLUE, kubernetes_world.GREEN


@dataclass
class World:
    """One target, with blue serving and green not yet there."""

    target: Target
    again: Callable[[], Target]
    """The same target as a new process has it."""
    away: Callable[[], AbstractAsyncContextManager[None]]
    """Within it nothing can be seen."""
    meddle: Callable[[], None]
    """From now on something else puts green's weight to 20 % whenever it is another."""
    shares: tuple[int, ...] = (10, 10, 0, 50, 100)
    """Weights that it can give."""
    blue: str = BLUE
    green: str = GREEN
    counts: bool = True
    """Whether it counts sessions."""
    pass_time: Callable[[float], Awaitable[None]] = asyncio.sleep
    """Let so many seconds pass, which a fake clock does at once."""


@asynccontextmanager
async def fake(folder: Path) -> AsyncIterator[World]:
    """The fake of the unit tests."""
    del folder
    clock = FakeClock()
    made = FakeTarget(clock, FakeTraffic(clock), BLUE)

    @asynccontextmanager
    async def away() -> AsyncIterator[None]:
        made.unreachable = set(range(made.calls, made.calls + 100))
        yield
        made.unreachable = set()

    def meddle() -> None:
        made.misread = dict.fromkeys(range(101), 20)

    yield World(made, lambda: made, away, meddle, pass_time=clock.sleep)


@asynccontextmanager
async def kubernetes(folder: Path, service: Any = kubernetes_world.ROUTED) -> AsyncIterator[World]:
    """The stand-in for the Kubernetes API, through the official client."""
    async with kubernetes_world.kube(folder, service) as kube:

        @asynccontextmanager
        async def away() -> AsyncIterator[None]:
            kube.cluster.orders.away = True
            yield
            kube.cluster.orders.away = False

        def meddle() -> None:
            refs = [
                {"name": name, "port": 8080, "weight": weight}
                for name, weight in (("depot-blue", 80), ("depot-green", 20))
            ]
            wish: dict[str, Any] = {"rules": [{"backendRefs": refs}]}
            if service.switch:
                wish = {"selector": {"app.kubernetes.io/name": "depot", "side": "blue"}}
            kind = "Service" if service.switch else "HTTPRoute"
            kube.cluster.orders.rewrites.append(Rewrite(kind, "depot", "argocd-controller", wish))

        shares = (0, 100, 100, 0) if service.switch else (10, 10, 0, 50, 100)
        yield World(kube.target(), kube.target, away, meddle, shares, counts=False)


@asynccontextmanager
async def switched(folder: Path) -> AsyncIterator[World]:
    """The same where a Service's selector is switched."""
    async with kubernetes(folder, kubernetes_world.SWITCHED) as world:
        yield world


SERVER = """
import asyncio, sys
from aiohttp import web

async def health(request):
    return web.json_response({"digest": sys.argv[2], "version": "1"})

application = web.Application()
application.router.add_route("GET", "/health", health)
web.run_app(application, host="127.0.0.1", port=int(sys.argv[1]), print=None)
"""


@dataclass(frozen=True)
class Command:
    argv: list[str]
    env: dict[str, str]


class Servers:
    """Releases that are one small server each, which says its digest."""

    async def prepare(self, digest: str) -> dict[str, Any]:
        if not digest.startswith("sha256:"):
            raise ReleaseError(f"{digest} is no digest", hint="give one")
        return {"digest": digest}

    async def invocation(self, digest: str, *arguments: str) -> Command:
        return Command([sys.executable, "-c", SERVER, arguments[-1], digest], {"PATH": os.environ["PATH"]})


class MeddledRuntime(Runtime):
    """HAProxy's admin socket, behind which something else can set weights too."""

    meddled = False

    async def ask(self, command: str) -> str:
        reply = await super().ask(command)
        if self.meddled and " weight " in command:
            for side, weight in ((Side.BLUE, 80), (Side.GREEN, 20)):
                await super().ask(f"set server {BACKEND}/{side} weight {weight}")
        return reply


@asynccontextmanager
async def local(folder: Path) -> AsyncIterator[World]:
    """Processes behind a real HAProxy on this machine."""
    program = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
    if program is None:
        pytest.skip("haproxy is not installed")
    ports: list[int] = []
    for _ in range(5):
        ports.append(loopback.free_port(ports))
    admin = folder / "admin.sock"
    config = folder / "haproxy.cfg"
    config.write_text(render(Proxy(ports[0], ports[1], ports[2], admin, blue_port=ports[3])))
    runtime = MeddledRuntime(admin)

    def target() -> LocalTarget:
        sides = {Side.BLUE: ports[3], Side.GREEN: ports[4]}
        return LocalTarget(folder, cast("Releases", Servers()), runtime, sides)

    def meddle() -> None:
        runtime.meddled = True

    @asynccontextmanager
    async def away() -> AsyncIterator[None]:
        proxy = processes.find(folder, "haproxy")
        assert proxy is not None
        os.kill(proxy.pid, signal.SIGSTOP)
        yield
        os.kill(proxy.pid, signal.SIGCONT)

    env = {"PATH": os.environ["PATH"], SECRET_VARIABLE: "known to this proxy alone"}
    try:
        processes.start(folder, "haproxy", [program, "-db", "-f", str(config)], env=env)

        async def answers() -> bool:
            return admin.exists()

        await processes.wait_until(answers, 10, "haproxy", log=folder / "haproxy" / "log")
        await target().start(Side.BLUE, BLUE)
        yield World(target(), target, away, meddle)
    finally:
        await processes.end_strays(folder)


def _given(name: str) -> str:
    """What whoever runs the suite on a real cluster says about it; the Makefile hands it on."""
    return os.environ.get(f"TMINUS_CONTRACT_{name}", "")


class CutOff(Api):
    """An API that can be taken away from whoever asks, on this machine alone."""

    instead: Api | None = None

    async def _call(self, *asked: Any, **besides: Any) -> tuple[int, str]:
        to = self.instead._call if self.instead else super()._call
        return await to(*asked, **besides)


@asynccontextmanager
async def cluster(folder: Path) -> AsyncIterator[World]:
    """A real cluster: a namespace that is there and may be written into, and two images that the nodes can pull.

    The objects are made as an administrator makes them and removed afterwards. Nothing here can take the API away, so
    what is about that uses an address at which nobody listens.
    """
    missing = [name for name in ("NAMESPACE", "IMAGE", "BLUE", "GREEN") if not _given(name)]
    assert not missing, f"say also {', '.join(missing)}"
    route = "tminus-contract" if _given("GATEWAY") else ""
    service = Service(
        namespace=_given("NAMESPACE"),
        image=_given("IMAGE"),
        sides={side: f"tminus-contract-{side}" for side in Side},
        route=route,
        switch="" if route else "tminus-contract",
        port=8080,
        ready_seconds=180.0,
        take=True,
    )
    nowhere = kubernetes_world.kubeconfig(folder, f"http://127.0.0.1:{loopback.free_port()}")
    api = CutOff(Access(_given("KUBECONFIG"), _given("CONTEXT")))
    cut = Api(Access(str(nowhere)))

    def target() -> KubernetesTarget:
        return KubernetesTarget(api, service)

    @asynccontextmanager
    async def away() -> AsyncIterator[None]:
        api.instead = cut
        yield
        api.instead = None

    def meddle() -> None:
        pytest.skip("nothing rewrites weights in a cluster that is whole")

    example = Example(_given("BLUE"), gateway=_given("GATEWAY"), replicas=2)
    objects = [
        one for one in manifests(service, example) if one["kind"] in {"Deployment", "Service", "HTTPRoute"}
    ]
    try:
        for one in objects:
            await api.apply(_path(service, one), one, force=True)
        await target().start(Side.BLUE, _given("BLUE"))
        shares = (10, 10, 0, 50, 100) if route else (0, 100, 100, 0)
        yield World(target(), target, away, meddle, shares, _given("BLUE"), _given("GREEN"), counts=False)
    finally:
        green = service.path("deployments", service.sides[Side.GREEN])
        for path in (*(_path(service, one) for one in objects), green):
            await api._call("DELETE", path)
        await api.close()
        await cut.close()


def _path(service: Service, thing: dict[str, Any]) -> str:
    plural = thing["kind"].lower() + "s"
    return service.path(plural, thing["metadata"]["name"])


WORLDS = {"fake": fake, "kubernetes": kubernetes, "kubernetes-switch": switched, "local": local}
"""By name."""
if _given("KUBECONFIG"):
    WORLDS["cluster"] = cluster
