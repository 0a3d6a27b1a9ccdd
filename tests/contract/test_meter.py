"""Who answers a team's queries: the fake and the real Prometheus say the same of every kind of answer.

The real one scrapes a page of this test, which says what it is told, and can be taken away.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from aiohttp import web

from tminus.alerting.prometheus import asking
from tminus.control.ports import Meter
from tminus.demo.machine import ThisMachine
from tminus.demo.packages import locate
from tminus.domain.measurement import Reading
from tminus.errors import ProbeError, UnreachableError
from tminus.loopback import free_port
from tminus.processes import wait_until
from tminus.targets.metering import PrometheusMeter
from tminus.testing import FakeMeter

PAGE = """\
# TYPE requests_total counter
requests_total{side="blue",status="200"} 900
requests_total{side="green",status="200"} 100
# TYPE idle_total counter
idle_total 0
# TYPE queue_length gauge
queue_length 7
"""
ONE = 'sum(requests_total{side="green"})'
EMPTY = 'sum(requests_total{status="500"})'
MANY = "requests_total"
NAN = "sum(idle_total) / sum(idle_total)"
INFINITE = "sum(queue_length) / sum(idle_total)"
HIDDEN = "sum(no_such_metric) or vector(0)"
PATCHED = '(sum(requests_total{status="500"}) or vector(0)) / sum(requests_total)'
BEFORE = "sum(queue_length offset 1h)"
WRONG = "sum(requests_total"
SCALAR = "scalar(sum(queue_length))"


@dataclass
class Place:
    """One meter, and how its source of samples is taken away."""

    meter: Meter
    darken: Callable[[], None]


@asynccontextmanager
async def faked() -> AsyncIterator[Place]:
    meter = FakeMeter()
    dark = Reading((100.0,), ("{}",), "nothing that it reads is scraped now")
    meter.tell(ONE, [100.0])
    meter.tell(EMPTY, [Reading(())])
    meter.tell(MANY, [Reading((900.0, 100.0), ("side=blue", "side=green"))])
    meter.tell(NAN, [math.nan])
    meter.tell(INFINITE, [math.inf])
    meter.tell(HIDDEN, [Reading((0.0,), ("{}",), "nothing that it reads is scraped now")])
    meter.tell(PATCHED, [0.0])
    meter.tell(BEFORE, [Reading(())])
    meter.tell(SCALAR, [7.0])
    meter.tell(WRONG, [ProbeError("this query cannot be read", hint="correct it")])
    yield Place(meter, lambda: meter.tell(PATCHED, [dark]))


@asynccontextmanager
async def real(folder: Path) -> AsyncIterator[Place]:
    binaries = locate(ThisMachine())
    if binaries is None:
        pytest.skip("Prometheus is not installed")
    there = ["yes"]

    async def page(_: web.Request) -> web.Response:
        return web.Response(text=PAGE, status=200 if there else 503)

    app = web.Application()
    app.router.add_get("/metrics", page)
    runner = web.AppRunner(app)
    await runner.setup()
    mine, port = free_port(), free_port()
    await web.TCPSite(runner, "127.0.0.1", mine).start()
    address = f"http://127.0.0.1:{port}"
    config = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
        "scrape_configs": [{"job_name": "test", "static_configs": [{"targets": [f"127.0.0.1:{mine}"]}]}],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    process = await asyncio.create_subprocess_exec(
        "prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data",
        f"--web.listen-address=127.0.0.1:{port}", "--log.level=error", cwd=folder,
    )  # fmt: skip
    try:
        await wait_until(lambda: _gives(address, ONE, there=True), 120, "Prometheus to scrape the page")
        yield Place(PrometheusMeter({"prom": address}), there.clear)
    finally:
        process.terminate()
        await process.wait()
        await runner.cleanup()


async def _gives(address: str, query: str, *, there: bool) -> bool:
    try:
        async with asking(address) as api:
            return bool(await api.query(query)) is there
    except ProbeError:
        return False


@pytest.mark.parametrize("which", ["fake", pytest.param("real", marks=pytest.mark.slow)])
async def test_every_kind_of_answer_is_told_apart(which: str, tmp_path: Path) -> None:
    async with faked() if which == "fake" else real(tmp_path) as place:
        read = place.meter.read
        one = await read("prom", ONE)
        assert (one.values, one.unfit()) == ((100.0,), "")
        assert (await read("prom", SCALAR)).values == (7.0,)
        assert (
            "gives nothing" in (await read("prom", EMPTY)).unfit()
            or "scraped" in (await read("prom", EMPTY)).unfit()
        )
        assert "it gives 2 series" in (await read("prom", MANY)).unfit()
        assert "NaN" in (await read("prom", NAN)).unfit()
        assert "it gives inf" in (await read("prom", INFINITE)).unfit()
        assert "gives nothing" in (await read("prom", BEFORE)).unfit(), "an offset reaches before all samples"
        hidden = await read("prom", HIDDEN)
        assert hidden.values == (0.0,)
        assert "nothing that it reads is scraped now" in hidden.unfit(), "a zero that stands for darkness"
        patched = await read("prom", PATCHED)
        assert (patched.values, patched.unfit()) == ((0.0,), ""), "a zero that stands for no errors"
        with pytest.raises(ProbeError):
            await read("prom", WRONG)
        place.darken()

        async def dark() -> bool:
            return bool((await read("prom", PATCHED)).unfit())

        await wait_until(dark, 60, "the page to be missed")


async def test_nobody_there_is_no_answer() -> None:
    with pytest.raises(UnreachableError):
        await PrometheusMeter({"prom": f"http://127.0.0.1:{free_port()}"}).read("prom", ONE)


async def test_a_sample_that_is_old_says_nothing_of_now() -> None:
    """A Prometheus that has not heard of a series for minutes still gives its last value."""

    async def answer(request: web.Request) -> web.Response:
        value = "200" if "timestamp(" in request.query["query"] else "0.001"
        found = [{"metric": {}, "value": [1, value]}]
        return web.json_response({"status": "success", "data": {"resultType": "vector", "result": found}})

    app = web.Application()
    app.router.add_get("/api/v1/query", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        reading = await PrometheusMeter({"prom": f"http://127.0.0.1:{port}"}).read(
            "prom", "sum(queue_length)"
        )
    finally:
        await runner.cleanup()
    assert reading.unfit() == "the newest sample of queue_length is 200 s old"
