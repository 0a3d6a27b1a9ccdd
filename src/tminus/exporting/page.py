"""An export as one printable page: self-contained, without scripts, escaped wherever text comes from outside.

Colours and type are those of the mission page. The page says what is simulated and what is a stand-in wherever the
name stands.
"""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from tminus.domain.offsets import clock
from tminus.exporting.content import Content, Line, Moment, Seen, Standing
from tminus.planfile.problem import printable

_SIGNS = {
    Standing.PASSED: "passed",
    Standing.SIGNED: "passed",
    Standing.NOT_APPLICABLE: "na",
    Standing.NO_GO: "failed",
    Standing.OMITTED: "na",
}
"""By standing: the name of its sign and colour, where that is not its own word."""

_ENDINGS = {
    "landed": ("go", "Landed"),
    "rolled-back": ("back", "Rolled back"),
    "no-go": ("failed", "NO-GO"),
    "aborted": ("void", "Aborted"),
    "abandoned": ("void", "Abandoned"),
}
_STEPS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))


def page(content: Content) -> str:
    """The whole page."""
    environment = Environment(
        loader=PackageLoader("tminus.exporting", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"age": age, "moment": moment, "sign": sign, "tclock": tclock}
    made = environment.get_template("report.html").render(
        content=content,
        ending=_ENDINGS.get(content.launch.outcome, ("void", content.launch.outcome))
        if content.launch
        else None,
        bar=_bar(content),
        omitted=_by_reason(content.omitted),
        evidence=f"{quote(content.launch.record, safe='')}#" if content.launch else "",
    )
    return printable(made)


def sign(standing: Standing | None) -> str:
    """The name of a standing's sign and colour."""
    if standing is None:
        return "pending"
    return _SIGNS.get(standing, standing.value)


def age(seconds: float) -> str:
    """A stretch of time in its two largest units: `23 h 59 min`."""
    rest = max(0.0, seconds)
    for index, (size, unit) in enumerate(_STEPS):
        if rest >= size or unit == "s":
            whole = int(rest // size)
            smaller, name = _STEPS[index + 1] if index + 1 < len(_STEPS) else (0.0, "")
            part = int((rest - whole * size) // smaller) if smaller else 0
            return f"{whole} {unit} {part} {name}" if part else f"{whole} {unit}"
    raise AssertionError(seconds)  # pragma: no cover - the last unit returns


def moment(at: str) -> str:
    """An instant to the second, in UTC: `2026-01-31 12:00:00`."""
    return datetime.fromisoformat(at).strftime("%Y-%m-%d %H:%M:%S") if at else ""


def tclock(seen: Seen | Moment) -> str:
    """The launch clock; nothing while no T-0 was set."""
    return "" if seen.t_ms is None else clock(seen.t_ms / 1000)


def _bar(content: Content) -> list[tuple[str, str, float, float]]:
    """Sign, word, start and width in percent of each standing in the bar over all lines."""
    parts: list[tuple[str, str, float, float]] = []
    start = 0.0
    for word, count in content.counts.items():
        width = 100 * count / content.total if content.total else 0.0
        known = word in set(Standing)
        parts.append((sign(Standing(word)) if known else "later", word, round(start, 3), round(width, 3)))
        start += width
    return parts


def _by_reason(lines: Sequence[Line]) -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = {}
    for line in lines:
        found.setdefault(line.reason, []).append(line)
    return found
