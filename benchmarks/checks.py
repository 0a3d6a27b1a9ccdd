"""Many checks of websites, observed and judged by the shipped code, beside what cannot be avoided and a usual prober.

`prometheus-blackbox-exporter` is asked for the same addresses, as Prometheus would ask it. Everything listens on this
machine; the servers run in a process of their own.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from benchmarks import checks_server
    from benchmarks.result import Figure
else:
    import checks_server
    from result import Figure

from tminus import loopback, processes
from tminus.control.ports import Json
from tminus.control.readiness import Readiness
from tminus.demo.machine import ThisMachine
from tminus.demo.packages import locate
from tminus.demo.parts import blackbox
from tminus.demo.parts.place import Place
from tminus.domain.evidence import Verdict
from tminus.domain.expectation import parse
from tminus.domain.plan import Check, Kind, Severity
from tminus.domain.record import Event
from tminus.errors import PartError
from tminus.planfile import freshness
from tminus.probes import website
from tminus.store.unkept import UnkeptRecord
from tminus.wiring import SystemClock, Systems

CHECKS = 1000
WIDE = 50
SERVERS = 10
RUNS = 15
"""Rounds of all ways in turn, so that a machine that is slower for a while is so for all of them. Each round has its
ratios, and the median round counts: the best of each way would compare a fast moment with a slow one."""
MOST_TIMES = 2.0
"""What the checks may take, in times of a bare gather over the same addresses."""
DELAY_TIMES = 1.5
"""What the other checks may take beside a slow one, in times of what they take alone."""
_FRESH, _EXPECT = freshness("live 15min"), parse("== 200")
_AT = "2026-01-01T00:00:00.000Z"


class Timed(UnkeptRecord):
    """A record that knows when each line was recorded."""

    def __init__(self) -> None:
        super().__init__(_AT)
        self.at: dict[str, float] = {}

    async def append_once(self, key: str, kind: str, data: Json) -> Event:
        """See `Record.append_once`."""
        self.at[str(data["check"])] = time.perf_counter()
        return await super().append_once(key, kind, data)


def checks() -> list[Figure]:
    """A thousand checks, fifty at a time."""
    with _servers() as addresses:
        return asyncio.run(_measured(addresses))


async def _measured(addresses: list[str]) -> list[Figure]:
    taken: dict[str, list[float]] = {"bare": [], "ours": [], "exporter": []}
    async with _exporter() as exporter:
        ways: dict[str, Callable[[], Awaitable[None]]] = {
            "bare": lambda: _bare(addresses),
            "ours": lambda: _ours(addresses),
            "exporter": lambda: _asked(exporter, addresses),
        }
        for way in ways.values():
            await way()  # once before it counts: modules are imported, connections are accepted
        for _ in range(RUNS):
            for name, way in ways.items():
                began = time.perf_counter()
                await way()
                taken[name].append(time.perf_counter() - began)
    usual = {name: median(times) for name, times in taken.items()}
    alone = median([await _others(addresses, slow=False) for _ in range(RUNS)])
    beside = await _others(addresses, slow=True)
    size = f"{CHECKS:,} checks, {WIDE} wide, {usual['ours']:.2f} s"
    return [
        Figure(
            "checks of websites, observed and judged",
            f"{size}; a bare aiohttp gather {usual['bare']:.2f} s",
            _times(taken, "bare"),
            MOST_TIMES,
            "times the gather",
        ),
        Figure(
            "the same beside prometheus-blackbox-exporter",
            f"{size}; the exporter {usual['exporter']:.2f} s",
            _times(taken, "exporter"),
            1.0,
            "times the exporter",
        ),
        Figure(
            f"the other checks beside one system of {checks_server.SLOW_SECONDS:g} s",
            f"{beside:.2f} s, alone {alone:.2f} s",
            beside / alone,
            DELAY_TIMES,
            "times alone",
        ),
    ]


def _times(taken: Mapping[str, Sequence[float]], other: str) -> float:
    """How many times as long as another way the checks take, in the median round."""
    return median(ours / its for ours, its in zip(taken["ours"], taken[other], strict=True))


def _check(name: str) -> Check:
    return Check(
        id=name,
        text="The page answers",
        section="Pages",
        kind=Kind.PROBE,
        due=0.0,
        owner="devops",
        severity=Severity.REQUIRED,
        fresh=_FRESH,
        probe="website.answer",
        arguments={"system": name, "path": ""},
        expect=_EXPECT,
    )


async def _ours(addresses: list[str]) -> None:
    record, verdicts = await _observed({f"page.{number}": one for number, one in enumerate(addresses)})
    assert set(verdicts.values()) == {Verdict.PASSED}, verdicts
    assert len(record.at) == len(addresses)


async def _observed(addresses: dict[str, str]) -> tuple[Timed, dict[str, Verdict]]:
    """What the shipped code makes of a line for each address."""
    lines = [_check(name) for name in addresses]
    systems = Systems({name: website.System(address) for name, address in addresses.items()}, {})
    record = Timed()
    readiness = Readiness(lines, record, systems, SystemClock(), at_once=WIDE)
    return record, await readiness.observe(lines, "now")


async def _others(addresses: list[str], *, slow: bool) -> float:
    """Seconds until every check but the slow one is recorded; the slow one is the first to begin."""
    named = {"slow": addresses[0].rpartition("/")[0] + "/slow"} if slow else {}
    named |= {f"page.{number}": one for number, one in enumerate(addresses)}
    began = time.perf_counter()
    record, verdicts = await _observed(named)
    assert {verdict for name, verdict in verdicts.items() if name != "slow"} == {Verdict.PASSED}, verdicts
    return max(at for name, at in record.at.items() if name != "slow") - began


async def _bare(addresses: list[str]) -> None:
    """What nobody can avoid who asks them all: one session, as many at a time."""
    limit = asyncio.Semaphore(WIDE)
    async with aiohttp.ClientSession() as session:

        async def one(address: str) -> int:
            async with limit, session.get(address) as reply:
                await reply.read()
                return reply.status

        assert set(await asyncio.gather(*map(one, addresses))) == {200}


async def _asked(exporter: str, addresses: list[str]) -> None:
    """The same by the exporter, asked as Prometheus asks it."""
    limit = asyncio.Semaphore(WIDE)
    async with aiohttp.ClientSession() as session:

        async def one(address: str) -> bool:
            asked = {"module": "public", "target": address}
            async with limit, session.get(f"{exporter}/probe", params=asked) as reply:
                return "\nprobe_success 1\n" in await reply.text()

        assert all(await asyncio.gather(*map(one, addresses)))


@contextmanager
def _servers() -> Iterator[list[str]]:
    """The addresses to ask, of servers in a process of their own."""
    command = [sys.executable, checks_server.__file__, str(SERVERS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            ports = process.stdout.readline().split()
            assert len(ports) == SERVERS
            yield [f"http://127.0.0.1:{ports[number % SERVERS]}/{number}" for number in range(CHECKS)]
        finally:
            process.terminate()


@asynccontextmanager
async def _exporter() -> AsyncIterator[str]:
    """A blackbox exporter as the stage has it; its address."""
    found = locate(ThisMachine())
    if found is None:
        raise PartError("the blackbox exporter is not installed", hint="type: tminus demo --install-only")
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder), "blackbox", found.blackbox_exporter, loopback.free_port(), {})
        place.folder.mkdir()
        part = blackbox.part(place)
        await part.prepare()
        process = processes.start(Path(folder), part.name, part.command, env={})
        try:
            await process.ready(part.answers, 20)
            yield place.url
        finally:
            await process.kill()
