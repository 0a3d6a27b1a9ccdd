"""Is the service worse than before the launch? Two windows of requests compared, and only what their counts show.

A short window is noisy: a tenth more in 15 seconds is no evidence of a tenth more. So a difference is a finding only
when these counts would be improbable under every truth that the tolerance allows; what they cannot show is none.

Both tests are exact, whatever the truth before the launch is. They bound it from above first, and give that bound a
part of the error (Berger and Boos, "P values maximized over a confidence set for the nuisance parameter", JASA 89,
1994); what was counted since is then judged against the worst that is tolerated under that bound:

    p = P(Binomial(n, limit) >= x) + gamma,  worse when p <= alpha

Requests count as independent. Failures that come in bursts of one cause count several times, so that alpha is exceeded
by as much as they do.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

ALPHA = 0.01
"""How likely a service that is as tolerated is called worse, at most: once in a hundred launches for each line."""
GAMMA = 0.001
"""The part of it that is spent on the bound of the time before: a tenth, which hardly weakens what is left."""
SLOW_SHARE = 0.05
"""p95 > T says exactly that more than this share of the requests takes longer than T."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two windows show of one another."""

    worse: bool
    """Whether the newer one is worse than is tolerated, beyond what chance explains."""
    p: float
    """How probable as much is, at most, in a service that is as tolerated; 1 where nothing speaks for it."""
    limit: float
    """What the newer window was judged against: a share, or milliseconds."""
    hits: int
    """How many of its requests failed, or took longer than the limit."""
    requests: int
    """How many there were."""


def shares(
    before: tuple[int, int], now: tuple[int, int], *, ratio: float = 1.0, margin: float = 0.0
) -> Comparison:
    """Whether a greater share of requests fails than `ratio` times the share before, and `margin` more.

    Each side is given as failed and all requests; both need at least one. The bound of the share before is that of
    Clopper and Pearson (Biometrika 26, 1934): the share under which as few failures have probability `GAMMA`.
    """
    failed, requests = before
    highest = (
        1.0 if failed == requests else float(special.betaincinv(failed + 1, requests - failed, 1 - GAMMA))
    )
    limit = min(1.0, ratio * highest + margin)
    p = _tail(*now, limit) + GAMMA
    return Comparison(p <= ALPHA, min(1.0, p), limit, *now)


def times(
    before: Sequence[float], now: Sequence[float], *, ratio: float = 1.0, margin_ms: float = 0.0
) -> Comparison:
    """Whether the 95th percentile is greater than `ratio` times the one before, and `margin_ms` more.

    No distribution is assumed. The percentile before lies below the k-th smallest of n times, except with probability
    P(Binomial(n, 0.95) >= k), which is at most `GAMMA` (David and Nagaraja, "Order Statistics", 2003, section 7.1).
    More than a twentieth of the newer times above the limit says that their percentile is above it too: exceedances
    are counted, and not averaged. Too few times before to bound their percentile show nothing.
    """
    rank = _upper_rank(len(before))
    if rank is None:
        return Comparison(worse=False, p=1.0, limit=float("inf"), hits=0, requests=len(now))
    limit = ratio * sorted(before)[rank - 1] + margin_ms
    slower = sum(time > limit for time in now)
    p = _tail(slower, len(now), SLOW_SHARE) + GAMMA
    return Comparison(p <= ALPHA, min(1.0, p), limit, slower, len(now))


def _tail(hits: int, requests: int, share: float) -> float:
    """P(Binomial(requests, share) >= hits)."""
    if hits == 0:
        return 1.0
    return float(special.betainc(hits, requests - hits + 1, share))


def _upper_rank(requests: int) -> int | None:
    """The lowest rank whose time is an upper bound of the 95th percentile; nothing where even the highest is none."""
    if requests == 0:
        return None
    ranks = np.arange(1, requests + 1, dtype=np.float64)
    beyond = special.betainc(ranks, requests - ranks + 1, 1 - SLOW_SHARE)
    bounds = np.flatnonzero(beyond <= GAMMA)
    return int(bounds[0]) + 1 if bounds.size else None
