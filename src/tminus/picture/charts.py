"""Geometry of the charts: positions in percent, for SVG attributes; no style, no script.

Scales are logarithmic, since a rate of 0.05 % and one of 5 % are both worth seeing. A value below the scale lies on
its floor, one above it on its ceiling; a point without requests is a gap in the line.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """A logarithmic axis from `low` to `high`."""

    low: float
    high: float

    def part(self, value: float) -> float:
        """Where a value lies, 0 at the low end and 1 at the high end."""
        if value <= self.low:
            return 0.0
        place = math.log(value / self.low) / math.log(self.high / self.low)
        return min(1.0, place)

    def up(self, value: float) -> str:
        """Its height from above, in percent, as SVG counts."""
        return percent(100 * (1 - self.part(value)))

    def along(self, value: float) -> str:
        """Its place from the left, in percent."""
        return percent(100 * self.part(value))


ERRORS = Scale(0.0001, 1.0)
"""Shares of failed requests: 0.01 % to 100 %."""
TIMES = Scale(1.0, 10_000.0)
"""Response times: 1 ms to 10 s."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time along the bottom of a chart."""

    first: float
    last: float

    def along(self, at: float) -> float:
        """Where an instant lies, in percent; outside it is held at the edge."""
        width = max(1e-9, self.last - self.first)
        return min(100.0, max(0.0, 100 * (at - self.first) / width))

    def holds(self, at: float) -> bool:
        """Whether an instant lies within it."""
        return self.first <= at <= self.last


def percent(value: float) -> str:
    """A position as an SVG attribute."""
    return f"{value:.2f}%"


def path(points: Sequence[tuple[float, float | None]], span: Span, scale: Scale) -> str:
    """A line through instants and values; it breaks where there is no value."""
    made: list[str] = []
    drawing = False
    for at, value in points:
        if value is None:
            drawing = False
            continue
        made.append(f"{'L' if drawing else 'M'}{span.along(at):.2f} {100 * (1 - scale.part(value)):.2f}")
        drawing = True
    return "".join(made)


def staircase(points: Sequence[tuple[float, float]], span: Span, scale: Scale) -> str:
    """A line that stays level until the next instant and rises there."""
    made: list[str] = []
    height = None
    for at, value in points:
        x, y = span.along(at), 100 * (1 - scale.part(value))
        made.append(f"M{x:.2f} {y:.2f}" if height is None else f"L{x:.2f} {height:.2f}L{x:.2f} {y:.2f}")
        height = y
    return "".join(made)


def boxes(filled: float, count: int) -> list[tuple[str, str, str]]:
    """`count` boxes side by side, of which a share is filled: kind, start and width of each rectangle."""
    size = 100 / count
    made: list[tuple[str, str, str]] = []
    for number in range(count):
        made.append(("track", percent(number * size), percent(size - 1)))
        part = min(1.0, max(0.0, filled * count - number))
        if part:
            made.append(("val", percent(number * size), percent((size - 1) * part)))
    return made
