"""The guard: what the requests of both sides say about going on, holding or rolling back.

Fed with every finished request and every change of weight, asked as often as one likes. Requests are judged one by
one as they come, so a decision does not depend on when it is asked for. No I/O and no clock: `control/watch.py` feeds
a launch, `trace.py` a recorded one. How it judges: docs/explanation/guard.md.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tminus.domain.acceptance import Criterion, acceptance
from tminus.domain.comparison import RelativeTest, SlownessTest
from tminus.domain.judgement import Counts, Decision, GuardLimits, Tally, TestGauge
from tminus.domain.sequential import RateTest
from tminus.domain.storms import Storms
from tminus.domain.tallying import FORGET_SECONDS, SideCounts, Unserved, Weight
from tminus.domain.traffic import Outcome, Side, WeightChange
from tminus.domain.trigger import WINDOW, Action, Backstop, Trigger, TriggerGauge

__all__ = [
    "Action",
    "Counts",
    "Decision",
    "Gauges",
    "Guard",
    "GuardLimits",
    "Tally",
]

SETTLE_SECONDS = 1.0
"""How long an ended second waits for late lines when no newer line has closed it."""


_Test = RateTest | RelativeTest | SlownessTest


@dataclass(frozen=True, slots=True)
class Gauges:
    """How far everything has come that could stop the launch."""

    tests: tuple[TestGauge, ...]
    """a1, a2, b1, b2 and hold.errors."""
    triggers: tuple[TriggerGauge, ...]
    """The backstop."""


class Guard:
    """Judges a launch by its requests, from the first to the last.

    A rollback is final. A hold on evidence lasts until `resume`; a hold for not seeing ends when the guard sees.

    `baseline` is how long blue's requests took before the launch, in milliseconds. It says what b2 calls slow; without
    it, or with less than `GuardLimits.baseline_requests`, blue's first requests do.

    In a rehearsal only the rules that are `acting` decide anything; the others are evaluated all the same.
    """

    def __init__(
        self,
        limits: GuardLimits,
        baseline: Sequence[float] = (),
        acting: Collection[str] | None = None,
    ) -> None:
        self._limits = limits
        self._acting = acting
        self.fired: dict[str, Decision] = {}
        """By rule: what it first came to, also where it does not act."""
        self._sides = {Side.BLUE: SideCounts(), Side.GREEN: SideCounts()}
        self._unserved = Unserved()
        self._weight = Weight()
        self._open: int | None = None
        self._latest = float("-inf")
        self._rollback: Decision | None = None
        self._held: Decision | None = None
        late = limits.late
        self._a1 = RateTest(limits.error_rollback, limits.threshold("a1"), late)
        self._b1 = RateTest(limits.slow_share, limits.threshold("b1"), late)
        self._a2 = RelativeTest(limits.r0, limits.threshold("a2"), late, few=limits.few_requests)
        self._b2 = SlownessTest(limits.r0_slow, limits.threshold("b2"), late, few=limits.few_requests)
        self._baseline = list(baseline)
        self._learn()
        self._hold = RateTest(limits.error_hold, 1 / limits.alpha_hold, late)
        self._failing, self._slowing = Storms(), Storms()
        self._backstop = Backstop(limits.triggers)
        self._claims = {
            "a1": f"green fails more than {100 * limits.error_rollback:g} % of its requests",
            "a2": f"green fails more than {limits.r0:g} times as often as blue",
            "b1": f"more than {100 * limits.slow_share:g} % of green's requests take over {limits.slow_ms:g} ms",
            "b2": f"green is slow more than {limits.r0_slow:g} times as often as blue",
            "hold.errors": f"green fails more than {100 * limits.error_hold:g} % of its requests",
        }

    @property
    def counts(self) -> Counts:
        """Both sides so far."""
        sides = self._sides
        spread = self._a2.dispersion.index
        return Counts(sides[Side.BLUE].tally(), sides[Side.GREEN].tally(), self._unserved.requests, spread)

    @property
    def alarm(self) -> Decision | None:
        """The latched decision: the rollback, else a hold on evidence; nothing while there is neither."""
        return self._rollback or self._held

    def observe(self, item: Outcome | WeightChange) -> None:
        """Take one finished request, or the news of a new weight.

        A line that is late counts in the second that is open when it arrives.
        """
        self._advance(item.at)
        self._latest = max(self._latest, item.at)
        if isinstance(item, WeightChange):
            if item.percent != self._weight.percent:
                self._weight = Weight(item.percent, item.at)
        else:
            self._count(item)

    def observe_probe(self, at: float, *, ok: bool) -> None:
        """Take what an independent prober saw of the whole service."""
        self.observe_finding("trig.unavailable", at, breached=not ok)

    def report(self, trigger_id: str, at: float, found: str) -> None:
        """Take a person's word that a trigger's condition holds; it fires at once, without its hold time."""
        if trigger := self._backstop.say(trigger_id, at):
            self._fire(trigger, at, found)

    def observe_finding(self, trigger_id: str, at: float, *, breached: bool | None, found: str = "") -> None:
        """Take what a trigger's own source saw; `None` when it looked and could not tell.

        `found` says in words what it saw, for the decision that may follow.
        """
        trigger = self._backstop.report(trigger_id, at, breached=breached)
        if trigger:
            self._fire(trigger, at, found)

    def green_died(self, at: float, how: str) -> None:
        """Take the news that green died, restarted or was ejected by the proxy: it has failed."""
        self._latch(Action.ROLLBACK, "green.died", at, (1.0, 1.0), f"green {how}")

    def resume(self) -> None:
        """End a hold on evidence in the name of a person; what held gathers evidence anew."""
        self._held = None
        self._hold = RateTest(self._limits.error_hold, 1 / self._limits.alpha_hold, self._limits.late)
        self._backstop.resume()

    def settle(self) -> None:
        """Judge the second that is still open, because no more lines will come."""
        if self._open is not None:
            self._close(self._latest)

    def judge(self, now: float, *, lost: int = 0, received: int | None = None) -> Decision:
        """Say what to do with the traffic at this moment.

        `lost` and `received` are log lines of a recent period that the caller chooses; without `received` all
        requests so far are meant. A hold for lost lines ends when their share is small again.
        """
        self._advance(now - SETTLE_SECONDS)
        return (
            self.alarm
            or self._blind(now, lost, received)
            or self._unreached(now)
            or self._silent(now)
            or self._unseen()
            or self._go()
        )

    def gauges(self, now: float) -> Gauges:
        """How far every test and every trigger has come."""
        tests = {"a1": self._a1, "b1": self._b1, "hold.errors": self._hold}
        rates = [
            TestGauge(rule, self._claims[rule], test.evidence(), test.threshold, test.requests, test.failed)
            for rule, test in tests.items()
        ]
        both = self.counts
        relative = TestGauge(
            "a2",
            self._claims["a2"],
            self._a2.evidence(),
            self._a2.threshold,
            both.blue.requests + both.green.requests,
            both.blue.failed + both.green.failed,
        )
        gauges = (rates[0], relative, rates[1], self._slowness(), rates[2])
        return Gauges(gauges, self._backstop.gauges(now))

    def criteria(self) -> tuple[Criterion, Criterion]:
        """What green's requests say about the two success criteria they can decide."""
        green, limits = self._sides[Side.GREEN], self._limits
        errors = f"error rate < {100 * limits.success_errors:g} %"
        p95 = f"p95 < {limits.success_ms:g} ms"
        return (
            acceptance(errors, (green.failed, green.requests), limits.success_errors, limits.alpha_success),
            acceptance(p95, (green.over_success, green.requests), 0.05, limits.alpha_success),
        )

    def _slowness(self) -> TestGauge:
        """How far b2 has come, and by which of blue's latencies."""
        slower = self._b2.strongest()
        requests, hits = (slower.green_requests, slower.green) if slower else (0, 0)
        return TestGauge("b2", self._slower(), self._b2.evidence(), self._b2.threshold, requests, hits)

    def _slower(self) -> str:
        """What b2 gathers evidence for, with the counts of both sides."""
        claim, slower = self._claims["b2"], self._b2.strongest()
        if slower is None:
            seen, needed = len(self._baseline), self._limits.baseline_requests
            return f"{claim} (blue's usual latency is being learned: {seen:,} of {needed:,} requests)"
        named = f"over {slower.over_ms:.4g} ms{f', {slower.name} of blue' if slower.name else ''}"
        return (
            f"{claim} ({named}: green {slower.green:,} of {slower.green_requests:,}, "
            f"blue {slower.blue:,} of {slower.blue_requests:,})"
        )

    def _learn(self) -> None:
        """Say what b2 calls slow, once enough of blue's requests were seen."""
        if len(self._baseline) >= self._limits.baseline_requests:
            self._b2.freeze(self._baseline, self._limits.slow_floor_ms, warm=self._limits.warm_requests)
            self._baseline = []

    def _compare(self, outcome: Outcome, *, failed: bool) -> None:
        """Feed what compares both sides."""
        green = outcome.side is Side.GREEN
        self._a2.observe(green=green, failed=failed, client=outcome.client)
        if self._b2.edges:
            self._b2.observe(green=green, ms=outcome.ms, client=outcome.client)
        elif not green:
            self._baseline.append(outcome.ms)
            self._learn()

    def _count(self, outcome: Outcome) -> None:
        if outcome.side is None:
            self._unserved.count(outcome.at)
            return
        limits, side, failed = self._limits, self._sides[outcome.side], outcome.failed
        slow = outcome.ms > limits.slow_ms
        side.requests += 1
        side.failed += failed
        side.slow += slow
        side.over_success += outcome.ms > limits.success_ms
        side.last = outcome.at if side.last is None else max(side.last, outcome.at)
        green = outcome.side is Side.GREEN
        if self._weight.percent != 100:
            self._compare(outcome, failed=failed)
        if green:
            self._backstop.observe(outcome, failed=failed)
            if self._failing.counts(outcome.client, bad=failed):
                self._a1.observe(failed=failed)
                self._hold.observe(failed=failed)
            if self._slowing.counts(outcome.client, bad=slow):
                self._b1.observe(failed=slow)
            if failed or slow:
                self._latch_rates()

    def _latch_rates(self) -> None:
        for rule, test, action in (
            ("a1", self._a1, Action.ROLLBACK),
            ("b1", self._b1, Action.ROLLBACK),
            ("hold.errors", self._hold, Action.HOLD),
        ):
            if test.crossed:
                self._latch_test(rule, test, action, self._latest)

    def _latch_test(self, rule: str, test: _Test, action: Action, at: float) -> None:
        if (self._rollback if action is Action.ROLLBACK else self._held) is None:
            claim = self._slower() if rule == "b2" else self._claims[rule]
            self._latch(action, rule, at, (test.evidence(), test.threshold), f"evidence that {claim}")

    def _latch(self, action: Action, rule: str, at: float, figures: tuple[float, float], claim: str) -> None:
        decision = Decision(action, at, rule, claim, self.counts, *figures)
        self.fired.setdefault(rule, decision)
        if self._acting is not None and rule not in self._acting:
            return
        if action is Action.ROLLBACK:
            self._rollback = self._rollback or decision
        else:
            self._held = self._held or decision

    def _fire(self, trigger: Trigger, at: float, found: str = "") -> None:
        held = self._backstop.breached_seconds(trigger.id)
        claim = f"{trigger.text}: {found}" if found else trigger.text
        self._latch(trigger.action, trigger.rule, at, (held, trigger.for_seconds), claim)

    def _advance(self, at: float) -> None:
        """Close every second of event time that has ended by then."""
        second = int(at // 1)
        if self._open is None or second <= self._open:
            self._open = second if self._open is None else self._open
            return
        # After a window without lines nothing more can change; a gap in the epoch need not be walked.
        for end in range(self._open + 1, min(second, self._open + WINDOW + 1) + 1):
            self._close(float(end))
        self._open = second

    def _close(self, end: float) -> None:
        for rate in (self._a1, self._b1, self._hold):
            rate.tick(end)
        routed = self._weight.routed(end)
        self._a2.tick(end, routed)
        self._b2.tick(end, routed)
        for rule, test in (("a2", self._a2), ("b2", self._b2)):
            if test.crossed:
                self._latch_test(rule, test, Action.ROLLBACK, end)
        for trigger in self._backstop.tick(end):
            self._fire(trigger, end)

    def _blind(self, now: float, lost: int, received: int | None) -> Decision | None:
        both = self.counts
        heard = both.blue.requests + both.green.requests + both.unserved
        seen = heard if received is None else received
        share = lost / (lost + seen) if lost else 0.0
        if share <= self._limits.max_lost:
            return None
        claim = f"{lost:,} of {lost + seen:,} log lines were lost"
        return Decision(Action.HOLD, now, "hold.blind", claim, both, share, self._limits.max_lost)

    def _unreached(self, now: float) -> Decision | None:
        """Users come to harm and neither side is shown to be the cause: reason to hold, none to roll back."""
        those, patience = self._unserved, self._limits.unserved_seconds
        lasting = those.last - those.first
        if not those.requests or now - those.last > FORGET_SECONDS or lasting < patience:
            return None
        claim = f"users' requests reach neither side, {those.requests:,} so far"
        return Decision(
            Action.HOLD, those.first + patience, "hold.unserved", claim, self.counts, lasting, patience
        )

    def _silent(self, now: float) -> Decision | None:
        patience = self._limits.no_traffic_seconds
        for side, counts in self._sides.items():
            since = max(self._weight.since, float("-inf") if counts.last is None else counts.last)
            if self._should_serve(side) and now - since >= patience:
                claim = f"no request on {side.value} since {since:.1f} s"
                figures = (now - since, patience)
                return Decision(
                    Action.HOLD, since + patience, "hold.no-traffic", claim, self.counts, *figures
                )
        return None

    def _should_serve(self, side: Side) -> bool:
        """Whether requests are due on this side; while nobody named a weight, if it had any before."""
        if self._weight.percent is None:
            return self._sides[side].last is not None
        return self._weight.percent > 0 if side is Side.GREEN else self._weight.percent < 100

    def _unseen(self) -> Decision | None:
        if any(counts.requests for counts in self._sides.values()):
            return None
        claim = "no request has been seen yet"
        return Decision(Action.HOLD, None, "hold.blind", claim, Counts(), 1.0, self._limits.max_lost)

    def _go(self) -> Decision:
        tests: tuple[_Test, ...] = (self._a1, self._a2, self._b1, self._b2)
        nearest = max(tests, key=lambda test: test.evidence() / test.threshold)
        claim = "no evidence of harm"
        return Decision(
            Action.CONTINUE, None, None, claim, self.counts, nearest.evidence(), nearest.threshold
        )
