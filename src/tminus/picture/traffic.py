"""What users meet, second by second, and how far the guard's evidence has come: the trace, replayed.

The launch writes one line for each request into its trace; the page reads the same lines and lets the same guard
judge them with the plan's limits. What the launch decided stands in its record and comes from there alone.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from tminus.domain.guard import Gauges, Guard, GuardLimits
from tminus.domain.judgement import TESTS, Tally
from tminus.domain.traffic import Outcome, Side, WeightChange

WINDOW = 60
"""Seconds of requests behind each point of a chart, as behind each evaluation of a trigger."""
KEPT = 600
"""Seconds of traffic that are kept for charts."""
LATE = 3
"""Seconds after which a line for a second is no longer expected, so that its point stands."""
MARKED = 40
"""Failed requests on green that are kept one by one."""


@dataclass(slots=True)
class Second:
    """One side's requests that ended within one second."""

    failed: int = 0
    times: list[float] = field(default_factory=list)
    """Milliseconds of each request."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One bad answer on green, and what it made of the evidence."""

    number: int
    at: float
    status: int
    ms: float
    client: str
    evidence: dict[str, float]
    """By rule: the e-value right after it."""


@dataclass(frozen=True, slots=True)
class Point:
    """One side at one second, over the window that ends there."""

    at: int
    requests: int
    failed: int
    p95: float | None


class Traffic:
    """The trace of one launch, counted as it grows."""

    def __init__(self, limits: GuardLimits) -> None:
        self.limits = limits
        self.guard = Guard(limits)
        self.weights: list[WeightChange] = []
        self.hits: list[Hit] = []
        self.bad = 0
        """Bad answers on green, the ones not kept included."""
        self.first_bad: float | None = None
        """When green first answered badly."""
        self.earliest: float | None = None
        """When the first request ended."""
        self.latest: float | None = None
        """When the newest request ended."""
        self.highest: dict[str, float] = dict.fromkeys(TESTS, 0.0)
        """By rule: the most evidence there ever was."""
        self._seconds: dict[Side, dict[int, Second]] = {Side.BLUE: {}, Side.GREEN: {}}
        self._points: dict[tuple[Side, int], Point] = {}

    def take(self, items: Iterable[Outcome | WeightChange]) -> None:
        """Count what was added to the trace."""
        for item in items:
            self.guard.observe(item)
            if isinstance(item, WeightChange):
                self.weights.append(item)
            else:
                self._count(item)
        self._note_highest()

    def _count(self, outcome: Outcome) -> None:
        self.earliest = outcome.at if self.earliest is None else self.earliest
        self.latest = max(outcome.at, self.latest or outcome.at)
        if outcome.side is None:
            return
        second = self._seconds[outcome.side].setdefault(int(outcome.at), Second())
        second.failed += outcome.failed
        second.times.append(outcome.ms)
        if outcome.side is Side.GREEN and (outcome.failed or outcome.ms > self.limits.slow_ms):
            self._mark(outcome)
        self._forget(int(outcome.at) - KEPT)

    def _mark(self, outcome: Outcome) -> None:
        self.bad += 1
        self.first_bad = outcome.at if self.first_bad is None else min(self.first_bad, outcome.at)
        if len(self.hits) < MARKED:
            evidence = {test.rule: test.evidence for test in self.gauges(outcome.at).tests}
            hit = Hit(self.bad, outcome.at, outcome.status, outcome.ms, outcome.client, evidence)
            self.hits.append(hit)

    def _forget(self, before: int) -> None:
        for seconds in self._seconds.values():
            oldest = next(iter(seconds), None)
            if oldest is not None and oldest < before:
                del seconds[oldest]
        old = next(iter(self._points), None)
        if old is not None and old[1] < before:
            del self._points[old]

    def _note_highest(self) -> None:
        if self.latest is None:
            return
        for test in self.gauges(self.latest).tests:
            self.highest[test.rule] = max(self.highest.get(test.rule, 0.0), test.evidence)

    def gauges(self, now: float) -> Gauges:
        """How far every test and trigger has come by these requests."""
        return self.guard.gauges(now)

    def settle(self, now: float) -> None:
        """Let the guard close the seconds that have ended."""
        if self.latest is not None:
            self.guard.judge(now)
            self._note_highest()

    def tally(self, side: Side) -> Tally:
        """All requests of one side so far."""
        counts = self.guard.counts
        return counts.green if side is Side.GREEN else counts.blue

    def rate(self, now: float) -> float | None:
        """Requests a second over the last ten whole seconds; unknown before the first."""
        if self.latest is None:
            return None
        end = int(now)
        counted = sum(
            len(seconds[at].times)
            for seconds in self._seconds.values()
            for at in range(end - 10, end)
            if at in seconds
        )
        return counted / 10

    def point(self, side: Side, at: int) -> Point:
        """One side over the window that ends with this second."""
        known = self._points.get((side, at))
        if known is not None:
            return known
        point = self._windowed(side, at)
        if self.latest is not None and at < int(self.latest) - LATE:
            self._points[side, at] = point
        return point

    def _windowed(self, side: Side, at: int) -> Point:
        seconds = self._seconds[side]
        found = [seconds[each] for each in range(at - WINDOW + 1, at + 1) if each in seconds]
        times = sorted(time for second in found for time in second.times)
        p95 = times[math.ceil(0.95 * len(times)) - 1] if times else None
        return Point(at, len(times), sum(second.failed for second in found), p95)

    def series(self, side: Side, first: int, last: int, *, step: int = 1) -> list[Point]:
        """One side over a stretch of time, one point each `step` seconds."""
        return [self.point(side, at) for at in range(first, last + 1, step)]
