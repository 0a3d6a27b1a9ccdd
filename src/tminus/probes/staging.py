"""Staging: the release on a scratch database, started for a test run and gone afterwards."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tminus.domain.evidence import JsonValue, Observation
from tminus.errors import InconclusiveError, PartError, UnreachableError
from tminus.http import connect
from tminus.postgres import Tools, scratch
from tminus.probes import Probe
from tminus.processes import Process, find, free_port, start
from tminus.releases import Releases

START_SECONDS = 30.0

Suite = Callable[[str], Awaitable[Observation]]
"""Runs a suite against an address; the observation's value lists what fails."""


@dataclass(frozen=True, slots=True)
class System:
    """Where a release is tried before a launch, and the suites that try it."""

    stage: Path
    releases: Releases
    tools: Tools
    database_variable: str
    user: str
    """The synthetic user that the suites log in as."""
    suites: dict[str, Suite]


@Probe
async def smoke(system: System, *, digest: str) -> Observation:
    """The smoke tests that fail on a scratch database, run against exactly this image."""
    return await _run(system, digest, "smoke")


@Probe
async def integration(system: System, *, digest: str) -> Observation:
    """The integration tests that fail on a scratch database, run against exactly this image."""
    return await _run(system, digest, "integration")


async def _run(system: System, digest: str, suite: str) -> Observation:
    async with _started(system, digest, f"staging-{suite}") as address:
        async with connect(address) as http:
            running = (await http.get("/health")).json().get("digest")
        result = await system.suites[suite](address)
    if running != digest:
        raise InconclusiveError(f"staging ran {running}, not {digest}", hint="is something else on its port?")
    seen: dict[str, JsonValue] = {**result.seen, "digest": digest}
    return Observation(result.value, seen, {"digest": digest})


@asynccontextmanager
async def _started(system: System, digest: str, name: str) -> AsyncIterator[str]:
    """The release serving on a database of its own; a leftover of an earlier crash is ended first."""
    if leftover := find(system.stage, name):
        await leftover.kill()
    async with scratch(system.tools, f"tminus_{name.replace('-', '_')}") as dsn:
        settings = {system.database_variable: dsn}
        await system.releases.run(digest, "migrate", "up", settings=settings)
        await system.releases.run(
            digest, "seed", "--documents", "50", "--user", system.user, settings=settings
        )
        port = free_port()
        arguments = ("serve", "--host", "127.0.0.1", "--port", str(port))
        command = await system.releases.invocation(digest, *arguments, settings=settings)
        process = start(system.stage, name, command.argv, env=command.env)
        try:
            await _ready(process, port)
            yield f"http://127.0.0.1:{port}"
        finally:
            await process.stop(10)


async def _ready(process: Process, port: int) -> None:
    async def answers() -> bool:
        try:
            async with connect(f"http://127.0.0.1:{port}", seconds=2) as http:
                return (await http.get("/health")).status == 200
        except UnreachableError:
            return False  # not yet; `ready` has the time limit

    try:
        await process.ready(answers, START_SECONDS)
    except PartError as error:
        raise InconclusiveError(f"the release does not start on staging: {error}", hint=error.hint) from error
