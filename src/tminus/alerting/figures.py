"""What a service's own metrics tell of its requests: how many, how many failed, how long they took.

Counters are read as they were scraped and added up here. Prometheus' `increase` passes over the first value of a series
that is born in the window, and that is where the first errors of a release stand.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from tminus.alerting.prometheus import Prometheus, Series, asking
from tminus.alerting.rules import bound
from tminus.domain.agreement import Counted, Histogram
from tminus.errors import InconclusiveError

COUNTER = 'depot_http_requests_total{route!~"/health|/metrics"}'
"""Requests of users: those of health checks and of Prometheus itself are left out."""

FAILED = 'status=~"5.."'
HISTOGRAM = 'depot_http_request_seconds_bucket{route!~"/health|/metrics"}'

SETTLES = 2.0
"""Seconds after an instant in which what happened before it is still being scraped."""


@dataclass(frozen=True, slots=True)
class Names:
    """How a service's metrics are called; by default those of the reference service."""

    counter: str = COUNTER
    failed: str = FAILED
    """The matcher of the counter's failed requests."""
    histogram: str = HISTOGRAM
    """The buckets' selector."""

    @classmethod
    def given(cls, counter: str = "", failed: str = "", histogram: str = "") -> "Names":
        """What a plan says, and the reference service's where it says nothing."""
        return cls(counter or COUNTER, failed or FAILED, histogram or HISTOGRAM)

    @property
    def failed_counter(self) -> str:
        """The selector of the failed requests alone."""
        name, brace, rest = self.counter.partition("{")
        return f"{name}{{{self.failed}{',' + rest if brace else '}'}"


@dataclass(frozen=True, slots=True)
class Metrics:
    """The metrics of one service, as one Prometheus has them."""

    address: str
    names: Names = Names()

    async def counted(self, seconds: float, at: float) -> Counted:
        """The requests of the window that ends at this instant."""
        async with asking(self.address) as prometheus:
            every = await _increases(prometheus, self.names.counter, seconds, at)
            failed = await _increases(prometheus, self.names.failed_counter, seconds, at)
        return Counted(sum(value for _, value in every), sum(value for _, value in failed))

    async def timed(self, seconds: float, at: float) -> Histogram:
        """How long the requests of the window that ends at this instant took."""
        async with asking(self.address) as prometheus:
            found = await _increases(prometheus, self.names.histogram, seconds, at)
        return histogram(found)


async def _increases(
    prometheus: Prometheus, selector: str, seconds: float, at: float
) -> list[tuple[Series, float]]:
    """By how much each series of a counter grew; none of a counter that nothing has raised yet."""
    end, width = at + SETTLES, seconds + SETTLES
    metric = selector.partition("{")[0]
    if not await prometheus.query(f"count({metric})", end):
        raise InconclusiveError(
            f"Prometheus has no {metric}",
            hint="see whether it scrapes the service, and what its request counter is called",
        )
    if not await prometheus.query(f"count({metric})", end - width):
        raise InconclusiveError(
            f"Prometheus has watched the service for less than {seconds:g} s",
            hint="wait that long, or judge a shorter window",
        )
    before = {_same(sample.labels): sample.value for sample in await prometheus.query(selector, end - width)}
    window = await prometheus.raw(f"{selector}[{width:.0f}s]", end)
    return [(series, grown(series, before.get(_same(series.labels), 0.0))) for series in window]


def _same(labels: object) -> frozenset[tuple[str, str]]:
    assert isinstance(labels, dict)  # noqa: S101 - JSON objects are dicts
    return frozenset(labels.items())


def grown(series: Series, before: float) -> float:
    """By how much a counter grew from a value on; a smaller value than the last is a restart from 0."""
    total, last = 0.0, before
    for _, value in series.points:
        total += value - last if value >= last else value
        last = value
    return total


def histogram(buckets: Iterable[tuple[Series, float]]) -> Histogram:
    """All series of a histogram added up by bucket."""
    counts: dict[float, float] = {}
    for series, value in buckets:
        le = bound(series.labels.get("le", "+Inf"))
        counts[le] = counts.get(le, 0.0) + value
    if counts and not math.isinf(max(counts)):
        raise InconclusiveError(
            "the histogram has no bucket +Inf", hint="name the series that ends with _bucket"
        )
    return Histogram(tuple(sorted(counts.items())))
