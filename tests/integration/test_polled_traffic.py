"""Requests that a real Prometheus has scraped: none is missed, not even while it is stopped."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml
from aiohttp import web

from tminus.demo.machine import ThisMachine
from tminus.demo.packages import locate
from tminus.domain.traffic import Outcome, Side, WeightChange
from tminus.loopback import free_port
from tminus.processes import wait_until
from tminus.targets.polled import POLL_SECONDS, Counted, PolledTrace
from tminus.wiring import SystemClock

COUNTED = Counted(
    'http_requests_total{service="api-${side}"}',
    "code",
    'http_request_duration_seconds_bucket{service="api-${side}"}',
)
BOUNDS = (0.05, 0.25, 1.0)


class Exporter:
    """What a service says of the requests that it is told it had."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[Side, int]] = Counter()
        self.times: dict[Side, list[float]] = {side: [] for side in Side}

    def serve(self, side: Side, status: int, many: int, seconds: float = 0.1) -> None:
        self.requests[side, status] += many
        self.times[side] += [seconds] * many

    async def page(self, request: web.Request) -> web.Response:
        side = Side(request.match_info["side"])
        lines = [
            f'http_requests_total{{code="{status}"}} {many}'
            for (whose, status), many in self.requests.items()
            if whose is side
        ]
        took = self.times[side]
        lines += [
            f'http_request_duration_seconds_bucket{{le="{bound}"}} {sum(one <= bound for one in took)}'
            for bound in BOUNDS
        ]
        lines.append(f'http_request_duration_seconds_bucket{{le="+Inf"}} {len(took)}')
        return web.Response(text="\n".join([*lines, ""]))


class Scraper:
    """A Prometheus that can be stopped and started again."""

    def __init__(self, folder: Path, exporter: int) -> None:
        self.folder = folder
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._process: asyncio.subprocess.Process | None = None
        jobs = [
            {
                "job_name": side.value,
                "metrics_path": f"/{side}/metrics",
                "static_configs": [
                    {"targets": [f"127.0.0.1:{exporter}"], "labels": {"service": f"api-{side}"}}
                ],
            }
            for side in Side
        ]
        config = {"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": jobs}
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config))

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            "prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data",
            f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=error", cwd=self.folder,
        )  # fmt: skip

    async def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            await self._process.wait()
            self._process = None


@asynccontextmanager
async def scraped(folder: Path) -> AsyncIterator[tuple[Exporter, Scraper]]:
    if locate(ThisMachine()) is None:
        pytest.skip("Prometheus is not installed")
    exporter, port = Exporter(), free_port()
    app = web.Application()
    app.router.add_get("/{side}/metrics", exporter.page)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    scraper = Scraper(folder, port)
    try:
        yield exporter, scraper
    finally:
        await scraper.stop()
        await runner.cleanup()


def outcomes(trace: PolledTrace) -> list[Outcome]:
    return [item for item in trace.items(0) if isinstance(item, Outcome)]


async def told(trace: PolledTrace, exporter: Exporter, before: Counter[tuple[Side, int]]) -> None:
    """Wait until exactly those requests are in the trace that were served since `before`."""

    async def all_there() -> bool:
        found = Counter((one.side, one.status) for one in outcomes(trace) if one.side)
        wanted = exporter.requests - before
        assert not found - wanted, "more than there were"
        return found == wanted and not trace.blindness()

    await wait_until(all_there, 60, "every request to be seen")


async def test_every_request_that_was_scraped_is_seen_once_and_in_words_when_not(tmp_path: Path) -> None:
    async with scraped(tmp_path) as (exporter, scraper):
        exporter.serve(Side.BLUE, 200, 10_000)
        exporter.serve(Side.BLUE, 500, 7)
        await scraper.start()
        clock = SystemClock()
        trace = PolledTrace(tmp_path / "trace.jsonl", scraper.address, COUNTED, clock)
        early = PolledTrace(tmp_path / "early.jsonl", scraper.address, COUNTED, clock)
        await early.start()
        try:
            await told(early, exporter, Counter())
        finally:
            await early.stop()

        before = exporter.requests.copy()
        since = clock.now()
        trace.begin(since)
        await trace.start()
        try:
            await told(trace, exporter, before)
            exporter.serve(Side.BLUE, 200, 300, seconds=0.2)
            exporter.serve(Side.BLUE, 503, 4, seconds=0.01)
            exporter.serve(Side.GREEN, 200, 50, seconds=0.7)
            exporter.serve(Side.GREEN, 500, 9, seconds=0.7)
            await told(trace, exporter, before)
            assert all(250 < one.ms < 1000 for one in outcomes(trace) if one.side is Side.GREEN)
            assert all(one.ms < 250 for one in outcomes(trace) if one.side is Side.BLUE)
            assert trace.delay() == pytest.approx(1.0 + POLL_SECONDS, abs=0.2)
            change = WeightChange(clock.now(), 10)
            trace.note_weight(change)

            await scraper.stop()

            async def blind() -> bool:
                return f"{scraper.address} gives no samples since" in trace.blindness()

            await wait_until(blind, 30, "Prometheus to be missed")
            exporter.serve(Side.BLUE, 200, 40)
            exporter.serve(Side.GREEN, 500, 3)
            await scraper.start()
            await told(trace, exporter, before)
        finally:
            await trace.stop()

        other = PolledTrace(tmp_path / "other.jsonl", scraper.address, COUNTED, clock)
        other.begin(since, [change])
        await other.poll()
        assert outcomes(other)[: len(outcomes(trace))] == outcomes(trace)
        assert change in other.items(0)
