"""One stage for all lines: every part, depot 1.0.0 as blue and 2.0.0 as green, its worker, and the plan."""

import asyncio
import re
import shutil
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import aiohttp
import psycopg
from aiohttp import web
from psycopg import sql

from tminus import demo, loopback, oci, processes, wiring
from tminus.alerting.prometheus import asking
from tminus.control.opening import Binding
from tminus.control.readiness import Readiness
from tminus.demo import images as demo_images
from tminus.demo import parts as demo_parts
from tminus.demo import service, worker
from tminus.demo.packages import Binaries
from tminus.demo.stage import PARTS, Stage
from tminus.demo.worker import Serving
from tminus.domain.course import Course
from tminus.domain.evidence import Claim, Verdict
from tminus.domain.guard import GuardLimits
from tminus.domain.plan import Check, Plan
from tminus.domain.record import OPENED, Entry, Event, append
from tminus.domain.traffic import Outcome, Side
from tminus.errors import UnreachableError
from tminus.haproxy import Runtime
from tminus.http import connect
from tminus.oci.layout import blob_path
from tminus.planfile import read
from tminus.postgres import Tools
from tminus.probes import release, staging
from tminus.releases import Releases
from tminus.signing import trust_path
from tminus.targets.database import LocalDatabase
from tminus.targets.local import LocalTarget
from tminus.targets.trace import ProxyTrace
from tminus.wiring import DepotSmoke, Site, SystemClock, Systems, judging

PLAN = Path(demo.__file__).parent / "demo.yaml"
USER, PASSWORD, SECRET, FAULT_TOKEN = (
    "tminus",
    "correct horse battery",
    "a secret for these tests",
    "let it fail",
)
V1, V2 = "1.0.0", "2.0.0"
NOWHERE = "postgresql://depot:x@127.0.0.1:1/depot"
"""A database that does not answer."""


class Kept:
    """A launch record in memory."""

    def __init__(self) -> None:
        opened = {"schedule": {"t0": "2026-01-01T00:00:00.000Z"}}
        self.kept = [append(None, Entry(OPENED, "opened", opened, "2026-01-01T00:00:00.000Z", 0))]

    async def append_once(self, key: str, kind: str, data: dict[str, Any]) -> Event:
        entry = Entry(kind, key, data, "2026-01-01T00:00:00.000Z", 0)
        self.kept.append(append(self.kept[-1], entry))
        return self.kept[-1]

    async def append_while(
        self, allowed: Callable[[Course], None], key: str, kind: str, data: dict[str, Any]
    ) -> Event:
        del allowed
        return await self.append_once(key, kind, data)

    async def events(self, after_seq: int = -1) -> list[Event]:
        return [event for event in self.kept if event.seq > after_seq]


class Recorded(ProxyTrace):
    """A trace that was recorded before, or none."""

    def __init__(self, site: Site, recorded: tuple[Outcome, ...]) -> None:
        super().__init__(
            site.stage / "no-such-trace.jsonl", site.log_port, site.log_secret, Runtime(site.admin)
        )
        self._recorded = recorded

    def since(self, at: float) -> list[Outcome]:
        return [outcome for outcome in self._recorded if outcome.at >= at]


class At(SystemClock):
    """A clock that stands still at the end of a recording; the real one without a recording."""

    def __init__(self, recorded: tuple[Outcome, ...]) -> None:
        self._at = max((outcome.at for outcome in recorded), default=None)

    def now(self) -> float:
        return super().now() if self._at is None else self._at


SPAN = 12.0
"""Seconds into which a recording is moved together: the lines look back 30 s, and a minute of the time before."""


def in_order(*outcomes: Outcome) -> tuple[Outcome, ...]:
    """As a log has them."""
    return tuple(sorted(outcomes, key=lambda outcome: outcome.at))


def hurried(trace: tuple[Outcome, ...]) -> tuple[Outcome, ...]:
    """The same within `SPAN` seconds: on a slow machine the users take longer than the line looks back."""
    last, first = max(outcome.at for outcome in trace), min(outcome.at for outcome in trace)
    pace = min(1.0, SPAN / (last - first))
    return tuple(replace(outcome, at=last - (last - outcome.at) * pace) for outcome in trace)


def preceded(
    trace: tuple[Outcome, ...], healthy: tuple[Outcome, ...], *, faster: float = 1.0
) -> tuple[Outcome, ...]:
    """A recording after one of healthy users of blue, which is moved to before green's first request."""
    after, before = hurried(trace), hurried(healthy)
    moved = min(outcome.at for outcome in after) - 40.0 - max(outcome.at for outcome in before)
    return in_order(
        *(
            replace(outcome, at=outcome.at + moved, side=Side.BLUE, ms=outcome.ms / faster)
            for outcome in before
        ),
        *after,
    )


@dataclass(frozen=True)
class Scene:
    """What the plan's lines look at; a test replaces the one thing that it breaks."""

    site: Site
    plan: Plan
    release: str
    previous: str
    ref: str = V2
    trace: tuple[Outcome, ...] = ()
    handles: Mapping[str, object] | None = None
    """Systems that take the place of the wired ones."""

    def releases(self) -> Releases:
        repository = oci.Repository.at(self.site.registry)
        return Releases(self.site.images, self.site.stage / "releases", self.site.settings, repository)

    def target(self) -> LocalTarget:
        return LocalTarget(self.site.stage, self.releases(), Runtime(self.site.admin), self.site.ports)

    def tools(self) -> Tools:
        return Tools(self.site.postgres_bin, self.site.database)

    def wired(self) -> dict[str, object]:
        """The systems as the product wires them."""
        trace, smoke = Recorded(self.site, self.trace), DepotSmoke(self.site.user, self.site.password)
        data = judging.inspection(self.plan, self.site.addresses(), wiring.SystemClock())
        clock = At(self.trace)
        adapters = (self.releases(), self.tools(), self.target(), trace, smoke, GuardLimits(), clock, data)
        handles = wiring._handles(self.site, self.plan, adapters)
        for name in ("staging", "release"):
            # Nobody's users are to be spared here, and a polite trial would wait for every other test.
            handles[name] = _in_a_hurry(handles[name])
        return handles

    def systems(self) -> Systems:
        parts = (
            {"depot": self.release.removeprefix("sha256:")},
            {"depot": self.previous.removeprefix("sha256:")},
        )
        binding = Binding("lines", *parts, 0.0, 1.0, (), asks=False)
        return Systems({**self.wired(), **(self.handles or {})}, wiring._values(binding, self.plan, self.ref))

    def on(self, **site: Any) -> "Scene":
        """The same with another site."""
        return replace(self, site=replace(self.site, **site))

    def given(self, **settings: str | None) -> "Scene":
        """The same with other settings of the service; None takes one away."""
        changed = {**self.site.settings, **{f"DEPOT_{name}": value for name, value in settings.items()}}
        return self.on(settings={name: value for name, value in changed.items() if value is not None})

    async def judged(self, *checks: str | Check) -> dict[str, Claim]:
        """The claims of some lines, by the product's own path: probe, expectation, control, record."""
        wanted = [self.plan.check(check) if isinstance(check, str) else check for check in checks]
        readiness = Readiness(self.plan.checks, Kept(), self.systems(), SystemClock())
        await readiness.observe(wanted, "test")
        return await readiness.claims()

    async def judge(self, check: str | Check) -> Claim:
        """The claim of one line."""
        return next(iter((await self.judged(check)).values()))


def _in_a_hurry(system: object) -> object:
    assert isinstance(system, staging.System | release.System)
    assert system.releases.aside, "the product spares its users"
    return replace(system, releases=replace(system.releases, aside=False))


def shows(claim: Claim, verdict: Verdict, *words: str) -> None:
    """Demand a verdict, each of these words in its reason, and something to do for a person."""
    assert claim.verdict is verdict, f"{claim.check} is {claim.verdict}: {claim.why}"
    for word in words:
        assert re.search(word, claim.why), f"{claim.check} says nothing of {word!r}: {claim.why}"
    if verdict is not Verdict.PASSED:
        done = claim.why.rpartition("; ")[2]
        assert len(done.split()) >= 3, f"{claim.check} does not say what to do: {claim.why}"


def fails(claim: Claim, plan: Plan, *words: str) -> None:
    """Demand that a line failed and ends with what the plan says to do."""
    shows(claim, Verdict.FAILED, *words)
    assert claim.why.endswith(plan.check(claim.check).hint)


@dataclass(frozen=True)
class World:
    """The running stage, and what tests take copies of."""

    stage: Stage
    scene: Scene
    before: str
    """A database as it is before the launch: revision 0001. Nobody is connected to it."""
    after: str
    """The same after it: revision 0002."""

    def copy(self, database: str) -> str:
        """A fresh copy of one of the two databases."""
        name = f"copy_{uuid4().hex[:10]}"
        clone(self.scene.site.database, database, name)
        return self.address(name)

    def address(self, database: str) -> str:
        return f"{self.scene.site.database.rpartition('/')[0]}/{database}"

    def patched(self, layout: Path, **changes: tuple[str, str]) -> Scene:
        """A scene with a layout of its own, whose 2.0.0 has this text replaced in some of its modules."""
        layers = [dict(layer) for layer in demo_images._layers("v2")]
        for name, (old, new) in changes.items():
            layer, path = next(
                (layer, path) for layer in layers for path in layer if path.endswith(f"/{name}.py")
            )
            assert old.encode() in layer[path]
            layer[path] = layer[path].replace(old.encode(), new.encode())
        digest = oci.build_layout(layout, V2, layers, demo_images._config(V2))
        return replace(self.scene.on(images=layout), release=digest)

    def copied_images(self, folder: Path) -> Scene:
        """A scene with its own copy of the images, to be damaged."""
        return self.scene.on(images=shutil.copytree(self.scene.site.images, folder / "images"))

    async def restart(self, side: Side) -> None:
        """Have a side run again as it should."""
        digest = self.scene.previous if side is Side.BLUE else self.scene.release
        await self.scene.target().start(side, digest)

    async def start_worker(self) -> None:
        """Have the worker run, of the release that has all the traffic: green's."""
        scene = self.scene
        serving = Serving(scene.releases(), scene.previous, scene.release, scene.target().desired)
        # A polite worker would wait for everything else that this machine does before it answers.
        with patch.object(worker, "polite", list):
            await self.stage.start_worker(serving)

    def process(self, name: str) -> processes.Process:
        found = processes.find(self.stage.folder, name)
        assert found is not None
        return found


def a_layer(scene: Scene, digest: str) -> Path:
    """The file of the topmost layer of an image."""
    return blob_path(scene.site.images, oci.verify(scene.site.images, digest).layers[-1].digest)


def execute(address: str, *statements: str) -> None:
    with psycopg.connect(address, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def clone(address: str, database: str, name: str) -> None:
    with psycopg.connect(f"{address.rpartition('/')[0]}/postgres", autocommit=True) as connection:
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        connection.execute(statement.format(sql.Identifier(name), sql.Identifier(database)))


async def build(home: Path, binaries: Binaries) -> World:
    """Set the stage: both sides behind the proxy, all traffic on green."""
    stage = Stage.create(home, binaries)
    try:
        return await _set(stage, home)
    except BaseException:
        await stage.remove()
        raise


async def _set(stage: Stage, home: Path) -> World:
    await stage.start_postgres()
    database = await stage.create_database("depot")
    await stage.start_supporting()
    digests = demo_images.build_releases(home / "images")
    scene = Scene(_site(stage, home / "images", database), read(PLAN), digests[V2], digests[V1])
    await stage.start_registry()
    for name in (V1, V2):
        await oci.push(oci.Repository.at(stage.registry), home / "images", digests[name], [name])
    releases = scene.releases()
    await releases.run(scene.previous, "migrate", "up")
    await releases.run(scene.previous, "seed", "--documents", "100", "--user", USER)
    clone(database, "depot", "before")
    await releases.run(scene.release, "migrate", "up")
    clone(database, "depot", "after")
    await stage.start_haproxy()
    world = World(stage, scene, "before", "after")
    await asyncio.gather(world.restart(Side.BLUE), world.restart(Side.GREEN))
    await scene.target().set_weight(100)
    await world.start_worker()
    return world


def _site(stage: Stage, images: Path, database: str) -> Site:
    supporting = demo_parts.addresses(stage.setting)
    return Site(
        stage=stage.folder,
        images=images,
        registry=stage.registry,
        public=stage.url,
        admin=stage.admin,
        log_port=stage.log_port,
        log_secret=stage.log_secret,
        ports={Side.BLUE: stage.blue_port, Side.GREEN: stage.green_port},
        postgres_bin=stage.postgres_bin,
        database=database,
        settings={
            "DEPOT_DATABASE_URL": database,
            "DEPOT_TOKEN_SECRET": SECRET,
            "DEPOT_USER_PASSWORD": PASSWORD,
            "DEPOT_FAULT_TOKEN": FAULT_TOKEN,
            **service.settings(stage.setting),
        },
        user=USER,
        password=PASSWORD,
        parts=lambda: {part: part in stage.parts_alive() for part in PARTS},
        partner=service.partner(stage.setting),
        staging=service.tried(stage.setting),
        supporting=supporting,
        copies=stage.folder / "grafana",
        trust=trust_path(stage.home),
    )


def back_up(scene: Scene, backups: Path) -> LocalDatabase:
    return LocalDatabase(scene.tools(), backups, scene.releases(), SystemClock().now)


@asynccontextmanager
async def serving(world: World, scene: Scene, name: str) -> AsyncIterator[str]:
    """One more depot beside blue and green, as this scene has it; its address."""
    releases, port = scene.releases(), loopback.free_port()
    await releases.prepare(scene.release)
    command = await releases.invocation(scene.release, "serve", "--host", "127.0.0.1", "--port", str(port))
    process = processes.start(world.stage.folder, name, command.argv, env=command.env)

    async def answers() -> bool:
        return await health_status(address) in {200, 503}

    address = f"http://127.0.0.1:{port}"
    try:
        await process.ready(answers, 30)
        yield address
    finally:
        await process.kill()


async def health_status(address: str) -> int:
    """What the health page says; 0 without an answer."""
    try:
        async with connect(address, seconds=2) as http:
            return (await http.get("/health")).status
    except UnreachableError:
        return 0


@asynccontextmanager
async def answering(status: int, body: str, headers: Mapping[str, str] | None = None) -> AsyncIterator[str]:
    """A server that gives one answer to everything; its address."""

    async def give(_request: web.Request) -> web.Response:
        return web.Response(status=status, text=body, headers=headers)

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", give)
    runner = web.AppRunner(application)
    await runner.setup()
    port = loopback.free_port()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


Phase = tuple[str, int]
"""Faults that are ordered (or `weight=` and a percentage), and how many requests are sent under them."""


def listening(world: World, file: Path) -> ProxyTrace:
    """A trace of the stage's proxy; nothing is received yet."""
    site = world.scene.site
    return ProxyTrace(file, site.log_port, site.log_secret, Runtime(site.admin))


async def record(world: World, file: Path, *phases: Phase, percent: int = 100) -> tuple[Outcome, ...]:
    """Users at the real proxy, as its log told of them: the outcomes of these phases."""
    scene = world.scene
    side = Side.GREEN if percent else Side.BLUE
    began = SystemClock().now()
    trace = listening(world, file)
    await trace.start()
    try:
        await scene.target().set_weight(percent)
        for faults, count in phases:
            if faults.startswith("weight="):
                await scene.target().set_weight(int(faults.removeprefix("weight=")))
            else:
                await order_faults(world, side, faults)
            await send_users(scene, count, at_once=200 if faults else 12)
        expected = sum(count for _, count in phases)

        async def told() -> bool:
            return len(_since(trace, began)) >= expected

        await processes.wait_until(told, 20, "the proxy's lines")
        await scraped(scene, SystemClock().now())
    finally:
        await trace.stop()
        if world.stage.parts_alive().get(side.value) is None:
            await world.restart(side)
        await order_faults(world, side, "")
        await scene.target().set_weight(100)
    return tuple(_since(trace, began))


async def scraped(scene: Scene, at: float) -> None:
    """Wait until Prometheus has asked every side that runs after this instant."""
    async with asking(scene.site.supporting["TMINUS_DEMO_PROMETHEUS"]) as api:

        async def asked() -> bool:
            found = await api.query('timestamp(up{job="depot"}) and up{job="depot"} == 1')
            return all(sample.value > at for sample in found)

        await processes.wait_until(asked, 20, "Prometheus to ask the sides")


def _since(trace: ProxyTrace, began: float) -> list[Outcome]:
    return [
        outcome for outcome in trace.outcomes() if outcome.at >= began and outcome.client.startswith("user")
    ]


async def order_faults(world: World, side: Side, faults: str) -> None:
    async with connect(world.scene.target().private_url(side)) as http:
        reply = await http.ask(
            "PUT", "/faults", headers={"X-Fault-Token": FAULT_TOKEN}, json_body={"spec": faults}
        )
    assert reply.status == 200, reply.body


async def send_users(scene: Scene, count: int, *, at_once: int, name: str = "user") -> list[int]:
    """Send requests through the proxy; the status of each answer, 0 where there was none."""
    limit = asyncio.Semaphore(at_once)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(scene.site.public, connector=connector) as session:

        async def one(number: int) -> int:
            async with limit:
                try:
                    async with session.get("/me", headers={"X-Client": f"{name}{number % 40}"}) as reply:
                        await reply.read()
                        return reply.status
                except aiohttp.ClientError:
                    return 0

        return await asyncio.gather(*(one(number) for number in range(count)))


def send(process: processes.Process, number: signal.Signals) -> None:
    process._process.send_signal(number)
