"""What a launch cost its users: requests that failed, and answers that came too late."""

from collections.abc import Sequence

from tminus.domain.canonical import JsonValue
from tminus.domain.traffic import Outcome, Side


def cost(outcomes: Sequence[Outcome], slow_ms: float) -> dict[str, JsonValue]:
    """How many requests there were, how many failed, and how many were answered later than `slow_ms`; by side.

    What failed is not counted as late too, however long it took.
    """
    failed = [outcome.side for outcome in outcomes if outcome.failed]
    slow = [outcome.side for outcome in outcomes if _late(outcome, slow_ms)]
    return {
        "requests": len(outcomes),
        **_by_side("failed", failed),
        "slow_ms": slow_ms,
        **_by_side("slow", slow),
    }


def first_bad(outcomes: Sequence[Outcome], slow_ms: float) -> float | None:
    """When green's first bad answer was complete, in the seconds of `Outcome.at`; nothing where it gave none."""
    bad = (
        outcome.at
        for outcome in outcomes
        if outcome.side is Side.GREEN and (outcome.failed or _late(outcome, slow_ms))
    )
    return min(bad, default=None)


def _late(outcome: Outcome, slow_ms: float) -> bool:
    return not outcome.failed and outcome.ms > slow_ms


def _by_side(name: str, sides: Sequence[Side | None]) -> dict[str, JsonValue]:
    return {
        name: len(sides),
        f"{name}_on_blue": sides.count(Side.BLUE),
        f"{name}_on_green": sides.count(Side.GREEN),
        f"{name}_on_neither": sides.count(None),
    }
