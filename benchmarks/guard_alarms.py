"""False alarms of the guard: healthy hours by the ten thousand, through the functions that judge a real launch.

Each simulated hour is a launch of a healthy release at 50 requests a second. Its requests are drawn second by second
for hundreds of launches at once, and judged by `RateEvidence` (a1, b1) and `Comparison` (a2, b2) with the shipped
shares of alpha. Within a second green's bad requests are taken to come first, which can only raise the figure.
"""

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import stats

if TYPE_CHECKING:
    from benchmarks.result import Table
else:
    from result import Table

from tminus.domain.comparison import QUANTILES, Comparison, share_of
from tminus.domain.judgement import GuardLimits
from tminus.domain.sequential import RateEvidence

SEED = 20260
RATE = 50
"""Requests a second, both sides together."""
HOUR = 3600
BATCH = 500
"""Launches that are simulated at once."""
ALPHAS = (1e-2, 1e-3)
LADDER = (1, 5, 10, 25, 50, 100)
SLOW = 0.001
"""Share of requests over 2 s on both sides of a healthy launch, for b1."""
CUTS = tuple(1 - quantile for quantile in QUANTILES.values())
"""How often either side exceeds blue's own quantiles, for b2."""
STEPS = ", ".join(map(str, LADDER))
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Health:
    """One kind of healthy hour."""

    what: str
    errors: float
    """Blue's error rate."""
    weight: int | None
    """Green's share in percent; nothing for the ladder, a sixth of the hour each."""
    worse: float = 1.0
    """How many times blue's rates green has; the tolerance is 1.5."""
    bursts: str = ""
    """The burst model: `retries`, `sticky`, `stuck` or `outages`."""
    capped: bool = True
    """Whether clients are known, so that the clustering cap can work."""
    hours: int = 1000


RATES = (0.0, 1e-4, 1e-3, 1e-2)
WEIGHTS = (1, 5, 10, 50, None)
GRID = tuple(
    Health(f"errors {rate:g}, weight {f'{weight} %' if weight else 'in steps'}", rate, weight)
    for rate in RATES
    for weight in WEIGHTS
)
EDGE = (
    Health("green 1.5 times blue's errors and slowness: the edge of health", 1e-2, 10, worse=1.5, hours=500),
)
BURSTY = (
    Health("retry storms", 1e-2, 10, bursts="retries", hours=500),
    Health("retry storms, weight in steps", 1e-3, None, bursts="retries", hours=500),
    Health("storms that stay on one side", 1e-2, 10, bursts="sticky", hours=500),
    Health(
        "storms that stay on one side, clients unknown", 1e-2, 10, bursts="sticky", capped=False, hours=500
    ),
    Health("clients stuck on one side for 10 s", 1e-3, 10, bursts="stuck", hours=500),
    Health("outages of both sides", 1e-3, 10, bursts="outages", hours=500),
)
STORM = 5
"""Mean requests of a retry storm (geometric), all in one second, all of one client, all failing."""
STUCK = 10
"""Mean seconds (geometric) for which a stuck client fails once a second, on the side it began on."""
OUTAGE = (600, 2, 0.5)
"""Mean seconds between outages, seconds of each, and the share of requests of both sides that fail then."""


class Errors:
    """The errors of a healthy hour: (raw green, raw blue, green as a2 counts them, blue as a2 counts them)."""

    def __init__(self, health: Health, dice: np.random.Generator, launches: int) -> None:
        self._health, self._dice = health, dice
        self._left = np.zeros(launches, dtype=np.int64)
        self._stuck = [np.zeros((launches, STUCK * 12), dtype=np.int64) for _ in range(2)]
        self._second = 0

    def draw(self, green: Counts, blue: Counts, weight: float) -> tuple[Counts, Counts, Counts, Counts]:
        """One second of so many requests."""
        kind = self._health.bursts
        self._second += 1
        if kind in {"retries", "sticky"}:
            return self._storms(green, blue, weight, sticky=kind == "sticky")
        if kind == "stuck":
            return self._stuck_clients(green, blue, weight)
        rate: NDArray[np.float64] | float = self._health.errors
        if kind == "outages":
            every, lasts, share = OUTAGE
            begins = (self._left == 0) & (self._dice.random(green.size) < 1 / every)
            self._left = np.where(begins, lasts, np.maximum(self._left - 1, 0))
            rate = np.where(self._left > 0, share, rate)
        bad_green = self._dice.binomial(green, np.minimum(rate * self._health.worse, 1.0))
        bad_blue = self._dice.binomial(blue, rate)
        return bad_green, bad_blue, bad_green, bad_blue

    def _storms(
        self, green: Counts, blue: Counts, weight: float, *, sticky: bool
    ) -> tuple[Counts, Counts, Counts, Counts]:
        """Storms begin as a Poisson stream; each is one client whose request fails and is sent again."""
        storms = self._dice.poisson(RATE * self._health.errors / STORM, green.size)
        greens = self._dice.binomial(storms, weight)
        more = np.where(storms > 0, self._dice.negative_binomial(np.maximum(storms, 1), 1 / STORM), 0)
        if sticky:
            ours = np.where(greens > 0, self._dice.negative_binomial(np.maximum(greens, 1), 1 / STORM), 0)
            other = storms - greens
            theirs = np.where(other > 0, self._dice.negative_binomial(np.maximum(other, 1), 1 / STORM), 0)
        else:
            ours = self._dice.binomial(more, weight)
            theirs = more - ours
        raw_green = np.minimum(greens + ours, green)
        raw_blue = np.minimum(storms - greens + theirs, blue)
        if not self._health.capped:
            return raw_green, raw_blue, raw_green, raw_blue
        return raw_green, raw_blue, np.minimum(greens, green), np.minimum(storms - greens, blue)

    def _stuck_clients(
        self, green: Counts, blue: Counts, weight: float
    ) -> tuple[Counts, Counts, Counts, Counts]:
        begins = self._dice.poisson(RATE * self._health.errors / STUCK, green.size)
        place, width = self._second, self._stuck[0].shape[1]
        now = []
        for queue, share in zip(self._stuck, (weight, 1 - weight), strict=True):
            for launch in np.nonzero(begins)[0]:
                for _ in range(self._dice.binomial(begins[launch], share)):
                    lasts = min(int(self._dice.geometric(1 / STUCK)), width)
                    queue[launch, (place + np.arange(lasts)) % width] += 1
            now.append(queue[:, place % width].copy())
            queue[:, place % width] = 0
        bad_green, bad_blue = np.minimum(now[0], green), np.minimum(now[1], blue)
        return bad_green, bad_blue, bad_green, bad_blue


@dataclass(frozen=True)
class Highest:
    """The most evidence that each launch ever had, by test, times the test's share of alpha."""

    by_test: dict[str, NDArray[np.float64]]

    def alarms(self, alpha: float, rule: str = "") -> int:
        """How many launches were rolled back at this alpha, by this test or by any."""
        found = [self.by_test[rule]] if rule else list(self.by_test.values())
        return int((np.max(found, axis=0) >= 1 / alpha).sum())


def simulate(health: Health, seed: int, seconds: int = HOUR, launches: int = BATCH) -> Highest:
    """So many healthy launches at once."""
    dice, limits = np.random.default_rng(seed), GuardLimits()
    errors = Errors(health, dice, launches)
    a1, b1 = (
        RateEvidence(limit, limits.late, (launches,)) for limit in (limits.error_rollback, limits.slow_share)
    )
    a2 = Comparison(limits.r0, limits.late, (launches,))
    b2 = Comparison(limits.r0_slow, limits.late, (launches, len(CUTS)))
    highest = {rule: np.zeros(launches) for rule in limits.split}
    judged, requests, failed, slow = (np.zeros(launches, dtype=np.int64) for _ in range(4))
    for second in range(1, seconds + 1):
        percent = health.weight or LADDER[min((second - 1) * len(LADDER) // seconds, len(LADDER) - 1)]
        weight = percent / 100
        green = dice.binomial(RATE, weight, launches)
        blue = RATE - green
        raw_green, _, our_errors, their_errors = errors.draw(green, blue, weight)
        slow_green = dice.binomial(green, SLOW)
        failed += our_errors
        slow += slow_green
        for test, total, bad, rule, taken in (
            (a1, failed, our_errors, "a1", judged),
            (b1, slow, slow_green, "b1", requests),
        ):
            some = np.nonzero(bad)[0]
            if some.size:
                seen = test.of(total[some], taken[some] + bad[some], some)
                highest[rule][some] = np.maximum(highest[rule][some], seen)
        requests += green
        judged += green - (raw_green - our_errors)
        a1.tick(second, failed, judged)
        b1.tick(second, slow, requests)
        if percent == 100:
            continue
        share = share_of(blue, green, weight, limits.few_requests)
        busy = np.ones(launches, dtype=np.bool_)
        a2.tick(second, busy=busy)
        if (our_errors + their_errors).any():
            a2.weigh(share, green=our_errors, blue=0)
            highest["a2"] = np.maximum(highest["a2"], a2.evidence())
            a2.weigh(share, green=0, blue=their_errors)
        b2.tick(second, busy=busy[:, np.newaxis] & np.ones(len(CUTS), dtype=np.bool_))
        b2.weigh(share[:, np.newaxis], green=_over(dice, green, health.worse), blue=_over(dice, blue, 1.0))
        highest["b2"] = np.maximum(highest["b2"], b2.evidence().mean(axis=-1))
    return Highest({rule: evidence * limits.split[rule] for rule, evidence in highest.items()})


def _over(dice: np.random.Generator, requests: Counts, worse: float) -> Counts:
    """How many requests exceed each of the four latencies; who exceeds one exceeds those below it."""
    over, before, left = [], 1.0, requests
    for cut in CUTS:
        left = dice.binomial(left, min(cut * worse, 1.0) / before)
        before = min(cut * worse, 1.0)
        over.append(left)
    return np.stack(over, axis=-1)


def upper(alarms: int, hours: int) -> float:
    """The Clopper-Pearson upper limit of the rate, one-sided at 95 % (Clopper, Pearson 1934)."""
    return 1.0 if alarms == hours else float(stats.beta.ppf(0.95, alarms + 1, hours - alarms))


def batch(job: tuple[Health, int]) -> tuple[int, ...]:
    """How often each test, and any, rolled back at each alpha."""
    found = simulate(*job)
    return tuple(found.alarms(alpha, rule) for alpha in ALPHAS for rule in ("", *GuardLimits().split))


def jobs() -> list[tuple[Health, int]]:
    """Every batch with its seed; first one of each kind, then the next."""
    cells = (*GRID, *EDGE, *BURSTY)
    return [
        (cell, SEED + 1000 * index + batch)
        for batch in range(max(cell.hours for cell in cells) // BATCH)
        for index, cell in enumerate(cells)
        if batch * BATCH < cell.hours
    ]


def alarms() -> list[Table]:
    """All of it, on two cores."""
    wanted = jobs()
    with ProcessPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        return [table(zip(wanted, pool.map(batch, wanted), strict=True))]


def table(counted: Iterable[tuple[tuple[Health, int], tuple[int, ...]]]) -> Table:
    """The grid pooled by error rate, then each kind of burst by itself."""
    found: dict[Health, Counts] = {}
    hours: dict[Health, int] = {}
    for (cell, _), row in counted:
        found[cell] = found.get(cell, np.zeros(len(row), dtype=np.int64)) + np.array(row)
        hours[cell] = hours.get(cell, 0) + BATCH
    groups = [("the whole grid", [cell for cell in GRID if cell in found])]
    groups += [
        (f"errors {rate:g}, every weight", [cell for cell in GRID if cell in found and cell.errors == rate])
        for rate in RATES
    ]
    groups += [(cell.what, [cell]) for cell in (*EDGE, *BURSTY) if cell in found]
    rows = (
        row
        for what, members in groups
        if members
        for row in _rows(
            what, sum(hours[cell] for cell in members), np.sum([found[cell] for cell in members], axis=0)
        )
    )
    return Table("False alarms", ABOUT, COLUMNS, tuple(rows))


def _rows(what: str, hours: int, total: Counts) -> Iterator[tuple[str, ...]]:
    rules = tuple(GuardLimits().split)
    for number, alpha in enumerate(ALPHAS):
        count, *by_test = total[number * (len(rules) + 1) : (number + 1) * (len(rules) + 1)].tolist()
        named = (
            ", ".join(f"{rule} {hits}" for rule, hits in zip(rules, by_test, strict=True) if hits) or "none"
        )
        limit = upper(count, hours)
        lower = float(stats.beta.ppf(0.05, count, hours - count + 1)) if count else 0.0
        held = "yes" if limit <= alpha else "no" if lower > alpha else "too few hours to say"
        yield what, f"{hours:,}", f"{alpha:g}", f"{count:,}", f"{limit:.2g}", named, held


COLUMNS = (
    "healthy launches of an hour",
    "hours",
    "alpha",
    "rolled back",
    "95 % upper limit of the rate",
    "by test",
    "held",
)
ABOUT = f"""50 requests a second for an hour, seed {SEED}, all four rollback tests with their shipped shares of
alpha, through the shipped functions. A healthy release has blue's error rate, slow answers and
latencies; "in steps" is {STEPS} %, ten minutes each. The limit is Clopper and Pearson's, one-sided.
Burst models: *retry storms* begin as a Poisson stream, each one client whose request fails {STORM} times
in the mean (geometric) within a second, each try routed anew; those that *stay on one side* send each
try to the side of the first; *stuck clients* fail once a second for {STUCK} s in the mean (geometric) on
one side; *outages of both sides* come every {OUTAGE[0]} s in the mean (exponential), last {OUTAGE[1]} s,
and fail half of all requests of both sides."""
