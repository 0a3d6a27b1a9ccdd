"""Sequential tests: evidence that may be looked at after every request.

An e-value is a wager against the claim "this release is healthy". While the claim is true its expectation stays at
or below 1 whenever one stops to look, so it exceeds 1/alpha with probability alpha at most (Ville's inequality),
however often it is looked at. `guard.py` calls this file; what follows from the evidence is decided there.

Everything here takes one launch or, as arrays, many at once: `benchmarks/` simulates thousands of launches through
these functions, which are those that judge a real one.

Sources: Lindon, Sanden, Shirikian, "Rapid Regression Detection in Software Deployments through Sequential Testing"
(KDD 2022, arXiv 2205.14762); Ramdas, Grünwald, Vovk, Shafer, "Game-Theoretic Statistics and Safe Anytime-Valid
Inference" (2023, arXiv 2210.01948).
"""

import math
from dataclasses import dataclass
from types import EllipsisType

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Array = NDArray[np.float64]

_UNDERFLOW = 1e-280
"""Below this a tail probability is about to leave the range of doubles."""
_FRACTION_STEPS = 10_000
"""More than the continued fraction needs anywhere below `_UNDERFLOW`; a loop must end."""
_SOON = 5
"""How many starts count as soon: their parts of the stake differ little."""
_LARGEST_LOG = 700.0
"""exp(700) is still a double; more evidence than that is shown as that."""


def exp_capped(log_evidence: ArrayLike) -> Array:
    """Evidence from its logarithm, as numbers that JSON can carry."""
    return np.asarray(np.exp(np.minimum(log_evidence, _LARGEST_LOG)), dtype=np.float64)


def log_evidence_above(failed: ArrayLike, requests: ArrayLike, limit: float) -> Array:
    """Logarithm of the evidence that more than `limit` of the requests fail.

    The likelihood ratio against `limit`, averaged over a Beta(1, 1) prior cut to [limit, 1]: with S failed, f not,

        E = 1 / (1 - limit) * integral over p from limit to 1 of (p / limit)^S * ((1 - p) / (1 - limit))^f

    which is an incomplete beta function. Where that underflows, its continued fraction (DLMF 8.17.22) has the same
    prefactor as the likelihood at `limit`, so that both cancel and no precision is lost.

    While the true rate q is at most `limit`, each request multiplies the ratio for p by a factor whose expectation is
    q p / limit + (1 - q) (1 - p) / (1 - limit), 1 at most; so E is a supermartingale, and Ville's inequality holds
    (Robbins, "Statistical Methods Related to the Law of the Iterated Logarithm", 1970: mixtures of likelihood ratios).
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

    This is the Shiryaev-Roberts procedure (Shiryaev 1963, Roberts 1966: the sum of the likelihood ratios of all
    possible starts) with a horizon: the starts are counted and share one stake, so that the sum is an e-value. A
    mixture of e-values with weights that add up to 1 is one, and the promise about false alarms stays whole.

    Most faults show soon after a release gets users, so the k-th start is given a part in proportion to 1 / (k + 5):
    by the defaults more than an even part for 42 minutes, and at the last a sixth of one, which costs 1.7 nats.
    """

    share: float = 0.2
    """How much of the stake they get together; the rest is placed at the first request."""
    every: float = 10.0
    """Seconds of event time between two starts; starts without traffic in between are saved."""
    most: int = 1440
    """How many there can be: 10 s apart they reach from T-0 to T+4h, the end of the soak."""

    def parts(self) -> Array:
        """What each start gets of the whole stake, in order; they add up to `share`."""
        weights = 1 / (np.arange(1, self.most + 1) + _SOON)
        return np.asarray(self.share * weights / weights.sum())


class Wagers:
    """Late stakes on several alternatives: placed by and by, each grows from its own start.

    `launches` is the shape of many launches at once, empty for a single one.
    """

    def __init__(self, alternatives: int, starts: LateStarts, launches: tuple[int, ...] = ()) -> None:
        self._starts = starts
        self._parts = np.append(starts.parts(), 0.0)
        # From the end, so that nothing is left after the last.
        self._left = np.cumsum(self._parts[::-1])[::-1]
        self._due: Array = np.full(launches, np.nan)
        self._placed: NDArray[np.int64] = np.zeros(launches, dtype=np.int64)
        self._soonest = -math.inf
        self.late: Array = np.zeros((*launches, alternatives))

    @property
    def unplaced(self) -> Array:
        """What waits for a later start; it neither gains nor loses."""
        return np.asarray(self._left[self._placed])

    def due(self, at: float, *, busy: NDArray[np.bool_] | bool) -> NDArray[np.bool_] | None:
        """Which launches make a late start now; nothing where none does.

        Only those that had requests (`busy`) do. The first start comes a whole interval after the first request.
        """
        if at < self._soonest:
            return None
        self._due = np.where(np.isnan(self._due) & busy, at + self._starts.every, self._due)
        starting = np.asarray((at >= self._due) & busy & (self._placed < self._starts.most))
        if starting.any():
            return starting
        known = self._due[~np.isnan(self._due)]
        if known.size == self._due.size:
            self._soonest = float(known.min())
        return None

    def start(self, at: float, starting: NDArray[np.bool_]) -> None:
        """Place the next late stake of these launches, evenly on all alternatives."""
        stake = np.where(starting, self._parts[self._placed], 0.0) / self.late.shape[-1]
        self.late = self.late + stake[..., np.newaxis]
        self._placed = self._placed + starting
        self._due = np.where(starting, at + self._starts.every, self._due)
        self._soonest = -math.inf


class RateEvidence:
    """The e-value of "more than `limit` of the requests fail", of one launch or of many at once."""

    def __init__(self, limit: float, starts: LateStarts, launches: tuple[int, ...] = ()) -> None:
        self._limit = limit
        self._whole = 1 - starts.share
        odds = np.geomspace(1.2 * limit / (1 - limit), 19.0, 12)
        rates = odds / (1 + odds)
        self._gain = np.log(rates / limit)
        self._loss = np.log((1 - rates) / (1 - limit))
        self._wagers = Wagers(rates.size, starts, launches)
        self._failed: NDArray[np.int64] = np.zeros(launches, dtype=np.int64)
        self._requests: NDArray[np.int64] = np.zeros(launches, dtype=np.int64)
        self._started: NDArray[np.int64] = np.zeros(launches, dtype=np.int64)
        """Each launch's requests when its own last wager was placed."""

    def of(
        self, failed: ArrayLike, requests: ArrayLike, some: NDArray[np.intp] | EllipsisType = ...
    ) -> Array:
        """The evidence of these counts so far; `some` of the launches only, if their counts alone are given."""
        whole = exp_capped(log_evidence_above(failed, requests, self._limit))
        late = self._late(failed, requests, some).sum(axis=-1)
        return np.asarray(self._whole * whole + late + self._wagers.unplaced[some])

    def tick(self, at: float, failed: ArrayLike, requests: ArrayLike) -> None:
        """Note that a second of event time has ended with these counts so far; a late wager may start."""
        starting = self._wagers.due(at, busy=np.asarray(requests) > self._started)
        if starting is None:
            return
        self._wagers.late = self._late(failed, requests, ...)
        self._failed, self._requests = np.array(failed), np.array(requests)
        self._started = np.where(starting, requests, self._started)
        self._wagers.start(at, starting)

    def _late(self, failed: ArrayLike, requests: ArrayLike, some: NDArray[np.intp] | EllipsisType) -> Array:
        """The late stakes as they stand, with what was counted since they were last written down."""
        hits = np.subtract(failed, self._failed[some])[..., np.newaxis]
        served = np.subtract(requests, self._requests[some])[..., np.newaxis] - hits
        return np.asarray(self._wagers.late[some] * np.exp(hits * self._gain + served * self._loss))


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
        self._evidence = RateEvidence(limit, starts)

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
        if not self.crossed:
            self._evidence.tick(at, self.failed, self.requests)

    def evidence(self) -> float:
        """The e-value of "more than the limit fail", over all requests so far."""
        return float(self._evidence.of(self.failed, self.requests))
