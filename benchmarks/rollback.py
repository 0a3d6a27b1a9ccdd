"""From a fault of the release to 0 % of the traffic on it, end to end; and late faults over compressed traces.

Each run is a rollout by the product's own code on a stage of its own: HAProxy, target, log stream, guard, durable
engine, record. Users send 50 requests a second, green has 10 %. `make bench ONLY=rollback`.
"""

import asyncio
import multiprocessing
import os
import random
import shutil
import statistics
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.result import Count, Figure
    from benchmarks.rollback_run import PERCENT, RATE, live
else:
    from result import Count, Figure
    from rollback_run import PERCENT, RATE, live

from tminus.control.ports import Json
from tminus.demo.stage import Stage
from tminus.domain.guard import Action, GuardLimits
from tminus.domain.trace import answer, replay
from tminus.domain.traffic import Outcome, Side, WeightChange

HOME = Path(__file__).parents[1] / "build" / "rollback"
RUNS = {"errors": 60, "p95": 20}
LANES = 2
"""How many stages stand at once: more of them measure the machine."""
SEED = 1
HEALTHY = (3.0, 12.0)
"""Between how many seconds of health at 10 % come before the fault."""
LATE_RUNS = 20
LATE_AT = 1800.0
"""When a late fault begins, in seconds after green got its users."""
LATE_ERRORS = 0.001
"""How often both sides fail in a late fault's half hour of health."""
RUN_SECONDS = 400.0
CONTEXT = multiprocessing.get_context("forkserver")


@dataclass(frozen=True, slots=True)
class Sample:
    """What all runs of one fault came to."""

    fault: str
    runs: list[Json]
    broken: list[str] = field(default_factory=list)
    """Runs that came to no result."""

    @property
    def seconds(self) -> list[float]:
        """From the fault to 0 % read back; endless where it did not come to that."""
        return sorted(
            float("inf") if run["seconds"] is None else float(str(run["seconds"]))
            for run in self.runs
            if not run["early"]
        )

    @property
    def failed(self) -> list[float]:
        """Users' requests that failed from the fault on."""
        return sorted(float(str(run["failed"])) for run in self.runs if not run["early"])

    def __str__(self) -> str:
        rules = Counter(str(run["rule"]) or "none" for run in self.runs)
        early = sum(bool(run["early"]) for run in self.runs)
        left = sum(bool(run["weight_left"]) for run in self.runs)
        return (
            f"{self.fault}: {len(self.runs)} runs, {len(self.broken)} broken, {early} rolled back before the fault, "
            f"{left} left with a weight on green; rules {dict(rules)}; seconds {told(self.seconds)}; failed requests "
            f"{told(self.failed)}"
        )


def told(values: list[float]) -> str:
    """Median, nine tenths and the worst."""
    if not values:
        return "none"
    return f"median {statistics.median(values):.1f}, p90 {_p90(values):.1f}, worst {values[-1]:.1f}"


def _p90(values: list[float]) -> float:
    """The value that nine tenths do not exceed."""
    return values[-(-len(values) * 9 // 10) - 1]


async def sample(home: Path, fault: str, runs: int, lanes: int = LANES, seed: int = SEED) -> Sample:
    """So many runs of one fault."""
    free = asyncio.Semaphore(lanes)
    found = Sample(fault, [])

    async def one(number: int) -> None:
        dice = random.Random(f"{seed} {fault} {number}")
        folder = home / f"{fault}-{number}"
        async with free:
            try:
                result = await asyncio.to_thread(
                    _forked, folder, dice.randrange(2**31), fault, dice.uniform(*HEALTHY)
                )
            except (EOFError, TimeoutError) as error:
                found.broken.append(f"run {number}: {error!r}")
                for stage in Stage.adopt(folder):
                    await stage.remove()
                print(f"{fault} {number}: broken, {error!r}", flush=True)
                return
        found.runs.append(result)
        print(f"{fault} {number}: {result}", flush=True)

    await asyncio.gather(*(one(number) for number in range(runs)))
    return found


def _forked(folder: Path, seed: int, fault: str, healthy: float) -> Json:
    here, there = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=live, args=(there, folder, seed, fault, healthy))
    process.start()
    there.close()
    try:
        if not here.poll(RUN_SECONDS):
            raise TimeoutError(f"no result within {RUN_SECONDS:g} s")
        result: Json = here.recv()
    finally:
        here.close()
        process.join(30)
        process.kill()
        process.join()
    return result


def late_trace(dice: random.Random) -> Iterator[Outcome | WeightChange]:
    """Half an hour of health at 10 %, then 20 % errors on green; two minutes of them."""
    yield WeightChange(0.0, PERCENT)
    at = 0.0
    while (at := at + dice.expovariate(RATE)) < LATE_AT + 120:
        side = Side.GREEN if dice.random() < PERCENT / 100 else Side.BLUE
        errors = 0.2 if side is Side.GREEN and at >= LATE_AT else LATE_ERRORS
        status = 500 if dice.random() < errors else 200
        yield Outcome(at, side, status, dice.lognormvariate(4.1, 0.5), f"user-{dice.randrange(200)}")


def late(runs: int = LATE_RUNS, seed: int = SEED) -> tuple[list[float], Counter[str]]:
    """For each trace, how long after the fault `tminus guard` rolls back, and by which rule."""
    seconds: list[float] = []
    rules: Counter[str] = Counter()
    for number in range(runs):
        found = answer(replay(late_trace(random.Random(f"{seed} late {number}")), GuardLimits()))
        back = found.action is Action.ROLLBACK and found.at is not None
        seconds.append(float("inf") if not back or found.at is None else found.at - LATE_AT)
        rules[found.rule or "none"] += 1
        print(f"late {number}: {seconds[-1]:.1f} s by {found.rule}", flush=True)
    return sorted(seconds), rules


def rollback() -> list[Figure | Count]:
    """Everything; figures for the page."""
    sys.modules["__main__"].__spec__ = None  # so that a forked process does not run the benchmarks once more
    CONTEXT.set_forkserver_preload(["rollback_run"])
    shutil.rmtree(HOME, ignore_errors=True)
    figures: list[Figure | Count] = []
    loads = [os.getloadavg()[0]]
    for fault, limits in (("errors", (8, 40)), ("p95", (20, None))):
        found = asyncio.run(sample(HOME, fault, RUNS[fault]))
        loads.append(os.getloadavg()[0])
        print(found, flush=True)
        figures += _figures(found, limits, max(loads))
    seconds, rules = late()
    size = f"{LATE_RUNS} traces of 30 minutes ({told(seconds)} s; by {_named(rules)}; seed {SEED})"
    figures.append(
        Figure("rollback after a late fault, 20 % errors from minute 30, worst", size, seconds[-1], 15, "s")
    )
    return figures


def _figures(found: Sample, limits: tuple[float, float | None], load: float) -> Iterator[Figure | Count]:
    median, worst = limits
    rules = _named(Counter(str(run["rule"]) or "none" for run in found.runs))
    what = {"errors": "20 % errors at 10 %", "p95": "p95 doubled at 10 %"}[found.fault]
    size = (
        f"{len(found.seconds)} runs ({told(found.seconds)} s; by {rules}; seed {SEED}; the machine's load average up "
        f"to {load:.0f})"
    )
    yield Figure(
        f"{what}: from the fault to 0 %, median",
        size,
        statistics.median(found.seconds or [float("inf")]),
        median,
        "s",
    )
    if worst is not None:
        yield Figure(
            f"{what}: from the fault to 0 %, worst",
            "the same",
            max(found.seconds, default=float("inf")),
            worst,
            "s",
        )
        failed = found.failed or [float("inf")]
        yield Figure(
            f"{what}: failed requests, median",
            f"the same ({told(found.failed)})",
            statistics.median(failed),
            8,
            "requests",
        )
    left = sum(bool(run["weight_left"]) for run in found.runs) + len(found.broken)
    yield Figure(f"{what}: runs that left users on green, or broke", "the same", left, 0, "runs")
    yield Count(
        f"{what}: runs that were healthy until the fault",
        f"of {RUNS[found.fault]}",
        len(found.seconds),
        RUNS[found.fault] * 0.95,
        "runs",
    )


def _named(rules: Counter[str]) -> str:
    return ", ".join(f"{rule} {count}" for rule, count in rules.most_common())
