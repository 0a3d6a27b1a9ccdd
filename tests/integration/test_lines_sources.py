"""Lines that rest on the service's own metrics too: what the real Prometheus counted beside the proxy's log."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import yaml
from redis.asyncio import Redis

from tminus import processes
from tminus.alerting.figures import Metrics
from tminus.alerting.prometheus import asking
from tminus.domain.agreement import Counted
from tminus.domain.evidence import Verdict
from tminus.domain.traffic import Side
from tminus.probes import prometheus
from tminus.wiring import SystemClock

if TYPE_CHECKING:
    from tests.integration.alert_world import NOBODY, Rules, address, ruled, silence, threshold
    from tests.integration.line_register import line
    from tests.integration.line_world import (
        Scene,
        World,
        answering,
        fails,
        order_faults,
        record,
        scraped,
        send,
        send_users,
        shows,
    )
else:
    from alert_world import NOBODY, Rules, address, ruled, silence, threshold
    from line_register import line
    from line_world import (
        Scene,
        World,
        answering,
        fails,
        order_faults,
        record,
        scraped,
        send,
        send_users,
        shows,
    )

BOTH = ("ok.err", "ok.p95")
BASELINE = "t2.baseline"


async def recorded(world: World, folder: Path, *phases: tuple[str, int]) -> Scene:
    """What both sources tell of these users, and of nobody before them."""
    await silence(world, 30)
    return replace(world.scene, trace=await record(world, folder / "trace.jsonl", *phases))


async def directly(world: World, side: Side, count: int) -> None:
    """Requests that the proxy knows nothing of, each answered with 500."""
    await order_faults(world, side, "errors=1")
    url = world.scene.target().private_url(side)
    # As if a proxy had passed them on: only users' requests suffer faults.
    async with aiohttp.ClientSession(headers={"X-Forwarded-For": "127.0.0.1"}) as http:
        for _ in range(count):
            async with http.get(f"{url}/me") as reply:
                assert reply.status == 500
    await order_faults(world, side, "")


class TestTwoSources:
    @line("ok.err", "passed", "520 requests, by the log and by the metrics")
    @line("ok.p95", "passed", "520 requests, timed by the log and by the metrics")
    async def test_what_both_tell_passes(self, world: World, tmp_path: Path) -> None:
        scene = await recorded(world, tmp_path, ("", 520))
        for claim in (await scene.judged(*BOTH)).values():
            shows(claim, Verdict.PASSED, "log", "metrics")

    @line("ok.err", "failed", "4 % of the answers are 500, and both sources say so")
    async def test_errors_that_both_tell_of_fail(self, world: World, tmp_path: Path) -> None:
        scene = await recorded(world, tmp_path, ("", 490), ("errors=1", 20))
        fails(await scene.judge("ok.err"), scene.plan, r"(3\.9|4\.|4)\S*%, expected < 1%")

    @line("ok.err", "inconclusive", "the metrics count failures that the log does not have", mutation=244)
    async def test_failures_that_only_the_metrics_know_are_told(self, world: World, tmp_path: Path) -> None:
        await silence(world, 30)
        scene, _ = await asyncio.gather(
            recorded_at_once(world, tmp_path, ("", 510)), directly(world, Side.BLUE, 60)
        )
        claim = await scene.judge("ok.err")
        shows(
            claim,
            Verdict.INCONCLUSIVE,
            "two sources disagree: the proxy's log says 0.00% of 510, the metrics",
        )

    @line("ok.p95", "inconclusive", "Prometheus no longer scrapes green", mutation=245)
    @line("ok.err", "inconclusive", "Prometheus no longer scrapes green")
    async def test_a_side_that_is_not_scraped_is_told(self, world: World, tmp_path: Path) -> None:
        await silence(world, 30)
        async with unwatched(world, Side.GREEN):
            scene = await recorded_at_once(world, tmp_path, ("", 510))
            claims = await scene.judged(*BOTH)
        for claim in claims.values():
            shows(
                claim,
                Verdict.INCONCLUSIVE,
                r"the proxy's log has 510 requests, the metrics \d+;",
                "scrape both sides",
            )

    @line("ok.err", "error", "Prometheus does not answer")
    @line("ok.p95", "error", "Prometheus does not answer")
    async def test_a_second_source_that_is_away_is_an_error(self, world: World, tmp_path: Path) -> None:
        scene = await recorded_at_once(world, tmp_path, ("", 510))
        scene = scene.on(supporting={**scene.site.supporting, "TMINUS_DEMO_PROMETHEUS": NOBODY})
        for claim in (await scene.judged(*BOTH)).values():
            shows(claim, Verdict.ERROR, "is something listening")


async def recorded_at_once(world: World, folder: Path, *phases: tuple[str, int]) -> Scene:
    return replace(world.scene, trace=await record(world, folder / "trace.jsonl", *phases))


@asynccontextmanager
async def unwatched(world: World, side: Side) -> AsyncIterator[None]:
    """Have Prometheus scrape the other side alone until the end."""
    file = world.stage.folder / "prometheus" / "prometheus.yml"
    before = file.read_text()
    config = yaml.safe_load(before)
    (depot,) = (job for job in config["scrape_configs"] if job["job_name"] == "depot")
    depot["static_configs"] = [one for one in depot["static_configs"] if one["labels"]["side"] != side.value]
    try:
        await _watching(world, yaml.safe_dump(config), len(Side) - 1)
        yield
    finally:
        await _watching(world, before, len(Side))


async def _watching(world: World, config: str, sides: int) -> None:
    (world.stage.folder / "prometheus" / "prometheus.yml").write_text(config)
    send(world.process("prometheus"), signal.SIGHUP)
    async with asking(address(world.scene, "PROMETHEUS")) as api:

        async def so() -> bool:
            return len(await api.query('up{job="depot"} == 1')) == sides

        await processes.wait_until(so, 30, f"Prometheus to watch {sides} sides")


async def look_up(world: World, times: int) -> None:
    """Find something in Redis, so that its share of hits is a good one."""
    async with Redis.from_url(address(world.scene, "REDIS")) as client:
        await client.set("looked-up", "found")
        async with client.pipeline(transaction=False) as many:
            for _ in range(times):
                many.get("looked-up")
            await many.execute()
        await client.delete("looked-up")


async def ask_many(world: World, count: int) -> Counted:
    """Send users, and wait until Prometheus has counted them."""
    await asyncio.gather(send_users(world.scene, count, at_once=40), look_up(world, 4000))
    await scraped(world.scene, SystemClock().now())
    return await Metrics(address(world.scene, "PROMETHEUS")).counted(10, SystemClock().now())


class TestBaseline:
    @line(BASELINE, "passed", "Prometheus has counted more than 300 requests in ten seconds")
    async def test_enough_requests_are_a_baseline(self, world: World) -> None:
        await silence(world, 10)
        await ask_many(world, 320)
        shows(
            await world.scene.judge(BASELINE),
            Verdict.PASSED,
            "expected >= 300",
            r"\d+ requests, [\d.]+ a second, 0 failed; p50 ",
        )

    async def test_percentiles_and_the_alerts_readings_are_kept_beside_it(self, world: World) -> None:
        await ask_many(world, 320)
        found = await prometheus.baseline.run(
            prometheus.System(address(world.scene, "PROMETHEUS")), seconds=10, requests=300
        )
        assert {"p50", "p95", "p99", "memory", "connections", "queue", "disk"} <= set(found.seen)
        memory = found.seen["memory"]
        assert isinstance(memory, dict)
        assert 0 < float(str(memory["least"])) <= float(str(memory["most"])) < 1

    @line(BASELINE, "failed", "too few requests to compare with", mutation=30)
    async def test_too_few_requests_fail(self, world: World) -> None:
        await silence(world, 10)
        await ask_many(world, 60)
        fails(await world.scene.judge(BASELINE), world.scene.plan, r"^\d\d, expected >= 300")

    @line(BASELINE, "passed", "(warned) a tenth of the answers are 500 already", mutation=29)
    async def test_a_service_that_fails_already_is_warned_of(self, world: World) -> None:
        await silence(world, 10)
        await order_faults(world, Side.GREEN, "errors=0.2")
        await ask_many(world, 330)
        claim = await world.scene.judge(BASELINE)
        await order_faults(world, Side.GREEN, "")
        shows(claim, Verdict.WARNED, "of 3.. requests fail before the launch has begun")

    async def test_a_service_that_is_slow_already_is_warned_of(self, world: World) -> None:
        await silence(world, 10)
        await order_faults(world, Side.GREEN, "slow=0.2:0.7")
        await ask_many(world, 330)
        claim = await world.scene.judge(BASELINE)
        await order_faults(world, Side.GREEN, "")
        shows(claim, Verdict.WARNED, r"one request in twenty takes \d+ ms before")

    @line(BASELINE, "passed", "(warned) the database's connections are beyond their limit", mutation=246)
    async def test_a_reading_beyond_its_limit_is_warned_of(self, world: World) -> None:
        def change(rules: Rules) -> None:
            threshold(rules["alert.crit.dbconn"], "> 0.8", "> 0.001")

        async with ruled(world, change):
            await ask_many(world, 330)
            claim = await world.scene.judge(BASELINE)
        shows(claim, Verdict.WARNED, "DatabaseConnectionsCritical is beyond its limit")

    @line(BASELINE, "inconclusive", "nobody asked during the window", mutation=28)
    async def test_nobody_asked(self, world: World) -> None:
        await silence(world, 10)
        shows(
            await world.scene.judge(BASELINE), Verdict.INCONCLUSIVE, "nobody asked", "wait for more traffic"
        )

    async def test_a_service_without_metrics_proves_nothing(self, world: World) -> None:
        async with answering(
            200, '{"status": "success", "data": {"resultType": "vector", "result": []}}'
        ) as empty:
            scene = world.scene.on(
                supporting={**world.scene.site.supporting, "TMINUS_DEMO_PROMETHEUS": empty}
            )
            shows(await scene.judge(BASELINE), Verdict.INCONCLUSIVE, "does not say what time it is")

    @line(BASELINE, "error", "Prometheus does not answer")
    async def test_a_prometheus_that_is_away_is_an_error(self, world: World) -> None:
        scene = world.scene.on(supporting={**world.scene.site.supporting, "TMINUS_DEMO_PROMETHEUS": NOBODY})
        shows(await scene.judge(BASELINE), Verdict.ERROR, "is something listening")
