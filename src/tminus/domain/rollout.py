"""The states of a launch and the moves allowed between them."""

from dataclasses import dataclass
from enum import StrEnum

from tminus.domain.traffic import Outcome, Side, WeightChange


class State(StrEnum):
    """Where a launch stands."""

    COUNTING = "counting"
    POLLING = "polling"
    GO = "go"
    LAUNCHING = "launching"
    HELD = "held"
    SOAKING = "soaking"
    LANDED = "landed"
    ROLLED_BACK = "rolled-back"
    NO_GO = "no-go"
    ABORTED = "aborted"
    ABANDONED = "abandoned"
    """Its processes were killed and could not be resumed; found by a later start."""


MOVES: dict[State, frozenset[State]] = {
    State.COUNTING: frozenset({State.POLLING, State.ABORTED, State.ABANDONED}),
    State.POLLING: frozenset({State.GO, State.NO_GO, State.ABORTED, State.ABANDONED}),
    State.GO: frozenset({State.LAUNCHING, State.ABORTED, State.ABANDONED}),
    State.LAUNCHING: frozenset(
        {State.HELD, State.SOAKING, State.ROLLED_BACK, State.ABORTED, State.ABANDONED}
    ),
    State.HELD: frozenset(
        {State.LAUNCHING, State.SOAKING, State.ROLLED_BACK, State.ABORTED, State.ABANDONED}
    ),
    State.SOAKING: frozenset({State.HELD, State.LANDED, State.ROLLED_BACK, State.ABORTED, State.ABANDONED}),
}
"""From each state that is not an end, the states that may follow."""

ENDS = frozenset(State) - frozenset(MOVES)
"""The states in which a launch is over."""


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


def since(outcomes: list[Outcome], change: WeightChange) -> list[Outcome]:
    """The requests that were accepted after a weight was confirmed: only they were routed by it."""
    return [outcome for outcome in outcomes if outcome.at - outcome.ms / 1000 >= change.at]


def served_by(outcomes: list[Outcome], side: Side) -> int:
    """How many of these requests one side answered."""
    return sum(outcome.side is side for outcome in outcomes)
