"""Other tools' documented default rules, restated in our words, on the same traces as our own guard.

Sources, each read as public documentation: Argo Rollouts "Analysis & Progressive Delivery" (docs/features/analysis.md
and the field comments of `Metric` in analysis_types.go), Flagger "How it works", "Metrics Analysis" and its tutorial
"Istio Canary Deployments", and the deployment checklist's own rollback triggers. A rule sees green's requests only
through the figures that its documented query takes, at the moments at which it is documented to look.

The traces hold 50 requests a second, a tenth on green throughout: no rule is given more traffic than another.
"""

import math
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from benchmarks.result import Table
else:
    from result import Table

from tminus.domain.guard import Guard, GuardLimits
from tminus.domain.traffic import Outcome, Side, WeightChange
from tminus.domain.trigger import TRIGGERS, Action, Backstop, Trigger

SEED = 20262
SEEDS = 20
RATE = 50
WEIGHT = 10
BEFORE = 120
"""Seconds of a healthy green before the fault begins."""
AFTER = 2400
"""Seconds that are watched after it: longer than any rule needs that acts at all."""


@dataclass(frozen=True)
class Fault:
    """What goes wrong on green, from one moment on."""

    name: str
    what: str
    errors: float = 0.0
    """Share of green's requests that fail."""
    slower: float = 1.0
    """How many times as long green takes."""
    late_ms: float = 0.0
    """What is added to the part of green's requests in `part`."""
    part: float = 1.0
    before: int = BEFORE
    """Seconds of health before it."""
    green_a_second: float = RATE * WEIGHT / 100
    """Green's requests a second."""
    ends: bool = False
    """Whether green answers nobody any more: each request is refused at once."""
    healthy: bool = False


FAULTS = (
    Fault("errors", "20 % of green's requests fail", errors=0.2),
    Fault("latency", "green takes twice as long: p95 from 0.23 s to 0.46 s", slower=2.0),
    Fault("latency, severe", "30 % of green's requests take 3 s longer", late_ms=3000, part=0.3),
    Fault("partial", "one feature of thirty is broken: 3 % of green's requests fail", errors=0.03),
    Fault("sparse", "20 % fail, at 0.5 requests a second on green", errors=0.2, green_a_second=0.5),
    Fault("late", "20 % fail from minute 30 on", errors=0.2, before=1800),
    Fault("crash", "green is down: every request is refused", ends=True),
)
HEALTHY = Fault("healthy", "0.1 % fail on both sides", healthy=True)
HEALTHY_NOISY = Fault("healthy, 1 % errors", "1 % fail on both sides, as before the launch", healthy=True)


def trace(fault: Fault, seed: int, blue_errors: float = 0.001) -> list[Outcome | WeightChange]:
    """One recording: users who do not know which side serves them."""
    dice = np.random.default_rng([SEED, seed])
    seconds = fault.before + AFTER
    a_second = min(RATE, fault.green_a_second * 100 / WEIGHT)
    count = dice.poisson(seconds * a_second)
    at = np.sort(dice.random(count) * seconds)
    green = dice.random(count) < WEIGHT / 100
    broken = green & (at >= fault.before) & (not fault.healthy)
    failed = dice.random(count) < np.where(broken, max(fault.errors, blue_errors), blue_errors)
    ms = 100 * np.exp(0.5 * dice.standard_normal(count)) * np.where(broken, fault.slower, 1.0)
    ms += np.where(broken & (dice.random(count) < fault.part), fault.late_ms, 0.0)
    failed |= broken & fault.ends
    ms = np.where(broken & fault.ends, 1.0, ms)
    clients = dice.integers(400, size=count)
    items: list[Outcome | WeightChange] = [WeightChange(0.0, WEIGHT)]
    for when, ours, bad, took, client in zip(
        at.tolist(), green.tolist(), failed.tolist(), ms.tolist(), clients.tolist(), strict=True
    ):
        side = Side.GREEN if ours else Side.BLUE
        items.append(Outcome(when, side, 503 if bad else 200, took, f"user-{client}"))
    return items


class Rule(Protocol):
    """What judges a trace."""

    name: str

    def rolls_back(self, items: Sequence[Outcome | WeightChange]) -> float | None:
        """When, in seconds of the trace; nothing if it never does."""


class Ours:
    """The shipped guard as the launch runs it: asked four times a second; green's end is not even reported to it."""

    name = "tminus"

    def rolls_back(self, items: Sequence[Outcome | WeightChange]) -> float | None:
        """The moment at which the guard says so, which is when the second has settled, not when the reason arose."""
        guard, asked = Guard(GuardLimits()), 0.0
        for item in items:
            while asked + 0.25 <= item.at:
                asked += 0.25
                if guard.judge(asked).action is Action.ROLLBACK:
                    return asked
            guard.observe(item)
            if guard.alarm and guard.alarm.action is Action.ROLLBACK:
                return math.ceil(item.at * 4) / 4
        return None


@dataclass(frozen=True)
class Window:
    """Green's requests of a stretch of time, as a metrics store answers for it."""

    requests: int
    failed: int
    latencies: tuple[float, ...]

    @property
    def success(self) -> float | None:
        """Share that did not fail; nothing where there was none to divide by."""
        return None if not self.requests else 1 - self.failed / self.requests

    def quantile(self, part: float) -> float | None:
        """This part's quantile in milliseconds; nothing without requests."""
        return float(np.quantile(self.latencies, part)) if self.latencies else None


def windows(
    items: Sequence[Outcome | WeightChange], every: float, length: float
) -> Iterator[tuple[float, Window]]:
    """What stands in the last `length` seconds at each look, the first one interval after the start."""
    green = [item for item in items if isinstance(item, Outcome) and item.side is Side.GREEN]
    times = np.array([item.at for item in green])
    end = max((item.at for item in items), default=0.0)
    for number in range(1, int(end // every) + 1):
        now = number * every
        first, last = np.searchsorted(times, [now - length, now])
        seen = green[int(first) : int(last)]
        yield now, Window(len(seen), sum(item.failed for item in seen), tuple(item.ms for item in seen))


class Argo:
    """Argo Rollouts: the documented background analysis `success-rate`.

    Every 5 minutes the share of requests without a 5xx answer must be at least 95 %, with a failureLimit of 3: the
    analysis is failed when more measurements than that have failed, so at the fourth, as the field's comment says (the
    page's prose says three, which would be five minutes sooner). A measurement without data is an error, tried again
    after 10 s; and a fifth error in a row (consecutiveErrorLimit 4) ends the run, which aborts the rollout. There is no
    latency metric in the documented example. `irate` looks at the last two samples of the 5 minutes: 15 s apart, where
    Prometheus scrapes each 15 s.
    """

    name = "Argo Rollouts"
    interval, scrape, failure_limit, error_limit, retry = 300.0, 15.0, 3, 4, 10.0

    def rolls_back(self, items: Sequence[Outcome | WeightChange]) -> float | None:
        """When the run fails or errs."""
        failures = errors = 0
        due = self.interval
        for now, window in windows(items, self.retry, self.scrape):
            if now < due:
                continue
            due = now + (self.retry if window.success is None else self.interval)
            errors = errors + 1 if window.success is None else 0
            failures += window.success is not None and window.success < 0.95
            if failures > self.failure_limit or errors > self.error_limit:
                return now
        return None


class Flagger:
    """Flagger: the documented canary of its Istio tutorial.

    Every minute the success rate of the last minute must be at least 99 % and the p99 of the last 30 s at most 500 ms;
    the first metric that is wrong ends the look as one failed check, and so does no data ("halt advancement, no values
    found"). The rollback comes when the failed checks reach the threshold of 5, at the next look. Looks that pass do
    not take failed checks back. The canary is promoted after its steps; here it stays at its weight, which only gives
    the rule more time.
    """

    name = "Flagger"
    interval, threshold = 60.0, 5

    def rolls_back(self, items: Sequence[Outcome | WeightChange]) -> float | None:
        """When the failed checks have reached the threshold."""
        failed = 0
        for (now, minute), (_, half) in zip(
            windows(items, self.interval, 60.0), windows(items, self.interval, 30.0), strict=True
        ):
            if failed >= self.threshold:
                return now
            success, p99 = minute.success, half.quantile(0.99)
            failed += success is None or success < 0.99 or p99 is None or p99 > 500
        return None


class Checklist:
    """The checklist's own triggers: more than 5 % errors, or p95 above 2 s, for 5 minutes; our backstop alone."""

    name = "5-minute triggers"

    def rolls_back(self, items: Sequence[Outcome | WeightChange]) -> float | None:
        """When one of the two has held for 5 minutes."""
        backstop, second = Backstop(TRIGGERS), 0
        for item in items:
            while item.at >= second + 1:
                second += 1
                fired: list[Trigger] = backstop.tick(float(second))
                if fired:
                    return float(second)
            if isinstance(item, Outcome) and item.side is Side.GREEN:
                backstop.observe(item, failed=item.failed)
        return None


RULES: tuple[Rule, ...] = (Ours(), Argo(), Flagger(), Checklist())


@dataclass(frozen=True)
class Ended:
    """How one rule met one trace."""

    seconds: float
    """From the fault to the rollback; infinite where there was none."""
    harmed: int
    """Green's users who got an error, or an answer after 2 s, from the fault to the rollback or the trace's end."""
    early: bool
    """Whether it rolled back before the fault, or without one."""


def judged(rule: Rule, fault: Fault, items: Sequence[Outcome | WeightChange]) -> Ended:
    """One rule on one trace."""
    at = rule.rolls_back(items)
    early = at is not None and (fault.healthy or at < fault.before)
    until = math.inf if at is None else at
    harmed = sum(
        isinstance(item, Outcome)
        and item.side is Side.GREEN
        and (item.failed or item.ms > 2000)
        and fault.before <= item.at <= until
        for item in items
    )
    return Ended(math.inf if at is None or early else at - fault.before, harmed, early)


CASES = (*((fault, 0.001) for fault in FAULTS), (HEALTHY, 0.001), (HEALTHY_NOISY, 0.01))
"""Each with blue's error rate."""
Job = tuple[Fault, float, int]


def jobs(seeds: int = SEEDS) -> list[Job]:
    """Every case with every seed."""
    return [(fault, blue, seed) for seed in range(seeds) for fault, blue in CASES]


def one(job: Job) -> list[Ended]:
    """Every rule on one trace."""
    fault, blue, seed = job
    items = trace(fault, seed, blue)
    return [judged(rule, fault, items) for rule in RULES]


def peers() -> list[Table]:
    """Every fault under every rule, on two cores."""
    wanted = jobs()
    with ProcessPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        return [table(list(zip(wanted, pool.map(one, wanted), strict=True)))]


def table(found: Sequence[tuple[Job, list[Ended]]]) -> Table:
    """A row for each case."""
    rows = []
    for fault, blue in CASES:
        mine = [ended for job, ended in found if job[:2] == (fault, blue)]
        told = (_told(fault, list(each)) for each in zip(*mine, strict=True))
        rows.append((f"**{fault.name}**: {fault.what}", *told))
    return Table(
        "Peers", about(len(found) // len(CASES)), ("fault", *(rule.name for rule in RULES)), tuple(rows)
    )


def _told(fault: Fault, each: list[Ended]) -> str:
    early = sum(one.early for one in each)
    if fault.healthy:
        return f"{early} of {len(each)} rolled back"
    seconds = sorted(one.seconds for one in each)
    harmed = sorted(one.harmed for one in each)
    lasts = f"{_length(_median(seconds))}, {_length(seconds[-1])}"
    false = f"; {early} before the fault" if early else ""
    return f"{lasts}; {_median(harmed):,.0f}, {harmed[-1]:,} harmed{false}"


def _median(ordered: Sequence[float]) -> float:
    """The upper one of two in the middle, so that it is one that happened."""
    return ordered[len(ordered) // 2]


def _length(seconds: float) -> str:
    if math.isinf(seconds):
        return "never"
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


def about(seeds: int) -> str:
    """What was done, and by which rules."""
    return f"""Seconds from the fault to the decision (median, worst), and users of green who got an error or an answer
after 2 s (median, worst): {seeds} seeds a row, the same traces for all, 50 requests a second with a
tenth on green, {AFTER // 60} minutes watched. *Never* means not within them. Latencies are lognormal,
100 ms in the median, spread 0.5. Rules, by their documentation: **Argo Rollouts** (features/analysis:
each 5 minutes at least 95 % without a 5xx answer, failureLimit 3, consecutiveErrorLimit 4; its example
has no latency metric); **Flagger** (usage/metrics and the Istio tutorial: each minute, at least 99 %
success, p99 at most 500 ms over 30 s, threshold 5; no data is a failed check); the checklist's
**5-minute triggers**, as our backstop runs them. Not counted for anybody: the time that the switch
takes, the delay of metrics (for us that of the log, 2 ms), and, for tminus, that a green that dies is
reported at once."""
