"""A pseudo-terminal for tests: one end for the board, the other for whoever watches it."""

import asyncio
import os
import pty
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TextIO

SECONDS = 30.0
"""How long to wait for words."""
LOOK = 0.02
"""Seconds between two looks."""

IN_FRONT = """import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
"""Takes its standard input for the terminal that it is in the foreground of, and becomes another program."""


def in_front(*arguments: str) -> list[str]:
    """How Python is started in the foreground of the terminal that is its standard input."""
    return [sys.executable, "-c", IN_FRONT, *arguments]


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
