"""Requests through shifts, promotions, terminations and reloads: none may be lost; the naive way must lose some.

Everything is done through the product's own acts: the target starts, weighs and stops, the stage reloads its proxy. Two
kinds of users send all the while, 64 connections each: wrk (GET, answered at once) and users of our own (POST, 50 ms),
who count each request. `make bench ONLY=loss`.
"""

import asyncio
import json
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.light import NEW, OLD, Scene, opened, wrk
    from benchmarks.result import Count, Figure
else:
    from light import NEW, OLD, Scene, opened, wrk
    from result import Count, Figure

from tminus import files, processes
from tminus.domain.traffic import Side
from tminus.errors import PartError
from tminus.haproxy import LogListener, Proxy, render

HOME = Path(__file__).parents[1] / "build" / "loss"
REQUESTS = 300_000
CYCLES = 20
CONNECTIONS = 64
LADDER = (1, 5, 10, 25, 50, 100)
DWELL = 0.25
"""Seconds at each weight, so that every one of them meets requests under way."""
DRAIN = 15.0
"""How long a side may take to finish; longer than any answer."""
CONTROL_SECONDS = 1.5
"""How long users send before and after a naive act."""
STOPS = 5
"""How often a side is stopped without a drain."""
PAUSE = 0.05
"""Seconds between an answer and the same user's next request: so many connections without one fill a small machine, and
then it is the machine that is tried."""
_SCRIPT = """\
local threads = {}
bad = 0
function setup(thread) table.insert(threads, thread) end
function delay() return PAUSE end
function response(status) if status < 200 or status > 299 then bad = bad + 1 end end
function done(summary)
  local other = 0
  for _, thread in ipairs(threads) do other = other + thread:get("bad") end
  local e = summary.errors
  io.write(string.format('\\n{"requests": %d, "connect": %d, "read": %d, "write": %d, "timeout": %d, "other": %d}\\n',
    summary.requests, e.connect, e.read, e.write, e.timeout, other))
end
"""


@dataclass
class Counted:
    """What users and the proxy counted over one time."""

    posts: Counter[str] = field(default_factory=Counter)
    """POST requests by how they ended for their user; `answered` is a 2xx."""
    gets: dict[str, int] = field(default_factory=dict)
    """wrk's summary."""
    logged: int = 0
    """Requests that the proxy logged."""
    failed: int = 0
    """Those of them that got no answer or a server error by the proxy's word, while all users were there."""
    unlogged: int = 0
    """Requests that the proxy counted of which no line came."""
    seconds: float = 0.0

    @property
    def requests(self) -> int:
        """How many were sent and ended."""
        return self.posts.total() + self.gets["requests"] + self.lost_gets - self.gets["other"]

    @property
    def lost_posts(self) -> int:
        """Those that got no answer, or another than a 2xx."""
        return self.posts.total() - self.posts["answered"]

    @property
    def lost_gets(self) -> int:
        """Socket errors and answers other than 2xx."""
        return sum(self.gets[name] for name in ("connect", "read", "write", "timeout", "other"))

    @property
    def lost(self) -> int:
        """On the users' side."""
        return self.lost_posts + self.lost_gets

    def __str__(self) -> str:
        why = {name: count for name, count in self.posts.items() if name != "answered"}
        return (
            f"{self.requests:,} requests ({self.posts.total():,} POST, {self.gets['requests']:,} GET) in "
            f"{self.seconds:.0f} s; lost {self.lost_posts:,} POST {why}, {self.lost_gets:,} GET {self.gets}; the "
            f"proxy logged {self.logged:,}, {self.failed:,} of them failed; {self.unlogged:,} left no line"
        )


class Users:
    """Both kinds of users, and the proxy's log of what they met."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._failed = self.posts = 0
        self.listener = LogListener(scene.stage.log_port, scene.stage.log_secret)

    @asynccontextmanager
    async def sending(self, counted: Counted) -> AsyncIterator["Users"]:
        """They send within it; what they met is in `counted` afterwards."""
        stage = self._scene.stage
        script = stage.folder / "wrk.lua"
        script.write_text(_SCRIPT.replace("PAUSE", f"{PAUSE * 1000:g}"))
        poster = Path(__file__).with_name("light_users.py")
        began = time.monotonic()
        async with self.listener:
            taking = asyncio.create_task(self._take())
            argvs = (
                (
                    sys.executable,
                    "-P",
                    str(poster),
                    "127.0.0.1",
                    str(stage.public_port),
                    str(CONNECTIONS),
                    str(PAUSE),
                ),
                (
                    wrk(),
                    "-t1",
                    f"-c{CONNECTIONS}",
                    "-d1h",
                    "--timeout",
                    "10s",
                    "-s",
                    str(script),
                    f"{stage.url}/",
                ),
            )
            posters, getters = [
                await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE) for argv in argvs
            ]
            try:
                yield self
                await self._all_logged()
                # Who leaves now cuts off what is under way: from here on nothing is the proxy's failure.
                counted.failed = self._failed
                getters.send_signal(signal.SIGINT)
                posters.terminate()
                said, told = await asyncio.gather(getters.communicate(), posters.communicate())
            finally:
                for process in (posters, getters):
                    if process.returncode is None:
                        process.kill()
                        await process.wait()
            await self._all_logged()
            taking.cancel()
            await asyncio.gather(taking, return_exceptions=True)
        counted.posts, counted.gets = Counter(json.loads(told[0])), json.loads(said[0].splitlines()[-1])
        counted.logged, counted.unlogged = self.listener.received, self.listener.lost + self.listener.pending
        counted.seconds = time.monotonic() - began

    async def until(self, requests: int, seconds: float) -> None:
        """Wait until the proxy has logged so many."""

        async def enough() -> bool:
            return self.listener.received >= requests

        await processes.wait_until(enough, seconds, f"{requests} requests")

    async def flowing(self) -> None:
        """Wait until both kinds are under way: each user has had answers."""

        async def enough() -> bool:
            return self.posts >= 5 * CONNECTIONS and self.listener.received >= 10 * CONNECTIONS

        await processes.wait_until(enough, 120, "users of both kinds")

    async def _take(self) -> None:
        while True:
            for line in await self.listener.take(1.0):
                left = line.termination[0] in "Cc"  # the user's own doing
                self._failed += line.outcome.failed and not left
                self.posts += line.method == "POST"

    async def _all_logged(self) -> None:
        """Wait for the lines that are on their way, no longer than the log's own grace."""

        async def none_pending() -> bool:
            return self.listener.pending == 0

        with suppress(PartError):  # a line that never comes is counted
            await processes.wait_until(none_pending, 15.0, "the proxy's lines")


async def cycle(scene: Scene, number: int, ladder: Sequence[int] = LADDER) -> None:
    """Shift and back; shift, promote and terminate; and the way home.

    The proxy is reloaded twice on the way, each time at other places.
    """
    target, acts = scene.target, 0
    reloads = {number % 4, 4 + number % 3}

    async def between() -> None:
        nonlocal acts
        if acts in reloads:
            await scene.stage.reload_haproxy()
        acts += 1

    async def weigh(*shares: int) -> None:
        for percent in shares:
            assert await scene.steady(partial(target.set_weight, percent)) == percent
            await asyncio.sleep(DWELL)

    async def stop(side: Side) -> None:
        assert await scene.steady(lambda: target.stop(side, DRAIN)) == 0

    async def start(side: Side, digest: str) -> None:
        assert (await scene.steady(lambda: target.start(side, digest))).up

    await start(Side.GREEN, NEW)
    await weigh(*ladder[: 1 + number % len(ladder)])
    await between()
    await weigh(0)
    await stop(Side.GREEN)
    await between()
    await start(Side.GREEN, NEW)
    await weigh(*ladder[:-1])
    await between()
    await weigh(100)
    await between()
    status = await scene.steady(lambda: target.status(Side.GREEN))
    assert (status.up, status.weight) == (True, 100)
    await stop(Side.BLUE)
    await between()
    await start(Side.BLUE, OLD)
    await between()
    await weigh(*reversed((0, *ladder[:-1])))
    await between()
    await stop(Side.GREEN)


async def shipped(home: Path, cycles: int, requests: int, seed: int = 1) -> Counted:
    """So many cycles with the product's acts, and at least so many requests through them."""
    counted = Counted()
    async with opened(home, seed) as scene:
        users = Users(scene)
        async with users.sending(counted):
            await users.flowing()
            for number in range(cycles):
                await cycle(scene, number)
                await users.until(requests * (number + 1) // cycles, 600)
                print(f"cycle {number + 1}: {users.listener.received:,} requests", flush=True)
        assert scene.deaths == [], scene.deaths
    return counted


async def _without_drain(scene: Scene) -> None:
    """Stop a side that has half of the traffic, and start it again; some times, for it may serve nobody just then."""
    for _ in range(STOPS):
        green = processes.find(scene.stage.folder, Side.GREEN)
        assert green is not None
        await green.stop(5.0)
        await scene.steady(partial(scene.target.start, Side.GREEN, NEW))
        await asyncio.sleep(CONTROL_SECONDS)


async def _restarted(scene: Scene) -> None:
    """End the proxy; whoever looks after it starts another."""
    proxy = processes.find(scene.stage.folder, "haproxy")
    assert proxy is not None
    await proxy.stop(5.0)


async def _without_state(scene: Scene) -> None:
    """Reload the proxy as it was configured once, with blue alone, after blue has ended."""
    await scene.target.set_weight(100)
    await scene.target.stop(Side.BLUE, DRAIN)
    stage = scene.stage
    old = processes.find(stage.folder, "haproxy")
    assert old is not None
    config = stage.folder / "haproxy" / "naive.cfg"
    text = (stage.folder / "haproxy" / "haproxy.cfg").read_text()
    port = int(next(line for line in text.splitlines() if "bind 127.0.0.1" in line).rpartition(":")[2])
    assert port == stage.public_port
    metrics = int([line for line in text.splitlines() if "bind 127.0.0.1" in line][1].rpartition(":")[2])
    naive = Proxy(
        port, stage.log_port, metrics, stage.admin, stage.blue_port, generation=stage.generation + 1
    )
    files.replace(config, [render(naive).encode()], 0o600)
    argv = [shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin") or "haproxy", "-db"]
    argv += ["-f", str(config), "-x", str(stage.admin), "-sf", str(old.pid)]
    env = {"TMINUS_LOG_SECRET": stage.log_secret}
    processes.start(stage.folder / "haproxy", "naive", argv, env=env)


NAIVE: dict[str, Callable[[Scene], Awaitable[None]]] = {
    "a side is stopped without a drain": _without_drain,
    "the proxy is restarted": _restarted,
    "the proxy is reloaded without its state": _without_state,
}


async def naive(home: Path, act: Callable[[Scene], Awaitable[None]], seed: int = 1) -> Counted:
    """One act done the naive way, with green at half of the traffic."""
    counted = Counted()
    async with opened(home, seed) as scene:
        await scene.target.start(Side.GREEN, NEW)
        await scene.target.set_weight(50)
        users = Users(scene)
        async with users.sending(counted):
            await users.flowing()
            await asyncio.sleep(CONTROL_SECONDS)
            await act(scene)
            await asyncio.sleep(CONTROL_SECONDS)
    return counted


def loss() -> list[Figure | Count]:
    """The whole proof; figures for the page."""
    shutil.rmtree(HOME, ignore_errors=True)
    counted = asyncio.run(shipped(HOME, CYCLES, REQUESTS))
    print(f"the product's acts: {counted}", flush=True)
    size = (
        f"{counted.requests:,} requests ({counted.posts.total():,} POST of 50 ms, {counted.gets['requests']:,} of wrk; "
        f"64 connections each), {CYCLES} cycles, {2 * CYCLES} reloads of the proxy, {counted.seconds:.0f} s"
    )
    figures: list[Figure | Count] = [
        Figure("lost requests, by the users' count", size, counted.lost, 0, "requests"),
        Figure(
            "failed requests, by the proxy's log", f"{counted.logged:,} lines", counted.failed, 0, "requests"
        ),
        Figure(
            "requests through the cycles that are missing",
            f"of {REQUESTS:,}",
            max(0, REQUESTS - counted.requests),
            0,
            "requests",
        ),
    ]
    for what, act in NAIVE.items():
        control = asyncio.run(naive(HOME, act))
        print(f"{what}: {control}", flush=True)
        figures.append(
            Count(f"the naive way: {what}", f"{control.requests:,} requests", control.lost, 1, "lost")
        )
    return figures
