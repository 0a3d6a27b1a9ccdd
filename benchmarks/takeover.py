"""From the death of a worker to the next judgement of the guard, under `tminus serve`.

Each run is a launch of a plan on a cluster (a stand-in of Kubernetes, a real Prometheus). While green has 10 % the
worker is killed, and from that moment on every request to green fails. That users are back on blue shows that somebody
has judged again: it is never sooner than that. `make bench ONLY=takeover`.
"""

import asyncio
import json
import os
import re
import shutil
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from benchmarks.result import Figure
    from tests.integration.cluster_world import ClusterWorld, cluster_world
    from tests.integration.test_cluster_launch import PLAN, Crew
    from tests.integration.test_launch_workers import Yard, yard_at
    from tests.kubernetes_world import BLUE, GREEN
else:
    import of_tests  # noqa: F401 - the next are found by it
    from cluster_world import ClusterWorld, cluster_world
    from result import Figure
    from test_cluster_launch import PLAN, Crew
    from test_launch_workers import Yard, yard_at

    from kubernetes_world import BLUE, GREEN

from tminus.domain.traffic import Side
from tminus.processes import wait_until
from tminus.standins.kubernetes.orders import Run
from tminus.wiring import SystemClock

HOME = Path(__file__).parents[1] / "build" / "takeover"
RUNS = 6
LIMIT = 10.0
"""Seconds within which a guard judges again, whatever dies."""
_RUNS = re.compile(r"its worker runs as process (\d+)")


def takeover() -> list[Figure]:
    """Everything; figures for the page."""
    shutil.rmtree(HOME, ignore_errors=True)
    folders = [HOME / str(number) for number in range(RUNS)]
    for folder in folders:
        folder.mkdir(parents=True)
    found = sorted(asyncio.run(_once(folder)) for folder in folders)
    told = (
        f"{RUNS} runs (median {statistics.median(found):.1f} s, best {found[0]:.1f} s; one after the other)"
    )
    return [
        Figure(
            "worker killed at 10 %, green fails from then on: until users are back on blue, worst",
            told,
            found[-1],
            LIMIT,
            "s",
        )
    ]


async def _once(folder: Path) -> float:
    """Seconds from the kill to 0 %, as the route says it."""
    async with _launched(folder) as (crew, world):
        await crew.step("shift 10")
        worker = psutil.Process(int(_RUNS.findall(crew.yard.log("w1").read_text())[-1]))
        world.users.errors[Side.GREEN] = 1.0
        began = time.monotonic()
        worker.kill()
        while world.users.green_weight():
            if time.monotonic() - began > 120:
                raise TimeoutError(f"green has users still; see {crew.yard.log('w1')}")
            await asyncio.sleep(0.02)
        seconds = time.monotonic() - began
        ended = await crew.end()
        print(f"{folder.name}: {seconds:.1f} s, {ended.data['outcome']} by {ended.data['rule']}", flush=True)
        if ended.data["outcome"] != "rolled-back":
            raise RuntimeError(f"this launch ended {ended.data['outcome']}")
        return seconds


@asynccontextmanager
async def _launched(folder: Path) -> AsyncIterator[tuple[Crew, ClusterWorld]]:
    """A launch with GO, whose T-0 is seconds away, and a page that keeps its worker."""
    async with (
        cluster_world(folder / "world") as world,
        yard_at(f"sqlite:///{folder / 'tminus.db'}", folder) as yard,
    ):
        world.kube.cluster.orders.jobs["depot-blue-backup"] = Run(log='{"file": "s3/depot.dump", "rows": 3}')
        world.kube.cluster.orders.jobs["depot-green-migrate"] = Run(log="r0002")
        yard.site = world.site
        yard.more = {"KUBE": str(world.kube.config), "METRICS": world.metrics}
        t0 = datetime.fromtimestamp(SystemClock().now() + 3500, UTC).isoformat()
        words = ("--release", f"depot={GREEN}", "--previous", f"depot={BLUE}", "--t0", t0, "--json")
        code, said = await yard.typed("launch", str(PLAN), *words)
        if code:
            raise RuntimeError(said)
        crew = Crew(yard, str(json.loads(said)["launch"]))
        await crew.enrol()
        await _serve(yard)
        await crew.go()
        yield crew, world


async def _serve(yard: Yard) -> None:
    with yard.log("w1").open("ab") as log:
        yard.workers["w1"] = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tminus", "serve", "--port", "0"),
            env={**os.environ, **yard.environment},
            stdout=log,
            stderr=log,
        )

    async def works() -> bool:
        return "runs the launches of" in yard.log("w1").read_text()

    await wait_until(works, 60, "its worker", log=yard.log("w1"))
