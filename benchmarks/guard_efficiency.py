"""How soon the guard's tests decide, beside what no test can beat.

Each test alone, at an alpha of its own of 1e-3, over thousands of launches at once, judged after every request through
the shipped functions (`RateEvidence`, `Comparison`). Two figures each: the formula alone, whose whole stake is placed
at the first request, and as shipped, with a fifth kept back for faults that begin late.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

if TYPE_CHECKING:
    from benchmarks.result import Figure, Table
else:
    from result import Figure, Table

from tminus.domain.comparison import QUANTILES, Comparison, share_of
from tminus.domain.judgement import GuardLimits
from tminus.domain.sequential import LateStarts, RateEvidence

SEED = 20261
LAUNCHES = 2000
ALPHA = 1e-3
MISS = 0.01
RATE = 50
WEIGHT = 0.1
WHOLE = LateStarts(share=0.0)
SHIPPED = LateStarts()
SPREAD = 0.5
"""Standard deviation of the logarithm of a request's duration: latencies are lognormal."""
FAR = 60_000
"""Steps after which a launch that was not decided counts as decided now; none may be left."""
Samples = NDArray[np.float64]


def divergence(p: float, q: float) -> float:
    """Kullback and Leibler's divergence of one failed-or-not from another, in nats a request."""
    return p * math.log(p / q) + (1 - p) * math.log((1 - p) / (1 - q))


def wald(p: float, limit: float) -> float:
    """Requests that any test of `limit` needs in the mean when p fail (Wald 1947), at alpha and a miss of 1 %."""
    gain = (1 - MISS) * math.log((1 - MISS) / ALPHA) + MISS * math.log(MISS / (1 - ALPHA))
    return gain / divergence(p, limit)


def two_samples(green: float, blue: float, weight: float = WEIGHT) -> float:
    """Requests of both sides that any test of equality needs: by the weighted Jensen-Shannon divergence."""

    def entropy(p: float) -> float:
        return -p * math.log(p) - (1 - p) * math.log(1 - p)

    mixed = weight * green + (1 - weight) * blue
    return math.log(1 / ALPHA) / (entropy(mixed) - weight * entropy(green) - (1 - weight) * entropy(blue))


def lorden(p: float, limit: float, horizon: float) -> float:
    """Requests from a fault at an unknown time to its alarm, at a mean of `horizon` requests to a false one (1971)."""
    return math.log(horizon) / divergence(p, limit)


def rate(p: float, limit: float, starts: LateStarts, healthy: tuple[float, int] = (0.0, 0)) -> Samples:
    """Green requests from the fault to the crossing, at five a second; `healthy` is (rate, requests) before it."""
    dice = np.random.default_rng(SEED)
    launches = LAUNCHES if not healthy[1] else LAUNCHES // 10
    test = RateEvidence(limit, starts, (launches,))
    failed, taken = np.zeros(launches, dtype=np.int64), np.zeros(launches)
    for request in range(1, healthy[1] + FAR):
        begun = request > healthy[1]
        bad = dice.random(launches) < (p if begun else healthy[0])
        failed += bad
        some = np.nonzero(bad & (taken == 0))[0]
        if begun and some.size:
            crossed = test.of(failed[some], request, some) >= 1 / ALPHA
            taken[some[crossed]] = request - healthy[1]
            if taken.all():
                return taken
        if request % 5 == 0:
            test.tick(request / 5, failed, np.full(launches, request))
    raise AssertionError("a launch was never decided")


def relative(
    rates: tuple[Samples, Samples], starts: LateStarts, tolerance: float, *, batch: int = 1
) -> Samples:
    """Requests of both sides to the crossing, at 50 a second and a tenth on green.

    `rates` says how often green and blue exceed each latency, nested; errors are one such. The sides are judged in
    batches of so many requests, at the routed share where a batch is one request.
    """
    dice = np.random.default_rng(SEED)
    green_rates, blue_rates = rates
    kinds = green_rates.size
    test = Comparison(tolerance, starts, (LAUNCHES, kinds))
    taken = np.zeros(LAUNCHES)
    busy = np.ones((LAUNCHES, kinds), dtype=np.bool_)
    for number in range(1, FAR):
        green = dice.binomial(batch, WEIGHT, LAUNCHES)
        share = share_of(batch - green, green, WEIGHT, 10)[:, np.newaxis] if batch > 1 else WEIGHT
        ours = _nested(dice, green, green_rates)
        theirs = _nested(dice, batch - green, blue_rates)
        if number * batch % RATE == 0:
            test.tick(number * batch / RATE, busy=busy)
        test.weigh(share, green=ours, blue=theirs)
        crossed = (test.evidence().mean(axis=-1) >= 1 / ALPHA) & (taken == 0)
        taken[crossed] = number * batch
        if taken.all():
            return taken
    raise AssertionError("a launch was never decided")


def _nested(dice: np.random.Generator, requests: NDArray[np.int64], rates: Samples) -> NDArray[np.int64]:
    over, before, left = [], 1.0, requests
    for chance in rates.tolist():
        left = dice.binomial(left, chance / before)
        before = chance
        over.append(left)
    return np.stack(over, axis=-1)


def errors(green: float, blue: float) -> tuple[Samples, Samples]:
    """How often each side fails."""
    return np.array([green]), np.array([blue])


def slowness(factor: float) -> tuple[Samples, Samples]:
    """How often each side exceeds blue's p50, p90, p95 and p99 where green takes `factor` times as long."""
    cuts = norm.ppf(list(QUANTILES.values()))
    return np.asarray(norm.sf(cuts - math.log(factor) / SPREAD)), np.asarray(norm.sf(cuts))


def slowness_bound(factor: float) -> float:
    """Requests that any test of equal exceedance needs at the quantile that says most."""
    green, blue = slowness(factor)
    return min(two_samples(g, b) for g, b in zip(green.tolist(), blue.tolist(), strict=True))


def efficiency() -> list[Table | Figure]:
    """Every test beside its bound; the two that have a limit as figures that must hold."""
    rows, figures = [], []
    green = "green requests"
    cases: list[tuple[str, str, Callable[[LateStarts], Samples], float, float | None]] = [
        ("a1 against 5 %, 20 % fail", green, partial(rate, 0.2, 0.05), wald(0.2, 0.05), 1.4),
        ("hold against 1 %, 20 % fail", green, partial(rate, 0.2, 0.01), wald(0.2, 0.01), None),
        (
            "b1 against 5 % over 2 s, green's p95 3 s",
            green,
            partial(rate, _over_two(3.0), 0.05),
            wald(_over_two(3.0), 0.05),
            None,
        ),
        ("b1, green's p95 5 s", green, partial(rate, _over_two(5.0), 0.05), wald(_over_two(5.0), 0.05), None),
        (
            "a2 at a tolerance of 1, 20 % against 0.1 %",
            "requests",
            lambda s: relative(errors(0.2, 0.001), s, 1.0),
            two_samples(0.2, 0.001),
            1.5,
        ),
        (
            "a2 at a tolerance of 1.5, 20 % against 0.1 %",
            "requests",
            lambda s: relative(errors(0.2, 0.001), s, 1.5),
            two_samples(0.2, 0.001),
            None,
        ),
        (
            "a2 at a tolerance of 1.5, 20 % against 1 %",
            "requests",
            lambda s: relative(errors(0.2, 0.01), s, 1.5),
            two_samples(0.2, 0.01),
            None,
        ),
    ]
    cases += [
        (
            f"b2 at a tolerance of 1.5, green takes {factor:g} times as long",
            "requests",
            lambda s, f=factor: relative(slowness(f), s, 1.5, batch=RATE),  # type: ignore[misc] # a lambda with a default
            slowness_bound(factor),
            None,
        )
        for factor in (1.5, 2.0, 5.0)
    ]
    for what, unit, run, bound, limit in cases:
        alone, shipped = run(WHOLE), run(SHIPPED)
        if limit is not None:
            figures.append(
                Figure(
                    f"{what}: times the bound",
                    f"{LAUNCHES:,} launches, the formula alone",
                    float(alone.mean()) / bound,
                    limit,
                    "times",
                )
            )
        rows.append(
            (
                what,
                f"{bound:.1f} {unit}",
                _figures(alone),
                f"{alone.mean() / bound:.2f}",
                _figures(shipped),
                f"{shipped.mean() / bound:.2f}",
                _seconds(shipped, unit),
            )
        )
    return [Table("Efficiency", ABOUT, COLUMNS, tuple(rows)), _late(), *figures]


def _over_two(p95: float) -> float:
    """The share of requests over 2 s where latencies are exponential with this p95 in seconds."""
    return float(0.05 ** (2.0 / p95))


def _figures(samples: Samples) -> str:
    return f"{samples.mean():.1f} ± {samples.std() / math.sqrt(samples.size):.1f}"


def _seconds(samples: Samples, unit: str) -> str:
    a_second = RATE * WEIGHT if unit.startswith("green") else RATE
    return f"{samples.mean() / a_second:.1f} s, {np.quantile(samples, 0.99) / a_second:.1f} s"


def _late() -> Table:
    """A fault at minute 30, beside Lorden's bound at the same rate of false alarms."""
    healthy = (0.001, 9000)
    horizon = GuardLimits().late.most * SHIPPED.every * RATE * WEIGHT / ALPHA
    rows = []
    for limit in (0.01, 0.05):
        bound = lorden(0.2, limit, horizon)
        cumulative = rate(0.2, limit, WHOLE, healthy)
        shipped = rate(0.2, limit, SHIPPED, healthy)
        rows.append(
            (
                f"20 % fail, against {limit:.0%}",
                f"{bound:.0f} green requests, {bound / 5:.1f} s",
                f"{cumulative.mean() / 5:.1f} s",
                f"{shipped.mean() / 5:.1f} s, {np.quantile(shipped, 0.99) / 5:.1f} s",
                f"{shipped.mean() / bound:.2f}",
            )
        )
    columns = (
        "fault at minute 30",
        "Lorden's bound",
        "without late starts, mean",
        "as shipped, mean and 99 of 100",
        "times the bound",
    )
    about = f"""A fault that begins after half an hour with 0.1 % errors, green at 5 requests a second, {LAUNCHES // 10}
launches, seed {SEED}. Lorden's bound (1971) is ln(horizon/alpha) over the divergence, the horizon being the
four hours over which late starts are spread: {horizon * ALPHA:,.0f} requests of green."""
    return Table("Late faults", about, columns, tuple(rows))


COLUMNS = (
    "test alone, alpha 1e-3",
    "bound",
    "mean, formula alone",
    "times",
    "mean, as shipped",
    "times",
    "as shipped at 50 a second, a tenth on green: mean, 99 of 100",
)
ABOUT = f"""Requests until the test crosses, mean and its standard error over {LAUNCHES:,} launches, seed {SEED}. The
bound of a1 and b1 is Wald's (1947) at a miss of {MISS:.0%}; that of a2 and b2 is ln(1/alpha) over the
weighted Jensen-Shannon divergence, for b2 at the quantile that says most. It is a bound for a tolerance
of 1; a tolerance of 1.5 has to cost more. Latencies: exponential for b1, lognormal with a spread of
{SPREAD:g} for b2, which looks once a second."""
