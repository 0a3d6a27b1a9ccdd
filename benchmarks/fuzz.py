"""Five minutes of made-up checklists through import, plan and export: nothing may crash, nothing may change.

`python benchmarks/fuzz.py [SECONDS] [SEED]`. Deliberate errors are fine; anything else stops the run and prints the
input. The seed that was used is printed and stands in docs/reference/fuzz.md with the figures.
"""

import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tminus import checklist, planfile
from tminus.checklist import Form
from tminus.errors import TminusError
from tminus.exporting.gathering import Planned, of_plan
from tminus.exporting.markdown import handed_back
from tminus.importing import assembled, commenting, matcher_of

_PIECES = [
    "- [ ] ",
    "* [x] ",
    "+ [X] ",
    "1. [ ] ",
    "  - [ ] ",
    "\t- [ ] ",
    "> - [ ] ",
    "- [",
    "[ ]",
    "[x]",
    "| [ ] |",
    "|--|--|",
    "☐ ",
    "☑ ",
    "✅ ",
    "# ",
    "## T-24 Hours",
    "### Day -1",
    "```",
    "~~~",
    "    ",
    "\n",
    "\n\n",
    "\r\n",
    "\r",
    "\t",
    "**",
    "_____",
    "[Name]",
    "TBD",
    "<!--",
    "-->",
    "<details>",
    "&nbsp;",
    "ðŸ“Š",
    "â€™",
    "Ã©",
    "\ufeff",
    "\u2028",
    "\x0b",
    "\x85",
    "Database backup taken",
    "Error rate <1%",
    "P95 latency >2s for 5 minutes",
    "Rollback Triggers:",
    "Owner: QA",
    "@sre",
    "Due: 2026-01-15",
    "GO / NO-GO",
    "[ ] GO / [ ] NO-GO",
    "**CTO:** ____ Date: ____",
    "\\",
    "`",
    "[a](b)",
    "![",
    "{{",
    "}}",
    "---",
    "===",
    ": ",
    "- ",
    "* * *",
    "1.",
    "99999999999999999999 ms",
    ">1e400%",
    "²",
    "½",
    "٣",
    "\u202e",
    "a" * 300,
]
_NOISE = [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\x00", b"\xf0\x9f", b"\xef\xbb\xbf"]


def made_up(chance: random.Random) -> bytes:
    """A text of pieces that mean something to a reader of checklists, now and then with broken bytes."""
    parts = [chance.choice(_PIECES).encode() for _ in range(chance.randint(1, 120))]
    if chance.random() < 0.3:
        parts.insert(chance.randrange(len(parts)), chance.choice(_NOISE))
    if chance.random() < 0.5:
        parts = [part + (b"\n" if chance.random() < 0.4 else b"") for part in parts]
    return b"".join(parts)


def through(data: bytes, folder: Path, known: planfile.Loaded) -> str:
    """One text through everything; how it ended."""
    also = frozenset({Form.TABLE, Form.BALLOT})
    try:
        found = checklist.read(data, also=also)
    except TminusError as error:
        return type(error).__name__
    if not found.items:
        return "no boxes"
    builtin = known.document
    try:
        imported = assembled(found, matcher_of(builtin), builtin, path="c.md", also=also)
    except TminusError as error:
        return type(error).__name__
    path = folder / "plan.yaml"
    path.write_text(commenting.text(imported), encoding="utf-8")
    loaded = planfile.load(path)
    assert loaded.shape is not None, loaded.problems
    back = handed_back(data, loaded.shape, of_plan(Planned(loaded.shape, "")))
    assert back == data, "the export of an untouched import differs"
    return "plan with problems" if loaded.problems else "plan"


def main() -> None:
    """Run for as long as asked and print how the texts ended."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 300.0
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 20261123
    chance, endings, known = random.Random(seed), Counter[str](), planfile.load("production")
    until = time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as folder:
        while time.monotonic() < until:
            data = made_up(chance)
            try:
                endings[through(data, Path(folder), known)] += 1
            except BaseException:
                sys.stdout.write(f"seed {seed}, text {sum(endings.values())}: {data!r}\n")
                raise
    sys.stdout.write(f"seed {seed}, {seconds:g} s: {sum(endings.values())} texts, {dict(endings)}\n")


if __name__ == "__main__":
    main()
