"""What a soak of a day costs: the start of the next process, its memory, and the steps and looks that are kept.

    python benchmarks/soak.py [HOURS [RATE]]

It writes a trace of a healthy day (24 h at 50 requests a second by default), lets the guard judge it once with the
kept state beside it, and then starts as a process does that takes the launch over. Prints one JSON object.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tminus.control.stretch import pause
from tminus.control.watch import Watch
from tminus.domain.guard import GuardLimits
from tminus.domain.traffic import Outcome, Side, WeightChange
from tminus.haproxy.tracefile import TraceFile
from tminus.targets.memory import GuardMemory
from tminus.testing import FakeClock, FakeProber, FakeTarget, FakeTraffic

BEGAN = 1_800_000_000.0


def write(file: Path, seconds: float, rate: float) -> int:
    """A trace: all traffic on green, one failed request in a thousand; how many items it holds."""
    trace = TraceFile(file)
    trace.write([WeightChange(BEGAN, 100)])
    total = int(seconds * rate)
    for first in range(0, total, 10_000):
        trace.write(
            [
                Outcome(
                    BEGAN + n / rate, Side.GREEN, 500 if n % 1000 == 7 else 200, 21.5, f"user-{n % 40}", n + 1
                )
                for n in range(first, min(total, first + 10_000))
            ]
        )
    return total + 1


class Stored(FakeTraffic):
    """A trace that nobody adds to."""

    def __init__(self, clock: FakeClock, trace: TraceFile) -> None:
        super().__init__(clock, 0.0)
        self.file = trace

    def items(self, after: int) -> list[Outcome | WeightChange]:
        """See `Traffic.items`."""
        return self.file.after(after)


def start(folder: Path, now: float) -> Watch:
    """The guard of a new process, with all of the trace judged."""
    clock = FakeClock(now)
    traffic = Stored(clock, TraceFile(folder / "trace.jsonl"))
    watch = Watch(FakeTarget(clock, traffic, "sha256:0"), traffic, FakeProber(), clock, GuardLimits())
    watch.memory = GuardMemory(folder / "guard.state", GuardLimits())
    watch.outcomes()
    return watch


def measured(folder: str, now: str) -> None:
    """In a process of its own: how long a start takes, and its memory."""
    before = peak_kb()
    began = time.perf_counter()
    watch = start(Path(folder), float(now))
    took = time.perf_counter() - began
    counts = watch.guard.counts.green.requests
    more = (peak_kb() - before) / 1024
    print(json.dumps({"seconds": round(took, 2), "more_mb": round(more, 1), "judged": counts}))


def peak_kb() -> int:
    """The most memory that this process had so far, in kB."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])


def child(folder: Path, now: float) -> dict[str, float]:
    """One start in a process of its own."""
    run = subprocess.run(
        [sys.executable, __file__, "--start", str(folder), str(now)],
        check=True,
        capture_output=True,
        timeout=3600,
    )
    found: dict[str, float] = json.loads(run.stdout)
    return found


def main() -> None:
    """Write, judge, start again, and print."""
    hours, rate = (float(given) for given in [*sys.argv[1:3], "24", "50"][:2])
    if len(sys.argv) == 2:
        rate = 50.0
    with tempfile.TemporaryDirectory() as name:
        folder, end = Path(name), BEGAN + hours * 3600
        items = write(folder / "trace.jsonl", hours * 3600, rate)
        # The state is kept a minute before the end; what follows is what a start has to judge.
        whole = TraceFile(folder / "trace.jsonl")
        clock = FakeClock(end)
        traffic = Stored(clock, whole)
        watch = Watch(FakeTarget(clock, traffic, "sha256:0"), traffic, FakeProber(), clock, GuardLimits())
        watch.memory = GuardMemory(folder / "guard.state", GuardLimits())
        watch._saved_at = 0.0  # noqa: SLF001 - the state is to be kept at once
        began = time.perf_counter()
        watch.outcomes()
        first = time.perf_counter() - began
        TraceFile(folder / "trace.jsonl").write(
            [Outcome(end + n / rate, Side.GREEN, 200, 20.0, "late", items + n) for n in range(int(60 * rate))]
        )
        kept = child(folder, end + 60)
        state = (folder / "guard.state").stat().st_size
        looks, at = 0, 0.0
        while at < hours * 3600:
            at, looks = at + pause(at), looks + 1
        print(
            json.dumps(
                {
                    "items": items,
                    "trace_mb": round((folder / "trace.jsonl").stat().st_size / 1e6),
                    "guard_state_kb": round(state / 1024, 1),
                    "start_with_state": kept,
                    "judging_all_anew_seconds": round(first, 1),
                    "looks_recorded": looks,
                    "steps_before": 2 * int(hours * 720),
                    "steps_now": 2,
                },
                indent=2,
            )
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--start"]:
        measured(*sys.argv[2:4])
    else:
        main()
