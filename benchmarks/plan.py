"""Speed of plans: `tminus plan check` from a cold start, beside a Python that only imports what it needs."""

import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from benchmarks.result import Result
    from tests.integration.bad_plans import BAD
else:
    sys.path.append(str(Path(__file__).parents[1] / "tests" / "integration"))
    from bad_plans import BAD
    from result import Result

from tminus import checklist, planfile
from tminus.importing import Imported, assembled, commenting, matcher_of, with_near_misses
from tminus.planfile import builtin

BOUND = "import typer, pydantic"
TMINUS = str(Path(sys.executable).parent / "tminus")
RUNS = 7
"""Each is a process of its own; the best of them counts, as everywhere here."""


LINES = 10_000
WIDE = 1900
"""Characters of marks on a line: as many as are looked at."""
MARKS = (
    "**",
    "_a_b",
    "`",
    "``` ` ",
    "[a](",
    "<a b ",
    "&a",
    "a@b <c",
    "____ ",
    "TBD ( :",
    "> 5 ",
    "2 h ",
    "1/1/2 ",
    "Ã© ",
)


def plan() -> list[Result]:
    """Plans read and made."""
    return [*_checked(), *_refused(), *_imported(), _marked()]


def _marked() -> Result:
    """The longest checklist that is read, with marks on every line that make patterns work; the slowest mark."""
    taken = []
    for mark in MARKS:
        line = f"- [ ] Check {(mark * WIDE)[:WIDE]} end\n"
        text = line * ((checklist.MAX_BYTES - 1) // len(line.encode()))
        data = text.encode()
        taken.append((_best(partial(checklist.read, data), 1), mark, text))
    seconds, mark, text = max(taken)
    bare = _best(lambda: MarkdownIt("commonmark").parse(text), 1)
    size = f"2 MB, the slowest of {len(MARKS)} marks: `{mark.strip()}`"
    return Result("a checklist of odd marks is read", size, seconds, "a bare markdown-it-py parse", bare)


def _imported() -> list[Result]:
    """A long checklist as a plan model and as YAML, beside a bare parse of its Markdown."""
    text = "\n".join(_checklist())
    data, known = text.encode(), planfile.load("production").document

    def model() -> Imported:
        found = checklist.read(data)
        return assembled(found, matcher_of(known), known, path="long.md", also=frozenset())

    size, bound = f"{LINES:,} lines", "a bare markdown-it-py parse"

    def written() -> str:
        return commenting.text(with_near_misses(model(), matcher_of(known)))

    # In turn, so that a machine that is slower for a while is so for all of them.
    acts = (lambda: MarkdownIt("commonmark").parse(text), model, written)
    taken = [[_best(act, 1) for act in acts] for _ in range(5)]
    bare, modelled, in_yaml = (min(times) for times in zip(*taken, strict=True))
    return [
        Result("a checklist to a plan model", size, modelled, bound, bare),
        Result("a checklist to a plan in YAML", size, in_yaml, bound, bare),
    ]


def _checklist() -> Iterator[str]:
    """The built-in plan's lines over and over, more than half of them with other words behind."""
    dice = random.Random(4)
    known = planfile.load("production").document
    words = [line.line for lines in known.checks.values() for line in lines]
    words += [
        entry.line for omission in known.omitted for entry in omission.lines if not isinstance(entry, str)
    ]
    for number in range(LINES):
        if number % 20 == 0:
            yield f"\n## Section {number // 20}\n"
        yield f"- [ ] {dice.choice(words)}{f' for service {dice.randrange(500)}' if dice.random() < 0.6 else ''}"


def _best(act: Callable[[], object], runs: int = 3) -> float:
    taken = []
    for _ in range(runs):
        began = time.perf_counter()
        act()
        taken.append(time.perf_counter() - began)
    return min(taken)


def _checked() -> list[Result]:
    """The built-in production plan, read and checked by a process that has just begun."""
    name = "production"
    lines = builtin(name).count("\n")
    commands = ([sys.executable, "-c", BOUND], [TMINUS, "plan", "check", name])
    for command in commands:
        _seconds(command)  # once for the disk
    taken = [[_seconds(command) for command in commands] for _ in range(RUNS)]
    bare, checked = (min(times) for times in zip(*taken, strict=True))
    return [
        Result("tminus plan check, cold", f"{lines:,} lines of YAML", checked, f'python -c "{BOUND}"', bare)
    ]


def _refused() -> list[Result]:
    """Plans that are made to hurt: the one that takes the longest to be refused; 2 s at the most are asked for."""
    with tempfile.TemporaryDirectory() as folder:
        taken = []
        for name, data in BAD.items():
            path = Path(folder) / "plan.yaml"
            path.write_bytes(data)
            command = [TMINUS, "plan", "check", str(path)]
            taken.append((min(_seconds(command, code=2) for _ in range(3)), name))
    bare = min(_seconds([sys.executable, "-c", BOUND]) for _ in range(RUNS))
    seconds, name = max(taken)
    return [
        Result(
            "tminus plan check refuses, cold",
            f"the slowest of {len(BAD)}: {name}",
            seconds,
            f'python -c "{BOUND}"',
            bare,
        )
    ]


def _seconds(command: list[str], code: int = 0) -> float:
    began = time.perf_counter()
    done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    took = time.perf_counter() - began
    assert done.returncode == code, command
    return took
