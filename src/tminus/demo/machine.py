"""The machine that packages are installed on: its commands, programs and files."""

import os
import shutil
import subprocess  # installing is done by apt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

APT_SECONDS = 900
"""A slow mirror and another apt that runs may take minutes."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that has ended."""

    code: int
    output: str


class Machine(Protocol):
    """What installing needs of the machine; a fake implements it in tests."""

    def run(self, argv: Sequence[str]) -> Finished:
        """Run a command to its end, also when a person interrupts."""
        ...

    def which(self, program: str) -> Path | None:
        """Where a program is on PATH."""
        ...

    def read(self, path: Path) -> bytes | None:
        """A file's content; none when it does not exist."""
        ...

    def stat(self, path: Path) -> tuple[int, int, int]:
        """A file's mode, owner and group."""
        ...

    def is_root(self) -> bool:
        """Whether we are root."""
        ...


class ThisMachine:
    """The machine that we run on."""

    def run(self, argv: Sequence[str]) -> Finished:
        """Run a command in a session of its own, so that Ctrl-C does not reach it.

        An interrupted apt would leave half-installed packages, and its services would start as soon as we took the
        lock away; so it ends first, and then the interrupt goes on.
        """
        try:
            with subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,
            ) as process:
                return _to_its_end(process)
        except OSError as error:
            return Finished(127, str(error))

    def which(self, program: str) -> Path | None:
        """Where a program is; the folders of administrators count too, a user's PATH often lacks them."""
        found = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin")
        return None if found is None else Path(found)

    def read(self, path: Path) -> bytes | None:
        """See `Machine`."""
        return path.read_bytes() if path.exists() else None

    def stat(self, path: Path) -> tuple[int, int, int]:
        """See `Machine`."""
        status = path.stat()
        return status.st_mode & 0o7777, status.st_uid, status.st_gid

    def is_root(self) -> bool:
        """See `Machine`."""
        return os.geteuid() == 0


def _to_its_end(process: "subprocess.Popen[str]") -> Finished:
    interrupted: KeyboardInterrupt | None = None
    output = ""
    while process.returncode is None:
        try:
            output, _ = process.communicate(timeout=APT_SECONDS)
        except KeyboardInterrupt as error:
            interrupted = error
        except subprocess.TimeoutExpired:
            process.kill()
    if interrupted is not None:
        raise interrupted
    return Finished(process.returncode, output)
