"""What the guard counts of both sides, of what reached neither, and of the weight between them."""

from dataclasses import dataclass, field

from tminus.domain.judgement import Tally

FORGET_SECONDS = 10.0
"""How long after the last unserved request users are served again."""


@dataclass(slots=True)
class SideCounts:
    """The running counts of one side, and when it was last heard."""

    requests: int = 0
    failed: int = 0
    slow: int = 0
    over_success: int = 0
    last: float | None = None

    def tally(self) -> Tally:
        """The counts as they stand."""
        return Tally(self.requests, self.failed, self.slow)


@dataclass(slots=True)
class Unserved:
    """Users' requests that were neither side's, and since when they have been coming."""

    requests: int = 0
    first: float = float("-inf")
    last: float = float("-inf")

    def count(self, at: float) -> None:
        """Take one more, which ended at this instant."""
        self.requests += 1
        if at - self.last > FORGET_SECONDS:
            self.first = at
        self.last = max(self.last, at)


@dataclass(slots=True)
class Weight:
    """The share routed to green: unknown until somebody says."""

    percent: int | None = None
    since: float = field(default=float("-inf"))

    def routed(self, at: float) -> float | None:
        """Green's share in the second that ended at `at`, if it was one and the same for a while."""
        steady = self.percent is not None and at - self.since >= 2
        return self.percent / 100 if steady and self.percent is not None else None
