"""The terminal while the board is on it: keys come one by one and unseen, and it is given back whatever happens."""

import os
import shutil
import subprocess
import sys
import termios
from contextlib import suppress
from typing import TextIO

LEAVE = r"\033[?1049l\033[?25h"
"""Back from the alternate screen, with a cursor."""
GUARDIAN = f"""trap '' INT TERM HUP TSTP
if read -r over; then exit 0; fi
stty "$1" <&1
printf '{LEAVE}'
"""
"""Waits for a word; when its end of the pipe closes without one, tminus was killed, and it gives the terminal back."""
LEAST = (40, 10)
"""Columns and rows below which plain lines say more than a board."""


def usable(stdin: TextIO, stdout: TextIO) -> bool:
    """Whether a board can be shown and its viewer heard: both ends the terminal that we are in the foreground of."""
    if os.environ.get("TERM", "dumb") in {"dumb", ""} or "utf" not in (stdout.encoding or "").lower():
        return False
    if not (stdin.isatty() and stdout.isatty() and shutil.which("stty")):
        return False
    try:
        # A background job that changes the terminal is stopped by it.
        foreground = os.tcgetpgrp(stdin.fileno()) == os.getpgrp()
        size = os.get_terminal_size(stdout.fileno())
    except OSError:
        return False  # not our own terminal, or one that has just gone
    return foreground and size.columns >= LEAST[0] and size.lines >= LEAST[1]


INTERRUPT = b"\x03"
"""Ctrl-C, which comes as a key."""


class Terminal:
    """Keys unseen and one by one, from `take` to `give_back`."""

    def __init__(self, stdin: TextIO = sys.stdin, stdout: TextIO = sys.stdout) -> None:
        self._in = stdin.fileno()
        self._out = stdout.fileno()
        self._before: list[int | list[bytes | int]] | None = None
        self._guardian: subprocess.Popen[bytes] | None = None

    @property
    def keys(self) -> int:
        """The file descriptor that keys come from."""
        return self._in

    def take(self) -> None:
        """Keys come unseen from now on; should tminus be killed, a small shell gives the terminal back."""
        self._before = termios.tcgetattr(self._in)
        saved = subprocess.run(
            ["stty", "-g"], stdin=self._in, capture_output=True, text=True, timeout=5, check=True
        ).stdout.strip()
        self._guardian = subprocess.Popen(
            ["sh", "-c", GUARDIAN, "sh", saved],
            stdin=subprocess.PIPE,
            stdout=self._out,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        mode = termios.tcgetattr(self._in)
        mode[3] &= ~(termios.ICANON | termios.ECHO)
        nothing = os.fpathconf(self._in, "PC_VDISABLE").to_bytes()
        # As a signal Ctrl-C would reach `make` too, which would call a launch interrupted that went on and landed.
        mode[6][termios.VINTR] = nothing
        # Nobody would judge the traffic while tminus is stopped by a slip of Ctrl-Z.
        mode[6][termios.VSUSP] = nothing
        termios.tcsetattr(self._in, termios.TCSADRAIN, mode)

    def give_back(self) -> None:
        """The terminal as it was; what was typed meanwhile and not read is dropped."""
        if self._before is not None:
            before, self._before = self._before, None
            with suppress(termios.error):  # a terminal that has gone needs nothing
                termios.tcsetattr(self._in, termios.TCSAFLUSH, before)
        if self._guardian is not None:
            guardian, self._guardian = self._guardian, None
            guardian.communicate(b"over\n", timeout=5)
