"""Freeze windows: times in which no launch may have its T-0, once or every week, and how one is overridden.

A weekly window is said in wall-clock times of one zone. Where the clocks there are set at its very edge, it begins at
the earlier and ends at the later of what could be meant: a freeze is never shorter than its words.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from tminus.domain.offsets import FARTHEST
from tminus.domain.people import alike
from tminus.domain.zones import earliest, in_zone, latest, wall
from tminus.errors import RefusedError

WEEK = 7 * 86400
"""Seconds of a week on a clock that nobody sets."""


@dataclass(frozen=True, slots=True)
class Span:
    """A freeze that happens once."""

    begins: float
    """Seconds of the epoch; the freeze holds from here."""
    ends: float
    """The first instant after it."""

    def around(self, instant: float) -> Iterator[tuple[float, float]]:
        """Its one window, wherever the instant lies."""
        del instant
        yield self.begins, self.ends


@dataclass(frozen=True, slots=True)
class Weekly:
    """A freeze that comes again every week."""

    begins: float
    """Seconds on the wall clock from Monday 00:00."""
    ends: float
    """The same for its end; before the beginning means in the week after."""
    zone: str
    """The IANA zone whose clocks are meant."""

    def around(self, instant: float) -> Iterator[tuple[float, float]]:
        """The windows of the week of this instant and of those beside it."""
        today = wall(instant, self.zone).replace(tzinfo=None)
        monday = datetime.combine(today.date(), datetime.min.time()) - timedelta(days=today.weekday())
        length = (self.ends - self.begins) % WEEK
        for weeks in (-1, 0, 1):
            begins = monday + timedelta(weeks=weeks, seconds=self.begins)
            ends = begins + timedelta(seconds=length)
            yield earliest(begins, self.zone), latest(ends, self.zone)


@dataclass(frozen=True, slots=True)
class Freeze:
    """A time in which nothing is launched, and why."""

    name: str
    when: Span | Weekly


@dataclass(frozen=True, slots=True)
class Window:
    """One time that is frozen."""

    name: str
    begins: float
    """Seconds of the epoch."""
    ends: float

    def told(self, zone: str = "UTC") -> str:
        """The window in words, in the zone of whoever reads it."""
        return f"{self.name}: {in_zone(self.begins, zone)} to {in_zone(self.ends, zone)}"


@dataclass(frozen=True, slots=True)
class Override:
    """A second person's word that a launch may have its T-0 within a freeze."""

    by: str
    reason: str

    def data(self) -> dict[str, str]:
        """As the record has it."""
        return {"by": self.by, "reason": self.reason}


def frozen(freezes: Iterable[Freeze], instant: float) -> Window | None:
    """The window that an instant (seconds of the epoch) lies in, the one that ends last; none where it is free."""
    windows = [
        Window(freeze.name, begins, ends)
        for freeze in freezes
        for begins, ends in freeze.when.around(instant)
        if begins <= instant < ends
    ]
    return max(windows, key=lambda window: window.ends, default=None)


def thawed(freezes: Iterable[Freeze], instant: float) -> float | None:
    """The first instant from this one on that is free; none when there is none within ten years."""
    every, at = tuple(freezes), instant
    while window := frozen(every, at):
        at = window.ends
        if at - instant > FARTHEST:
            return None
    return at


def permit(window: Window | None, override: Override | None, by: str) -> None:
    """Raise `RefusedError` unless the instant is free, or its freeze overridden with a reason by somebody else."""
    if window is None:
        return
    if override is None:
        raise RefusedError(
            f"T-0 would lie in a freeze, {window.told()}",
            hint="name a time outside of it, or have a second person override it with a reason",
        )
    if not alike(override.by) or not override.reason.strip():
        raise RefusedError(
            f"the override of the freeze {window.name} has no {'reason' if alike(override.by) else 'person'}",
            hint="say who overrides it and why",
        )
    if alike(override.by) == alike(by):
        raise RefusedError(
            f"{override.by} cannot override the freeze {window.name} for an order of their own",
            hint="ask a second person to override it",
        )
