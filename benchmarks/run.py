"""Speed as ratios against a bound in the same run; figures into docs/reference/benchmarks.md.

`make bench` runs all, `make bench ONLY=guard` one. A ratio says how much our work adds to what cannot be avoided.
"""

import argparse
import hashlib
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.chaos_page import put
    from benchmarks.checks import checks
    from benchmarks.guard import guard
    from benchmarks.plan import plan
    from benchmarks.result import Count, Figure, Result, Table
    from benchmarks.rollback import rollback
    from benchmarks.startup import startup
    from benchmarks.takeover import takeover
    from benchmarks.verify import verify
    from benchmarks.waiting import waiting
    from benchmarks.zero_loss import loss
else:
    from chaos_page import put
    from checks import checks
    from guard import guard
    from plan import plan
    from result import Count, Figure, Result, Table
    from rollback import rollback
    from startup import startup
    from takeover import takeover
    from verify import verify
    from waiting import waiting
    from zero_loss import loss

from tminus.domain.record import OPENED, Entry, Event, append, encode, read

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "benchmarks.md"
SECTIONS = {
    "loss": "Lost requests",
    "rollback": "From a fault to 0 %",
    "takeover": "Judged again after a death",
    "checks": "Many checks at once",
}
"""What some benchmarks call their section of the page."""
LIMITS_HEAD = """
Figures beside the limit that they must not exceed, from one run. Launches that wait do so in one worker, their
milestones spread over a minute.
"""
CONTROLS_HEAD = """\
What a benchmark must see where harm is done on purpose, or else its zero elsewhere means nothing.
"""
RECORD_EVENTS = 20_000

Found = Sequence["Result | Figure | Count | Table"]
"""What a benchmark has found."""


def record() -> list[Result]:
    """Reading and checking a hash chain, beside hashing and parsing its lines."""
    lines = list(_record())
    content = b"".join(lines)
    bare = _timed(lambda: [(hashlib.sha256(line).digest(), json.loads(line)) for line in lines])
    checked = _timed(lambda: sum(1 for _ in read([content])))
    return [
        Result(
            "checking a record's chain", f"{RECORD_EVENTS:,} events", checked, "SHA-256 and json.loads", bare
        )
    ]


def _record() -> Iterator[bytes]:
    event: Event | None = None
    for number in range(RECORD_EVENTS):
        kind = OPENED if number == 0 else "checkpoint" if number == RECORD_EVENTS - 1 else "check.observed"
        data = {"check": f"line.{number}", "verdict": "passed", "why": "nothing wrong", "value": number}
        event = append(event, Entry(kind, f"key-{number}", data, "2026-01-01T00:00:00.000Z", number))
        yield encode(event)


def _timed(work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(3):
        began = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - began)
    return best


def machine() -> str:
    """What it was measured on."""
    return f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def page(found: Found) -> str:
    """The figures as a page."""
    head = f"""# Benchmarks

Made by `make bench`: each figure is the best of three runs, beside a bound measured in the same run. Machine:
{machine()}.

| what | size | seconds | bound | seconds | ratio |
|--|--|--|--|--|--|
"""
    rows = "".join(
        f"| {r.what} | {r.size} | {r.seconds:.2f} | {r.bound} | {r.bound_seconds:.2f} | {r.ratio:.1f} |\n"
        for r in found
        if isinstance(r, Result)
    )
    limited = [figure for figure in found if isinstance(figure, Figure)]
    return head + rows + (f"{LIMITS_HEAD}\n{_limits(limited)}" if limited else "") + tables(found)


def section(found: Found, minutes: float) -> str:
    """The figures of a benchmark that writes a section of its own, also when it runs alone."""
    limited = [figure for figure in found if isinstance(figure, Figure)]
    controls = [count for count in found if isinstance(count, Count)]
    load = os.getloadavg()[2]
    head = f"""Made in {minutes:.0f} minutes on {machine()}.
The machine's load average was {load:.0f} over its last quarter of an hour.

"""
    return head + _limits(limited) + (f"\n{CONTROLS_HEAD}\n{_controls(controls)}" if controls else "")


BEGIN, END = "<!-- the guard: make bench ONLY=guard -->", "<!-- end of the guard -->"


def tables(found: Found) -> str:
    """The tables of the guard, between marks, so that a run of it alone replaces them and nothing else."""
    shown = "".join(one.text for one in found if isinstance(one, Table))
    return (
        f"\n{BEGIN}\n\n# The guard\n\nBy `make bench ONLY=guard` on {machine()}.\n{shown}\n{END}\n"
        if shown
        else ""
    )


def with_tables(page: str, shown: str) -> str:
    """The page with these tables in place of those that it had."""
    before, _, rest = page.partition(f"\n{BEGIN}\n")
    return before + shown + rest.partition(f"{END}\n")[2]


def _limits(figures: Sequence[Figure]) -> str:
    head = "| what | of | figure | limit | held |\n|--|--|--|--|--|\n"
    rows = (
        f"| {one.what} | {one.size} | {one.value:.1f} {one.unit} | {one.limit:g} {one.unit} "
        f"| {'yes' if one.held else 'no'} |\n"
        for one in figures
    )
    return head + "".join(rows)


def _controls(counts: Sequence[Count]) -> str:
    head = "| what | of | figure | at least | held |\n|--|--|--|--|--|\n"
    rows = (
        f"| {one.what} | {one.size} | {one.value:,.0f} {one.unit} | {one.least:g} {one.unit} "
        f"| {'yes' if one.held else 'no'} |\n"
        for one in counts
    )
    return head + "".join(rows)


def main() -> None:
    """Run what was asked for; a whole run writes the page, and some write their part of it also alone.

    Exit 1 when a limit does not hold.
    """
    benchmarks: dict[str, Callable[[], Found]] = {
        "guard": guard,
        "record": record,
        "plan": plan,
        "verify": verify,
        "startup": startup,
        "waiting": waiting,
        "loss": loss,
        "rollback": rollback,
        "takeover": takeover,
        "checks": checks,
    }
    parser = argparse.ArgumentParser()
    parser.add_argument("only", nargs="?", choices=benchmarks, default=None)
    only = parser.parse_args().only
    found: dict[str, tuple[Found, float]] = {}
    for name, run in benchmarks.items():
        if only in {None, name}:
            began = time.monotonic()
            found[name] = run(), (time.monotonic() - began) / 60
    write(found, whole=only is None)
    if not all(one.held for some, _ in found.values() for one in some if isinstance(one, Figure | Count)):
        sys.exit(1)


def write(found: Mapping[str, tuple[Found, float]], *, whole: bool) -> None:
    """Show the figures, and put into the page what belongs there: all of a whole run, some parts also alone."""
    results = [one for name, (some, _) in found.items() if name not in SECTIONS for one in some]
    if results:
        print(page(results))
    if whole:
        PAGE.write_text(page(results), encoding="utf-8")
    elif "guard" in found:
        PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8"), tables(results)), encoding="utf-8")
    for name, title in SECTIONS.items():
        if name in found:
            text = section(*found[name])
            print(text)
            put(title, text, PAGE)


if __name__ == "__main__":
    main()
