"""The infrastructure's dashboard: exporters that are gone, selections that fit nothing, panels that ask nothing."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tminus.domain.evidence import Claim, Verdict

if TYPE_CHECKING:
    from tests.integration.grafana_world import (
        Around,
        Measured,
        asks,
        grafana,
        healthy,
        level,
        panel,
        prometheus,
        remove,
        without,
    )
    from tests.integration.line_register import line
    from tests.integration.line_world import World, answering, fails, shows
else:
    from grafana_world import (
        Around,
        Measured,
        asks,
        grafana,
        healthy,
        level,
        panel,
        prometheus,
        remove,
        without,
    )
    from line_register import line
    from line_world import World, answering, fails, shows

LINE = "dash.infra"


@pytest.fixture
async def around(tmp_path: Path) -> AsyncIterator[Around]:
    """A Grafana over a Prometheus that has measured a machine which is well."""
    async with prometheus(tmp_path / "measured", healthy()) as address, grafana(tmp_path, address) as found:
        yield found


async def judged(world: World, tmp_path: Path, measured: Measured) -> Claim:
    async with prometheus(tmp_path / "measured", measured) as address, grafana(tmp_path, address) as found:
        return await found.seen(world.scene).judge(LINE)


@line(LINE, "failed", "the node exporter was removed", mutation=387)
async def test_without_the_node_exporter_each_of_its_panels_fails(world: World, tmp_path: Path) -> None:
    claim = await judged(world, tmp_path, without(healthy(), "node_cpu", "node_memory", "node_filesystem"))
    fails(
        claim,
        world.scene.plan,
        "nothing shows cpu: the panel 'CPU in use'",
        "nothing shows memory",
        "nothing shows disk",
    )


@line(LINE, "failed", "the database's exporter lost its password", mutation=388)
async def test_without_the_databases_exporter_its_connections_are_missed(
    world: World, tmp_path: Path
) -> None:
    measured = without(healthy(), "pg_", "redis_", "haproxy_frontend_current_sessions")
    claim = await judged(world, tmp_path, {**measured, 'pg_up{job="postgres"}': level(0)})
    fails(claim, world.scene.plan, "nothing shows connections: the panel 'Connections' is empty")


@line(LINE, "failed", "what counts restarts is down", mutation=389)
async def test_without_start_times_restarts_are_missed(world: World, tmp_path: Path) -> None:
    claim = await judged(world, tmp_path, without(healthy(), "start_time_seconds"))
    fails(claim, world.scene.plan, "nothing shows restarts: the panel 'Restarts within an hour' is empty")


@line(LINE, "failed", "the network panel selects another interface than the hosts have", mutation=390)
async def test_a_selection_that_fits_nothing_is_told_with_its_query(world: World, around: Around) -> None:
    asked = 'rate(node_network_receive_bytes_total{device="eth0"}[1m])'
    around.edit("infrastructure", lambda model: asks(model, "Network", asked))
    claim = await around.seen(world.scene).judge(LINE)
    fails(claim, world.scene.plan, "nothing shows network: the panel 'Network' is empty", 'device="eth0"')


@line(LINE, "failed", "the variable's default is a host that is gone", mutation=391)
async def test_a_host_that_is_gone_is_named(world: World, around: Around) -> None:
    def selects(model: dict[str, Any]) -> None:
        model["templating"]["list"] = [
            {"name": "host", "type": "custom", "query": "host0,host1", "current": {"value": "host0"}}
        ]
        asks(model, "CPU in use", 'avg(rate(node_cpu_seconds_total{instance="$host"}[1m]))')

    around.edit("infrastructure", selects)
    claim = await around.seen(world.scene).judge(LINE)
    fails(claim, world.scene.plan, "'CPU in use' is empty", r"\$host is 'host0'")


@line(LINE, "failed", "a text stands where the disk was", mutation=392)
async def test_a_text_is_no_panel_of_the_disk(world: World, around: Around) -> None:
    def tell(model: dict[str, Any]) -> None:
        remove(model, "Disk in use")
        words = {"content": "see the other dashboard", "mode": "markdown"}
        model["panels"].append({"id": 60, "type": "text", "title": "Disk", "options": words})

    around.edit("infrastructure", tell)
    claim = await around.seen(world.scene).judge(LINE)
    fails(claim, world.scene.plan, "no panel shows disk; the panel 'Disk' asks nothing")


@line(LINE, "failed", "the CPU panel's only query is switched off", mutation=393)
async def test_a_query_that_is_switched_off_asks_nothing(world: World, around: Around) -> None:
    def switch_off(model: dict[str, Any]) -> None:
        panel(model, "CPU in use")["targets"][0]["hide"] = True

    around.edit("infrastructure", switch_off)
    claim = await around.seen(world.scene).judge(LINE)
    fails(claim, world.scene.plan, "no panel shows cpu; the panel 'CPU in use' asks nothing")


@line(LINE, "failed", "panels name no data source, and the default is another Prometheus now", mutation=394)
async def test_another_default_data_source_is_named(world: World, around: Around, tmp_path: Path) -> None:
    def forget(model: dict[str, Any]) -> None:
        for one in model["panels"]:
            one["datasource"] = None
            for target in one["targets"]:
                target["datasource"] = None

    around.edit("infrastructure", forget)
    around.keep("infrastructure")
    shows(await around.seen(world.scene).judge(LINE), Verdict.PASSED)
    async with prometheus(tmp_path / "empty", {}) as empty:
        old = around.store.sources["prometheus"]
        around.source("prometheus", url=old["url"], isDefault=False)
        around.source("other", url=empty, isDefault=True)
        claim = await around.seen(world.scene).judge(LINE)
    fails(
        claim, world.scene.plan, "'CPU in use' is empty .it asks other: ", "6 panels|0 of 6|nothing shows cpu"
    )


@line(LINE, "failed", "the data source is healthy, and each query runs into its time limit", mutation=395)
async def test_queries_that_run_into_their_time_limit_fail(world: World, around: Around) -> None:
    slow = {"error": "Post: context deadline exceeded (Client.Timeout exceeded)", "status": 504}
    around.source("prometheus", url=around.store.sources["prometheus"]["url"], isDefault=True, told=slow)
    claim = await around.seen(world.scene).judge(LINE)
    fails(claim, world.scene.plan, "'CPU in use' fails: A: Post: context deadline exceeded")


@line(LINE, "passed", "(warned) the data source's plugin has no health check", mutation=397)
async def test_a_plugin_without_a_health_check_is_warned_of(world: World, around: Around) -> None:
    old = around.store.sources["prometheus"]
    around.source("prometheus", url=old["url"], isDefault=True, told={"no_health_check": True})
    claim = await around.seen(world.scene).judge(LINE)
    shows(
        claim, Verdict.WARNED, "health of the data source prometheus .* could not be seen", "no health check"
    )


@line(LINE, "inconclusive", "what answers is no Grafana")
async def test_what_is_no_grafana_shows_nothing(world: World, around: Around) -> None:
    async with answering(200, "{}") as where:
        wrong = replace(around, address=where)
        claim = await wrong.seen(world.scene).judge(LINE)
    assert claim.verdict in {Verdict.INCONCLUSIVE, Verdict.ERROR}
    async with answering(200, '{"database": "ok", "version": "12.0.0"}') as where:
        claim = await replace(around, address=where).seen(world.scene).judge(LINE)
    shows(claim, Verdict.INCONCLUSIVE, "answers without a dashboard", "see what stands at this address")
