"""Every supporting part comes up beside PostgreSQL and HAProxy, tells what it should, and leaves nothing behind."""

import asyncio
from typing import TYPE_CHECKING

import aiohttp
import psutil

from tminus import processes
from tminus.demo.parts import SUPPORTING

if TYPE_CHECKING:
    from tests.integration.parts_world import PartsWorld, needs_parts, parts_world
else:
    from parts_world import PartsWorld, needs_parts, parts_world

__all__ = ["parts_world"]
pytestmark = needs_parts


async def test_every_part_runs_and_prometheus_sees_each_of_them(parts_world: PartsWorld) -> None:
    alive = parts_world.stage.parts_alive()
    assert {*SUPPORTING, "postgres", "haproxy"} == set(alive)

    async def scraped() -> bool:
        up = {(one["metric"]["job"]): one["value"][1] for one in await parts_world.query("up")}
        others = {job: value for job, value in up.items() if job != "depot"}
        return len(others) == 7 and set(others.values()) == {"1"}

    await processes.wait_until(scraped, 20, "every job to be scraped")
    sides = {one["metric"]["side"]: one["value"][1] for one in await parts_world.query('up{job="depot"}')}
    assert sides == {"blue": "0", "green": "0"}, "neither runs, and that is told by side"


async def test_nothing_listens_beyond_the_loopback_address(parts_world: PartsWorld) -> None:
    pids = {process.pid for process in processes.strays(parts_world.stage.folder)}
    listening = [c for c in psutil.net_connections("inet") if c.pid in pids and c.status == "LISTEN"]
    assert len({c.pid for c in listening}) >= len(SUPPORTING) + 2
    assert {c.laddr.ip for c in listening if c.laddr} == {"127.0.0.1"}


async def test_the_proxy_s_own_figures_are_not_on_the_public_port(parts_world: PartsWorld) -> None:
    port = parts_world.stage.setting.ports["proxy-metrics"]
    async with aiohttp.ClientSession() as http:
        async with http.get(f"http://127.0.0.1:{port}/metrics") as answer:
            assert "haproxy_frontend_http_responses_total" in await answer.text()
        async with http.get(f"http://127.0.0.1:{port}/") as answer:
            assert answer.status == 404
        async with http.get(f"{parts_world.stage.url}/metrics") as answer:
            assert answer.status == 503, "the public port leads to the service alone"


async def test_the_database_s_watcher_sees_no_row(parts_world: PartsWorld) -> None:
    await parts_world.stage.create_database("depot")

    async def counted() -> bool:
        return bool(await parts_world.query('pg_stat_activity_count{datname="depot"}'))

    await asyncio.wait_for(processes.wait_until(counted, 20, "the new database to be watched"), 30)
