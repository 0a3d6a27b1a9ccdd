"""A Grafana of a test's own, over a real Prometheus that holds whatever the test says it measured."""

import copy
import json
import os
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tminus import loopback, processes
from tminus.alerting.prometheus import asking
from tminus.demo.parts import grafana as part
from tminus.domain.plan import Check
from tminus.domain.trust import KeyKind, TrustedKey, TrustRoot
from tminus.errors import UnreachableError
from tminus.grafana.boards import Service, boards
from tminus.grafana.confirming import Vouch
from tminus.http import connect
from tminus.probes import depot
from tminus.signing import Signer
from tminus.signing.trust import save_trust
from tminus.standins import grafana_queries
from tminus.standins.clock import wall_clock
from tminus.standins.grafana import Grafana, Tokens
from tminus.standins.grafana_store import Store
from tminus.standins.journal import Journal
from tminus.wiring import SystemClock, dashboards
from tminus.wiring.confirming import Voucher, confirmed

if TYPE_CHECKING:
    from tests.integration.alert_world import address as alert_address
    from tests.integration.alert_world import busy
    from tests.integration.line_world import Scene, World
else:
    from alert_world import address as alert_address
    from alert_world import busy
    from line_world import Scene, World

TOKEN = "a token for these tests"
PACE = 10
"""Seconds between two scrapes of what was measured."""
BACK = 2400
"""Seconds that were measured."""

Points = Callable[[float], float | None]
"""What a series has, by its age in seconds; nothing where it has no sample."""
Measured = dict[str, Points]
"""By series: what was measured of it."""


def grows(rate: float) -> Points:
    """A counter that grows by so much a second."""
    return lambda age: (BACK - age) * rate


def level(value: float) -> Points:
    """A gauge that stands still."""
    return lambda _age: value


def until(points: Points, age: float) -> Points:
    """The same without what is younger."""
    return lambda at: points(at) if at >= age else None


def _served(side: str) -> Iterator[tuple[str, Points]]:
    at = f'job="depot",side="{side}"'
    for route, method, status, rate in (
        ("/me", "GET", "200", 20.0),
        ("/documents", "POST", "201", 2.0),
        ("/search", "GET", "200", 4.0),
        ("/files", "POST", "201", 0.5),
        ("/login", "POST", "200", 1.0),
    ):
        labels = f'{at},route="{route}",method="{method}",status="{status}"'
        yield f"depot_http_requests_total{{{labels}}}", grows(rate)
        yield f"depot_http_request_seconds_count{{{labels}}}", grows(rate)
        for bound, share in (("0.1", 0.6), ("0.3", 0.9), ("0.5", 0.99), ("+Inf", 1.0)):
            yield f'depot_http_request_seconds_bucket{{{labels},le="{bound}"}}', grows(rate * share)
    yield f'depot_backlog{{{at},kind="jobs_waiting"}}', level(3)
    yield f'depot_jobs_total{{{at},outcome="done"}}', grows(0.1)
    yield f"up{{{at}}}", level(1)


def healthy() -> Measured:
    """What a service that is well, and its machine, have been measured at."""
    node = 'instance="host1",job="node"'
    return {
        **dict(_served("blue")),
        **dict(_served("green")),
        f'node_cpu_seconds_total{{{node},cpu="0",mode="idle"}}': grows(0.7),
        f'node_cpu_seconds_total{{{node},cpu="0",mode="user"}}': grows(0.3),
        f"node_memory_MemAvailable_bytes{{{node}}}": level(6e9),
        f"node_memory_MemTotal_bytes{{{node}}}": level(8e9),
        **{
            f'node_filesystem_{what}_bytes{{{node},mountpoint="/"}}': level(size)
            for what, size in (("avail", 5e10), ("free", 6e10), ("size", 1e11))
        },
        f'node_network_receive_bytes_total{{{node},device="ens5"}}': grows(1e4),
        f'node_network_transmit_bytes_total{{{node},device="ens5"}}': grows(2e4),
        'haproxy_frontend_bytes_in_total{job="proxy",proxy="public"}': grows(3e3),
        'haproxy_frontend_bytes_out_total{job="proxy",proxy="public"}': grows(4e3),
        'haproxy_frontend_current_sessions{job="proxy",proxy="public"}': level(5),
        'haproxy_frontend_requests_denied_total{job="proxy",proxy="public"}': grows(0.01),
        'haproxy_backend_current_queue{job="proxy",proxy="app"}': level(0),
        'pg_postmaster_start_time_seconds{job="postgres"}': level(1.7e9),
        'pg_stat_activity_count{job="postgres",datname="depot"}': level(12),
        'pg_settings_max_connections{job="postgres"}': level(100),
        'redis_start_time_seconds{job="redis"}': level(1.7e9),
        'redis_connected_clients{job="redis"}': level(4),
        'process_start_time_seconds{job="prometheus"}': level(1.7e9),
        'process_open_fds{job="prometheus"}': level(40),
        'process_max_fds{job="prometheus"}': level(1000),
    }


def without(measured: Measured, *names: str) -> Measured:
    """The same without every series whose text holds one of these."""
    return {
        series: points for series, points in measured.items() if not any(name in series for name in names)
    }


@asynccontextmanager
async def prometheus(folder: Path, measured: Mapping[str, Points]) -> AsyncIterator[str]:
    """A real Prometheus that has measured this until now; its address."""
    _write(folder / "prometheus", measured, SystemClock().now())
    port = loopback.free_port()
    argv = ["prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data", "--log.level=error"]
    argv += [f"--web.listen-address=127.0.0.1:{port}"]
    process = processes.start(folder, "prometheus", argv, env={"PATH": os.environ["PATH"]})
    address = f"http://127.0.0.1:{port}"

    async def ready() -> bool:
        try:
            async with connect(address, seconds=2) as http:
                return (await http.get("/-/ready")).status == 200
        except UnreachableError:
            return False

    try:
        await process.ready(ready, 30)
        yield address
    finally:
        await process.kill()


def _write(folder: Path, measured: Mapping[str, Points], now: float) -> None:
    """The samples as blocks, by Prometheus' own tool; series of one name stand together, as it demands."""
    folder.mkdir(parents=True)
    (folder / "prometheus.yml").write_text("global: {scrape_interval: 1h}\n")
    ages = range(BACK, -1, -PACE)
    samples = [(series, age, measured[series](age)) for series in sorted(measured) for age in ages]
    lines = [f"{series} {value} {now - age:.3f}" for series, age, value in samples if value is not None]
    if lines:
        (folder / "samples.txt").write_text("\n".join([*lines, "# EOF", ""]))
        argv = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "samples.txt", "data"]
        subprocess.run(argv, cwd=folder, check=True, capture_output=True, timeout=60)


@asynccontextmanager
async def used(world: World) -> AsyncIterator[None]:
    """The stage with users, and an export that was made; Prometheus knows them for longer than a panel's step."""
    site = world.scene.site
    known = (
        'sum(rate(depot_http_requests_total{route!~"/health|/metrics"}[4s] offset 6s)) > 0',
        "max(depot_jobs_total) >= 1",
    )
    async with busy(world), asking(alert_address(world.scene, "PROMETHEUS")) as api:
        token = await depot.token(depot.System(site.public, site.user, site.password))
        async with connect(site.public) as http:
            asked = await http.ask("POST", "/exports", headers={"Authorization": f"Bearer {token}"})
            assert asked.status == 202, asked.body

        async def seen() -> bool:
            return all([await api.query(one) for one in known])

        await processes.wait_until(seen, 60, "Prometheus to see users and an export")
        yield


class Lenient(Grafana):
    """A Grafana that answers 200 also where a query has failed, as some proxies make of it."""

    async def _query(self, request: web.Request) -> web.Response:
        _, body = await grafana_queries.answer(await request.json(), self._store.sources, wall_clock)
        return web.json_response(body)


class Forgetful(Grafana):
    """A Grafana whose Prometheus has no time for the question which series have a label."""

    async def _query(self, request: web.Request) -> web.Response:
        body = await request.json()
        if any('!=""' in one.get("expr", "") for one in body["queries"]):
            failed = {"error": "query timed out in expression evaluation", "status": 503}
            results = {one["refId"]: failed for one in body["queries"]}
            return web.json_response({"results": results}, status=400)
        return await super()._query(request)


def key_of(name: str) -> Signer:
    """A person's key that is the same in every run."""
    return Signer(Ed25519PrivateKey.from_private_bytes(sha256(name.encode()).digest()))


@dataclass
class Around:
    """A Grafana, and what tests change of it."""

    address: str
    store: Store
    folder: Path
    """Where the repository's copies lie."""
    token: str = field(default=TOKEN, repr=False)

    @property
    def host(self) -> str:
        return self.address.rpartition("@")[2]

    def edit(self, kind: str, change: Callable[[dict[str, Any]], None], uid: str = "") -> None:
        """Save another version of a dashboard, as a person would."""
        model = copy.deepcopy(self.store.dashboards[uid or f"tminus-{kind}"].model)
        change(model)
        self.store.save({"dashboard": model, "overwrite": True})

    def keep(self, kind: str) -> None:
        """Let the repository's copy be what Grafana has now, so that nothing has drifted."""
        model = self.store.dashboards[f"tminus-{kind}"].model
        (self.folder / "dashboards" / f"{kind}.json").write_text(json.dumps(model))

    @property
    def trust(self) -> Path:
        """The trust root that has the key of everybody who signs here."""
        return self.folder / "trust.json"

    @property
    def vouch(self) -> Vouch:
        """By that trust root, as in production."""
        return Voucher(self.trust, production=True, now=SystemClock().now)

    def confirm(self, *words: Mapping[str, str], key: str = "") -> None:
        """Write another record of confirmations, each signed by whom it names, or all with somebody's `key`."""
        people = {name: key_of(name) for name in (key, *(one["by"] for one in words)) if name}
        keys = [TrustedKey(one.keyid, name, KeyKind.PERSON, ("owner",)) for name, one in people.items()]
        save_trust(self.trust, TrustRoot(tuple(keys)))
        rows = [
            confirmed(
                people[key or one["by"]], one["sha256"], one["by"], one.get("text", ""), SystemClock().now()
            )
            for one in words
        ]
        (self.folder / "confirmed.yaml").write_text(json.dumps(rows))

    def unsign(self) -> None:
        """Take the signatures out of the record."""
        path = self.folder / "confirmed.yaml"
        rows = json.loads(path.read_text())
        path.write_text(json.dumps([{**row, "envelope": None} for row in rows]))

    def source(self, uid: str, kind: str = "prometheus", **about: Any) -> None:
        """Have one more data source, or another in the place of one."""
        if uid in self.store.sources:
            self.store.remove_source(uid)
        self.store.add_source({"uid": uid, "name": uid, "type": kind, **about})

    def seen(self, scene: Scene, *checks: Check) -> Scene:
        """The scene with this Grafana in the place of the stage's."""
        plan = scene.plan if not checks else replace(scene.plan, checks=checks)
        make = dashboards.maker(plan, {"grafana": self.address}, self.vouch, self.folder)
        return replace(scene, handles={"grafana": make(self.address)})


@asynccontextmanager
async def grafana(
    folder: Path, address: str, *, kind: type[Grafana] = Grafana, newer: bool = False, whole: bool = False
) -> AsyncIterator[Around]:
    """A stand-in over this Prometheus with the dashboards that tminus makes, and the copies of them.

    `whole` is whether the panels are there too that nothing on a stage would fill.
    """
    kept = folder / "grafana"
    (kept / "dashboards").mkdir(parents=True)
    store = Store(Journal(kept / "kept.jsonl"), wall_clock)
    store.add_source(
        {
            "uid": "prometheus",
            "name": "Prometheus",
            "type": "prometheus",
            "url": address,
            "isDefault": True,
            "jsonData": {"timeInterval": f"{PACE}s"},
        }
    )
    for board in boards(Service()) if whole else part.made():
        path = kept / "dashboards" / f"{board.kind}.json"
        path.write_text(json.dumps(board.model("prometheus")))
    store.provision(kept / "dashboards")
    runner = web.AppRunner(kind(store, Tokens(TOKEN), legacy=not newer).application())
    await runner.setup()
    port = loopback.free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    around = Around(f"http://reader:{TOKEN.replace(' ', '%20')}@127.0.0.1:{port}", store, kept)
    around.confirm(
        {"sha256": part.CONFIRMED, "by": part.OWNER, "text": "what was stored, not what was tried"}
    )
    try:
        yield around
    finally:
        await runner.cleanup()


def panel(model: Mapping[str, Any], title: str) -> dict[str, Any]:
    """A panel of a dashboard by its title."""
    found: dict[str, Any] = next(one for one in model["panels"] if one["title"] == title)
    return found


def asks(model: Mapping[str, Any], title: str, *expressions: str) -> None:
    """Let a panel ask this."""
    found = panel(model, title)
    first = found["targets"][0]
    found["targets"] = [
        {**first, "refId": chr(ord("A") + number), "expr": expression}
        for number, expression in enumerate(expressions)
    ]


def remove(model: dict[str, Any], *titles: str) -> None:
    """Take panels out."""
    model["panels"] = [one for one in model["panels"] if one["title"] not in titles]


def more_panels(model: dict[str, Any], expressions: Sequence[str]) -> None:
    """Add panels that nobody demands."""
    first = model["panels"][0]
    for number, expression in enumerate(expressions, 1):
        target = {**first["targets"][0], "expr": expression}
        model["panels"].append(
            {**first, "id": 100 + number, "title": f"Further {number}", "targets": [target]}
        )
