"""Long-lived processes that outlive us, and how a later start of tminus finds them again.

A process lives in a folder of its own (its part folder): that is its working directory, and holds its pid file and
its log. It is ours exactly when its working directory lies in that folder; a number alone proves nothing,
because numbers are used again. The target and the demo call this; what the processes do is not known here.
"""

import asyncio
import os
import pwd
import signal
import subprocess  # the point of this module is to start processes
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tminus.errors import PartError

POLL_SECONDS = 0.03
"""How often a condition is looked at."""
LOG_TAIL_LINES = 12
"""How much of a part's log an error quotes."""

# The shell writes the number before it becomes the program, so that it is known even when we are killed right
# after the spawn; the rename makes the file whole at once.
_POLITE = '{ echo 15 > /proc/self/autogroup; } 2> /dev/null; exec nice -n 15 "$@"'
"""Where sessions are not told apart, `nice` is enough."""
_SPAWN = 'echo $$ > pid.new && mv pid.new pid && exec "$@"'


class _Child(subprocess.Popen[bytes]):
    """A child that may outlive us."""

    def __del__(self) -> None:
        """Forget it without the usual warning: that it still runs is what was wanted."""


# Our own children: asked for their end, so that no zombie stays.
_children: dict[int, _Child] = {}


@dataclass(frozen=True, slots=True)
class Process:
    """One long-lived process, ours by its working directory."""

    name: str
    """Which part it is, and the name of its folder."""
    folder: Path
    """Its part folder."""
    started: float
    """When it was started, in seconds of the epoch; another value than before is a restart."""
    _process: psutil.Process = field(repr=False)

    @property
    def pid(self) -> int:
        """Its number, unique only while it lives."""
        return self._process.pid

    @property
    def log(self) -> Path:
        """Where everything it prints goes."""
        return self.folder / "log"

    def alive(self) -> bool:
        """Whether it runs; a zombie does not, and is reaped."""
        try:
            running = self._process.is_running() and self._process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            running = False
        if not running:
            _reap(self.pid)
        return running

    async def stop(self, grace_seconds: float, *, by: signal.Signals = signal.SIGTERM) -> None:
        """Ask it to end, and kill it when it has not ended after the grace.

        PostgreSQL takes `SIGINT`: its reaction to `SIGTERM` waits for every client.
        """
        self._send(by)
        if not await _within(grace_seconds, self._ended):
            await self.kill()

    async def kill(self) -> None:
        """End it at once, and wait until it is gone."""
        self._send(signal.SIGKILL)
        if not await _within(10, self._ended):
            raise PartError(
                f"{self.name} (pid {self.pid}) does not end even when killed",
                hint="look at it with `ps`; a process that waits for a broken disk cannot be killed",
            )

    async def ready(self, condition: Callable[[], Awaitable[bool]], seconds: float) -> None:
        """Wait until it answers; its early end and the time limit are errors that quote its log."""

        async def settled() -> bool:
            return not self.alive() or await condition()

        await wait_until(settled, seconds, f"{self.name} to answer", log=self.log)
        if not self.alive():
            raise PartError(
                f"{self.name} ended while it was starting\n{tail(self.log)}", hint=f"its log: {self.log}"
            )

    async def _ended(self) -> bool:
        return not self.alive()

    def _send(self, number: signal.Signals) -> None:
        try:
            self._process.send_signal(number)
        except psutil.NoSuchProcess:
            return  # it ended by itself, which is what was wanted
        except psutil.AccessDenied as error:
            raise PartError(
                f"{self.name} (pid {self.pid}) belongs to another user",
                hint="run this as the user that started it, or as root",
            ) from error


def start(
    folder: Path, name: str, argv: Sequence[str], *, env: Mapping[str, str], user: str | None = None
) -> Process:
    """Start a process that outlives us, in its own session and part folder below `folder`.

    `user` needs root. Raises `PartError` when the program or the user does not exist.
    """
    _reap_all()
    part = make_part_folder(folder, name, user)
    (part / "pid").unlink(missing_ok=True)
    account = None if user is None else _account(user)
    with (part / "log").open("ab") as log:
        try:
            child = _Child(
                ["/bin/sh", "-c", _SPAWN, name, *argv],
                cwd=part,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=None if account is None else account.pw_uid,
                group=None if account is None else account.pw_gid,
                extra_groups=None if account is None else [],
            )
        except OSError as error:
            raise PartError(
                f"{name} cannot be started: {error}", hint="look at the rights of its folder"
            ) from error
    _children[child.pid] = child
    _await_pid_file(part / "pid", child)
    found = find(folder, name)
    if found is None:
        if child.poll() is None:
            child.kill()  # it runs where nobody would find it again
        raise PartError(
            f"{name} ended at once\n{tail(part / 'log')}", hint=f"the command was: {' '.join(argv)}"
        )
    return found


@dataclass(frozen=True, slots=True)
class Ended:
    """How a short command ended."""

    code: int | None
    """Its exit code; nothing when it took too long and was killed."""
    said: str
    """Everything it printed."""


async def run(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    folder: Path | None = None,
    user: str | None = None,
    seconds: float = 60,
) -> Ended:
    """Run a short command to its end, in a folder if one is given; it never outlives this call.

    Raises `PartError` when it cannot be started.
    """
    account = None if user is None else _account(user)
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            cwd=folder,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=None if account is None else account.pw_uid,
            group=None if account is None else account.pw_gid,
            extra_groups=None if account is None else [],
        )
    except OSError as error:
        raise PartError(
            f"{argv[0]} cannot be run: {error.strerror}", hint="see whether it is installed"
        ) from error
    reading = asyncio.create_task(process.communicate())
    try:
        in_time, _ = await asyncio.wait({reading}, timeout=seconds)
    finally:
        if not reading.done():
            # With all that it has started: they share its session.
            with suppress(ProcessLookupError):  # it ended by itself meanwhile
                os.killpg(process.pid, signal.SIGKILL)
            await asyncio.wait({reading})
    said, _ = reading.result()
    return Ended(process.returncode if in_time else None, said.decode(errors="replace"))


def polite(argv: Sequence[str]) -> list[str]:
    """The same command, content with the processor time that others leave; for `start` and `run` alone.

    Linux divides its time between sessions first (sched(7), autogroup), so that `nice` alone would be polite only
    to those within the command's own session, which is nobody.
    """
    return ["/bin/sh", "-c", _POLITE, "polite", *argv]


async def must_run(
    folder: Path, argv: Sequence[str], *, env: Mapping[str, str], user: str | None = None, seconds: float = 60
) -> str:
    """Run a short command in a part folder, to its good end; what it said.

    Raises `PartError`, quoting it, when it fails or takes too long.
    """
    ended = await run(argv, env=env, folder=folder, user=user, seconds=seconds)
    if ended.code != 0:
        how = f"did not end in {seconds:g} s" if ended.code is None else f"failed with {ended.code}"
        raise PartError(f"{argv[0]} {how}\n{ended.said}", hint=f"try it by hand: {' '.join(argv)}")
    return ended.said


def find(folder: Path, name: str) -> Process | None:
    """The running process of a part, whoever started it; none when it does not run."""
    part = folder / name
    try:
        text, started = (part / "pid").read_text(), (part / "pid").stat().st_mtime
    except FileNotFoundError:
        return None
    try:
        process = psutil.Process(int(text))
        inside = Path(process.cwd()).is_relative_to(part.resolve())
    except (ValueError, psutil.NoSuchProcess, psutil.AccessDenied):
        return None  # nobody, or somebody else under a number that was used again
    found = Process(name=name, folder=part, started=started, _process=process)
    return found if inside and found.alive() else None


def strays(folder: Path) -> list[Process]:
    """Every process whose working directory lies in this folder, even a deleted one.

    Processes on a terminal are left out: they are a person who looks around.
    """
    return [process for process in _inside(folder.resolve()) if process.alive()]


async def end_strays(folder: Path) -> int:
    """Kill every process that lives in this folder, those that appear meanwhile too; how many there were."""
    ended: set[int] = set()
    while found := strays(folder):
        for process in found:
            await process.kill()
            ended.add(process.pid)
    return len(ended)


def make_part_folder(folder: Path, name: str, user: str | None = None) -> Path:
    """The folder of one part, private to the user that it runs as."""
    part = folder / name
    part.mkdir(mode=0o700, exist_ok=True)
    if user is not None:
        entry = _account(user)
        os.chown(part, entry.pw_uid, entry.pw_gid)
    return part


async def wait_until(
    condition: Callable[[], Awaitable[bool]], seconds: float, what: str, *, log: Path | None = None
) -> None:
    """Wait for a condition; raises `PartError` at the time limit, quoting the end of the log."""
    if await _within(seconds, condition):
        return
    quoted = "" if log is None else f"\n{tail(log)}"
    raise PartError(
        f"waited {seconds:g} s in vain for {what}{quoted}",
        hint="see whether this machine is overloaded, and try again"
        if log is None
        else f"the whole log: {log}",
    )


def tail(log: Path) -> str:
    """The last lines of a log, for people."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return "(no log)"
    return "\n".join(lines[-LOG_TAIL_LINES:]) or "(empty log)"


async def _within(seconds: float, condition: Callable[[], Awaitable[bool]]) -> bool:
    deadline = time.monotonic() + seconds
    while not await condition():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(POLL_SECONDS)
    return True


def _await_pid_file(path: Path, child: _Child) -> None:
    """Give the shell the moment it needs to write its number; a few milliseconds."""
    deadline = time.monotonic() + 10
    waiting = f"{child.pid}\n"
    while not (path.exists() and path.read_text() == waiting):
        try:
            child.wait(0.002)
        except subprocess.TimeoutExpired:
            if time.monotonic() > deadline:
                raise PartError(f"{path} was not written in 10 s", hint="is the disk full?") from None
        else:
            return


def _inside(folder: Path) -> Iterator[Process]:
    for process in psutil.process_iter():
        try:
            where, person, born = Path(process.cwd()), _on_terminal(process), process.create_time()
        except (psutil.NoSuchProcess, psutil.AccessDenied, FileNotFoundError, ProcessLookupError):
            continue  # it ended while it was looked at, or is somebody else's
        if where.is_relative_to(folder) and not person and process.pid != os.getpid():
            parts = where.relative_to(folder).parts
            name = parts[0] if parts else folder.name
            yield Process(name=name, folder=where, started=born, _process=process)


def _on_terminal(process: psutil.Process) -> bool:
    stat = Path(f"/proc/{process.pid}/stat")
    if not stat.exists():
        return process.terminal() is not None
    # psutil looks terminals up once and misses those opened later; tty_nr is the 7th field (proc(5))
    return stat.read_text().rpartition(")")[2].split()[4] != "0"


def _reap(pid: int) -> None:
    child = _children.get(pid)
    if child is not None and child.poll() is not None:
        del _children[pid]


def _reap_all() -> None:
    """Let go of every child that has ended without anybody asking."""
    for pid in list(_children):
        _reap(pid)


def _account(user: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(user)
    except KeyError as error:
        raise PartError(
            f"this machine has no user {user!r}", hint=f"install the package that brings {user!r}"
        ) from error
