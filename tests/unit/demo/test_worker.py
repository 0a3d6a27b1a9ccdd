"""Which release the worker is of, and how one script makes it so."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tminus import processes
from tminus.demo.supervisor import Supervisor
from tminus.demo.worker import Serving, Worker
from tminus.domain.traffic import Side
from tminus.haproxy import Desired, DesiredState
from tminus.oci import Invocation

BLUE, GREEN = "sha256:blue", "sha256:green"
SAYS = "import os, sys, time; print('worker started', dict(os.environ), flush=True); time.sleep(300)"


class TwoReleases:
    """Two images that set different variables; the service's settings are the same."""

    async def prepare(self, _digest: str) -> dict[str, Any]:
        return {}

    async def invocation(self, digest: str, *arguments: str) -> Invocation:
        assert arguments == ("worker",)
        own: Mapping[str, str] = {BLUE: {"OLD": "1", "BOTH": "b"}, GREEN: {"NEW": "it's", "BOTH": "g"}}[
            digest
        ]
        env = {"PATH": os.environ["PATH"], "DEPOT_SECRET": "hidden", **own}
        return Invocation(("python3", "-c", SAYS), env)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Path]:
    yield tmp_path
    await processes.end_strays(tmp_path)


def serving(folder: Path, percent: int | None) -> Serving:
    desired = DesiredState(folder / "desired.json")
    if percent is not None:
        desired.write(Desired(percent, {Side.BLUE: 1, Side.GREEN: 2}))
    releases: Any = TwoReleases()
    return Serving(releases, BLUE, GREEN, desired)


@pytest.mark.parametrize(("percent", "digest"), [(None, BLUE), (0, BLUE), (99, BLUE), (100, GREEN)])
def test_the_worker_is_of_the_release_that_serves_everybody(
    tmp_path: Path, percent: int | None, digest: str
) -> None:
    assert serving(tmp_path, percent).digest() == digest


async def test_when_green_has_all_the_traffic_the_worker_is_swapped_and_when_it_goes_back_again(
    stage: Path,
) -> None:
    supervisor, releases = Supervisor(stage), serving(stage, 50)
    await supervisor.start(await Worker(stage, releases, supervisor.renew).part())
    log = stage / "worker" / "log"

    async def told(_news: object) -> None:
        return

    watching = asyncio.create_task(supervisor.watch(told, asyncio.get_running_loop().time))

    async def starts(count: int) -> None:
        async def seen() -> bool:
            return log.read_text().count("worker started") == count

        await processes.wait_until(seen, 20, f"start {count}", log=log)

    await starts(1)
    releases.desired.write(Desired(100, {}))
    await starts(2)
    releases.desired.write(Desired(0, {}))
    await starts(3)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    blue, green, again = log.read_text().splitlines()
    assert "'OLD': '1'" in blue
    assert "'BOTH': 'b'" in blue
    assert "'OLD'" not in green
    assert "'NEW': \"it's\"" in green
    assert "'BOTH': 'g'" in green
    assert blue.replace("'OLD'", "") == again.replace("'OLD'", "")
    assert "'DEPOT_SECRET': 'hidden'" in green
    assert "hidden" not in (stage / "worker" / "run.sh").read_text()
