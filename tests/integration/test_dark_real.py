"""A minute in the dark for real: HAProxy, its log and its socket, Prometheus, one after the other, under steady load.

The grid of all weights and moments runs in virtual time (`tests/unit/control/test_dark.py`).
"""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest

from tminus import loopback, processes
from tminus.control.green import Green
from tminus.control.launchtime import LaunchTime
from tminus.control.liftoff import Liftoff
from tminus.control.ports import Engine, Json
from tminus.control.readiness import Readiness
from tminus.control.stages import Stages
from tminus.control.watch import Watch
from tminus.demo.supervisor import Part, Supervisor
from tminus.domain.canonical import instant, timestamp
from tminus.domain.guard import Action, GuardLimits
from tminus.domain.paging import page
from tminus.domain.plan import Plan, Rollout, Rung
from tminus.domain.timeline import LaunchClock
from tminus.domain.traffic import Side
from tminus.errors import ProbeError
from tminus.haproxy import SECRET_VARIABLE, Desired, Proxy, Runtime, desired_state, render
from tminus.http import connect
from tminus.releases import Releases
from tminus.targets.local import LocalTarget
from tminus.targets.trace import ProxyTrace
from tminus.testing import (
    FakeCommands,
    FakeComponents,
    FakeDatabase,
    FakeSmoke,
    FakeVerifier,
    MemoryRecord,
    ScriptedObserver,
)
from tminus.wiring import PublicProber, SystemClock

HAPROXY = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
PROMETHEUS = shutil.which("prometheus")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.chaos,
    pytest.mark.skipif(
        HAPROXY is None or PROMETHEUS is None, reason="haproxy or prometheus is not installed"
    ),
]
DARK_SECONDS = 60.0
SECRET = "known to this proxy alone"
ENV = {"PATH": os.environ["PATH"], SECRET_VARIABLE: SECRET}
RUNGS = (Rung(10, 6.0, 10), Rung(50, 3.0, 30))
PER_SECOND = 40.0

SERVER = """
import asyncio, sys
from aiohttp import web

async def answer(request):
    return web.json_response({"digest": sys.argv[2], "version": "1"})

application = web.Application()
application.router.add_route("*", "/{path:.*}", answer)
web.run_app(application, host="127.0.0.1", port=int(sys.argv[1]), print=None)
"""


class Plain:
    """An engine that runs each step as it comes and remembers nothing; no message ever comes."""

    async def step(self, name: str, act: Callable[[], Awaitable[Json]]) -> Json:
        del name
        return await act()

    async def receive(self, topic: str, until: float) -> None:
        del topic, until

    async def patched(self, change: str) -> bool:
        del change
        return True


class Relay:
    """Stands between the proxy and who reads its log, and can be cut or stop."""

    def __init__(self, port: int, behind: int) -> None:
        self._port, self._behind = port, behind
        self._flows = asyncio.Event()
        self._flows.set()
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)

    async def cut(self) -> None:
        """Close everything: nobody listens any more."""
        assert self._server is not None
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()

    def stop(self) -> None:
        """Take nothing, and close nothing."""
        self._flows.clear()

    def go_on(self) -> None:
        self._flows.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, behind = await asyncio.open_connection("127.0.0.1", self._behind)
        self._writers |= {writer, behind}
        try:
            while data := await reader.read(65_536):
                await self._flows.wait()
                behind.write(data)
                await behind.drain()
        except ConnectionError:
            return
        finally:
            behind.close()
            writer.close()


@dataclass
class Stage:
    """The real parts, and one launch between them that stands before its first rung."""

    folder: Path
    relay: Relay
    prometheus: processes.Process
    target: LocalTarget
    watch: Watch
    record: MemoryRecord
    liftoff: Liftoff
    answers: list[int] = field(default_factory=list)

    @property
    def admin(self) -> Path:
        return self.folder / "admin.sock"

    async def green(self) -> int:
        """Green's weight as the proxy has it."""
        return (await Runtime(self.admin).get_weights()).green

    async def held(self, rule: str) -> None:
        """Wait until the launch is held by this rule."""

        async def seen() -> bool:
            return any(
                event.type == "launch.held" and event.data["rule"] == rule
                for event in await self.record.events()
            )

        await processes.wait_until(seen, 40, f"a hold by {rule}")


@asynccontextmanager
async def users(url: str, answers: list[int]) -> AsyncIterator[None]:
    """Steady requests until the block ends; each status is kept, 0 for none."""

    async def send() -> None:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(20)) as http:
            number = 0
            while True:
                number += 1
                try:
                    headers = {"X-Client": f"user-{number % 20}"}
                    async with http.get(f"{url}/documents", headers=headers) as answer:
                        answers.append(answer.status)
                except aiohttp.ClientError:
                    answers.append(0)
                await asyncio.sleep(1 / PER_SECOND)

    task = asyncio.create_task(send())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def proxied(folder: Path, ports: list[int]) -> None:
    """Start HAProxy with both sides behind it."""
    proxy = Proxy(
        public_port=ports[2],
        log_port=ports[3],
        metrics_port=ports[5],
        admin=folder / "admin.sock",
        blue_port=ports[0],
        green_port=ports[1],
        percent=0,
    )
    (folder / "haproxy.cfg").write_text(render(proxy))
    processes.start(folder, "haproxy", [str(HAPROXY), "-db", "-f", str(folder / "haproxy.cfg")], env=ENV)
    for side, port in ((Side.BLUE, ports[0]), (Side.GREEN, ports[1])):
        processes.start(folder, side.value, [sys.executable, "-c", SERVER, str(port), side.value], env=ENV)
    desired_state(folder).write(Desired(0, {Side.BLUE: ports[0], Side.GREEN: ports[1]}))


async def measured(folder: Path, port: int, supervisor: Supervisor) -> processes.Process:
    """Start Prometheus, looked after by a supervisor."""
    processes.make_part_folder(folder, "prometheus")
    (folder / "prometheus" / "prometheus.yml").write_text("scrape_configs: []\n")

    async def answers() -> bool:
        with suppress(ProbeError):
            async with connect(f"http://127.0.0.1:{port}", seconds=2.0) as http:
                return (await http.get("/-/ready")).status == 200
        return False

    command = [str(PROMETHEUS), "--config.file=prometheus.yml", f"--web.listen-address=127.0.0.1:{port}"]
    return await supervisor.start(Part("prometheus", [*command, "--log.level=warn"], ENV, answers=answers))


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    ports: list[int] = []
    for _ in range(7):
        ports.append(loopback.free_port(ports))
    proxied(tmp_path, ports)
    supervisor = Supervisor(tmp_path)
    clock = SystemClock()
    relay = Relay(ports[3], ports[4])
    trace = ProxyTrace(tmp_path / "trace.jsonl", ports[4], SECRET, Runtime(tmp_path / "admin.sock"))
    target = LocalTarget(
        tmp_path,
        cast("Releases", None),  # nothing is started by it
        Runtime(tmp_path / "admin.sock"),
        {Side.BLUE: ports[0], Side.GREEN: ports[1]},
    )
    looking: asyncio.Task[Any] | None = None
    try:
        prometheus = await measured(tmp_path, ports[6], supervisor)
        looking = asyncio.create_task(supervisor.watch(_untold, clock.now))
        await relay.listen()
        await trace.start()
        await _both_up(target)
        time = LaunchTime(clock, LaunchClock(clock.now(), 1.0))
        record = MemoryRecord(time)
        schedule: Json = {"t0": timestamp(clock.now()), "speed": 1}
        await record.append_once("opened", "launch.opened", {"launch": "dark", "schedule": schedule})
        await record.append_once("poll", "poll.opened", {})
        await record.append_once("decision", "decision.made", {"decision": "go"})
        url = f"http://127.0.0.1:{ports[2]}"
        watch = Watch(target, trace, PublicProber(url), clock, GuardLimits())
        watch.missing = lambda: "; ".join(supervisor.missing(clock.now()).values())
        plan = Plan(
            name="dark",
            digest="0" * 64,
            production=False,
            components=("depot",),
            checks=(),
            omitted=(),
            roles=(),
            milestones=(0.0,),
            rollout=Rollout(RUNGS, 5.0),
            systems={},
            triggers=(),
        )
        stages = Stages(
            target,
            trace,
            FakeDatabase(),
            FakeSmoke(),
            watch,
            time,
            FakeCommands(),
            FakeComponents(),
            FakeVerifier(),
        )
        readiness = Readiness((), record, ScriptedObserver(), clock)
        liftoff = Liftoff(plan, cast("Engine", Plain()), record, readiness, stages)
        status = await target.status(Side.GREEN)
        liftoff.green = Green(status.started, status.digest)
        built = Stage(tmp_path, relay, prometheus, target, watch, record, liftoff)
        async with users(url, built.answers):
            yield built
    finally:
        os.kill(prometheus.pid, signal.SIGCONT)
        if looking is not None:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
        await relay.cut()
        await trace.stop()
        await processes.end_strays(tmp_path)


async def _untold(news: object) -> None:
    raise AssertionError(f"nothing ends in the dark: {news}")


async def _both_up(target: LocalTarget) -> None:
    async def up() -> bool:
        with suppress(ProbeError):
            return all([(await target.status(side)).up for side in Side])
        return False

    await processes.wait_until(up, 30, "both sides to be up")


@asynccontextmanager
async def dark(stage: Stage, source: str) -> AsyncIterator[str]:
    """One source away; gives the rule that holds meanwhile."""
    away = stage.admin.with_suffix(".away")
    if source == "socket":
        stage.admin.rename(away)
        yield "hold.blind"
        away.rename(stage.admin)
    elif source == "closed log":
        await stage.relay.cut()
        yield "hold.blind"
        await stage.relay.listen()
    elif source == "silent log":
        stage.relay.stop()
        yield "hold.blind"
        stage.relay.go_on()
    else:
        os.kill(stage.prometheus.pid, signal.SIGSTOP)
        yield "hold.parts"
        os.kill(stage.prometheus.pid, signal.SIGCONT)


@pytest.mark.parametrize("source", ["socket", "closed log", "silent log", "metrics"])
async def test_a_minute_in_the_dark_holds_pages_and_goes_on_by_itself(stage: Stage, source: str) -> None:
    async def climb() -> list[Action]:
        return [(await stage.liftoff._climb(rung)).action for rung in RUNGS]

    climbing = asyncio.create_task(climb())

    async def begun() -> bool:
        return stage.watch.exposed

    await processes.wait_until(begun, 30, "users to meet green")
    async with dark(stage, source) as rule:
        await stage.held(rule)
        since = SystemClock().now()
        await asyncio.sleep(DARK_SECONDS)
        assert not climbing.done()
        light = SystemClock().now()
    assert await climbing == [Action.CONTINUE, Action.CONTINUE]
    assert await stage.green() == RUNGS[-1].percent
    events = await stage.record.events()
    # A part that is stopped is noticed after some seconds, in which a rung may end; nothing moves from the hold on.
    shifted = [instant(event.at) for event in events if event.key.startswith("done:shift")]
    assert len(shifted) == len(RUNGS)
    assert not [at for at in shifted if since <= at < light], "nobody promoted in the dark"
    assert {event.data["action"] for event in events if event.type == "traffic.seen"} <= {"continue", "hold"}
    woken = page(events)
    assert woken is not None, "those on call were told"
    assert woken.over is not None, "and that it went on"
    assert set(stage.answers) == {200}, "no user lost anything by it"
