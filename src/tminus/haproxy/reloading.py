"""Put a new HAProxy in the place of the one that runs: no request lost, no log line lost, every server as it was.

The new one is given the listening sockets of the old one, and the file in which that has left weights, states,
addresses and health. It has an admin socket of its own, which takes the name of the old one's in the moment in which
it is to be told what happens next. The old one takes nothing new, finishes what it has begun, sends its last log
lines, and is ended then. It is not told to end before (`-sf`), since HAProxy closes its log at that moment, while
users are still served.
Reference: HAProxy Management Guide 2.6, §3 (`-x`) and §9.3 ("show servers state", "set maxconn frontend").
"""

import asyncio
import csv
import io
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tminus import files, processes
from tminus.domain.traffic import Side
from tminus.errors import PartError, RolloutError, UnreachableError
from tminus.haproxy.configuration import BACKEND, FRONTEND
from tminus.haproxy.desired import desired_state
from tminus.haproxy.runtime import Runtime, ServerStatus, State
from tminus.processes import Process

PART = "haproxy"
"""The part folder of a stage's HAProxy."""
START_SECONDS = 30.0
"""How long the new one may take to answer, and to see up what the old one saw up."""
FINISH_SECONDS = 30.0
"""How long the old one may take to finish; longer than any answer but a download takes."""
LAST_LINES = 4_000
"""How many of its last lines are sent once more: twice as many as it can serve requests at once. The listener knows
each by its number."""
_POLL_SECONDS = 0.02
_LEFT = "left"
"""The name under which the old one's admin socket is found while it finishes."""


def next_socket(stage: Path, generation: int) -> Path:
    """The admin socket of a HAProxy that is to take another's place, until it has.

    No two starts have the same: HAProxy would take over the old one's socket, and either of them might answer there.
    """
    return stage / PART / f"g{generation}"


def state_file(stage: Path) -> Path:
    """Where the HAProxy of a stage leaves how its servers stand, for the one that takes its place."""
    # No longer than the socket's name, so that no folder is too long for this one alone.
    return stage / PART / "state"


async def leave_state(stage: Path, proxy: Runtime) -> None:
    """Have the running HAProxy write down how its servers stand; to be done before the new one is started."""
    text = await proxy.ask(f"show servers state {BACKEND}")
    if not text.startswith("1\n"):
        raise RolloutError(
            f"HAProxy does not say how its servers stand: {text[:200]}",
            hint="it runs with another configuration",
        )
    files.replace(state_file(stage), [f"{text}\n".encode()], 0o600)


@dataclass(frozen=True, slots=True)
class Start:
    """How one HAProxy is started."""

    generation: int
    """How often its stage has started one."""
    argv: Sequence[str]
    env: Mapping[str, str] = field(repr=False)
    """It holds the secret of the log and is never shown."""


async def take_over(stage: Path, start: Start, proxy: Runtime, log_port: int) -> Process:
    """Start another HAProxy, which takes the place of the running one; it, once the old one has ended.

    Its configuration names `next_socket` and `state_file`. What it does otherwise than the old one is set again and
    read back. Raises `PartError` when it does not come up, and the old one goes on; `RolloutError` when the servers do
    not stand as they did.
    """
    old, name = processes.find(stage, PART), f"start-{start.generation}"
    if old is None:
        raise PartError(f"no HAProxy runs in {stage}", hint="start it; there is nothing to take the place of")
    before, states = await proxy.servers(), {side: await proxy.get_state(side) for side in Side}
    new = processes.start(stage / PART, name, [*start.argv, "-x", str(proxy.admin)], env=start.env)
    waiting, left = (
        Runtime(next_socket(stage, start.generation)),
        Runtime(stage / PART / _LEFT, seconds=FINISH_SECONDS),
    )
    try:
        await new.ready(lambda: _is(new.pid, waiting), START_SECONDS)
    except PartError:
        await new.kill()
        raise
    left.admin.unlink(missing_ok=True)
    left.admin.hardlink_to(proxy.admin)
    # From here on who speaks to the proxy speaks to the new one, and who looks for the part finds it: it runs inside of
    # the same folder.
    waiting.admin.replace(proxy.admin)
    (stage / PART / name / "pid").replace(stage / PART / "pid")
    try:
        await left.ask(f"set maxconn frontend {FRONTEND} 0")
        await _as_before(stage, proxy, before, states)
        await _until_served(left)
        await _send_last_lines(left, log_port)
    except (UnreachableError, RolloutError):
        # Whatever is wrong: two that divide the traffic, and one of them out of reach, would be worse.
        await old.stop(FINISH_SECONDS, by=signal.SIGUSR1)
        raise
    await old.stop(FINISH_SECONDS, by=signal.SIGUSR1)
    left.admin.unlink(missing_ok=True)
    if not new.alive():
        raise PartError(
            f"the new HAProxy (pid {new.pid}) has ended\n{processes.tail(new.log)}",
            hint=f"its log: {new.log}",
        )
    return new


async def settle(stage: Path, proxy: Runtime) -> None:
    """Leave one HAProxy where a reload was cut off: the one that answers; the others finish, and end.

    Until then they divide the traffic as it was divided, and nobody else has told them otherwise.
    """
    running = processes.strays(stage / PART)
    if len(running) < 2:
        return
    for process in running:
        if await _is(process.pid, proxy):
            files.replace(stage / PART / "pid", [f"{process.pid}\n".encode()])
            others = [other for other in running if other.pid != process.pid]
            await asyncio.gather(*(other.stop(FINISH_SECONDS, by=signal.SIGUSR1) for other in others))


def finishing(stage: Path) -> list[Process]:
    """Every HAProxy of a stage that has given its place to another, and still serves what it had begun."""
    current = processes.find(stage, PART)
    pids = {current.pid} if current else set()
    return [process for process in processes.strays(stage / PART) if process.pid not in pids]


async def finished(stage: Path, seconds: float) -> bool:
    """Wait until no earlier HAProxy serves anybody; false at the time limit."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while left := finishing(stage):
        # The list is dear, each of its processes is not.
        while any(process.alive() for process in left):
            if loop.time() >= deadline:
                return False
            await asyncio.sleep(_POLL_SECONDS)
    return True


async def _is(pid: int, proxy: Runtime) -> bool:
    """Whether the HAProxy that answers is this process."""
    try:
        said = (await proxy.ask("show info")).splitlines()
    except UnreachableError:
        return False
    return f"Pid: {pid}" in said


async def _as_before(
    stage: Path, proxy: Runtime, before: Mapping[Side, ServerStatus], states: Mapping[Side, State]
) -> None:
    """Have the servers of the new HAProxy stand as those of the old one did, and as the target has meant since."""
    desired = desired_state(stage)
    desired.lower(before[Side.GREEN].weight)
    meant = desired.read()
    percent = before[Side.GREEN].weight if meant is None else meant.percent
    if (await proxy.get_weights()).green != percent:
        await proxy.set_weights(blue=100 - percent, green=percent)
    for side in Side:
        if await proxy.get_state(side) is not states[side]:
            await proxy.set_state(side, states[side])

    async def up() -> bool:
        now = await proxy.servers()
        return all(now[side].up for side in Side if before[side].up)

    with suppress(PartError):  # said below, with what is seen
        await processes.wait_until(up, START_SECONDS, "the proxy to see up what was up")
    for side, now in (await proxy.servers()).items():
        then = before[side]
        if (then.up and not now.up) or (states[side] is not State.MAINT and now.address != then.address):
            raise RolloutError(
                f"{side} does not stand as before the proxy was reloaded: {then.status} at {then.address}, "
                f"now {now.status} at {now.address}; its last health check: {now.check}",
                hint="set weights and states by hand over the admin socket, as the printed commands do",
            )


async def _until_served(proxy: Runtime) -> None:
    """Wait until every request is answered that it has taken; no longer than its time."""

    async def served() -> bool:
        text = (await proxy.ask(f"show stat {FRONTEND} 1 -1")).removeprefix("# ")
        return all(int(row["scur"]) == 0 for row in csv.DictReader(io.StringIO(text)))

    with suppress(PartError):  # whoever is still served then is cut off
        await processes.wait_until(served, FINISH_SECONDS, "the requests of the old proxy")


async def _send_last_lines(proxy: Runtime, log_port: int) -> None:
    """Hand its last log lines to whoever listens: HAProxy does not say which of them have arrived."""
    lines = (await proxy.kept_lines())[-LAST_LINES:]
    with suppress(OSError, TimeoutError):  # nobody listens: neither would what the ring keeps be heard
        async with asyncio.timeout(FINISH_SECONDS):
            _, writer = await asyncio.open_connection("127.0.0.1", log_port)
            try:
                writer.writelines(b"%d %b" % (len(line), line) for line in lines)
                await writer.drain()
            finally:
                writer.close()
                await writer.wait_closed()
