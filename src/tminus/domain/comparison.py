"""Green against blue: whose are the errors, and whose are the slow answers.

Both sides serve the same users in the same second, so whatever else is wrong with the world is wrong for both. The
tests look at events only, a failed request or a slow one, and ask whose each was. Source of the test: the conditional
comparison of two Poisson streams (Przyborowski, Wilenski 1940), as a wager that may be looked at at any moment
(`sequential.py`).
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tminus.domain.sequential import Array, LateStarts, Wagers

QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
"""Where blue's own latencies are cut for b2."""
_LOG_MOST = 350.0
_MOST = math.exp(_LOG_MOST)
"""Stakes beyond exp(350) decide nothing any more, and their sums stay doubles."""


def share_of(blue: ArrayLike, green: ArrayLike, routed: ArrayLike, few: int) -> Array:
    """Green's share of the requests of a second; not a number where the second says nothing.

    A second with fewer requests than `few` says little about the share, so `routed` is taken instead; where that is
    unknown (not a number), the second is no evidence. Neither is any second with all requests on one side.
    """
    served = np.asarray(green, dtype=np.float64)
    requests = np.asarray(blue) + served
    share = np.where(requests >= few, served / np.maximum(requests, 1), routed)
    return np.where((requests > 0) & (share > 0) & (share < 1), share, np.nan)


class Comparison:
    """The e-value of "green causes an event more than `tolerance` times as often as blue", of one launch or of many.

    If green is no worse, an event is a green one with probability theta0 = w r0 / (w r0 + 1 - w) at most, where w is
    green's share of the requests in that second and r0 the tolerance: how often blue causes one cancels, so no
    baseline is needed and a change of weight needs no restart. The wager is on ratios r from 1.5 to 500,

        E = average over r of the product over events of theta(r) / theta0, or of (1 - theta(r)) / (1 - theta0)

    with theta(r) = w r r0 / (w r r0 + 1 - w), the first factor for a green event and the second for a blue one. With
    the counts of a second given, the sides of its events are drawn without replacement, which keeps the expectation
    at or below that of independent draws (Hoeffding 1963, theorem 4).
    """

    def __init__(self, tolerance: float, starts: LateStarts, launches: tuple[int, ...] = ()) -> None:
        self._tolerance = tolerance
        self._ratios = np.geomspace(1.5, 500.0, 24)
        self._log_ratios = np.log(self._ratios)
        self._wagers = Wagers(24, starts, launches)
        # All stakes on one ratio grow by the same factors, whenever they were placed: their sum is all that is kept.
        self._wagers.late += (1 - starts.share) / 24

    def tick(self, at: float, *, busy: NDArray[np.bool_] | bool) -> None:
        """Note that a second of event time begins to be judged, in which those had requests; a late wager may start."""
        starting = self._wagers.due(at, busy=busy)
        if starting is not None:
            self._wagers.start(at, starting)

    def weigh(self, share: ArrayLike, *, green: ArrayLike, blue: ArrayLike) -> None:
        """Take so many events of each side, in a second in which green had this share of the requests.

        Nothing changes where the share is not a number.
        """
        share = np.asarray(share, dtype=np.float64)[..., np.newaxis]
        known = ~np.isnan(share)
        share = np.where(known, share, 0.5)
        greens = np.where(known, np.asarray(green)[..., np.newaxis], 0)
        events = greens + np.where(known, np.asarray(blue)[..., np.newaxis], 0)
        odds = share * self._tolerance
        log_blue = np.log((odds + 1 - share) / (odds * self._ratios + 1 - share))
        # In place: for a thousand launches most of the time would go into making room.
        factor = np.asarray(events * log_blue)
        factor += greens * self._log_ratios
        np.minimum(factor, _LOG_MOST, out=factor)
        np.exp(factor, out=factor)
        factor *= self._wagers.late
        self._wagers.late = np.minimum(factor, _MOST, out=factor)

    def evidence(self) -> Array:
        """The e-values of all events so far."""
        return np.asarray(self._wagers.late.sum(axis=-1) + self._wagers.unplaced)


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

    Errors of one client in one second are one error, that of its first: they are one event, and counting one on
    either side would favour the side that serves fewer requests.
    """

    def __init__(self, tolerance: float, threshold: float, starts: LateStarts, *, few: int) -> None:
        self.threshold = threshold
        self.crossed = False
        self.dispersion = Dispersion()
        self._few = few
        self._comparison = Comparison(tolerance, starts)
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
        """Judge the second that ended at `at`, in which this share was routed to green."""
        tick, self._tick = self._tick, _Tick()
        if self.crossed or not tick.blue + tick.green:
            return
        sides = tick.first_errors()
        self.dispersion.add(len(sides) - sum(sides))
        self._comparison.tick(at, busy=True)
        if not sides:
            return
        share = share_of(tick.blue, tick.green, math.nan if routed is None else routed, self._few)
        for green in sides:
            self._comparison.weigh(share, green=int(green), blue=int(not green))
            if self.evidence() >= self.threshold:
                self.crossed = True
                return

    def evidence(self) -> float:
        """The e-value of "green is worse", over all seconds judged so far."""
        return float(self._comparison.evidence())


@dataclass(slots=True)
class Dispersion:
    """How far blue's errors are from independent ones: the variance of their number in a second over its mean.

    1 for independent errors (Fisher 1925: the index of dispersion); errors that come in bursts have more, and then
    evidence says less than its number. Measured after the clustering cap, so what the cap takes away is not in it.
    """

    seconds: int = 0
    errors: int = 0
    squares: int = 0

    def add(self, errors: int) -> None:
        """Take the number of blue's errors in one more second."""
        self.seconds += 1
        self.errors += errors
        self.squares += errors * errors

    @property
    def index(self) -> float | None:
        """The variance over the mean; nothing before there were thirty seconds and two errors."""
        if self.seconds < 30 or self.errors < 2:
            return None
        mean = self.errors / self.seconds
        return (self.squares - self.seconds * mean * mean) / (self.seconds - 1) / mean


@dataclass(frozen=True, slots=True)
class Slower:
    """What b2 has counted for the latency that says most."""

    over_ms: float
    """The latency; a request that takes longer is an event."""
    name: str
    """Which of blue's quantiles it is, such as `p95`; empty where it is the floor."""
    green: int
    """Green's events, each client's first in a second only."""
    blue: int
    """Blue's."""
    green_requests: int
    """Green's requests that were compared."""
    blue_requests: int
    """Blue's."""


class SlownessTest:
    """Evidence that green is slow more than `tolerance` times as often as blue, at one of blue's own quantiles.

    What blue's p50, p90, p95 and p99 are is learned from its first `learn` requests and frozen. The test of
    `Comparison` is then run on "takes longer than that" for each, and the four e-values are averaged, which is an
    e-value. It is valid whatever the four latencies are, since it only says that both sides exceed them equally often;
    a bad baseline costs power and never false alarms. A latency below `floor_ms` is raised to it, since no user is
    harmed by an answer that takes 4 ms instead of 2 (Lindon et al., KDD 2022, compare quantiles in the same spirit).

    Slow answers of one client in one second are one, as for errors.
    """

    def __init__(self, tolerance: float, threshold: float, starts: LateStarts, *, few: int) -> None:
        self.threshold = threshold
        self.crossed = False
        self.edges: tuple[float, ...] = ()
        """The latencies in milliseconds, once they are learned."""
        self._few = few
        self._tolerance = tolerance
        self._starts = starts
        self._names: tuple[str, ...] = ()
        self._warm = 0
        self._comparison = Comparison(tolerance, starts, (0,))
        self._requests = [0, 0]
        self._all = [0, 0]
        self._slow: list[list[int]] = []
        self._totals = np.zeros((2, 0), dtype=np.int64)
        self._seen: set[tuple[str, int]] = set()

    def freeze(self, latencies: Sequence[float], floor_ms: float, *, warm: int = 0) -> None:
        """Take blue's quantiles from these latencies (milliseconds) and begin to judge.

        Nothing is compared before green has had `warm` requests: a process that has just begun is slow for a moment.
        """
        self._warm = warm
        cuts = np.quantile(latencies, list(QUANTILES.values()), method="higher").tolist()
        names = {
            max(cut, floor_ms): name if cut > floor_ms else ""
            for name, cut in zip(QUANTILES, cuts, strict=True)
        }
        self.edges, self._names = tuple(names), tuple(names.values())
        self._comparison = Comparison(self._tolerance, self._starts, (len(names),))
        self._totals = np.zeros((2, len(names)), dtype=np.int64)
        self._open()

    def observe(self, *, green: bool, ms: float, client: str) -> None:
        """Count one request in the second that is open now."""
        if self._warm > 0:
            self._warm -= green
            return
        self._requests[green] += 1
        if ms <= self.edges[0]:
            return
        slow = self._slow[green]
        for index in range(bisect_left(self.edges, ms)):
            if client:
                if (client, index) in self._seen:
                    continue
                self._seen.add((client, index))
            slow[index] += 1

    def tick(self, at: float, routed: float | None) -> None:
        """Judge the second that ended at `at`, in which this share was routed to green."""
        (blue, green), slow = self._requests, self._slow
        if self.crossed or not blue + green:
            return
        self._open()
        self._comparison.tick(at, busy=True)
        share = share_of(blue, green, math.nan if routed is None else routed, self._few)
        if np.isnan(share):
            return
        counts = np.array(slow)
        self._totals += counts
        self._all[0] += blue
        self._all[1] += green
        self._comparison.weigh(share, green=counts[1], blue=counts[0])
        self.crossed = self.evidence() >= self.threshold

    def evidence(self) -> float:
        """The e-value of "green is slower", over all seconds judged so far; 1 while blue's latencies are learned."""
        return float(self._comparison.evidence().mean()) if self.edges else 1.0

    def strongest(self) -> Slower | None:
        """What was counted for the latency with the most evidence; nothing while they are learned."""
        if not self.edges:
            return None
        index = int(self._comparison.evidence().argmax())
        blue, green = self._totals[:, index].tolist()
        return Slower(self.edges[index], self._names[index], green, blue, self._all[1], self._all[0])

    def _open(self) -> None:
        self._requests = [0, 0]
        self._slow = [[0] * len(self.edges), [0] * len(self.edges)]
        self._seen = set()
