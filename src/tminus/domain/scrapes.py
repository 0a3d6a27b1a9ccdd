"""The scrapes of both sides, and up to which instant all of their requests are known.

Each pod is scraped at its own moment. So a side's newest sample says little of the pods that are to be scraped next:
requests are given out only up to the oldest of the newest samples of all pods that are still scraped. Up to there both
sides are complete, and stand in order whenever and however often samples were fetched. The guard needs that: it
compares both sides of the same time, and what came in turns would be no comparison.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Any

from tminus.domain.counted import Batch, outcomes, stop_of
from tminus.domain.counters import Book, Row, Track, bounds_read, bounds_written
from tminus.domain.traffic import Outcome, Side, WeightChange

PATIENCE = 2.5
"""After so many scrape intervals without a sample a series has ended."""

SLACK_SECONDS = 1.0
"""How much later a sample may be known than it was taken."""

UNKNOWN_INTERVAL = 60.0
"""Seconds between two scrapes while none is known: Prometheus' own default."""

BEFORE_SECONDS = 150.0
"""How far back from the first look samples tell how often is scraped."""

BACK_SECONDS = 55.0
"""How much earlier an item may be than one that was given out before; a trace with more than 60 is two traces."""

GAP_SECONDS = 60.0
"""How long after a gap it is told that requests in it were not all seen."""

MOST_REQUESTS = 1_000_000
"""More than this in one scrape is no traffic, but an old counter that is scraped for the first time."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was fetched of one side; of the latencies at the same moment or later."""

    requests: Sequence[Track] = ()
    latencies: Sequence[Track] = ()


class Scrapes:
    """The samples of one launch, one by one, and the items that they come to.

    `since` is the first look, in seconds of the epoch: what counters say there is what they begin with, and what
    appears later begins with 0. `weights` are the changes since then that happened before anybody counted here.
    """

    def __init__(self, since: float, weights: Iterable[WeightChange] = ()) -> None:
        self.since = since
        self.looked = False
        """Whether the first look has been taken."""
        self.books = {side: Book() for side in Side}
        self.newest = 0.0
        """The newest sample of any counter."""
        self.frontier = 0.0
        """Up to which instant all requests are known and given out."""
        self.absurd: tuple[Side, float, int] | None = None
        """The newest growth that was too large to be traffic: whose, when, and how much."""
        self._hole: tuple[float, float] | None = None
        self._latest = 0.0
        self._changes = sorted(weights, key=lambda change: change.at)
        self._unplaced = list(self._changes)
        self._batches: list[Batch] = []
        self._open: list[tuple[float, str, int, Outcome]] = []
        self._order = 0
        self._due: list[Outcome | WeightChange] = []

    @property
    def placed(self) -> bool:
        """Whether every change of weight has been given out."""
        return not self._unplaced

    @property
    def weight(self) -> WeightChange | None:
        """The newest change of weight; nothing while nobody has told one."""
        return self._changes[-1] if self._changes else None

    def interval(self, side: Side) -> float:
        """Seconds between two scrapes of a side, or of the other where that is not known; 0 where neither is."""
        return self.books[side].interval or max(book.interval for book in self.books.values())

    def patience(self, side: Side) -> float:
        """How many seconds old a side's newest sample may be before it is missed."""
        return PATIENCE * (self.interval(side) or UNKNOWN_INTERVAL) + SLACK_SECONDS

    def begin(self, since: float, known: Mapping[Side, Look]) -> None:
        """Take the first look: by series, the last value that was scraped up to then, however long before."""
        self.since, self.looked = since, True
        for side, look in known.items():
            self.books[side].know(since - BEFORE_SECONDS, look.requests, look.latencies)

    def take(self, looks: Mapping[Side, Look]) -> bool:
        """Take what is new in these samples, each once; whether anything was."""
        counted = {side: _rows(look.requests, self.books[side].requests) for side, look in looks.items()}
        timed = {side: _rows(look.latencies, self.books[side].latencies) for side, look in looks.items()}
        instants = {(at, side) for rows in (counted, timed) for side, by in rows.items() for at in by}
        for at, side in sorted(instants):
            self.books[side].time(at, timed[side].get(at, []), since=self.since)
            if rows := counted[side].get(at):
                self._count(side, at, rows)
                self._give(at)
        return bool(instants)

    def note(self, change: WeightChange) -> None:
        """Take a change of weight that was confirmed just now: it is given out at once, after all before it."""
        self._changes.append(change)
        self._due += [*self._unplaced, change]
        self._unplaced.clear()
        self._latest = max(self._latest, change.at)

    def due(self) -> list[Outcome | WeightChange]:
        """What is to be given out now, each item once."""
        due, self._due = self._due, []
        return due

    def unseen(self, side: Side) -> tuple[float, float] | None:
        """The stretch of which requests of a side may never be seen, for a minute after it; nothing where none is.

        Counters go on counting while nobody scrapes. What is lost then is what a counter had counted that ended, or
        began anew, before it was scraped again.
        """
        book = self.books[side]
        if book.hole is None or self.newest - book.hole[1] > GAP_SECONDS:
            return None
        oldest = book.hole[0] - self.patience(side)
        missing = any(oldest <= at <= book.hole[0] for at in book.instants)
        return book.hole if missing or book.broken else None

    def _count(self, side: Side, at: float, rows: Sequence[Row]) -> None:
        """Take what one scrape of a side's counter says."""
        book = self.books[side]
        patience = self.patience(side)
        if book.newest > self.since and at - book.newest > patience:
            book.hole, book.broken = (book.newest, at), False
        if self.newest > self.since and at - self.newest > patience:
            self._hole = (self.newest, at)
        begin, statuses = book.count(at, rows, since=self.since)
        if begin is None:
            begin = max(self.since, at - self.interval(side)) if self.interval(side) else self.since
        many = sum(statuses.values())
        if many > MOST_REQUESTS:
            self.absurd = side, at, many
        elif many:
            stop = stop_of(begin, at, self._changes)
            self._lay(Batch(side, begin, stop, at, statuses, book.times(at)))

    def _lay(self, batch: Batch) -> None:
        self._batches.append(batch)
        for outcome in outcomes(batch):
            self._order += 1
            heappush(self._open, (outcome.at, batch.side.value, self._order, outcome))

    def _give(self, at: float) -> None:
        """Give out what is complete after a sample of this instant, and what belongs before it and comes late."""
        self.newest = max(self.newest, at)
        live = [when for side in Side for when in self.books[side].instants if self._lives(side, when)]
        self.frontier = max(self.frontier, min(live, default=0.0))
        while self._open and self._open[0][0] <= self.frontier:
            outcome = heappop(self._open)[3]
            self._place_changes(outcome.at)
            self._place(outcome)
        self._place_changes(self.frontier)
        self._batches = [batch for batch in self._batches if batch.stop > self.frontier]

    def _place_changes(self, until: float) -> None:
        while self._unplaced and self._unplaced[0].at <= until:
            self._place(self._unplaced.pop(0))

    def _place(self, item: Outcome | WeightChange) -> None:
        earliest = self._latest - BACK_SECONDS
        if isinstance(item, Outcome) and item.at < earliest:
            item = Outcome(earliest, item.side, item.status, item.ms)
        self._latest = max(self._latest, item.at)
        self._due.append(item)

    def _lives(self, side: Side, at: float) -> bool:
        """Whether a series whose last sample this is is waited for.

        A time in which nothing was scraped says nothing about it.
        """
        holes = [hole for hole in (self._hole, self.books[side].hole) if hole and at <= hole[0]]
        away = max((end - begin for begin, end in holes), default=0.0)
        return self.newest - at - away <= self.patience(side)

    def data(self) -> dict[str, Any]:
        """All of it as JSON, to go on from; what is due must have been taken before."""
        return {
            "since": self.since,
            "looked": self.looked,
            "newest": self.newest,
            "frontier": self.frontier,
            "latest": self._latest,
            "hole": self._hole,
            "absurd": self.absurd,
            "changes": [[change.at, change.percent] for change in self._changes],
            "unplaced": len(self._unplaced),
            "batches": [
                [one.side, one.begin, one.stop, one.end, [*one.statuses.items()], bounds_written(one.buckets)]
                for one in self._batches
            ],
            "sides": {side.value: book.data() for side, book in self.books.items()},
        }

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Scrapes":
        """What was written by `data`; raises `KeyError`, `TypeError` or `ValueError` for anything else."""
        made = cls(data["since"], [WeightChange(at, percent) for at, percent in data["changes"]])
        made.looked, made.newest, made.frontier = data["looked"], data["newest"], data["frontier"]
        made._latest = data["latest"]
        made._hole = tuple(data["hole"]) if data["hole"] else None
        if data["absurd"]:
            side, at, many = data["absurd"]
            made.absurd = Side(side), at, many
        made._unplaced = made._changes[len(made._changes) - data["unplaced"] :]
        for side, begin, stop, end, statuses, buckets in data["batches"]:
            made._lay(Batch(Side(side), begin, stop, end, dict(statuses), bounds_read(buckets)))
        made._open = [row for row in made._open if row[0] > made.frontier]
        heapify(made._open)
        made.books = {side: Book.of(data["sides"][side.value]) for side in Side}
        return made


def _rows(tracks: Iterable[Track], known: Mapping[str, tuple[float, float]]) -> dict[float, list[Row]]:
    """By instant, the samples that are newer than what is known of their series.

    What is no number is no sample of a counter; the next one tells what it has counted.
    """
    found: dict[float, list[Row]] = {}
    for track in tracks:
        after = known[track.series][0] if track.series in known else -math.inf
        for at, value in track.points:
            if at > after and math.isfinite(value):
                found.setdefault(at, []).append(Row(track.series, track.label, value))
    return found
