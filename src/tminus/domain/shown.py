"""What the panels of a dashboard show, and what is wrong with that."""

from collections.abc import Sequence
from dataclasses import dataclass

from tminus.domain import panelkinds
from tminus.domain.dashboard import Panel

REFRESH_SECONDS = 300.0
"""A dashboard that asks anew less often is remarked upon: whoever watches a launch would see the past."""

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True, slots=True)
class Shown:
    """What one panel shows."""

    panel: Panel
    rows: int = 0
    """How many rows with a value its queries gave."""
    newest: float | None = None
    """The last figure of its first series; nothing where it has none."""
    error: str = ""
    """Why a query of it failed; empty when none did."""
    note: str = ""
    """Why what it gave counts for nothing; empty where it counts."""
    narrowed: bool = False
    """Whether it was narrowed to one side."""

    @property
    def name(self) -> str:
        """What people call it."""
        return repr(self.panel.name)

    @property
    def lacking(self) -> str:
        """Why it shows nothing, in words; empty where it shows data."""
        if self.error:
            return f"the panel {self.name} fails: {self.error[:200]}"
        if not self.rows:
            return f"the panel {self.name} is empty{f': {self.note}' if self.note else ''}"
        return ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is wrong with what a dashboard shows, and what is only not as it should be."""

    problems: tuple[str, ...]
    remarks: tuple[str, ...]
    full: int
    """How many of the panels that count show data."""
    counted: int
    """How many panels count: all but those of rare events that may be empty."""


def judged(shown: Sequence[Shown], required: Sequence[str], filled: float) -> Outcome:
    """What is wrong: a required meaning that no panel shows, a query about it that fails, too many empty panels.

    `filled` is the share of panels that must show data, 0 to 1. A panel about rare events alone may be empty, and is
    remarked upon; its query must not fail.
    """
    problems: list[str] = []
    remarks: list[str] = []
    excused: list[Shown] = []
    for meaning in required:
        about = [one for one in shown if panelkinds.shows(one.panel, meaning)]
        if not about:
            problems.append(f"no panel shows {meaning}")
        elif meaning in panelkinds.EVENTS:
            problems += [one.lacking for one in about if one.error]
            excused += [one for one in about if one.lacking and not one.error]
        elif all(one.lacking for one in about):
            problems += [f"nothing shows {meaning}: {one.lacking}" for one in about]
    counted = [one for one in shown if not any(one is other for other in excused)]
    full = [one for one in counted if not one.lacking]
    empty = [one.lacking for one in counted if one.lacking and not _told(one, problems)]
    remarks += dict.fromkeys(f"{one.lacking}; nothing of that kind may have happened" for one in excused)
    if len(full) < filled * len(counted):
        share = f"{len(full)} of {len(counted)} panels show data, and {filled * 100:g}% must"
        problems += [share, *empty]
    else:
        remarks += empty
    return Outcome(tuple(dict.fromkeys(problems)), tuple(remarks), len(full), len(counted))


def _told(one: Shown, problems: Sequence[str]) -> bool:
    return any(problem.endswith(one.lacking) for problem in problems)


def slow_refresh(refresh: str) -> str:
    """What to say of how often a dashboard asks anew; nothing when that is often enough."""
    if not refresh:
        return "it never asks anew by itself; set its refresh to 30s"
    unit = refresh.lstrip("0123456789.")
    number = refresh[: len(refresh) - len(unit)]
    if unit not in _UNITS or not number.replace(".", "", 1).isdigit():
        return "" if refresh == "auto" else f"its refresh {refresh!r} is no time; set it to 30s"
    if float(number) * _UNITS[unit] > REFRESH_SECONDS:
        return f"it asks anew only every {refresh}; set its refresh to 5m or less"
    return ""
