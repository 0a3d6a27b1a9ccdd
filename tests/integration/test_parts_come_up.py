"""Every supporting part comes up beside PostgreSQL and HAProxy, tells what it should, and leaves nothing behind."""

import asyncio
from typing import TYPE_CHECKING

import aiohttp
import psutil
from redis.asyncio import Redis

from tminus import processes
from tminus.demo.parts import SUPPORTING
from tminus.demo.parts.redis import answers
from tminus.demo.supervisor import News

if TYPE_CHECKING:
    from tests.integration.parts_world import PartsWorld, needs_parts, parts_world, shared_parts
else:
    from parts_world import PartsWorld, needs_parts, parts_world, shared_parts

__all__ = ["parts_world", "shared_parts"]
pytestmark = needs_parts


async def test_every_part_runs_and_prometheus_sees_each_of_them(shared_parts: PartsWorld) -> None:
    alive = shared_parts.stage.parts_alive()
    assert {*SUPPORTING, "postgres", "haproxy"} == set(alive)

    async def scraped() -> bool:
        up = {(one["metric"]["job"]): one["value"][1] for one in await shared_parts.query("up")}
        others = {job: value for job, value in up.items() if job != "depot"}
        return len(others) == 7 and set(others.values()) == {"1"}

    await processes.wait_until(scraped, 20, "every job to be scraped")
    sides = {one["metric"]["side"]: one["value"][1] for one in await shared_parts.query('up{job="depot"}')}
    assert sides == {"blue": "0", "green": "0"}, "neither runs, and that is told by side"


async def test_nothing_listens_beyond_the_loopback_address(shared_parts: PartsWorld) -> None:
    pids = {process.pid for process in processes.strays(shared_parts.stage.folder)}
    listening = [c for c in psutil.net_connections("inet") if c.pid in pids and c.status == "LISTEN"]
    assert len({c.pid for c in listening}) >= len(SUPPORTING) + 2
    assert {c.laddr.ip for c in listening if c.laddr} == {"127.0.0.1"}


async def test_the_proxy_s_own_figures_are_not_on_the_public_port(shared_parts: PartsWorld) -> None:
    port = shared_parts.stage.setting.ports["proxy-metrics"]
    async with aiohttp.ClientSession() as http:
        async with http.get(f"http://127.0.0.1:{port}/metrics") as answer:
            assert "haproxy_frontend_http_responses_total" in await answer.text()
        async with http.get(f"http://127.0.0.1:{port}/") as answer:
            assert answer.status == 404
        async with http.get(f"{shared_parts.stage.url}/metrics") as answer:
            assert answer.status == 503, "the public port leads to the service alone"


async def test_the_database_s_watcher_sees_no_row(shared_parts: PartsWorld) -> None:
    await shared_parts.stage.create_database("depot")

    async def counted() -> bool:
        return bool(await shared_parts.query('pg_stat_activity_count{datname="depot"}'))

    await asyncio.wait_for(processes.wait_until(counted, 20, "the new database to be watched"), 30)


async def test_each_part_that_is_killed_is_named_started_again_and_answers_with_what_it_knew(
    parts_world: PartsWorld,
) -> None:
    stage = parts_world.stage
    news: list[News] = []

    async def told(event: News) -> None:
        news.append(event)

    now = asyncio.get_running_loop().time

    def missing() -> set[str]:
        return {text.split()[0] for text in stage.missing(now()).split("; ") if text}

    watching = asyncio.create_task(stage.look_after(told, now))
    address = parts_world.addresses["TMINUS_DEMO_REDIS"]
    async with Redis.from_url(address) as redis:
        await redis.set("kept", "yes")
    for part in SUPPORTING:
        victim = processes.find(stage.folder, part)
        assert victim is not None, part
        assert part not in missing()
        await victim.kill()

        async def named(part: str = part) -> bool:
            return part in missing()

        async def back(part: str = part) -> bool:
            return [one.event for one in news if one.part == part] == ["ended", "restarted"]

        await processes.wait_until(named, 5, f"{part} to be named")
        await processes.wait_until(back, 20, f"{part} to be back")

    async def nothing_missing() -> bool:
        return not missing()

    await processes.wait_until(nothing_missing, 10, "every part to have settled")
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    assert {*SUPPORTING} <= set(stage.parts_alive())
    async with Redis.from_url(address) as redis:
        assert await redis.get("kept") == b"yes"


async def test_whoever_asks_redis_can_be_told_to_stop_at_any_moment(shared_parts: PartsWorld) -> None:
    address = shared_parts.addresses["TMINUS_DEMO_REDIS"]

    async def ask() -> None:
        while True:
            assert await answers(address)

    for turns in range(120):
        asking = asyncio.create_task(ask())
        for _ in range(turns):
            await asyncio.sleep(0)
        asking.cancel()
        done, _ = await asyncio.wait([asking], timeout=5)
        if not done:
            asking.cancel()
        assert done, f"told to stop after {turns} turns of the loop, it went on"
