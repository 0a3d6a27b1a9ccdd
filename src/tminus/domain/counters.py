"""The counters of one side: what was taken of each series, and what they have grown by since."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median_low
from typing import Any

from tminus.domain.counted import growth, status_of

GAPS = 9
"""Of how many of the newest scrapes the interval is the median."""

MOST_WAITING = 100
"""For how many scrapes latencies are kept whose requests have not been seen."""


@dataclass(frozen=True, slots=True)
class Track:
    """Samples of one series."""

    series: str
    """Which one: the same text for the same labels."""
    label: str
    """Its status, or the upper bound of its bucket in seconds; empty where it has none."""
    points: tuple[tuple[float, float], ...]
    """Instants in seconds of the epoch, and values, in order."""


@dataclass(frozen=True, slots=True)
class Row:
    """One sample."""

    series: str
    label: str
    value: float


@dataclass(slots=True)
class Book:
    """What is known of one side."""

    requests: dict[str, tuple[float, float]] = field(default_factory=dict)
    """By series of the counter: the instant and the value of the last sample."""
    latencies: dict[str, tuple[float, float]] = field(default_factory=dict)
    """The same of the histogram's buckets."""
    gaps: list[float] = field(default_factory=list)
    """Seconds between scrapes of the same target, of the newest few."""
    waiting: dict[float, dict[float, int]] = field(default_factory=dict)
    """By instant: latencies whose requests were not seen yet, as `Batch.buckets`."""
    last: dict[float, int] = field(default_factory=dict)
    """The latencies of the newest requests, for those that have none of their own."""
    labelled: bool = False
    """Whether any series of the counter has the status label."""
    bare: bool = False
    """Whether requests were counted while no bucket was known."""
    newest: float = 0.0
    """The newest sample of the counter."""
    timed: float = 0.0
    """The newest sample of the buckets."""
    hole: tuple[float, float] | None = None
    """The newest stretch without any sample of the counter."""
    broken: bool = False
    """Whether a counter began anew in that hole."""
    instants: Counter[float] = field(default_factory=Counter)
    """How many series of the counter have their last sample there."""

    @property
    def interval(self) -> float:
        """Seconds between two scrapes as observed; 0 before two samples are known."""
        return median_low(self.gaps) if self.gaps else 0.0

    def know(self, at: float, requests: Iterable[Track], latencies: Iterable[Track]) -> None:
        """Take these values for what the counters said, at this instant or before."""
        for track in requests:
            self._set(track.series, at, track.points[-1][1])
            self.labelled = self.labelled or bool(track.label)
        for track in latencies:
            self.latencies[track.series] = at, track.points[-1][1]

    def count(self, at: float, rows: Sequence[Row], *, since: float) -> tuple[float | None, dict[int, int]]:
        """Take one scrape of the counter: when its target was scraped before, and by status what has grown since.

        That instant is nothing for a target that is new. What was counted up to `since` is what it begins with. Nothing
        has grown while no series has the status label: that says nothing of who failed.
        """
        begins = [self.requests[row.series][0] for row in rows if row.series in self.requests]
        begin = max(begins, default=None)
        if begin is not None:
            self.gaps = [*self.gaps, at - begin][-GAPS:]
        self.labelled = self.labelled or any(row.label for row in rows)
        statuses: Counter[int] = Counter()
        for row in rows:
            when, before = self.requests.get(row.series, (at, None))
            if self.hole and before is not None and row.value < before and when <= self.hole[0]:
                self.broken = True
            if at > since and self.labelled and (more := growth(before, row.value)):
                statuses[status_of(row.label)] += more
            self._set(row.series, at, row.value)
        return begin, dict(statuses)

    def time(self, at: float, rows: Sequence[Row], *, since: float) -> None:
        """Take one scrape of the buckets: kept until the requests are seen that were counted by it."""
        grown: Counter[float] = Counter(self.waiting.get(at, {}))
        for row in rows:
            _, before = self.latencies.get(row.series, (at, None))
            self.latencies[row.series] = at, row.value
            grown[float(row.label)] += growth(before, row.value) if at > since else 0
        if rows:
            self.timed, self.bare = max(self.timed, at), False
        if any(grown.values()):
            self.waiting[at] = dict(grown)
        while len(self.waiting) > MOST_WAITING:
            del self.waiting[min(self.waiting)]

    def times(self, at: float) -> dict[float, int]:
        """The latencies of requests that were counted at this instant, as `Batch.buckets`.

        Those of the same scrape; where it has none, as where another target has the histogram, those before it that no
        request has taken; else those of the requests before.
        """
        own = Counter(self.waiting.pop(at, {}))
        if not own:
            for when in [when for when in self.waiting if when < at]:
                own.update(self.waiting.pop(when))
        self.last = dict(own) or self.last
        self.bare = not self.last and not self.latencies
        return self.last

    def _set(self, series: str, at: float, value: float) -> None:
        if series in self.requests:
            before = self.requests[series][0]
            self.instants[before] -= 1
            if not self.instants[before]:
                del self.instants[before]
        self.requests[series] = at, value
        self.instants[at] += 1
        self.newest = max(self.newest, at)

    def data(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "requests": self.requests,
            "latencies": self.latencies,
            "gaps": self.gaps,
            "waiting": [[at, bounds_written(buckets)] for at, buckets in self.waiting.items()],
            "last": bounds_written(self.last),
            "labelled": self.labelled,
            "bare": self.bare,
            "timed": self.timed,
            "hole": self.hole,
            "broken": self.broken,
        }

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Book":
        """What was written by `data`."""
        made = cls(
            latencies={series: (at, value) for series, (at, value) in data["latencies"].items()},
            gaps=list(data["gaps"]),
            waiting={at: bounds_read(buckets) for at, buckets in data["waiting"]},
            last=bounds_read(data["last"]),
            labelled=data["labelled"],
            bare=data["bare"],
            timed=data["timed"],
            hole=tuple(data["hole"]) if data["hole"] else None,
            broken=data["broken"],
        )
        for series, (at, value) in data["requests"].items():
            made._set(series, at, value)
        return made


def bounds_written(buckets: Mapping[float, int]) -> list[list[float | int | None]]:
    """Buckets as JSON, which has no infinity."""
    return [[None if math.isinf(bound) else bound, many] for bound, many in buckets.items()]


def bounds_read(rows: Sequence[Sequence[Any]]) -> dict[float, int]:
    """What was written by `bounds_written`."""
    return {math.inf if bound is None else float(bound): many for bound, many in rows}
