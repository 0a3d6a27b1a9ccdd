"""What is printed of a launch before it begins: the way back without tminus, and how its lines are to be read."""

from collections.abc import Iterator
from pathlib import Path

from tminus.demo.byhand import write_by_hand
from tminus.domain.guard import Guard, GuardLimits
from tminus.haproxy import by_hand


def prologue(folder: Path, launch: str, admin: Path, limits: GuardLimits) -> Iterator[str]:
    """The lines; the commands that roll back by hand are written beside the record too."""
    path = write_by_hand(folder, launch, admin)
    yield f"to roll back by hand, without tminus (it stands in {path}):"
    for command in by_hand(admin):
        yield f"  {command}"
    yield legend(limits)


def legend(limits: GuardLimits) -> str:
    """What the rules stand for whose evidence is printed with each look at the traffic."""
    rules = "; ".join(f"{test.rule}: {test.claim}" for test in Guard(limits).gauges(0.0).tests)
    return (
        "the evidence of a rule is how many times as likely the requests are if what it says is true; at its limit "
        f"the launch holds by hold.errors and rolls back by the others ({rules})"
    )
