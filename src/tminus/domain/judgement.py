"""What the guard says, and the limits it says it by.

Frozen values only: `guard.py` makes them, the rollout acts on them, pages and traces show them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from tminus.domain.sequential import LateStarts
from tminus.domain.trigger import TRIGGERS, Action, Trigger
from tminus.errors import PlanError


@dataclass(frozen=True, slots=True)
class Tally:
    """How one side answered."""

    requests: int = 0
    """Finished requests."""
    failed: int = 0
    """Those that got no answer or a server error."""
    slow: int = 0
    """Those that took longer than the latency limit of the rollback."""

    def __str__(self) -> str:
        share = f" ({self.failed / self.requests:.2%})" if self.requests else ""
        return f"failed {self.failed:,} of {self.requests:,} requests{share}, {self.slow:,} slow"


@dataclass(frozen=True, slots=True)
class Counts:
    """What both sides answered since the guard began."""

    blue: Tally = Tally()
    """The side that served before the launch."""
    green: Tally = Tally()
    """The side that runs the release."""
    unserved: int = 0
    """Requests that reached neither side and that neither can be shown to have caused to fail."""
    overdispersion: float | None = field(default=None, compare=False)
    """How far blue's errors are from independent ones, 1 where they are; nothing while too few were seen."""

    @property
    def bursts(self) -> str:
        """What to think of evidence where blue's errors come in bursts; empty where they do not."""
        if self.overdispersion is None or self.overdispersion <= BURSTS:
            return ""
        return (
            f"blue's errors come in bursts (overdispersion {self.overdispersion:.1f}, 1 for independent ones): "
            "evidence says less than its number"
        )

    def as_dict(self) -> dict[str, dict[str, int] | int | float]:
        """Both sides, what was neither's, and the overdispersion where it is known, for JSON."""
        sides: dict[str, dict[str, int] | int | float] = {
            side: {"requests": tally.requests, "failed": tally.failed, "slow": tally.slow}
            for side, tally in (("blue", self.blue), ("green", self.green))
        }
        spread = {} if self.overdispersion is None else {"overdispersion": round(self.overdispersion, 3)}
        return sides | {"unserved": self.unserved} | spread


TESTS = ("a1", "a2", "b1", "b2", "hold.errors")
"""The rules whose evidence is an e-value: how many times as likely the requests are under some fault."""
BURSTS = 2.0
"""An overdispersion of blue's errors above which people are told."""
MOST_TIMES = 1_000_000
"""Above this a number says no more to people."""


def times(evidence: float) -> str:
    """An e-value in words: what a stake of 1 against "this release is healthy" has become."""
    if evidence > MOST_TIMES:
        return f"over {MOST_TIMES:,} times"
    return f"{evidence:,.0f} times" if evidence >= 10 else f"{evidence:.1f} times"


_VERBS = {Action.CONTINUE: "Continue", Action.HOLD: "Hold", Action.ROLLBACK: "Roll back"}


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do with the traffic now, and why."""

    action: Action
    """Continue, hold or roll back."""
    at: float | None
    """When the reason arose, in seconds of event time; nothing while there is none."""
    rule: str | None
    """Which rule fired, such as `a1`, `trigger.errors` or `hold.no-traffic`; nothing while none did."""
    claim: str
    """What the rule says, in words."""
    counts: Counts
    """Both sides at that moment."""
    evidence: float
    """An e-value for a1, a2, b1, b2 and hold.errors; else what was measured (seconds, share of lines)."""
    threshold: float
    """What `evidence` is measured against, in its unit."""

    @property
    def text(self) -> str:
        """One sentence for people: the rule, both sides' numbers, evidence and threshold."""
        rule = f" by {self.rule}" if self.rule else ""
        return (
            f"{_VERBS[self.action]}{rule}: {self.claim}; green {self.counts.green}; blue {self.counts.blue}"
            f"{self._weighed()}."
        )

    def _weighed(self) -> str:
        """How strong the reason is; nothing where the claim itself says all."""
        if self.rule is None or self.rule in TESTS:
            bursts = f"; {self.counts.bursts}" if self.counts.bursts else ""
            return f"; evidence {times(self.evidence)}, threshold {times(self.threshold)}{bursts}"
        if self.rule.startswith(("trigger.", "hold.no-traffic")) and self.threshold:
            return f"; for {self.evidence:,.0f} s, threshold {self.threshold:,.0f} s"
        return ""

    def as_dict(self) -> dict[str, Any]:
        """The answer as `tminus guard --json` prints it."""
        return {
            "decision": self.action.value,
            "at": self.at,
            "rule": self.rule,
            "counts": self.counts.as_dict(),
            "evidence": self.evidence,
            "threshold": self.threshold,
        }


@dataclass(frozen=True, slots=True)
class TestGauge:
    """How far one sequential test has come."""

    __test__ = False

    rule: str
    """a1, a2, b1, b2 or hold.errors."""
    claim: str
    """What it gathers evidence for."""
    evidence: float
    """The e-value now; it stands still once it has crossed."""
    threshold: float
    """Where it fires."""
    requests: int
    """Requests that it has counted."""
    hits: int
    """Those of them that failed, or were slow for b1; for b2 green's, over the latency in the claim."""


_SPLIT: Mapping[str, float] = MappingProxyType({"a1": 0.2, "a2": 0.5, "b1": 0.15, "b2": 0.15})


@dataclass(frozen=True, slots=True)
class GuardLimits:
    """Every limit of the guard, with its unit; a plan may change each."""

    error_rollback: float = 0.05
    """a1: share of green's requests that may fail; evidence of more rolls back."""
    error_hold: float = 0.01
    """Share of green's requests that may fail before evidence of more holds the shift."""
    slow_ms: float = 2000.0
    """b1: a request that takes longer, in milliseconds, is slow."""
    slow_share: float = 0.05
    """b1: share of green's requests that may be slow; 5 % makes `slow_ms` a limit of the p95."""
    success_errors: float = 0.01
    """Success criterion: fewer than this share of green's requests fail."""
    success_ms: float = 500.0
    """Success criterion: green's p95 is below this, in milliseconds."""
    alpha: float = 1e-3
    """How likely a healthy launch may be rolled back, over all tests and however often one looks."""
    split: Mapping[str, float] = field(default_factory=lambda: _SPLIT)
    """Each rollback test's share of `alpha`; a2 gets most, as a healthy past hardly slows it down."""
    alpha_hold: float = 1e-3
    """The same for the hold; its own, since a hold costs nothing but time."""
    alpha_success: float = 1e-3
    """The same for each answer about a success criterion."""
    r0: float = 1.5
    """a2: how many times blue's error rate green may have; less is no practical difference."""
    r0_slow: float = 1.5
    """b2: how many times as often as blue green may be slow."""
    slow_floor_ms: float = 50.0
    """b2: nobody is harmed by an answer that is faster than this, in milliseconds."""
    baseline_requests: int = 1000
    """b2: from how many of blue's requests its usual latencies are learned."""
    warm_requests: int = 30
    """b2: green's first requests, which warm it up and are not compared."""
    few_requests: int = 10
    """a2, b2: in a second with fewer requests the routing weight stands for the measured share."""
    late: LateStarts = field(default_factory=LateStarts)
    """How the tests stay quick for a fault that begins late."""
    max_lost: float = 0.001
    """Share of log lines that may be lost; above it the guard cannot see."""
    no_traffic_seconds: float = 10.0
    """Seconds without a request, on a side that should get some, after which the guard cannot see."""
    unserved_seconds: float = 2.0
    """How long users' requests may reach neither side before that holds: longer than a stall of the machine."""
    triggers: tuple[Trigger, ...] = TRIGGERS
    """The checklist's own rollback triggers, the backstop."""

    def __post_init__(self) -> None:
        shares = (self.error_hold, self.error_rollback, self.slow_share, self.success_errors, self.max_lost)
        alphas = (self.alpha, self.alpha_hold, self.alpha_success, *self.split.values())
        if not all(0 < value < 1 for value in (*shares, *alphas)):
            raise PlanError("a share of the guard is not between 0 and 1", hint="write 5 % as 0.05")
        if set(self.split) != set(_SPLIT) or sum(self.split.values()) > 1 + 1e-9:
            raise PlanError(
                "the split of alpha does not name a1, a2, b1 and b2 with shares that add up to at most 1",
                hint="for example {a1: 0.2, a2: 0.5, b1: 0.15, b2: 0.15}",
            )
        if self.r0 < 1 or self.r0_slow < 1 or self.slow_floor_ms < 0 or self.baseline_requests < 1:
            raise PlanError(
                "a tolerance of the guard is below 1, or its baseline is empty",
                hint="keep r0 and r0_slow at 1 or more, slow_floor_ms at 0 or more, baseline_requests at 1 or more",
            )
        if not self.error_hold < self.error_rollback or not self.success_ms < self.slow_ms:
            raise PlanError(
                "the guard would roll back before it holds, or below the success criterion",
                hint="keep error_hold < error_rollback and success_ms < slow_ms",
            )

    def threshold(self, rule: str) -> float:
        """Where the evidence of a1, a2, b1 or b2 fires: 1 / (its share of alpha)."""
        return 1 / (self.alpha * self.split[rule])
