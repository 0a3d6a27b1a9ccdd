"""What amtool and promtool, the tools of Alertmanager and Prometheus, say of a file where they are installed."""

import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tminus.planfile.problem import printable

SECONDS = 20.0
"""How long a tool is waited for."""
_MOST_LINES = 12
_MOST_CHARACTERS = 200
_ADDRESSES = ((re.compile(r'"[^"]*://.*"'), '"…"'), (re.compile(r"\S*://\S*"), "…"))
"""Addresses in what a tool says, which may hold a login or be a secret, and all that is quoted after one."""


@dataclass(frozen=True, slots=True)
class Word:
    """What a tool says of a file, in one line; that it could not be asked, where it could not."""

    text: str
    refuses: bool = False

    @property
    def refused(self) -> str:
        """Its word where it refuses the file; empty otherwise."""
        return self.text if self.refuses else ""


def word(tool: str, *arguments: str, path: Path, within: str = "") -> Word:
    """What a tool says of a file where it is installed.

    `within` is what to show it instead, where the file is an object that holds a text.
    """
    program = shutil.which(tool)
    if program is None:
        return Word(f"{tool} is not installed, so it was not asked")
    if not within:
        return _said([program, *arguments, str(path.absolute())])
    with tempfile.TemporaryDirectory(prefix="tminus-") as folder:
        place = Path(folder) / "file.yml"
        place.write_text(within, encoding="utf-8")
        return _said([program, *arguments, str(place)])


def _said(command: list[str]) -> Word:
    tool = Path(command[0]).name
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Word(f"{tool} did not answer within {SECONDS:g} s")
    except OSError as error:
        return Word(f"{tool} cannot be started: {error.strerror}")
    if done.returncode == 0:
        return Word(f"{tool} takes it")
    why = _essence(done.stdout.decode(errors="replace").replace(command[-1], "the file"))
    return Word(f"{tool} refuses it: {why}", refuses=True)


def _essence(said: str) -> str:
    """The lines that say why, on one."""
    lines = [_bare(line.strip()) for line in said.splitlines()[:_MOST_LINES]]
    told = [line for line in lines if line and not line.startswith(("Checking ", "Found:", "amtool: error"))]
    failed = [line.partition("FAILED:")[2].strip() for line in lines if "FAILED:" in line]
    return printable(" ".join(filter(None, [*failed, *told])))[:_MOST_CHARACTERS]


def _bare(line: str) -> str:
    for pattern, instead in _ADDRESSES:
        line = pattern.sub(instead, line)
    return line
