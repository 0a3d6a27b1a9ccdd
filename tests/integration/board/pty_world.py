"""A pseudo-terminal for tests: one end for the board, the other for whoever watches it."""

import asyncio
import os
import pty
import signal
import sys
import termios
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TextIO

SECONDS = 30.0
"""How long to wait for words."""
LOOK = 0.02
"""Seconds between two looks."""

LEADER = """import fcntl, os, signal, subprocess, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGINT, lambda *_: None)
child = subprocess.Popen([sys.executable, *sys.argv[1:]], stderr=1)
print(child.pid, file=sys.stderr, flush=True)
print(child.wait(), file=sys.stderr, flush=True)
signal.pause()
"""
"""Leads the session as a shell does, and outlives what it runs: with its end the terminal would be hung up."""


@dataclass
class Pty:
    """Both ends of one terminal."""

    main: int
    stdin: TextIO
    stdout: TextIO
    seen: bytes = field(default=b"", repr=False)
    """Everything that came out so far."""

    def read(self) -> bytes:
        """Take what has come out."""
        try:
            while more := os.read(self.main, 65536):
                self.seen += more
        except OSError:
            return self.seen  # there is no more yet, or nobody holds the other end any more
        return self.seen

    def type(self, keys: bytes) -> None:
        """Press these keys."""
        os.write(self.main, keys)

    async def sees(self, words: bytes, seconds: float = SECONDS) -> None:
        """Wait until these words have come out."""
        for _ in range(round(seconds / LOOK)):
            if words in self.read():
                return
            await asyncio.sleep(LOOK)
        raise AssertionError(self.seen[-2000:])

    def hang_up(self) -> None:
        """Nobody sits there any more."""
        if self.main >= 0:
            os.close(self.main)
        self.main = -1

    def mode(self) -> list[object]:
        """How the terminal stands."""
        return list(termios.tcgetattr(self.stdin))


@dataclass
class Foreground:
    """A Python program in the foreground of a terminal, as under a shell."""

    leader: asyncio.subprocess.Process
    pid: int
    over: bool = False

    async def ends(self) -> int:
        """Its exit code, negative for a signal."""
        assert self.leader.stderr is not None
        code = int(await self.leader.stderr.readline())
        self.over = True
        return code


@asynccontextmanager
async def foreground(pty: Pty, *arguments: str, env: Mapping[str, str]) -> AsyncIterator[Foreground]:
    """Python with these arguments; it is killed when it has not ended."""
    leader = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        LEADER,
        *arguments,
        env=env,
        stdin=pty.stdin,
        stdout=pty.stdout,
        stderr=asyncio.subprocess.PIPE,
    )
    assert leader.stderr is not None
    program = Foreground(leader, int(await leader.stderr.readline()))
    try:
        yield program
    finally:
        if not program.over:
            with suppress(ProcessLookupError):  # it ended, and nobody asked how
                os.kill(program.pid, signal.SIGKILL)
        leader.kill()
        await leader.wait()


@contextmanager
def terminal(columns: int = 80, rows: int = 24) -> Iterator[Pty]:
    """A terminal of this size."""
    main, end = pty.openpty()
    os.set_blocking(main, False)
    termios.tcsetwinsize(end, (rows, columns))
    with os.fdopen(end, encoding="utf-8") as stdin, os.fdopen(os.dup(end), "w", encoding="utf-8") as stdout:
        made = Pty(main, stdin, stdout)
        try:
            yield made
        finally:
            made.hang_up()
