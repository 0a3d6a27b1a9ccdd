"""What tests about alerting do to the stage: other rules, other routes, users who keep it busy."""

import asyncio
import re
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import yaml
from redis.asyncio import Redis

from tminus import processes
from tminus.alerting import expression, prometheus
from tminus.alerting.figures import Metrics
from tminus.demo.parts import alerts
from tminus.domain.canonical import timestamp
from tminus.errors import InconclusiveError
from tminus.http import connect
from tminus.wiring import SystemClock

if TYPE_CHECKING:
    from tests.integration.line_world import Scene, World, send, send_users
else:
    from line_world import Scene, World, send, send_users

Rules = dict[str, dict[str, Any]]
"""Alert rules by the line that they are for; the one without a line is `watchdog`."""

NOBODY = "http://127.0.0.1:1"
"""An address that nobody listens at."""


def address(scene: Scene, name: str) -> str:
    """Where a supporting part answers, with what opens it."""
    return scene.site.supporting[f"TMINUS_DEMO_{name}"]


@asynccontextmanager
async def busy(world: World) -> AsyncIterator[None]:
    """Users, and a cache that is looked up, until the end; Prometheus has seen some of them at the beginning."""
    lookups = Redis.from_url(address(world.scene, "REDIS"))

    over = asyncio.Event()

    async def ask() -> None:
        await lookups.set("looked-up", "found")
        while not over.is_set():
            await send_users(world.scene, 10, at_once=10)
            for _ in range(5):
                await lookups.get("looked-up")
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), 0.2)

    asking = asyncio.create_task(ask())
    try:
        async with prometheus.asking(address(world.scene, "PROMETHEUS")) as api:

            async def seen() -> bool:
                rates = (
                    'sum(rate(haproxy_frontend_http_responses_total{proxy="public"}[5s])) > 10',
                    'sum(rate(depot_http_request_seconds_count{route!~"/health|/metrics"}[10s])) > 1',
                    "sum(rate(redis_keyspace_hits_total[10s])) > 1",
                    'max(depot_backlog{kind="jobs_waiting"}) >= 0',
                )
                return all([await api.query(rate) for rate in rates])

            await processes.wait_until(seen, 30, "Prometheus to see the users")
        yield
    finally:
        over.set()
        await asking
        await lookups.delete("looked-up")
        await lookups.aclose()


async def silence(world: World, seconds: int) -> None:
    """Wait until Prometheus has watched for this long, and seen nobody ask."""
    metrics = Metrics(address(world.scene, "PROMETHEUS"))

    async def silent() -> bool:
        try:
            return (await metrics.counted(seconds, SystemClock().now())).requests == 0
        except InconclusiveError:
            return False

    await processes.wait_until(silent, 60, "the last users to be forgotten")


@asynccontextmanager
async def ruled(
    world: World, change: Callable[[Rules], None], *, interval: str = "1s", judged: bool = True
) -> AsyncIterator[None]:
    """Have Prometheus judge other rules until the end; `judged` waits until it has, once."""
    file = world.stage.folder / "prometheus" / "alerts.yml"
    before = file.read_text()
    groups = yaml.safe_load(before)["groups"]
    rules = {rule["labels"].get("line", "watchdog"): rule for group in groups for rule in group["rules"]}
    change(rules)
    for group in groups:
        # In their own groups, so that what fired before is known to be over.
        group["rules"] = [rule for rule in group["rules"] if any(rule is kept for kept in rules.values())]
        group["interval"] = interval
    async with ruled_by(world, yaml.safe_dump({"groups": groups}), judged=judged):
        yield


@asynccontextmanager
async def ruled_by(world: World, text: str, *, judged: bool = True) -> AsyncIterator[None]:
    """Have Prometheus judge the rules of this file until the end; `judged` waits until it has, once."""
    before = (world.stage.folder / "prometheus" / "alerts.yml").read_text()
    try:
        await _load_rules(world, text, judged=judged)
        yield
    finally:
        await _load_rules(world, before, judged=True)


async def _load_rules(world: World, text: str, *, judged: bool) -> None:
    wanted = [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]
    (world.stage.folder / "prometheus" / "alerts.yml").write_text(text)
    send(world.process("prometheus"), signal.SIGHUP)
    names = sorted(rule["alert"] for rule in wanted)
    expressions = {rule["alert"]: " ".join(rule["expr"].split()) for rule in wanted}
    annotations = {rule["alert"]: rule.get("annotations", {}) for rule in wanted}

    async with prometheus.asking(address(world.scene, "PROMETHEUS")) as api:

        async def loaded() -> bool:
            rules = await api.rules()
            same = sorted(rule.name for rule in rules) == names and all(
                _same(rule.expression, expressions[rule.name]) and rule.annotations == annotations[rule.name]
                for rule in rules
            )
            return same and (not judged or all(rule.health != "unknown" for rule in rules))

        await processes.wait_until(loaded, 20, "Prometheus to load the rules")


def _same(one: str, other: str) -> bool:
    """Whether two expressions are the same but for blanks, quotes and the writing of numbers."""
    return expression.one_line(expression.parse(one).tree) == expression.one_line(
        expression.parse(other).tree
    )


@asynccontextmanager
async def routed(world: World, change: Callable[[dict[str, Any]], None]) -> AsyncIterator[None]:
    """Have Alertmanager use another configuration until the end."""
    config = yaml.safe_load((world.stage.folder / "alertmanager" / "alertmanager.yml").read_text())
    change(config)
    async with routed_by(world, yaml.safe_dump(config)):
        yield


@asynccontextmanager
async def routed_by(world: World, text: str) -> AsyncIterator[None]:
    """Have Alertmanager use the configuration of this file until the end."""
    before = (world.stage.folder / "alertmanager" / "alertmanager.yml").read_text()
    try:
        await _load_routes(world, text)
        yield
    finally:
        await _load_routes(world, before)


async def _load_routes(world: World, text: str) -> None:
    (world.stage.folder / "alertmanager" / "alertmanager.yml").write_text(text)
    base = address(world.scene, "ALERTMANAGER")
    before = await _loaded_at(base)
    send(world.process("alertmanager"), signal.SIGHUP)

    async def loaded() -> bool:
        return await _loaded_at(base) != before

    await processes.wait_until(loaded, 20, "Alertmanager to load its configuration")


async def _loaded_at(base: str) -> str:
    """When the configuration in force was loaded."""
    async with connect(base) as http:
        figures = (await http.get("/metrics")).body.decode()
    found = re.search(
        r"^alertmanager_config_last_reload_success_timestamp_seconds (\S+)$", figures, re.MULTILINE
    )
    good = re.search(r"^alertmanager_config_last_reload_successful (\S+)$", figures, re.MULTILINE)
    assert found is not None
    assert good is not None
    assert good[1] == "1", "Alertmanager refuses this configuration"
    return found[1]


def threshold(rule: dict[str, Any], old: str, new: str) -> None:
    """Write another text into a rule's expression."""
    assert old in rule["expr"], rule["expr"]
    rule["expr"] = rule["expr"].replace(old, new)


LINES = [alert.line for alert in alerts.ALERTS]
"""The ten lines about alerts."""


@asynccontextmanager
async def silenced(scene: Scene, label: str, value: str) -> AsyncIterator[None]:
    """A silence over a label, made by a person."""
    now = SystemClock().now()
    body = {
        "matchers": [{"name": label, "value": value, "isRegex": False, "isEqual": True}],
        "startsAt": timestamp(now - 1),
        "endsAt": timestamp(now + 600),
        "createdBy": "dario",
        "comment": "we are moving house",
    }
    async with connect(address(scene, "ALERTMANAGER")) as http:
        made = await http.ask("POST", "/api/v2/silences", json_body=body)
        assert made.status == 200, made.body
        try:
            yield
        finally:
            ended = await http.ask("DELETE", f"/api/v2/silence/{made.json()['silenceID']}")
            assert ended.status == 200
