"""The ladder of thresholds: load result < warning < critical = success < rollback, for one and the same measure.

A rung out of order makes a plan contradict itself: an alert that warns after the rollback, a success that the alert
calls critical. The rule is pure; who reads the thresholds out of a plan is `planfile`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import combinations, groupby


class Level(IntEnum):
    """A rung, from what is best to what is worst."""

    LOAD = 1
    """What the load test showed, or may show at most."""
    WARNING = 2
    """Above it people are told."""
    CRITICAL = 3
    """Above it people are woken, and the launch is no success."""
    ROLLBACK = 4
    """Above it the release goes back."""


WORDS = {
    Level.LOAD: "the load test's result",
    Level.WARNING: "a warning",
    Level.CRITICAL: "critical, which is also the limit of success",
    Level.ROLLBACK: "the rollback",
}
"""Each rung as people say it."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """One limit of a plan that stands on the ladder; above it things are worse."""

    name: str
    """The line, figure or trigger that has it."""
    measure: str
    """What is measured; limits of different measures have no order."""
    level: Level
    limit: float
    """In base units: a share, or seconds."""
    text: str
    """As the plan writes it."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two thresholds of one measure that are out of order."""

    lower: Threshold
    upper: Threshold

    @property
    def text(self) -> str:
        """What is wrong, and what to write instead."""
        below, above = self.lower, self.upper
        if below.level is above.level:
            return (
                f"{above.name}: {above.text!r} is another limit of {above.measure} than {below.text!r} of "
                f"{below.name}; critical and success are one limit, write the same"
            )
        return (
            f"{above.name}: {above.text!r} stands as {WORDS[above.level]} and {below.text!r} of {below.name} as "
            f"{WORDS[below.level]}; write {above.measure} so that load result < warning < critical = success < rollback"
        )


def contradictions(thresholds: Sequence[Threshold]) -> Iterator[Contradiction]:
    """Every pair that is out of order; rungs between which another stands are compared only where it is missing."""
    ordered = sorted(thresholds, key=lambda one: (one.measure, one.level))
    for _, group in groupby(ordered, key=lambda one: one.measure):
        rungs = list(group)
        present = sorted({one.level for one in rungs})
        for lower, upper in combinations(rungs, 2):
            if lower.level is upper.level:
                if lower.level is Level.CRITICAL and lower.limit != upper.limit:
                    yield Contradiction(lower, upper)
            elif present.index(upper.level) - present.index(lower.level) == 1 and lower.limit >= upper.limit:
                yield Contradiction(lower, upper)
