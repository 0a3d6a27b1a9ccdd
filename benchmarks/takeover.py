"""From the death of a worker to the next judgement of the guard, under `tminus serve`.

Each run is a launch of a plan on a cluster (a stand-in of Kubernetes, a real Prometheus). While green has 10 % the
worker is killed, and from that moment on every request to green fails. That users are back on blue shows that somebody
has judged again: it is never sooner than that. `make bench ONLY=takeover`.
"""

import asyncio
import os
import re
import shutil
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from benchmarks.result import Figure
    from tests.integration.test_cluster_launch import launched
    from tests.integration.test_launch_workers import Yard
else:
    import of_tests  # noqa: F401 - the next are found by it
    from result import Figure
    from test_cluster_launch import launched
    from test_launch_workers import Yard

from tminus.domain.traffic import Side
from tminus.processes import wait_until

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
    async with launched(folder, _serve) as (crew, world):
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
