"""The guard: how fast it judges, how often it is wrong, how soon it is right, and what others would have said."""

import json
import random
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.guard_alarms import alarms
    from benchmarks.guard_efficiency import efficiency
    from benchmarks.guard_peers import peers
    from benchmarks.result import Figure, Result, Table
else:
    from guard_alarms import alarms
    from guard_efficiency import efficiency
    from guard_peers import peers
    from result import Figure, Result, Table

from tminus.domain.guard import GuardLimits
from tminus.domain.trace import read, replay

LINES = 200_000


def guard() -> list[Result | Figure | Table]:
    """All about the guard; some minutes on two cores."""
    return [_speed(), *peers(), *efficiency(), *alarms()]


def _speed() -> Result:
    """A healthy trace through the guard, beside parsing the same lines as JSON."""
    lines = list(_trace())
    bare = _best(lambda: [json.loads(line) for line in lines])
    judged = _best(lambda: list(replay(read(lines), GuardLimits())))
    return Result("tminus guard over a trace", f"{LINES:,} requests", judged, "json.loads of its lines", bare)


def _trace() -> Iterator[str]:
    dice = random.Random(1)
    for number in range(LINES):
        side = "green" if dice.random() < 0.1 else "blue"
        status = 500 if dice.random() < 0.001 else 200
        yield json.dumps(
            {"t": number / 80, "side": side, "status": status, "ms": 20.5, "client": f"c{number % 40}"}
        )


def _best(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(3):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return min(taken)
