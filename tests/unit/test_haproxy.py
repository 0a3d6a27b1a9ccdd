import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tminus.domain.traffic import Side
from tminus.errors import PartError, RolloutError, UnreachableError
from tminus.haproxy import LogListener, Numbers, Proxy, Runtime, State, Weights, render
from tminus.haproxy.lines import Frames, FramingError, StrangerError, parse
from tminus.loopback import free_port
from tminus.processes import wait_until

SECRET = "known to one proxy"


def log_line(**changes: Any) -> bytes:
    fields = {
        "k": SECRET,
        "g": 2,
        "n": "7",
        "s": "green",
        "st": 200,
        "ms": 53,
        "ts": "--",
        "accepted": 1795423430.073,
        "done": 1795423430126,
        "client": "user-3",
        "from": "127.0.0.1:35990",
        "method": "POST",
        "tries": "0",
        "up": [1, 1],
    }
    return json.dumps(fields | changes).encode()


def framed(payload: bytes) -> bytes:
    return b"%d %b" % (len(payload), payload)


def test_a_line_tells_how_a_request_ended_for_its_user() -> None:
    line = parse(log_line(), SECRET)
    assert line.outcome.side is Side.GREEN
    assert (line.outcome.status, line.outcome.ms, line.outcome.client) == (200, 53.0, "user-3")
    assert (line.outcome.at, line.accepted, line.method) == (1795423430.126, 1795423430.073, "POST")
    assert line.outcome.number == (2 << 32) + 7
    assert not line.outcome.failed


@pytest.mark.parametrize(
    ("status", "termination", "seen"),
    [
        (200, "--", 200),
        (502, "SH", 502),
        (504, "sH", 504),
        (-1, "CH", 0),
        (400, "CH", 0),
        (200, "SD", 0),
        (200, "sD", 0),
        (200, "CD", 200),
        (404, "--", 404),
    ],
)
def test_a_status_counts_only_when_it_reached_the_user_whole(
    status: int, termination: str, seen: int
) -> None:
    outcome = parse(log_line(st=status, ts=termination), SECRET).outcome
    assert outcome.status == seen
    assert outcome.failed is (seen == 0 or seen >= 500)


def test_a_client_without_a_name_is_known_by_its_address() -> None:
    assert parse(log_line(client="-"), SECRET).outcome.client == "127.0.0.1:35990"


def test_a_redispatched_request_says_so() -> None:
    line = parse(log_line(tries="+2"), SECRET)
    assert (line.retries, line.redispatched) == (2, True)


@pytest.mark.parametrize(
    ("how", "side"),
    [
        ({"ts": "SC", "tries": "3"}, Side.GREEN),  # nobody listens there, and blue could serve
        ({"ts": "SC", "tries": "3", "s": "blue"}, Side.BLUE),
        ({"ts": "SC", "tries": "3", "up": [0, 1]}, None),  # blue is away as well
        ({"ts": "SC", "tries": "+3"}, None),  # both were tried in vain, green only happened to be the last
        ({"ts": "sC", "tries": "3"}, None),  # the time ran out: a stall of the machine looks the same
        ({"ts": "sC", "tries": "+3"}, None),
        ({"ts": "RC", "tries": "0"}, None),  # the proxy itself had no room
        ({"ts": "CC", "tries": "0", "st": -1}, None),  # the user left before a side was reached
        ({"ts": "sQ"}, None),
        ({"ts": "SC", "s": "<NOSRV>"}, None),
        ({"ts": "SC", "s": "<NOSRV>", "up": [1, 0]}, None),
        ({"ts": "SH", "st": 502}, Side.GREEN),
        ({"ts": "sH", "st": 504, "up": [0, 0]}, Side.GREEN),
    ],
)
def test_a_request_that_reached_no_side_accuses_one_only_on_evidence(
    how: dict[str, Any], side: Side | None
) -> None:
    line = parse(log_line(**{"st": 503} | how), SECRET)
    assert line.outcome.failed
    assert line.outcome.side is side
    assert line.unserved is (side is None)


@pytest.mark.parametrize("payload", [b"", b"[]", b"Proxy public started.", log_line(n="x"), log_line(up=1)])
def test_a_line_of_another_kind_is_refused(payload: bytes) -> None:
    with pytest.raises(ValueError, match=r".+") as caught:
        parse(payload, SECRET)
    assert not isinstance(caught.value, StrangerError)


@pytest.mark.parametrize("key", ["", "known to one proxz", "known to one proxy!", None, 7, "geheim ä"])
def test_a_line_without_the_secret_is_a_stranger_s(key: object) -> None:
    for payload in (log_line(k=key), log_line(k=key, n="x"), b"{}"):
        with pytest.raises(StrangerError):
            parse(payload, SECRET)


@pytest.mark.parametrize("cut", [1, 2, 3, 7, 64])
def test_lines_are_cut_whole_however_the_bytes_arrive(cut: int) -> None:
    payloads = [b"one", b"", b"x" * 300, b"3 3"]
    stream = b"".join(framed(payload) for payload in payloads)
    frames = Frames()
    seen = [line for start in range(0, len(stream), cut) for line in frames.feed(stream[start : start + cut])]
    assert seen == payloads


@pytest.mark.parametrize("stream", [b"GET / HTTP/1.1", b"<134>1 2026", b"99999999 x", b" 3 abc", b"999999 x"])
def test_a_stranger_s_bytes_are_refused(stream: bytes) -> None:
    with pytest.raises(FramingError):
        Frames().feed(stream)


def test_a_hole_is_pending_for_the_grace_and_lost_after_it() -> None:
    numbers = Numbers(10)
    for number in (5, 6, 9):
        numbers.seen(number, 100)
    assert (numbers.pending(109.9), numbers.lost(109.9)) == (2, 0)
    assert (numbers.pending(110), numbers.lost(110)) == (0, 2)


def test_a_line_that_comes_late_is_no_longer_lost() -> None:
    numbers = Numbers(10)
    numbers.seen(1, 0)
    numbers.seen(3, 0)
    assert numbers.lost(20) == 1
    numbers.seen(2, 20)
    assert (numbers.pending(20), numbers.lost(20)) == (0, 0)


def test_a_line_that_comes_twice_is_known() -> None:
    numbers = Numbers(10)
    assert [numbers.seen(number, 0) for number in (5, 8, 5, 8, 6, 6, 3)] == [
        True,
        True,
        False,
        False,
        True,
        False,
        True,
    ]
    assert (numbers.awaits(7), numbers.awaits(6), numbers.awaits(9)) == (True, False, True)


def test_counting_goes_on_after_our_own_restart() -> None:
    numbers = Numbers(10, stored=[4, 1, 2], now=0)
    numbers.seen(7, 1)
    assert numbers.pending(1) == 3
    numbers.seen(3, 2)
    assert numbers.lost(60) == 2


def test_a_restarted_proxy_counts_from_one() -> None:
    numbers = Numbers(10)
    numbers.seen((1 << 32) + 4000, 0)
    numbers.seen((2 << 32) + 1, 0)
    assert numbers.pending(0) == 0
    numbers.seen((3 << 32) + 3, 0)
    assert numbers.pending(0) == 2


def test_what_a_dead_proxy_had_under_way_is_cut_off_and_what_was_lost_before_stays_lost() -> None:
    numbers = Numbers(10)
    for number, now in ((1, 0), (3, 0), (4, 50), (6, 60)):
        numbers.seen((1 << 32) + number, now)
    assert (numbers.lost(61), numbers.pending(61)) == (1, 1)
    numbers.seen((2 << 32) + 1, 61)
    assert (numbers.cut_off, numbers.pending(61), numbers.lost(1_000)) == (1, 0, 1)
    assert numbers.seen((1 << 32) + 5, 62), "it was still on its way"
    assert (numbers.cut_off, numbers.lost(1_000)) == (0, 1)


def test_a_loss_after_the_restart_of_the_proxy_is_seen() -> None:
    numbers = Numbers(10)
    numbers.seen((1 << 32) + 4000, 0)
    numbers.seen((2 << 32) + 3, 1)
    assert (numbers.cut_off, numbers.lost(12)) == (0, 2)


def test_a_restarted_tminus_knows_what_a_dead_proxy_had_under_way() -> None:
    stored = [(1 << 32) + 1, (1 << 32) + 3, (2 << 32) + 1, (2 << 32) + 3]
    numbers = Numbers(10, stored=stored)
    assert (numbers.cut_off, numbers.pending(0), numbers.lost(60)) == (1, 1, 1)


def test_who_takes_another_s_place_reads_how_its_servers_stood() -> None:
    text = render(Proxy(8080, 8099, 8098, Path("/s/g2"), blue_port=8001, state=Path("/s/it's state")))
    assert "server-state-file /s/it\\'s\\ state\n" in text
    assert "load-server-state-from-file global\n" in text


def test_a_side_that_does_not_run_yet_is_in_maintenance() -> None:
    text = render(Proxy(8080, 8099, 8098, Path("/s/admin.sock"), blue_port=8001))
    assert "server blue 127.0.0.1:8001 weight 100\n" in text
    assert "server green 127.0.0.1:1 weight 0 disabled\n" in text
    assert "bind 127.0.0.1:8080\n" in text
    assert "bind 127.0.0.1:8098\n" in text
    assert "server tminus 127.0.0.1:8099 log-proto octet-count\n" in text
    assert "stats socket /s/admin.sock mode 600 level admin expose-fd listeners\n" in text
    assert "load-server-state-from-file none\n" in text


def test_a_restarted_proxy_keeps_the_weights_it_is_given() -> None:
    text = render(Proxy(1, 2, 9, Path("a"), blue_port=3, green_port=4, percent=25, generation=6))
    assert "server blue 127.0.0.1:3 weight 75\n" in text
    assert "server green 127.0.0.1:4 weight 25\n" in text
    assert '"g":6,' in text


async def _send(port: int, data: bytes) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    await writer.drain()
    writer.close()
    await writer.wait_closed()


async def test_lines_come_in_order_and_what_is_no_request_is_counted_apart() -> None:
    stream = b"".join(
        framed(payload)
        for payload in (
            log_line(n="1"),
            log_line(n="-", s="<NOSRV>", st=400, ts="CR"),
            b"Proxy public started.",
            log_line(n="3", s="<NOSRV>", st=503, ts="SC"),
        )
    )
    async with LogListener(free_port(), SECRET) as listener:
        await _send(listener.port, stream)
        lines = [await anext(listener.lines()) for _ in range(2)]
        assert [line.unserved for line in lines] == [False, True]
        assert (listener.received, listener.unserved, listener.malformed, listener.unreadable) == (2, 1, 1, 1)
        assert (listener.pending, listener.lost) == (1, 0)
        assert listener.quiet_seconds < 5


async def test_missing_lines_are_fetched_from_the_ring_and_none_comes_twice(tmp_path: Path) -> None:
    def kept(_: str) -> str:
        return "".join(log_line(n=str(number)).decode() + "\n" for number in range(1, 7))

    async with LogListener(free_port(), SECRET, stored=[(2 << 32) + 1, (2 << 32) + 3], grace=0) as listener:
        await _send(listener.port, b"".join(framed(log_line(n=number)) for number in ("5", "4")))
        lines = [await anext(listener.lines()) for _ in range(2)]
        assert listener.lost == 1

        async def recover(runtime: Runtime) -> None:
            assert await listener.recover(runtime) == 2
            assert await listener.recover(runtime) == 0

        await _with_admin(tmp_path, kept, recover)
        await _send(listener.port, framed(log_line(n="6")) + framed(log_line(n="7")))
        lines += [await anext(listener.lines()) for _ in range(3)]
        assert [(line.outcome.number or 0) - (2 << 32) for line in lines] == [5, 4, 2, 6, 7]
        assert (listener.lost, listener.received) == (0, 5)


async def test_a_stopping_listener_takes_what_is_on_its_way() -> None:
    listener = LogListener(free_port(), SECRET)
    await listener.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    writer.write(framed(log_line(n="1"))[:20])
    await writer.drain()

    async def connected() -> bool:
        return bool(listener._readers)

    await wait_until(connected, 5, "the connection")
    stopping = asyncio.create_task(listener.stop())
    assert await reader.read() == b""
    writer.write(framed(log_line(n="1"))[20:])
    writer.close()
    await stopping
    assert [line.outcome.number for line in await listener.take(1)] == [(2 << 32) + 1]
    await listener.stop()


async def test_no_line_in_time_gives_nothing() -> None:
    async with LogListener(free_port(), SECRET) as listener:
        assert await listener.take(0.01) == []
        assert not listener.connected


async def test_a_stranger_on_the_log_port_is_cut_off_and_counted() -> None:
    async with LogListener(free_port(), SECRET) as listener:
        await _send(listener.port, b"GET / HTTP/1.1\r\n\r\n")

        async def counted() -> bool:
            return listener.unreadable == 1 and not listener._readers

        await wait_until(counted, 5, "the count")


async def test_forged_lines_are_refused_counted_and_end_the_connection() -> None:
    async with LogListener(free_port(), SECRET) as listener:
        await _send(listener.port, framed(log_line(n="1")))
        forged = framed(log_line(n="2", k="a guess", s="green", st=500))
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(forged + framed(log_line(n="3")))
        await writer.drain()
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.close()
        assert (listener.refused, listener.unreadable) == (1, 0)
        assert [line.outcome.number for line in await listener.take(1)] == [(2 << 32) + 1]
        assert not listener.connected


async def test_who_only_connects_is_not_taken_for_the_proxy() -> None:
    async with LogListener(free_port(), SECRET) as listener:
        _, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(framed(b"Proxy public started."))
        await writer.drain()

        async def heard() -> bool:
            return listener.unreadable == 1

        await wait_until(heard, 5, "the line")
        assert not listener.connected
        writer.write(framed(log_line(n="1")))
        await writer.drain()
        assert len(await listener.take(5)) == 1
        assert listener.connected
        writer.close()


async def test_lines_from_the_ring_need_the_secret_too(tmp_path: Path) -> None:
    def kept(_: str) -> str:
        return "".join(log_line(n=n, k=k).decode() + "\n" for n, k in (("4", SECRET), ("5", "a guess")))

    async with LogListener(free_port(), SECRET, stored=[(2 << 32) + 3]) as listener:

        async def recover(runtime: Runtime) -> None:
            assert await listener.recover(runtime) == 1

        await _with_admin(tmp_path, kept, recover)
        assert (listener.received, listener.refused) == (1, 1)


def test_a_listener_without_a_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="anybody"):
        LogListener(free_port(), "")


async def test_a_taken_log_port_is_an_error_that_says_what_to_do() -> None:
    async with LogListener(free_port(), SECRET) as listener:
        with pytest.raises(PartError, match=f"port {listener.port}") as caught:
            await LogListener(listener.port, SECRET).start()
        assert "ss -ltnp" in caught.value.hint


class _FakeAdmin:
    """An admin socket that gives prepared replies."""

    def __init__(self, reply: Callable[[str], str | None]) -> None:
        self.asked: list[str] = []
        self._reply = reply
        self.tasks: set[asyncio.Task[None] | None] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.tasks.add(asyncio.current_task())
        command = (await reader.readline()).decode().strip()
        self.asked.append(command)
        reply = self._reply(command)
        if reply is None:
            await reader.read()
        else:
            writer.write(reply.encode())
        writer.close()
        await writer.wait_closed()


async def _with_admin(
    path: Path, reply: Callable[[str], str | None], act: Callable[[Runtime], Awaitable[object]]
) -> list[str]:
    admin = _FakeAdmin(reply)
    server = await asyncio.start_unix_server(admin.serve, path / "admin.sock")
    try:
        await act(Runtime(path / "admin.sock", seconds=0.2))
    finally:
        server.close()
        await asyncio.gather(*(task for task in admin.tasks if task is not None))
        await server.wait_closed()
    return admin.asked


def _statistics(blue: int, green: int) -> str:
    return (
        "# pxname,svname,qcur,scur,stot,status,uweight,lastchg,chkdown,check_status,addr,\n"
        f"app,blue,0,1,10,UP,{blue},5,0,L7OK,127.0.0.1:1001,\n"
        f"app,green,2,0,0,UP 1/2,{green},5,1,* L4CON,127.0.0.1:1002,\n\n"
    )


async def test_weights_that_do_not_read_back_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(RolloutError, match="not the"):
        await _with_admin(
            tmp_path,
            lambda command: _statistics(100, 0) if command.startswith("show") else "\n",
            lambda runtime: runtime.set_weights(90, 10),
        )


@pytest.mark.parametrize(
    ("before", "wanted", "first"), [((100, 0), (50, 50), "green"), ((0, 100), (100, 0), "blue")]
)
async def test_the_growing_share_is_set_first(
    tmp_path: Path, before: tuple[int, int], wanted: tuple[int, int], first: str
) -> None:
    state = {"blue": before[0], "green": before[1]}

    def reply(command: str) -> str:
        if command.startswith("show"):
            return _statistics(state["blue"], state["green"])
        side, weight = command.removeprefix("set server app/").split(" weight ")
        state[side] = int(weight)
        return "\n"

    asked = await _with_admin(tmp_path, reply, lambda runtime: runtime.set_weights(*wanted))
    assert next(command for command in asked if command.startswith("set")).startswith(
        f"set server app/{first}"
    )
    assert (state["blue"], state["green"]) == wanted


async def test_a_reply_with_text_is_haproxy_s_no(tmp_path: Path) -> None:
    with pytest.raises(RolloutError, match="No such server"):
        await _with_admin(
            tmp_path,
            lambda _: "No such server.\n\n",
            lambda runtime: runtime.set_state(Side.GREEN, State.DRAIN),
        )


async def test_shares_that_make_no_whole_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RolloutError, match="one whole"):
        await Runtime(tmp_path / "none").set_weights(50, 60)


async def test_a_proxy_that_is_away_is_unreachable(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError, match="does not answer"):
        await Runtime(tmp_path / "none").servers()


async def test_a_proxy_that_hangs_is_unreachable(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError, match="no reply in time"):
        await _with_admin(tmp_path, lambda _: None, lambda runtime: runtime.servers())


async def test_both_sides_are_read_from_the_statistics(tmp_path: Path) -> None:
    async def look(runtime: Runtime) -> None:
        servers = await runtime.servers()
        assert servers[Side.BLUE].up
        assert not servers[Side.GREEN].up
        assert (servers[Side.BLUE].undecided, servers[Side.GREEN].undecided) == (False, True)
        assert servers[Side.GREEN].status == "UP"
        assert (servers[Side.GREEN].check, servers[Side.GREEN].ejections) == ("L4CON", 1)
        assert await runtime.sessions(Side.GREEN) == 2
        assert await runtime.get_weights() == Weights(blue=70, green=30)

    await _with_admin(tmp_path, lambda _: _statistics(70, 30), look)


async def test_a_proxy_with_other_servers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RolloutError, match="not blue and green"):
        await _with_admin(
            tmp_path, lambda _: "# pxname,svname,\napp,web1,\n", lambda runtime: runtime.servers()
        )
