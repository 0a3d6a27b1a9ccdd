"""Sequential tests: evidence that may be looked at after every request.

An e-value is a wager against the claim "this release is healthy". While the claim is true its expectation stays at
or below 1 whenever one stops to look, so it exceeds 1/alpha with probability alpha at most (Ville's inequality),
however often it is looked at. `guard.py` calls this file; what follows from the evidence is decided there.

Sources: Lindon, Sanden, Shirikian, "Rapid Regression Detection in Software Deployments through Sequential Testing"
(KDD 2022, arXiv 2205.14762); Ramdas, Grünwald, Vovk, Shafer, "Game-Theoretic Statistics and Safe Anytime-Valid
Inference" (2023, arXiv 2210.01948).
"""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Array = NDArray[np.float64]

_UNDERFLOW = 1e-280
"""Below this a tail probability is about to leave the range of doubles."""
_FRACTION_STEPS = 10_000
"""More than the continued fraction needs anywhere below `_UNDERFLOW`; a loop must end."""
_LARGEST_LOG = 700.0
"""exp(700) is still a double; more evidence than that is shown as that."""


def exp_capped(log_evidence: float) -> float:
    """Evidence from its logarithm, as a number that JSON can carry."""
    return math.exp(min(log_evidence, _LARGEST_LOG))


def log_evidence_above(failed: ArrayLike, requests: ArrayLike, limit: float) -> Array:
    """Logarithm of the evidence that more than `limit` of the requests fail.

    The likelihood ratio against `limit`, averaged over a Beta(1, 1) prior cut to [limit, 1]: with S failed, f not,

        E = 1 / (1 - limit) * integral over p from limit to 1 of (p / limit)^S * ((1 - p) / (1 - limit))^f

    which is an incomplete beta function. Where that underflows, its continued fraction (DLMF 8.17.22) has the same
    prefactor as the likelihood at `limit`, so that both cancel and no precision is lost.
    """
    s = np.asarray(failed, dtype=np.float64)
    f = np.asarray(requests, dtype=np.float64) - s
    if np.any(s < 0) or np.any(f < 0):
        raise ValueError("failed requests are a part of all requests")
    tail = special.betaincc(s + 1, f + 1, limit)
    with np.errstate(divide="ignore"):
        usual = (
            special.betaln(s + 1, f + 1)
            + np.log(tail)
            - math.log1p(-limit)
            - s * math.log(limit)
            - f * math.log1p(-limit)
        )
    tiny = tail < _UNDERFLOW
    if not np.any(tiny):
        return np.asarray(usual, dtype=np.float64)
    fraction = _continued_fraction(np.where(tiny, f + 1, 1.0), np.where(tiny, s + 1, 1.0), 1 - limit)
    return np.where(tiny, math.log(limit) - np.log(f + 1) + np.log(fraction), usual)


def log_evidence_below(failed: ArrayLike, requests: ArrayLike, limit: float) -> Array:
    """Logarithm of the evidence that less than `limit` of the requests fail.

    The same wager seen from the other side: more than 1 - `limit` of the requests succeed.
    """
    return log_evidence_above(np.asarray(requests) - np.asarray(failed), requests, 1 - limit)


def _continued_fraction(a: Array, b: Array, x: float) -> Array:
    """Evaluate DLMF 8.17.22 by the modified Lentz method, for x below (a + 1) / (a + b + 2)."""
    c = np.ones_like(a)
    d = 1 / (1 - (a + b) * x / (a + 1))
    value = d.copy()
    for m in range(1, _FRACTION_STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        change = np.ones_like(a)
        for term in (even, odd):
            d = 1 / (1 + term * d)
            c = 1 + term / c
            change = change * c * d
            value = value * c * d
        if np.all(np.abs(change - 1) < 1e-14):
            return value
    raise ArithmeticError("the incomplete beta function did not converge")


@dataclass(frozen=True, slots=True)
class LateStarts:
    """When fresh wagers start, so that an old healthy hour does not outweigh a new fault.

    A mixture of e-values with weights that add up to 1 is an e-value, so the promise about false alarms stays whole.
    """

    share: float = 0.2
    """How much of the stake they get together; the rest is placed at the first request."""
    every: float = 10.0
    """Seconds of event time between two starts; starts without traffic in between are saved."""
    most: int = 1440
    """How many there can be: 10 s apart they reach from T-0 to T+4h, the end of the soak."""


class _Wagers:
    """Late stakes on several alternatives: placed by and by, each grows from its own start."""

    def __init__(self, alternatives: int, starts: LateStarts) -> None:
        self._starts = starts
        self._due: float | None = None
        self._placed = 0
        self.late: Array = np.zeros(alternatives)

    @property
    def unplaced(self) -> float:
        """What waits for a later start; it neither gains nor loses."""
        return self._starts.share * (1 - self._placed / self._starts.most)

    def is_due(self, at: float) -> bool:
        """Whether it is time for a late start; the first one comes a whole interval after the first tick."""
        if self._due is None:
            self._due = at + self._starts.every
        return at >= self._due and self._placed < self._starts.most

    def start(self, at: float) -> None:
        """Place the next late stake, evenly on all alternatives."""
        self.late = self.late + self._starts.share / self._starts.most / self.late.size
        self._placed += 1
        self._due = at + self._starts.every


class RateTest:
    """Evidence that a side fails more than a fixed share of its requests.

    Evidence can only grow by a failed request, so only those cost arithmetic. Serves the error rate and, with
    "slower than T" for "failed", the latency: p95 > T says exactly that more than 5 % of the requests take longer
    than T. After the threshold is crossed, nothing is counted any more.
    """

    def __init__(self, limit: float, threshold: float, starts: LateStarts) -> None:
        self.threshold = threshold
        self.crossed = False
        self.requests = 0
        self.failed = 0
        self._limit = limit
        self._whole = 1 - starts.share
        odds = np.geomspace(1.2 * limit / (1 - limit), 19.0, 12)
        rates = odds / (1 + odds)
        self._gain = np.log(rates / limit)
        self._loss = np.log((1 - rates) / (1 - limit))
        self._wagers = _Wagers(rates.size, starts)
        self._folded = (0, 0)

    def observe(self, *, failed: bool) -> None:
        """Count one request, and judge if it failed."""
        if self.crossed:
            return
        self.requests += 1
        if failed:
            self.failed += 1
            self.crossed = self.evidence() >= self.threshold

    def tick(self, at: float) -> None:
        """Note that a second of event time has ended; a late wager may start."""
        if self.crossed or self.requests == self._folded[0] or not self._wagers.is_due(at):
            return
        self._wagers.late = self._late()
        self._wagers.start(at)
        self._folded = (self.requests, self.failed)

    def evidence(self) -> float:
        """The e-value of "more than the limit fail", over all requests so far."""
        log_whole = float(log_evidence_above(self.failed, self.requests, self._limit))
        return self._whole * exp_capped(log_whole) + float(self._late().sum()) + self._wagers.unplaced

    def _late(self) -> Array:
        """The late stakes as they stand, with what was counted since they were last written down."""
        failed = self.failed - self._folded[1]
        served = self.requests - self._folded[0] - failed
        return np.asarray(self._wagers.late * np.exp(failed * self._gain + served * self._loss))


@dataclass(slots=True)
class _Tick:
    """One second of event time: requests of both sides, and whose failed, in order."""

    blue: int = 0
    green: int = 0
    errors: list[tuple[bool, str]] = field(default_factory=list)

    def first_errors(self) -> list[bool]:
        """Sides (true for green) of the errors, the first of each known client only."""
        seen: set[str] = set()
        sides = []
        for green, client in self.errors:
            if client and client in seen:
                continue
            seen.add(client)
            sides.append(green)
        return sides


class RelativeTest:
    """Evidence that green fails more than `tolerance` times as often as blue.

    Looks at errors only. If green is no worse, an error is a green one with probability
    theta0 = w r0 / (w r0 + 1 - w) at most, where w is green's share of the requests in that second and r0 the
    tolerance: how often blue fails cancels, so no baseline is needed and a change of weight needs no restart. The
    wager is on error ratios r from 1.5 to 500. With the counts of a second given, the sides of its errors are drawn
    without replacement, which keeps the expectation at or below that of independent draws (Hoeffding 1963).

    Errors of one client in one second are one error, that of its first: they are one event, and counting one on
    either side would favour the side that serves fewer requests.
    """

    def __init__(self, tolerance: float, threshold: float, starts: LateStarts, *, few: int) -> None:
        self.threshold = threshold
        self.crossed = False
        self._tolerance = tolerance
        self._few = few
        self._ratios = np.geomspace(1.5, 500.0, 24)
        self._whole: Array = np.full(self._ratios.size, (1 - starts.share) / self._ratios.size)
        self._wagers = _Wagers(self._ratios.size, starts)
        self._tick = _Tick()

    def observe(self, *, green: bool, failed: bool, client: str) -> None:
        """Count one request in the second that is open now."""
        if green:
            self._tick.green += 1
        else:
            self._tick.blue += 1
        if failed:
            self._tick.errors.append((green, client))

    def tick(self, at: float, routed: float | None) -> None:
        """Judge the second that ended at `at`, in which this share was routed to green.

        A second with few requests says little about the share, so `routed` is taken instead; where that is unknown
        (it changed, or nobody said), the second is no evidence. Neither is any second with all requests on one side.
        """
        tick, self._tick = self._tick, _Tick()
        requests = tick.blue + tick.green
        if self.crossed or not requests:
            return
        if self._wagers.is_due(at):
            self._wagers.start(at)
        share = tick.green / requests if requests >= self._few else routed
        if share is None or not 0 < share < 1:
            return
        for green in tick.first_errors():
            self._multiply(share, green=green)
            if self.evidence() >= self.threshold:
                self.crossed = True
                return

    def evidence(self) -> float:
        """The e-value of "green is worse", over all seconds judged so far."""
        return float(self._whole.sum() + self._wagers.late.sum()) + self._wagers.unplaced

    def _multiply(self, share: float, *, green: bool) -> None:
        odds = share * self._tolerance
        factor = (odds + 1 - share) / (odds * self._ratios + 1 - share)
        if green:
            factor = factor * self._ratios
        self._whole = self._whole * factor
        self._wagers.late = self._wagers.late * factor
