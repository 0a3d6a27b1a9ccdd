"""Requests that a service counts and nobody lists: from the growth of its counters to single outcomes.

A counter says how many requests ended between two scrapes, a histogram how long they took; neither says when in
between, nor which request took how long. So they are laid evenly over that time, and the latencies are dealt to them
by a fixed stride. Nothing is drawn: the same growth gives the same outcomes at any time, on any machine.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tminus.domain.traffic import Outcome, Side, WeightChange

_GOLDEN = (math.sqrt(5) - 1) / 2
"""Multiples of it leave no part of a circle out for long (Steinhaus' three-gap theorem)."""
_SILVER = math.sqrt(2) - 1
"""Another such share, so that the places in time and the latencies do not go together."""
_CLASS = re.compile(r"([1-5])xx")


@dataclass(frozen=True, slots=True)
class Batch:
    """What one side's requests grew by from one scrape to the next."""

    side: Side
    begin: float
    """When it was scraped before, in seconds of the epoch."""
    stop: float
    """Until when the requests are laid: the scrape, or the first change of weight before it."""
    end: float
    """When it was scraped."""
    statuses: Mapping[int, int]
    """By status: how many requests."""
    buckets: Mapping[float, int]
    """By upper bound in seconds: how many requests took no longer, as a histogram counts; none where unknown."""


def growth(before: float | None, now: float) -> int:
    """How many whole events a counter counted from one sample to the next; `before` is nothing for a new one.

    A lower value is that of a counter that began at 0 again in between. Fractions, as a sum over machines may have
    them, are neither lost nor counted twice: only what passes a whole number counts.
    """
    if before is None or now < before:
        return math.floor(now)
    return math.floor(now) - math.floor(before)


def status_of(label: str) -> int:
    """The HTTP status that a label says; 0, no answer, for a text that is none.

    A class such as `5xx` is its first status.
    """
    if of_class := _CLASS.fullmatch(label):
        return int(of_class[1]) * 100
    status = int(label) if label.isascii() and label.isdecimal() and len(label) == 3 else 0
    return status if 100 <= status <= 599 else 0


def stop_of(begin: float, end: float, changes: Iterable[WeightChange]) -> float:
    """Until when requests between two scrapes are laid: until the first change of weight among them.

    Nobody knows which weight routed them. What counts for a weight is only what was accepted after it was confirmed
    (`rollout.since`), so they all count for the one before.
    """
    return min((change.at for change in changes if begin < change.at < end), default=end)


def latencies(buckets: Mapping[float, int], many: int) -> list[float]:
    """So many latencies in milliseconds, ascending, as a histogram's growth has them; zeros where it has none.

    They stand evenly within a bucket, from 0 in the lowest: so Prometheus' `histogram_quantile` interpolates
    (https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile), and makes sums that fall
    from one bound to the next level first, as is done here. That function answers with the lower bound for what lies
    in the bucket without an upper one; here that is twice this bound, since such a request did take longer, and a
    test for slowness must not take it for one that just did not. Where the histogram has another number of requests,
    these are its evenly spaced quantiles.
    """
    bounds = sorted(buckets)
    total = max(buckets.values(), default=0)
    if total <= 0:
        return [0.0] * many
    found: list[float] = []
    place, lower, below, upto = 0, 0.0, 0, max(0, buckets[bounds[0]])
    for number in range(many):
        rank = (number + 0.5) / many * total
        while upto < rank:
            place, lower, below = place + 1, bounds[place], upto
            upto = max(upto, buckets[bounds[place]])
        upper = bounds[place]
        within = (rank - below) / (upto - below)
        found.append(1000 * (2 * lower if math.isinf(upper) else lower + (upper - lower) * within))
    return found


def outcomes(batch: Batch) -> list[Outcome]:
    """The single requests of a batch, in order of their `at`; nobody knows who asked, and no proxy numbered them.

    Requests of one status, the failed ones above all, get neither neighbouring places nor neighbouring latencies.
    """
    statuses = [status for status in sorted(batch.statuses) for _ in range(batch.statuses[status])]
    many = len(statuses)
    took = latencies(batch.buckets, many)
    hop, leap = _stride(many, _GOLDEN), _stride(many, _SILVER)
    # Of two requests in each batch it is not always the failed one that took longer.
    turn = math.floor(batch.end * _GOLDEN % 1.0 * many)
    latest = math.nextafter(batch.stop, -math.inf)
    placed: list[tuple[int, float]] = [(0, 0.0)] * many
    for number, status in enumerate(statuses):
        placed[number * hop % many] = status, took[(number * leap + turn) % many]
    return [
        Outcome(
            min(batch.begin + (batch.stop - batch.begin) * (place + 0.5) / many, latest),
            batch.side,
            status,
            ms,
        )
        for place, (status, ms) in enumerate(placed)
    ]


def _stride(many: int, share: float) -> int:
    """About this share of so many, without a common divisor: its multiples meet each place once."""
    stride = max(1, round(many * share))
    while math.gcd(stride, many) > 1:
        stride += 1
    return stride
