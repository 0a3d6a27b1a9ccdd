"""The states of a launch and the moves allowed between them."""

from dataclasses import dataclass
from enum import StrEnum
from math import exp, lgamma, log, log1p

from tminus.domain.canonical import JsonValue
from tminus.domain.traffic import Outcome, Side, WeightChange


class State(StrEnum):
    """Where a launch stands. That people hold its clock is said beside it: they may in each of these but an end."""

    COUNTING = "counting"
    POLLING = "polling"
    GO = "go"
    POSTPONED = "postponed"
    """T-0 came with NO-GO, or without a GO that holds: the launch waits for a new date, or to be scrubbed."""
    LAUNCHING = "launching"
    SOAKING = "soaking"
    LANDED = "landed"
    ROLLED_BACK = "rolled-back"
    NO_GO = "no-go"
    """NO-GO was decided, and nobody waits for a new date."""
    SCRUBBED = "scrubbed"
    """Called off by a person before GO."""
    ABORTED = "aborted"
    """Stopped after GO: by a person, or since the launch had no target to act upon."""
    ABANDONED = "abandoned"
    """Its processes were killed and could not be resumed; found by a later start."""


MOVES: dict[State, frozenset[State]] = {
    State.COUNTING: frozenset(
        {State.POLLING, State.POSTPONED, State.SCRUBBED, State.ABORTED, State.ABANDONED}
    ),
    State.POLLING: frozenset(
        {State.COUNTING, State.GO, State.POSTPONED, State.SCRUBBED, State.ABORTED, State.ABANDONED}
    ),
    State.GO: frozenset(
        {State.LAUNCHING, State.POSTPONED, State.ROLLED_BACK, State.ABORTED, State.ABANDONED}
    ),
    State.POSTPONED: frozenset({State.COUNTING, State.NO_GO, State.SCRUBBED, State.ABORTED, State.ABANDONED}),
    State.LAUNCHING: frozenset({State.SOAKING, State.ROLLED_BACK, State.ABORTED, State.ABANDONED}),
    State.SOAKING: frozenset({State.LANDED, State.ROLLED_BACK, State.ABORTED, State.ABANDONED}),
}
"""From each state that is not an end, the states that may follow."""

ENDS = frozenset(State) - frozenset(MOVES)
"""The states in which a launch is over."""

NO_TARGET = "target.absent"
"""The rule by which a launch is aborted at T-0 that has nothing to act upon: GO stands, and others act."""


@dataclass(frozen=True, slots=True)
class Share:
    """Which part of new requests green really got, beside the weight that was set."""

    percent: int
    green: int
    total: int
    low: float
    high: float
    """Two-sided 99 % binomial interval of the share of green requests that this weight explains."""

    @property
    def observed(self) -> float:
        """Green's share of the requests; raises `ZeroDivisionError` when there were none."""
        return self.green / self.total

    @property
    def explained(self) -> bool:
        """Whether the weight explains what was seen; nothing seen explains nothing."""
        return self.total > 0 and self.low <= self.observed <= self.high

    def data(self) -> dict[str, JsonValue]:
        """As the record keeps it."""
        return {
            "set": self.percent,
            "green": self.green,
            "total": self.total,
            "low": self.low,
            "high": self.high,
            "explained": self.explained,
        }


def since(outcomes: list[Outcome], change: WeightChange) -> list[Outcome]:
    """The requests that were accepted after a weight was confirmed: only they were routed by it."""
    return [outcome for outcome in outcomes if outcome.at - outcome.ms / 1000 >= change.at]


def served_by(outcomes: list[Outcome], side: Side) -> int:
    """How many of these requests one side answered."""
    return sum(outcome.side is side for outcome in outcomes)


def share(outcomes: list[Outcome], percent: int) -> Share:
    """Green's share of the requests that reached a side, beside the interval that its weight explains."""
    total = sum(outcome.side is not None for outcome in outcomes)
    low, high = binomial_interval(total, percent / 100)
    return Share(percent, served_by(outcomes, Side.GREEN), total, low, high)


def binomial_interval(n: int, p: float, tail: float = 0.005) -> tuple[float, float]:
    """The shares between which `1 - 2 * tail` of all draws of `n` with probability `p` lie, both ends included.

    Exact quantiles by summing the binomial distribution; of no draws it is the whole range.
    """
    if n == 0 or p in {0.0, 1.0}:
        return (0.0, 1.0) if n == 0 else (p, p)
    low, below = 0, _mass(n, 0, p)
    while below < tail:
        low += 1
        below += _mass(n, low, p)
    high, above = n, _mass(n, n, p)
    while above < tail:
        high -= 1
        above += _mass(n, high, p)
    return low / n, high / n


def _mass(n: int, k: int, p: float) -> float:
    ways = lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
    return exp(ways + k * log(p) + (n - k) * log1p(-p))
