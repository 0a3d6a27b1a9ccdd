"""Kill and interrupt real demos at ten moments each; figures into docs/reference/chaos.md.

Every run must leave no process, folder or entry behind after the next start, and be reported for what it was.
"""

import asyncio
import os
import platform
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "acceptance"))

from demos import Demo, environment, nothing_left

if TYPE_CHECKING:
    from benchmarks.chaos_page import put
else:
    from chaos_page import put

from tminus.errors import RecordError
from tminus.signing import load_trust, trust_path, verify_file

MOMENTS = (
    r"^stage \w+: ",
    r"launch demo-",
    r"cfg\.env",
    r"test\.smoke",
    r"back up: ",
    r"■ GO ",
    r"✔ migrate",
    r"✔ shift 10:",
    r"watch 100 % #0",
    r"T\+04:00:00",
)
"""Lines of a good launch, from its first to its last minute."""


@dataclass(frozen=True, slots=True)
class Run:
    """One interrupted demo and what became of it."""

    how: str
    moment: str
    reported: str
    clean: bool


async def start(home: Path, *arguments: str) -> Demo:
    """A demo that asks nothing."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tminus", "demo", "--headless", "--yes", *arguments),
        env=environment(home),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    return Demo(process)


async def interrupted(moment: str) -> Run:
    """Ctrl-C at a moment."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        demo = await start(home)
        await demo.sees(moment)
        demo.interrupt()
        code = await demo.ends()
        clean = nothing_left(home, demo.stage) and code == 1
        return Run("Ctrl-C", moment, _outcome(home, demo.text), clean)


async def killed(moment: str) -> Run:
    """`kill -9` of tminus and of everything on its stage at a moment, then a start that clears."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        demo = await start(home)
        await demo.sees(moment)
        await demo.kill_everything(demo.stage)
        clearing = await start(home, "--clear")
        code = await clearing.ends()
        clean = nothing_left(home, demo.stage) and code == 0
        return Run("kill -9 of everything", moment, _outcome(home, clearing.text), clean)


async def resumed(moment: str) -> Run:
    """`kill -9` of tminus alone at a moment, then a start that goes on to the end."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        demo = await start(home)
        await demo.sees(moment)
        await demo.kill()
        again = await start(home)
        code = await again.ends()
        clean = nothing_left(home, demo.stage) and code == 0
        return Run("kill -9 of tminus alone", moment, _outcome(home, again.text), clean)


def _outcome(home: Path, text: str) -> str:
    """What the record says, verified; or what was said where no record was opened."""
    found = re.search(r"(?:record=|abandoned in )(\S+)", text)
    if found is None:
        return (
            "no launch was opened"
            if "cleared" in text or "before it opened" in text
            else "aborted before opening"
        )
    try:
        return verify_file(Path(found[1]), load_trust(trust_path(home))).outcome
    except RecordError as error:
        return f"BROKEN: {error}"


def section(runs: list[Run]) -> str:
    """The figures as a section of the page."""
    violations = sum(not run.clean or run.reported.startswith("BROKEN") for run in runs)
    head = f"""Real demos, stopped at ten moments each (tminus alone at three, and then resumed); made by
`make chaos ONLY=demo`. Machine: {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}.
*Clean* means: no process, folder or entry left, and the exit code is right.

{len(runs)} runs, {violations} violations.

| how | moment (a line of the output) | the record says | clean |
|--|--|--|--|
"""
    rows = (
        f"| {run.how} | `{run.moment}` | {run.reported} | {'yes' if run.clean else '**no**'} |"
        for run in runs
    )
    return head + "\n".join(rows) + "\n"


async def campaign() -> list[Run]:
    """Every way at every moment, one after the other: they would disturb each other's load."""
    runs: list[Run] = []
    for moment in MOMENTS:
        for way in (interrupted, killed, *([resumed] if moment in MOMENTS[6:9] else [])):
            run = await way(moment)
            runs.append(run)
            print(
                f"{run.how:<24} {run.moment:<20} {run.reported:<24} {'clean' if run.clean else 'NOT CLEAN'}",
                flush=True,
            )
    return runs


def main() -> None:
    """Run the campaign and write its section; exit 1 when anything was left behind."""
    runs = asyncio.run(campaign())
    put("Whole demos", section(runs))
    if not all(run.clean for run in runs):
        sys.exit(1)


if __name__ == "__main__":
    main()
