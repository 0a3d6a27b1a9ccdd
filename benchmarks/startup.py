"""Speed of the start: `tminus --help` from a cold start, beside a Python that only imports what draws a help page."""

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.result import Result
else:
    from result import Result

BOUND = "import typer, rich"
TMINUS = str(Path(sys.executable).parent / "tminus")
RUNS = 7
"""Each is a process of its own, the two in turn; the best of them counts, as everywhere here."""


def startup() -> list[Result]:
    """The list of commands; 3 times the bound is the most that is asked for."""
    commands = ([sys.executable, "-c", BOUND], [TMINUS, "--help"])
    for command in commands:
        _seconds(command)  # once for the disk
    taken = [[_seconds(command) for command in commands] for _ in range(RUNS)]
    bare, helped = (min(times) for times in zip(*taken, strict=True))
    return [Result("tminus --help, cold", "the list of commands", helped, f'python -c "{BOUND}"', bare)]


def _seconds(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began
