"""HAProxy itself, between two small HTTP servers, under steady load."""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from scipy.stats import binom

from tminus import loopback, processes
from tminus.domain.traffic import Side
from tminus.errors import UnreachableError
from tminus.haproxy import (
    SECRET_VARIABLE,
    SLOWEST_ANSWER_SECONDS,
    Line,
    LogListener,
    Proxy,
    Runtime,
    State,
    Weights,
    render,
)

HAPROXY = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(HAPROXY is None, reason="haproxy is not installed")]
SECRET = "known to this proxy alone"
ENV = {"PATH": os.environ["PATH"], SECRET_VARIABLE: SECRET}

# Answers after 5 ms; /break closes the connection in the middle of a body, /hang-up before any of it.
SERVER = """
import asyncio, sys
from aiohttp import web

async def answer(request):
    if request.path == "/hang-up":
        request.transport.abort()
    if request.path == "/break":
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"half")
        request.transport.close()
        return response
    await asyncio.sleep({"/health": 0, "/linger": 0.2}.get(request.path, 0.005))
    return web.Response(text=sys.argv[2])

application = web.Application()
application.router.add_route("*", "/{path:.*}", answer)
web.run_app(application, host="127.0.0.1", port=int(sys.argv[1]), print=None)
"""


@dataclass
class Scene:
    folder: Path
    blue_port: int
    green_port: int
    public_port: int
    log_port: int
    answers: list[tuple[str, int]] = field(default_factory=list)

    @property
    def runtime(self) -> Runtime:
        return Runtime(self.folder / "admin.sock")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.public_port}"

    def start_server(self, side: Side) -> processes.Process:
        port = self.blue_port if side is Side.BLUE else self.green_port
        return processes.start(self.folder, side, [sys.executable, "-c", SERVER, str(port), side], env=ENV)

    async def until_up(self, side: Side) -> None:
        async def up() -> bool:
            try:
                return (await self.runtime.servers())[side].up
            except UnreachableError:
                return False  # its socket is there a moment before it listens

        await processes.wait_until(up, 15, f"{side} to be up")

    async def load(
        self, requests: int, wide: int = 16, *, method: str = "POST", path: str = "/documents"
    ) -> None:
        """Send requests, `wide` at a time; every answer is kept, none is tried again (POST)."""
        left = iter(range(requests))

        async def user(session: aiohttp.ClientSession, name: str) -> None:
            for _ in left:
                try:
                    async with session.request(method, self.url + path, headers={"X-Client": name}) as answer:
                        self.answers.append((await answer.text(), answer.status))
                except aiohttp.ClientError as error:
                    self.answers.append((repr(error), 0))

        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(20)) as session:
            await asyncio.gather(*(user(session, f"user-{index}") for index in range(wide)))

    @property
    def failed(self) -> list[tuple[str, int]]:
        return [answer for answer in self.answers if answer[1] != 200]


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    taken: list[int] = []
    for _ in range(5):
        taken.append(loopback.free_port(taken))
    scene = Scene(tmp_path, taken[0], taken[1], taken[2], taken[3])
    proxy = Proxy(
        public_port=scene.public_port,
        log_port=scene.log_port,
        metrics_port=taken[4],
        admin=tmp_path / "admin.sock",
        blue_port=scene.blue_port,
    )
    (tmp_path / "haproxy.cfg").write_text(render(proxy))
    try:
        for side in Side:
            scene.start_server(side)
        processes.start(
            tmp_path, "haproxy", [str(HAPROXY), "-db", "-f", str(tmp_path / "haproxy.cfg")], env=ENV
        )

        async def answers() -> bool:
            return (tmp_path / "admin.sock").exists()

        await processes.wait_until(answers, 10, "haproxy", log=tmp_path / "haproxy" / "log")
        await scene.until_up(Side.BLUE)
        yield scene
    finally:
        await processes.end_strays(tmp_path)


async def _add_green(scene: Scene) -> None:
    await scene.runtime.set_address(Side.GREEN, scene.green_port)
    await scene.runtime.set_state(Side.GREEN, State.READY)
    await scene.until_up(Side.GREEN)


async def _collect(listener: LogListener, wanted: int, seconds: float = 15) -> list[Line]:
    lines: list[Line] = []
    async with asyncio.timeout(seconds):
        while len(lines) < wanted:
            lines += await listener.take(1)
    return lines


async def test_green_joins_at_run_time_and_every_weight_is_kept_with_no_line_lost(scene: Scene) -> None:
    before = (await scene.runtime.servers())[Side.GREEN]
    assert (before.status, before.weight) == ("MAINT", 0)
    async with LogListener(scene.log_port, SECRET) as listener:
        await _add_green(scene)
        for percent in (10, 50, 100, 0):
            assert await scene.runtime.set_weights(100 - percent, percent) == Weights(100 - percent, percent)
            count = len(scene.answers)
            await scene.load(1_500)
            lines = await _collect(listener, 1_500)
            greens = sum(line.outcome.side is Side.GREEN for line in lines)
            low, high = binom.interval(0.99, 1_500, percent / 100)
            assert low <= greens <= high
            assert greens == sum(text == "green" for text, _ in scene.answers[count:])
        assert (listener.received, listener.lost, listener.pending) == (6_000, 0, 0)
        assert (listener.unreadable, listener.malformed, listener.unserved) == (0, 0, 0)
        assert scene.failed == []


async def test_the_proxy_s_count_has_no_holes_although_its_own_commands_run(scene: Scene) -> None:
    async with LogListener(scene.log_port, SECRET) as listener:

        async def commands() -> None:
            for _ in range(50):
                await scene.runtime.get_weights()

        await asyncio.gather(scene.load(500), commands())
        numbers = sorted(line.outcome.number or 0 for line in await _collect(listener, 500))
        assert numbers == list(range((1 << 32) + 1, (1 << 32) + 501))


async def test_lines_wait_in_the_proxy_while_we_are_away_and_none_is_lost(scene: Scene) -> None:
    async with LogListener(scene.log_port, SECRET) as first:
        load = asyncio.create_task(scene.load(3_000, 8))
        lines = await _collect(first, 500)
    lines += await first.take(0)
    last = len(lines)
    await load
    assert last < 3_000
    stored = [line.outcome.number or 0 for line in lines]
    async with LogListener(scene.log_port, SECRET, stored=stored) as second:
        lines += await _collect(second, 3_000 - last)
        assert (second.lost, second.pending) == (0, 0)
    assert len({line.outcome.number for line in lines}) == 3_000


async def test_lines_that_died_with_a_killed_listener_are_fetched_once_more(scene: Scene) -> None:
    async with LogListener(scene.log_port, SECRET) as first:
        load = asyncio.create_task(scene.load(2_000, 8))
        lines = await _collect(first, 500)
    lines += await first.take(0)
    await load
    stored = [line.outcome.number or 0 for line in lines if (line.outcome.number or 0) % 50]
    async with LogListener(scene.log_port, SECRET, stored=stored, grace=0) as second:

        async def delivered() -> bool:
            return second.received + len(lines) >= 2_000

        await processes.wait_until(delivered, 10, "what the ring sends by itself")
        missing = len(lines) - len(stored)
        assert second.lost == missing > 5
        assert await second.recover(scene.runtime) == missing
        assert (second.lost, second.pending) == (0, 0)
        fresh = {line.outcome.number for line in await second.take(1)}
    assert len(fresh | set(stored)) == 2_000


async def test_a_killed_server_is_ejected_and_its_requests_go_to_the_other(scene: Scene) -> None:
    async with LogListener(scene.log_port, SECRET) as listener:
        await _add_green(scene)
        await scene.runtime.set_weights(50, 50)
        green = processes.find(scene.folder, "green")
        assert green is not None
        await green.kill()
        await scene.load(200)
        lines = await _collect(listener, 200)
        assert scene.failed == []
        assert any(line.redispatched for line in lines)
        assert {line.outcome.side for line in lines} == {Side.BLUE}

        async def ejected() -> bool:
            return (await scene.runtime.servers())[Side.GREEN].status == "DOWN"

        await processes.wait_until(ejected, 1.5, "the ejection")
        assert (await scene.runtime.servers())[Side.GREEN].ejections == 1


async def test_a_drained_server_can_be_stopped_without_losing_a_request(scene: Scene) -> None:
    await _add_green(scene)
    await scene.runtime.set_weights(50, 50)
    load = asyncio.create_task(scene.load(2_000))
    blue = processes.find(scene.folder, "blue")
    assert blue is not None

    async def flowing() -> bool:
        return len(scene.answers) > 200

    await processes.wait_until(flowing, 10, "the load")
    assert await scene.runtime.drain(Side.BLUE, 5) == 0
    await blue.stop(5)
    await load
    assert len(scene.answers) == 2_000
    assert scene.failed == []


async def test_when_both_sides_are_gone_neither_is_accused(scene: Scene) -> None:
    async with LogListener(scene.log_port, SECRET) as listener:
        await _add_green(scene)
        await scene.runtime.set_weights(90, 10)
        for side in Side:
            process = processes.find(scene.folder, side)
            assert process is not None
            await process.kill()
        await scene.load(40, 40)
        lines = await _collect(listener, 40)
        assert {line.outcome.side for line in lines} == {None}
        assert {line.outcome.status for line in lines} == {503}


async def test_a_green_that_has_all_the_traffic_and_dies_is_accused_and_every_request_has_its_line(
    scene: Scene,
) -> None:
    async with LogListener(scene.log_port, SECRET) as listener:
        await _add_green(scene)
        await scene.runtime.set_weights(0, 100)
        green = processes.find(scene.folder, "green")
        assert green is not None
        load = asyncio.create_task(scene.load(1_000, 8, path="/linger"))

        async def flowing() -> bool:
            return len(scene.answers) > 20

        await processes.wait_until(flowing, 10, "the load")
        await green.kill()
        await load
        lines = await _collect(listener, 1_000)
        failed = [line for line in lines if line.outcome.failed]
        assert Side.GREEN in {line.outcome.side for line in failed}
        assert Side.BLUE not in {line.outcome.side for line in lines}
        assert len(failed) == len(scene.failed)


async def test_the_configuration_does_not_hold_the_secret(scene: Scene) -> None:
    assert SECRET not in (scene.folder / "haproxy.cfg").read_text()


async def test_without_any_server_users_get_503_and_it_counts_as_their_failure(scene: Scene) -> None:
    async with LogListener(scene.log_port, SECRET) as listener:
        await _add_green(scene)
        await scene.runtime.set_weights(0, 100)
        await scene.runtime.set_state(Side.GREEN, State.MAINT)
        assert await scene.runtime.get_state(Side.GREEN) is State.MAINT
        await scene.load(5)
        lines = await _collect(listener, 5)
        assert {(line.outcome.status, line.outcome.side) for line in lines} == {(503, None)}
        assert listener.unserved == 5


async def test_a_server_that_hangs_up_without_an_answer_counts_as_failed_on_a_connection_that_was_used_before(
    scene: Scene,
) -> None:
    async with LogListener(scene.log_port, SECRET) as listener:
        async with aiohttp.ClientSession() as user:
            async with user.post(f"{scene.url}/documents") as answer:
                assert answer.status == 200
            async with user.post(f"{scene.url}/hang-up") as answer:
                assert answer.status == 502
        lines = await _collect(listener, 2)
        assert [(line.outcome.status, line.outcome.side) for line in lines] == [
            (200, Side.BLUE),
            (502, Side.BLUE),
        ]


async def test_an_answer_that_breaks_off_counts_as_failed(scene: Scene) -> None:
    async with LogListener(scene.log_port, SECRET) as listener:
        await scene.load(1, path="/break")
        (line,) = await _collect(listener, 1)
        assert (line.outcome.status, line.outcome.failed) == (0, True)
        assert (line.termination[1], line.method) == ("D", "POST")


async def test_a_server_that_hangs_counts_as_failed_even_when_its_user_has_left(scene: Scene) -> None:
    async with LogListener(scene.log_port, SECRET) as listener:
        blue = processes.find(scene.folder, "blue")
        assert blue is not None
        blue._process.suspend()
        _, writer = await asyncio.open_connection("127.0.0.1", scene.public_port)
        writer.write(b'GET / HTTP/1.1\r\nHost: x\r\nX-Client: a"b\r\n\r\n')
        await writer.drain()
        writer.close()
        (line,) = await _collect(listener, 1)
        assert (line.outcome.status, line.termination, line.outcome.client) == (504, "sH", 'a"b')
        assert line.outcome.ms < SLOWEST_ANSWER_SECONDS * 1000
        blue._process.resume()


async def test_what_is_no_http_request_is_not_counted_as_one(scene: Scene) -> None:
    async with LogListener(scene.log_port, SECRET) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", scene.public_port)
        writer.write(b"\x16\x03\x01 hello\r\n\r\n")
        assert b" 400 " in await reader.readline()
        writer.close()
        await scene.load(1)
        (line,) = await _collect(listener, 1)
        assert line.outcome.number == (1 << 32) + 1
        assert (listener.malformed, listener.unserved) == (1, 0)
