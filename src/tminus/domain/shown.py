"""What the panels of a dashboard show, and what is wrong with that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tminus.domain import panelkinds
from tminus.domain.dashboard import ROW, Dashboard, Panel

REFRESH_SECONDS = 300.0
"""A dashboard that asks anew less often is remarked upon: whoever watches a launch would see the past."""

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_LONGEST = 160
"""Characters of a query that are told."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What one panel shows."""

    panel: Panel
    rows: int = 0
    """How many rows with a value its queries gave."""
    newest: float | None = None
    """The last figure of its first series; nothing where it has none."""
    error: str = ""
    """Why a query of it failed, with the query's name; empty when none did."""
    note: str = ""
    """Why what it gave counts for nothing; empty where it counts or where nothing came."""
    own: int = 0
    """How many of the rows are of queries that were narrowed to one side."""
    calm: bool = False
    """Whether nothing came since nothing has failed, while all that could fail is measured: its figure is 0."""
    asked: str = ""
    """What it asked, the variables' values in it."""
    written: str = ""
    """What it asks as the dashboard has it, without any values."""
    source: str = ""
    """Which data source was asked."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """The values of the variables in its queries."""
    last: str = ""
    """When there was a last value, in words; empty where nobody looked."""

    @property
    def name(self) -> str:
        """What people call it."""
        return repr(self.panel.name)

    @property
    def lacking(self) -> str:
        """Why it shows nothing, in words; empty where it shows data."""
        if self.error:
            return f"the panel {self.name} fails: {self.error[:300]}"
        if self.rows or self.calm:
            return ""
        values = [f"${name} is {value!r}" for name, value in self.variables.items()]
        return self._empty(self.asked, values)

    @property
    def remark(self) -> str:
        """The same for a remark: without values, so that it stays the same when a machine gets another name."""
        return self.lacking if self.error or not self.lacking else self._empty(self.written, [])

    def _empty(self, asked: str, values: Sequence[str]) -> str:
        told = [f"it asks {self.source or 'nobody'}: {_short(asked)}"] if asked else []
        told += [*values, *(words for words in (self.note, self.last) if words)]
        return f"the panel {self.name} is empty" + (f" ({'; '.join(told)})" if told else "")


@dataclass(frozen=True, slots=True)
class Demand:
    """What a dashboard must show."""

    required: Sequence[str]
    """The meanings of which one panel at least must show data."""
    filled: float
    """The share of panels that must show data, 0 to 1."""
    side: str = ""
    """Whose data the golden signals must be; empty for anybody's."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is wrong with what a dashboard shows, and what is only not as it should be."""

    problems: tuple[str, ...]
    remarks: tuple[str, ...]
    full: int
    """How many of the panels that count show data."""
    counted: int
    """How many panels count: all but those of rare events that may be empty."""
    own: int = 0
    """How many of the full ones show what was narrowed to one side."""


def judged(dashboard: Dashboard, shown: Sequence[Shown], demand: Demand) -> Outcome:
    """What is wrong: a required meaning that no panel shows, a query about it that fails, too many empty panels.

    A panel about rare events alone may be empty, and is remarked upon; its query must not fail, and not all may be.
    """
    problems: list[str] = []
    excused: list[Shown] = []
    for meaning in demand.required:
        about = [one for one in shown if panelkinds.shows(one.panel, meaning)]
        calm = [one for one in about if meaning in panelkinds.EVENTS and panelkinds.rare(one.panel)]
        if not about:
            problems.append(f"no panel shows {meaning}{_idle(dashboard, meaning)}")
        elif meaning in panelkinds.EVENTS:
            problems += [one.lacking for one in about if one.error]
            excused += [one for one in calm if one.lacking and not one.error]
        if about and not calm:
            problems += _required(meaning, about, demand.side)
    counted = [one for one in shown if not any(one is other for other in excused)]
    if shown and all(one.lacking for one in shown):
        problems.append("no panel shows any data, and that is no calm")
    remarks = [f"{one.remark}; see whether anything would fill it" for one in excused]
    full = [one for one in counted if not one.lacking]
    empty = [one for one in counted if one.lacking]
    told = [one for one in empty if not any(problem.endswith(one.lacking) for problem in problems)]
    if counted and len(full) < demand.filled * len(counted):
        share = f"{len(full)} of {len(counted)} panels show data, and {demand.filled * 100:g}% must"
        problems += [share, *(one.lacking for one in told)]
    else:
        remarks += [one.remark for one in told]
    own = sum(one.own > 0 for one in full)
    return Outcome(_once(problems), _once(remarks), len(full), len(counted), own)


def _required(meaning: str, about: Sequence[Shown], side: str) -> list[str]:
    """What is wrong with the panels of one meaning: all are empty, or none of them shows the side's own."""
    if all(one.lacking for one in about):
        return [f"nothing shows {meaning}: {one.lacking}" for one in about]
    full = [one for one in about if not one.lacking]
    if side and meaning in panelkinds.SIGNALS and not any(one.own for one in full):
        none = f"shows data, and none of it can be told to be {side}'s"
        return [f"nothing shows {meaning} of {side}: the panel {one.name} {none}" for one in full]
    return []


def _idle(dashboard: Dashboard, meaning: str) -> str:
    """Which panel would show it and asks nothing; nothing where there is none."""
    idle = [
        panel
        for panel in dashboard.panels
        if panel.kind != ROW and not panel.drawn and not panel.shares and panelkinds.promises(panel, meaning)
    ]
    return "".join(f"; the panel {panel.name!r} asks nothing" for panel in idle)


def _once(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))


def _short(query: str) -> str:
    line = " ".join(query.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


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
