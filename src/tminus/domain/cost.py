"""What a launch cost its users: requests that failed, and answers that came too late."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tminus.domain.canonical import JsonValue
from tminus.domain.traffic import Outcome, Side


@dataclass(slots=True)
class Toll:
    """The cost so far, counted request by request: a day of them is not kept."""

    slow_ms: float
    """An answer that takes longer, in milliseconds, came too late."""
    requests: int = 0
    """How many there were."""
    first_bad: float | None = None
    """When green's first bad answer was complete, in the seconds of `Outcome.at`; nothing where it gave none."""
    failed: Counter[Side | None] = field(default_factory=Counter)
    """By side: what failed."""
    slow: Counter[Side | None] = field(default_factory=Counter)
    """By side: what came too late and did not fail."""

    def add(self, outcome: Outcome) -> None:
        """Count one more."""
        self.requests += 1
        bad = outcome.failed or outcome.ms > self.slow_ms
        if not bad:
            return
        (self.failed if outcome.failed else self.slow)[outcome.side] += 1
        if outcome.side is Side.GREEN:
            self.first_bad = outcome.at if self.first_bad is None else min(self.first_bad, outcome.at)

    def data(self) -> dict[str, JsonValue]:
        """See `cost`."""
        failed, slow = _by_side("failed", self.failed), _by_side("slow", self.slow)
        return {"requests": self.requests, **failed, "slow_ms": self.slow_ms, **slow}


def cost(outcomes: Iterable[Outcome], slow_ms: float) -> dict[str, JsonValue]:
    """How many requests there were, how many failed, and how many were answered later than `slow_ms`; by side.

    What failed is not counted as late too, however long it took.
    """
    toll = Toll(slow_ms)
    for outcome in outcomes:
        toll.add(outcome)
    return toll.data()


def _by_side(name: str, sides: Counter[Side | None]) -> dict[str, JsonValue]:
    return {
        name: sides.total(),
        f"{name}_on_blue": sides[Side.BLUE],
        f"{name}_on_green": sides[Side.GREEN],
        f"{name}_on_neither": sides[None],
    }
