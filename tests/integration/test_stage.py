"""A whole stage with real parts: built, abandoned by a kill, adopted, removed without a trace."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import psycopg
import pytest

from tminus import processes
from tminus.demo import registry
from tminus.demo.machine import ThisMachine
from tminus.demo.packages import Binaries, locate
from tminus.demo.stage import PARTS, Stage
from tminus.demo.supervisor import News
from tminus.domain.traffic import Side
from tminus.errors import PartError
from tminus.haproxy import Desired, LogListener, Runtime, Weights, desired_state

FOUND = locate(ThisMachine())
pytestmark = pytest.mark.skipif(FOUND is None, reason="a program of the stage is not installed")

SERVICE = """
import sys
from aiohttp import web

async def answer(request):
    if request.path == "/login":
        return web.json_response({"token": "t", "expires_in": 300})
    return web.json_response({"id": 1, "side": sys.argv[2]})

application = web.Application()
application.router.add_route("*", "/{path:.*}", answer)
web.run_app(application, host="127.0.0.1", port=int(sys.argv[1]), print=None)
"""

BUILD_AND_DIE = """
import asyncio, os, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
import test_stage
asyncio.run(test_stage.build(Path({home!r})))
os.kill(os.getpid(), 9)
"""


def _binaries() -> Binaries:
    assert FOUND is not None
    return FOUND


async def build(home: Path) -> Stage:
    stage = Stage.create(home, _binaries())
    await stage.start_registry()
    await stage.start_postgres()
    await stage.create_database("depot")
    for side, port in (("blue", stage.blue_port), ("green", stage.green_port)):
        processes.start(
            stage.folder, side, [sys.executable, "-c", SERVICE, str(port), side], env=dict(os.environ)
        )
    idle = [sys.executable, "-c", "import time; time.sleep(300)"]
    processes.start(stage.folder, "worker", idle, env=dict(os.environ))
    await stage.start_haproxy(Desired(20, {Side.BLUE: stage.blue_port, Side.GREEN: stage.green_port}))
    proxy = Runtime(stage.admin)

    async def both_up() -> bool:
        return all(server.up for server in (await proxy.servers()).values())

    await processes.wait_until(both_up, 30, "the proxy to see both sides up")
    await stage.start_supporting()
    await stage.start_load(rate=100, user="demo", password="s")
    return stage


def _shared_outside(stage: Stage) -> set[str]:
    """Shared memory of the stage that is a file outside of its folder, and would stay after a kill."""
    maps = [Path(f"/proc/{process.pid}/maps").read_text() for process in processes.strays(stage.folder)]
    return {line.split()[5] for text in maps for line in text.splitlines() if " /dev/shm/" in line}


def _segment(stage: Stage) -> str:
    """Key and number of the System V segment of the stage's PostgreSQL."""
    return " ".join(
        (stage.folder / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[6].split()
    )


def _segments() -> set[str]:
    table = Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
    return {" ".join(row.split()[:2]) for row in table}


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Path]:
    yield tmp_path
    for path in (tmp_path / "stages").glob("*.json"):  # after a failed test: also those that it still owns
        with path.open("rb") as instead_of_the_lock:
            await Stage(tmp_path, registry.read(path), instead_of_the_lock).remove()


async def _until_users_were_served(stage: Stage, count: int) -> dict[str, int]:
    def summary() -> dict[str, int]:
        if not stage.load_summary.exists():
            return {"total": 0}
        read: dict[str, int] = json.loads(stage.load_summary.read_text())
        return read

    async def served() -> bool:
        return summary()["total"] >= count

    await processes.wait_until(served, 20, "users", log=stage.folder / "load" / "log")
    return summary()


async def test_a_stage_outlives_a_kill_is_adopted_and_leaves_nothing_behind(home: Path) -> None:
    code = BUILD_AND_DIE.format(tests=str(Path(__file__).parent), home=str(home))
    builder = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
    async with asyncio.timeout(60):
        assert await builder.wait() == -signal.SIGKILL

    (stage,) = Stage.adopt(home)
    assert set(stage.parts_alive()) == set(PARTS)
    started = {name: process.started for name, process in stage.parts_alive().items()}
    runtime = Runtime(stage.admin)
    assert await runtime.get_weights() == Weights(blue=80, green=20)
    summary = await _until_users_were_served(stage, 200)
    assert summary["failed"] == 0

    await stage.start_registry()
    await stage.start_postgres()
    await stage.start_supporting()
    await stage.start_haproxy()
    await stage.start_load(rate=100, user="demo", password="s")
    assert {name: process.started for name, process in stage.parts_alive().items()} == started

    async with await psycopg.AsyncConnection.connect(await stage.create_database("depot")) as connection:
        await connection.execute("CREATE TABLE kept (id int)")
    async with LogListener(stage.log_port, stage.log_secret) as listener:
        lines = await listener.take(40)
        # Others than users ask too, and before both sides are up.
        assert {line.outcome.side for line in lines if line.outcome.client.startswith("user")} == set(Side)
        assert len({line.outcome.client for line in lines}) > 10

    segment = _segment(stage)
    assert segment in _segments()
    await stage.stop_all()
    assert stage.parts_alive() == {}
    final = json.loads(stage.load_summary.read_text())
    assert final["failed"] == summary["failed"]
    await stage.remove()
    await stage.remove()
    assert not stage.folder.exists()
    assert [path.name for path in (home / "stages").iterdir()] == ["list.mutex"]
    assert processes.strays(stage.folder) == []
    assert segment not in _segments()


async def test_after_a_kill_of_everything_the_next_start_clears_it_all(home: Path) -> None:
    stage = Stage.create(home, _binaries())
    await stage.start_postgres()
    segment = _segment(stage)
    assert _shared_outside(stage) == set()
    for process in processes.strays(stage.folder):
        os.kill(process.pid, signal.SIGKILL)

    async def gone() -> bool:
        return not processes.strays(stage.folder)

    await processes.wait_until(gone, 10, "their death")
    stage.release()

    assert segment in _segments()
    (again,) = Stage.adopt(home)
    assert again.parts_alive() == {}
    await again.remove()
    assert not again.folder.exists()
    assert segment not in _segments()


async def test_a_database_asks_everyone_for_a_password(home: Path) -> None:
    stage = Stage.create(home, _binaries())
    await stage.start_postgres()
    dsn = await stage.create_database("depot")
    assert dsn == await stage.create_database("depot")
    assert (stage.folder / "postgres" / "password").stat().st_mode & 0o777 == 0o600
    for address in (
        dsn.replace("depot:", "depot:x", 1),
        f"host={stage.folder / 'postgres'} port={dsn.split(':')[3].split('/')[0]} user=postgres password=x",
    ):
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            await psycopg.AsyncConnection.connect(address)
    await stage.stop_all()
    restarted = await stage.start_postgres()
    assert restarted.alive()
    await stage.remove()


async def test_two_stages_never_meet(home: Path) -> None:
    first, second = Stage.create(home, _binaries()), Stage.create(home, _binaries())
    ports = [
        port
        for stage in (first, second)
        for port in (stage.public_port, stage.log_port, stage.blue_port, stage.green_port)
    ]
    ports += [port for stage in (first, second) for port in stage.setting.ports.values()]
    assert len(set(ports)) == 8 + 2 * len(registry.SUPPORT_PORTS)
    assert not set(first.setting.secrets.values()) & set(second.setting.secrets.values())
    for stage in (first, second):
        processes.start(
            stage.folder,
            "blue",
            [sys.executable, "-c", SERVICE, str(stage.blue_port), stage.id],
            env=dict(os.environ),
        )
        await stage.start_haproxy()
    assert Stage.adopt(home) == []
    await first.remove()
    assert set(second.parts_alive()) == {"blue", "haproxy"}
    await second.remove()


async def test_a_public_port_in_use_is_named_with_its_holder(home: Path) -> None:
    stage = Stage.create(home, _binaries())
    proxy = await stage.start_haproxy()
    with pytest.raises(
        PartError, match=rf"port {stage.public_port} is in use \(by pid {proxy.pid}, haproxy\)"
    ) as caught:
        Stage.create(home, _binaries(), public_port=stage.public_port)
    assert "--port" in caught.value.hint
    await stage.remove()


async def test_two_proxies_never_share_a_port(home: Path) -> None:
    stage = Stage.create(home, _binaries())
    await stage.start_haproxy()
    other = Stage.create(home, _binaries())
    other._entry.public_port = stage.public_port
    with pytest.raises(PartError, match=r"haproxy ended.*(\n.*)*Address already in use"):
        await other.start_haproxy()
    await stage.remove()
    await other.remove()


async def test_a_killed_proxy_is_started_again_with_what_was_wanted_of_it_and_what_was_done_by_hand(
    home: Path,
) -> None:
    stage = Stage.create(home, _binaries())
    ports = {Side.BLUE: stage.blue_port, Side.GREEN: stage.green_port}
    first = await stage.start_haproxy(Desired(25, ports))
    desired = desired_state(stage.folder)
    news: list[News] = []

    async def told(event: News) -> None:
        news.append(event)

    loop = asyncio.get_running_loop()
    watching = asyncio.create_task(stage.look_after(told, loop.time))
    await first.kill()

    async def restarted() -> bool:
        return [event.event for event in news] == ["ended", "restarted"]

    await processes.wait_until(restarted, 20, "the restart")
    proxy = Runtime(stage.admin)
    assert await proxy.get_weights() == Weights(blue=75, green=25)
    assert stage.generation == 2

    await proxy.set_weights(blue=95, green=5)

    async def noted() -> bool:
        return desired.read() == Desired(5, ports)

    await processes.wait_until(noted, 10, "the weights that were set by hand")
    await proxy.set_weights(blue=50, green=50)
    second = processes.find(stage.folder, "haproxy")
    assert second is not None
    await second.kill()

    async def again() -> bool:
        return len(news) == 4

    await processes.wait_until(again, 20, "the second restart")
    assert await proxy.get_weights() == Weights(blue=95, green=5), (
        "only less than wanted is taken from a hand"
    )
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    await stage.remove()


async def test_a_restarted_proxy_begins_a_new_count_that_hides_no_loss(home: Path) -> None:
    stage = Stage.create(home, _binaries())
    processes.start(
        stage.folder,
        "blue",
        [sys.executable, "-c", SERVICE, str(stage.blue_port), "blue"],
        env=dict(os.environ),
    )
    numbers = []
    async with LogListener(stage.log_port, stage.log_secret) as listener:
        for _ in range(2):
            proxy = await stage.start_haproxy()
            async with aiohttp.ClientSession() as session, session.post(stage.url) as answer:
                assert answer.status in {200, 503}
            numbers += [line.outcome.number for line in await listener.take(5)]
            await proxy.kill()
        assert numbers == [(1 << 32) + 1, (2 << 32) + 1]
        assert (listener.lost, listener.pending) == (0, 0)
    await stage.remove()
