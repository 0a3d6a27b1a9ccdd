"""Two sources about the same requests: what each counted, and whether they tell the same.

The proxy's log knows every request of a user and its exact time; the service's own metrics know what it answered, its
times by bucket only. A success criterion rests on both: when they disagree, one of them does not see, and neither
proves anything.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

SHARE_TOLERANCE = 0.005
"""How far two shares of failed requests may lie apart: half a percentage point, the checklist's warning limit."""

QUANTILE_TOLERANCE = 0.02
"""How far around the 95th percentile the log is searched for a time that lies in the metrics' bucket."""

TIME_TOLERANCE = 0.1
"""Seconds that a request may take longer at the proxy than in the service: on a busy machine it waits there until the
service takes it, which the service does not see. The longer time is the one that counts."""

COUNTED_TOLERANCE = 0.5
"""The share of the log's requests that the metrics must have counted, at least."""

NOT_THE_SERVICE = frozenset({0, 502, 503, 504})
"""Statuses with which a proxy tells of a service that did not answer: the service itself may have counted nothing."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Requests of a window, and how many of them failed."""

    requests: float
    failed: float
    unanswered: float = 0.0
    """How many of the failed ones the service itself may not have counted."""

    @property
    def share(self) -> float:
        """The share that failed."""
        return self.failed / self.requests


@dataclass(frozen=True, slots=True)
class Histogram:
    """Requests of a window by how long they took."""

    buckets: tuple[tuple[float, float], ...]
    """Upper bounds in seconds, the last infinite, each with how many requests took no longer: cumulative, in order."""

    @property
    def requests(self) -> float:
        """How many there were."""
        return self.buckets[-1][1] if self.buckets else 0.0

    def bucket(self, q: float) -> tuple[float, float]:
        """Between which bounds a quantile lies, in seconds."""
        low = 0.0
        for bound, count in self.buckets:
            if count >= q * self.requests:
                return low, bound
            low = bound
        return low, math.inf

    def within(self, q: float) -> str:
        """The bounds between which a quantile lies, in words: all that a histogram knows of it."""
        return between(*self.bucket(q))

    def quantile(self, q: float) -> float:
        """A quantile as Prometheus computes it: straight within its bucket, the highest finite bound beyond it."""
        low, high = self.bucket(q)
        if math.isinf(high):
            return low
        counts = dict(self.buckets)
        before, inside = counts.get(low, 0.0), counts[high] - counts.get(low, 0.0)
        return high if inside == 0 else low + (high - low) * (q * self.requests - before) / inside


def between(low: float, high: float) -> str:
    """Two bounds of a time in seconds, in words; `low` may be 0 and `high` infinite."""
    if math.isinf(high):
        return f"over {low * 1000:g} ms"
    return f"{low * 1000:g} to {high * 1000:g} ms" if low else f"at most {high * 1000:g} ms"


def shares_disagree(log: Counted, metrics: Counted) -> str:
    """Where the log and the metrics tell of different shares of failed requests; empty when they agree.

    What the proxy answered in the service's place need not stand in the metrics; all else must.
    """
    if told := counts_disagree(log.requests, metrics.requests):
        return told
    tolerance = max(SHARE_TOLERANCE, 3 * math.sqrt(log.share * (1 - log.share) / log.requests))
    least = (log.failed - log.unanswered) / log.requests - tolerance
    if least <= metrics.share <= log.share + tolerance:
        return ""
    said = f"{metrics.share:.2%} of {metrics.requests:.0f}"
    return f"the proxy's log says {log.share:.2%} of {log.requests:g}, the metrics {said}"


def times_disagree(seconds: Sequence[float], metrics: Histogram, q: float = 0.95) -> str:
    """Where the log's times and the metrics' buckets tell of different percentiles; empty when they agree.

    They agree by bucket: a time of the log near the percentile lies in the bucket that the metrics have it in.
    """
    if told := counts_disagree(len(seconds), metrics.requests):
        return told
    low, high = metrics.bucket(q)
    slowest = percentile(seconds, min(1.0, q + QUANTILE_TOLERANCE))
    fastest = percentile(seconds, q - QUANTILE_TOLERANCE)
    if fastest <= high + TIME_TOLERANCE and slowest >= low:
        return ""
    bounds = f"above {low * 1000:g} ms" if math.isinf(high) else f"{low * 1000:g} to {high * 1000:g} ms"
    return f"the proxy's log says {percentile(seconds, q) * 1000:.0f} ms, the metrics {bounds}"


def counts_disagree(log: float, metrics: float) -> str:
    """Where the metrics tell of other requests than the log; empty when they can be of the same."""
    if log * COUNTED_TOLERANCE <= metrics <= log / COUNTED_TOLERANCE:
        return ""
    return f"the proxy's log has {log:g} requests, the metrics {metrics:.0f}"


def percentile(values: Sequence[float], q: float) -> float:
    """The smallest value that at least this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -int(-len(ordered) * q // 1) - 1)]
