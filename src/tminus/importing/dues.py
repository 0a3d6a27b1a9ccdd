"""When a line falls due: as its place says, as the built-in plan has it, and else as a guess that says it is one."""

import re
from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from tminus.checklist.model import Heading, Item
from tminus.domain import offsets
from tminus.importing import limits
from tminus.planfile.document import LineEntry, OmittedLine

AFTER_T0 = "T+15min"
"""Where a person is asked about what happens at T-0 itself: during the launch nobody looks at lines."""
UNTIMED = "T-2h"
"""The built-in plan's default: when a line is due of which nothing says when."""
_TIMELINE = 2
"""Headings with a time that make a timeline."""
_AFTERWARDS = re.compile(
    r"\W*(?:post|after(?:wards)?|nach|danach|après|tras|después|após|depois)\b"
    r"|\b(?:success criteria|day [1-9]|week [1-9])\b",
    re.IGNORECASE,
)
_SECTIONS = re.compile(
    r"\b(?:config|environment|feature flag|secret|dashboard|alert|routing|notif|communication|channel|on-?call|contact"
    r"|stakeholder|partner|vendor|customer|role|team|roll-?\s?back|back-?up|security|test|qa\b|approv|sign-?\s?off)",
    re.IGNORECASE,
)
"""Sections of the built-in plan whose lines are due at T-2h unless they say otherwise."""


class Due(NamedTuple):
    """When a line is due."""

    at: str
    """A milestone of the plan: `T-4h`."""
    guess: str = ""
    """Why this one, where neither the line nor a heading above it says when; empty where one does."""


class Dues:
    """What the headings of one checklist say of time."""

    def __init__(self, headings: Sequence[Heading]) -> None:
        self._timed = [heading for heading in headings if heading.due is not None]
        self._lines = [heading.line for heading in self._timed]

    def of(self, item: Item, known: LineEntry | OmittedLine | None) -> Due:
        """When a box is due; `known` is the built-in plan's line that its words mean."""
        if isinstance(known, LineEntry) and (known.step or known.sign):
            return Due(known.due)
        if item.due is None:
            return Due(known.due) if known else self._guessed(item)
        if item.due == 0:
            return Due(known.due if known and offsets.offset(known.due) != 0 else AFTER_T0)
        return Due(milestone(item.due))

    def _guessed(self, item: Item) -> Due:
        if any(_AFTERWARDS.search(heading) for heading in item.section):
            return Due(AFTER_T0, "its heading says afterwards")
        titles = item.section[1:] or item.section
        if named := next((title for title in reversed(titles) if _SECTIONS.search(title)), ""):
            return Due(UNTIMED, f"as lines under {_short(named)} are in the built-in plan")
        place = bisect_left(self._lines, item.line) - 1
        if len(self._timed) < _TIMELINE or place < 0:
            return Due(UNTIMED, "nothing says when")
        above = self._timed[place]
        return Due(milestone(above.due) if above.due else AFTER_T0, f"after the heading {_short(above.text)}")


def milestone(seconds: float) -> str:
    """An offset from T-0 as a plan writes it."""
    if seconds == 0:
        return "T-0"
    hours, rest = divmod(abs(seconds), 3600)
    distance = f"{hours:.0f}h" if hours and not rest and hours < 7 * 24 else limits.hold(abs(seconds))
    return f"T{'-' if seconds < 0 else '+'}{distance}"


def _short(title: str) -> str:
    return repr(title if len(title) <= 40 else f"{title[:39]}…")
