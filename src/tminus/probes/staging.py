"""Staging: a release tried on a scratch database, gone after the test run; and the rollbacks rehearsed of late."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tminus.control.drills import Rehearsals
from tminus.domain import offsets, rehearsal
from tminus.domain.argument import Duration
from tminus.domain.evidence import Observation
from tminus.domain.value import ValueKind
from tminus.errors import InconclusiveError, PartError, ProbeError, UnreachableError
from tminus.http import connect
from tminus.loopback import free_port
from tminus.oci import Invocation
from tminus.postgres import Tools, scratch
from tminus.probes import Probe
from tminus.processes import Process, find, start
from tminus.releases import Releases, observable

START_SECONDS = 90.0
"""How long a release may take to answer on staging: it starts with the processor time that others leave."""

AT_LEAST = {"smoke": 4, "integration": 4}
"""How many tests each suite has; fewer is a suite that shrank, and is remarked upon."""

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
    rehearsals: Rehearsals | None = None
    """The rehearsals that are kept here; nothing where nobody keeps any."""


@Probe
async def smoke(system: System, *, digest: str) -> Annotated[Observation, ValueKind.FINDINGS]:
    """The smoke tests that fail on a scratch database, run against exactly this image."""
    return await _run(system, digest, "smoke")


@Probe
async def integration(system: System, *, digest: str) -> Annotated[Observation, ValueKind.FINDINGS]:
    """The integration tests that fail on a scratch database, run against exactly this image."""
    return await _run(system, digest, "integration")


@Probe
async def rollback(
    system: System, *, digest: str, previous: str, within: Duration = "5min"
) -> Annotated[Observation, ValueKind.FINDINGS]:
    """What is wrong with the last rehearsed rollback from this image to the previous one, or that there was none.

    It may be 7 days old. From the order until the previous image served everybody it may have taken `within`; up to
    twice that is remarked upon.
    """
    if system.rehearsals is None:
        raise InconclusiveError(
            "nobody keeps rehearsals here", hint="rehearse where this launch keeps its records"
        )
    try:
        seconds = offsets.seconds(within)
    except ValueError as error:
        raise InconclusiveError(f"within: {error}", hint="correct it in the plan") from error
    kept = await system.rehearsals.kept()
    proven = rehearsal.pair_tested((previous, digest), kept, system.rehearsals.now(), seconds)
    material = {"digest": digest, "previous": previous}
    return Observation(
        [*proven.problems], {**material, **proven.seen}, {**material}, proven.remarks, proven.fact
    )


async def _run(system: System, digest: str, suite: str) -> Observation:
    with observable():
        async with _started(system, digest, f"staging-{suite}") as address:
            running = await _digest(address)
            result = await system.suites[suite](address)
    assert isinstance(result.value, list)  # noqa: S101 - a suite lists what fails
    problems = list(result.value)
    if running != digest:
        problems.append(f"the tests ran against {running or 'an unnamed image'}, not {digest}")
    tests = result.seen.get("tests")
    count = len(tests) if isinstance(tests, list | dict) else 0
    if not count:
        raise InconclusiveError("the suite holds no test", hint="a suite without tests shows nothing")
    fewer = count < AT_LEAST[suite]
    remarks = (f"{count} tests ran where there were {AT_LEAST[suite]}",) if fewer else ()
    fact = f"{count} tests pass against {digest[:19]}…"
    return Observation(problems, {**result.seen, "digest": digest}, {"digest": digest}, remarks, fact)


async def _digest(address: str) -> str:
    """The image that what answers there reports of itself; empty when it reports none."""
    async with connect(address) as http:
        body = (await http.get("/health")).json()
    return str(body.get("digest") or "") if isinstance(body, dict) else ""


@asynccontextmanager
async def _started(system: System, digest: str, name: str) -> AsyncIterator[str]:
    """The release serving on a database of its own; a leftover of an earlier crash is ended first."""
    try:
        if leftover := find(system.stage, name):
            await leftover.kill()
        port = free_port()
    except PartError as error:
        raise ProbeError(f"staging has no room: {error}", hint=error.hint) from error
    async with scratch(system.tools, f"tminus_{name.replace('-', '_')}") as dsn:
        settings = {system.database_variable: dsn}
        await system.releases.run(digest, "migrate", "up", settings=settings)
        await system.releases.run(
            digest, "seed", "--documents", "50", "--user", system.user, settings=settings
        )
        arguments = ("serve", "--host", "127.0.0.1", "--port", str(port))
        command = await system.releases.invocation(digest, *arguments, settings=settings)
        process = _spawned(system.stage, name, command)
        try:
            await _ready(process, port)
            yield f"http://127.0.0.1:{port}"
        finally:
            await process.stop(10)


def _spawned(stage: Path, name: str, command: Invocation) -> Process:
    try:
        return start(stage, name, command.argv, env=command.env)
    except PartError as error:
        raise InconclusiveError(f"the release does not start on staging: {error}", hint=error.hint) from error


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
