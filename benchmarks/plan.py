"""Speed of plans: `tminus plan check` from a cold start, beside a Python that only imports what it needs."""

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.result import Result
else:
    from result import Result

from tminus.planfile import builtin

BOUND = "import typer, pydantic"
RUNS = 7
"""Each is a process of its own; the best of them counts, as everywhere here."""


def plan() -> list[Result]:
    """The built-in production plan, read and checked by a process that has just begun."""
    name = "production"
    lines = builtin(name).count("\n")
    check = str(Path(sys.executable).parent / "tminus")
    commands = ([sys.executable, "-c", BOUND], [check, "plan", "check", name])
    for command in commands:
        _seconds(command)  # once for the disk
    taken = [[_seconds(command) for command in commands] for _ in range(RUNS)]
    bare, checked = (min(times) for times in zip(*taken, strict=True))
    return [
        Result("tminus plan check, cold", f"{lines:,} lines of YAML", checked, f'python -c "{BOUND}"', bare)
    ]


def _seconds(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began
