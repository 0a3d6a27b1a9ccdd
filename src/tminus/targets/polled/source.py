"""What is asked of Prometheus: raw samples with the instants of their scrapes, a part at a time."""

import json
import math
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Protocol

from tminus.alerting.prometheus import Sample, Series
from tminus.domain.counters import Track
from tminus.domain.scrapes import BEFORE_SECONDS, Look, Scrapes
from tminus.domain.traffic import Side

from .selectors import Counted

HISTORY_SECONDS = 6 * 3600.0
"""How far back samples are fetched."""

KNOWN_SECONDS = 3600
"""For how long before the first look a series may have been silent and is no new one when it comes back."""

MOST_SAMPLES = 200_000
"""How many samples are asked for at once: some 6 MB, and far below Prometheus' own limit of 50 million."""

AT_ONCE_SECONDS = 60.0
"""What is asked for without counting the samples first."""

LATE_SECONDS = 10.0
"""How much later than others a pod's first samples may be known: Prometheus' own limit of one scrape."""


class Samples(Protocol):
    """Who keeps samples; `Prometheus` does. Each call raises `ProbeError` when there is no answer."""

    async def now(self) -> float:
        """The instant on its own clock, in seconds of the epoch."""
        ...

    async def query(self, expression: str, at: float | None = None) -> list[Sample]:
        """The value of an expression at an instant."""
        ...

    async def raw(self, selector: str, at: float) -> list[Series]:
        """Every sample of a range vector that ends at an instant."""
        ...


class Fetching:
    """Fetches for one launch; what it returns may be more than what is new."""

    def __init__(self, source: Samples, counted: Counted) -> None:
        self._source = source
        self._counted = counted
        self._length = math.inf
        """How many seconds of samples are tried at once."""

    async def known(self, at: float) -> dict[Side, Look]:
        """By series, the last value up to an instant, of those that were scraped in the hour before."""
        return {
            side: Look(
                self._tracks(await self._last(self._counted.requests_of(side), at), self._counted.status),
                self._tracks(await self._last(self._counted.buckets_of(side), at), "le"),
            )
            for side in Side
        }

    async def remembers(self, at: float) -> bool:
        """Whether anything at all was scraped around this instant: `up` is there of every target."""
        return bool(await self._source.query("count(up)", at))

    async def upto(self, scrapes: Scrapes, after: float, now: float) -> tuple[float, dict[Side, Look]]:
        """What was scraped since what was taken, up to an instant that is returned: `now`, or earlier for a part.

        What was scraped up to `after` was asked for before.
        """
        begin = start(scrapes, now)
        new = max(begin, after)
        end = min(now, new + self._length)
        while end - new > AT_ONCE_SECONDS and await self._many(begin, end) > MOST_SAMPLES:
            end = new + max(AT_ONCE_SECONDS, (end - new) / 2)
        # The next part may be as long as this one, or a little longer: to count is work for Prometheus, too.
        self._length = 2 * (end - new)
        # The counter before the histogram: one scrape becomes visible as a whole, so whatever the first answer shows
        # has its latencies in the second.
        return end, {
            side: Look(
                await self._range(self._counted.requests_of(side), self._counted.status, begin, end),
                await self._range(self._counted.buckets_of(side), "le", begin, end),
            )
            for side in Side
        }

    async def _many(self, begin: float, end: float) -> float:
        """How many samples one part would have."""
        many = 0.0
        for side in Side:
            for selector in (self._counted.requests_of(side), self._counted.buckets_of(side)):
                found = await self._source.query(f"sum(count_over_time({ranged(selector, begin, end)}))", end)
                many += sum(one.value for one in found)
        return many

    async def _last(self, selector: str, at: float) -> list[Series]:
        found = await self._source.query(f"last_over_time({selector}[{KNOWN_SECONDS}s])", at)
        return [Series(one.labels, ((at, one.value),)) for one in found if math.isfinite(one.value)]

    async def _range(self, selector: str, label: str, begin: float, end: float) -> list[Track]:
        return self._tracks(await self._source.raw(ranged(selector, begin, end), end), label)

    def _tracks(self, found: Sequence[Series], label: str) -> list[Track]:
        tracks = [Track(_name(one.labels), one.labels.get(label, ""), one.points) for one in found]
        return [track for track in tracks if label != "le" or _is_number(track.label)]


def start(scrapes: Scrapes, now: float) -> float:
    """From when on samples are fetched: every series that is still scraped has its last one there or later."""
    if not scrapes.frontier:
        return max(scrapes.since - BEFORE_SECONDS, now - HISTORY_SECONDS)
    late = max([LATE_SECONDS, *(book.interval for book in scrapes.books.values())])
    return max(scrapes.frontier - late, now - HISTORY_SECONDS)


def ranged(selector: str, begin: float, end: float) -> str:
    """The range vector between two instants, when it is asked for at `end`."""
    return f"{selector}[{max(1, round((end - begin) * 1000))}ms]"


def _name(labels: Mapping[str, str]) -> str:
    """A short name of a series: thousands of them are written every second."""
    return blake2b(json.dumps(sorted(labels.items())).encode(), digest_size=8).hexdigest()


def _is_number(text: str) -> bool:
    try:
        return not math.isnan(float(text))
    except ValueError:
        return False
