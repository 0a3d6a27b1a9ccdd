"""Many launches that wait in one worker: what they cost, how late their milestones begin, how soon it is back after -9.

`WAITING_POSTGRES` and `WAITING_SQLITE` say how many wait on each database; 0 leaves it out. They are at rest until
their milestone, and again after it, as a countdown is. `WAITING_WAY=receive` has them stay in the worker and listen
for orders, as launches do after GO, and `WAITING_WAY=sleep` has them stay there and hear nobody. `WAITING_LEAD` says
how many seconds lie between the beginning and the first milestone, in which all must have come to wait; those that stay
in the worker, again after the kill.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from dbos import DBOS

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "integration" / "kills"))

from kill_postgres import PostgresCluster

if TYPE_CHECKING:
    from benchmarks import waiting_worker
    from benchmarks.result import Figure
else:
    import waiting_worker
    from result import Figure

from tminus.engine.outbox import DurableOutbox
from tminus.standins.clock import wall_clock
from tminus.store import connect, prepare
from tminus.store.tables import WRITE, address

MEGABYTES = 250.0
"""The most memory that a worker may hold."""
LATE_SECONDS = 2.0
"""How late the latest but one of a hundred milestones may begin."""
BACK_SECONDS = 60.0
"""How long after a kill, from the start of the next process, until the first milestone that is due begins."""
SPREAD = 60.0
"""Seconds over which the milestones are spread."""
BATCH = 500
"""Launches that are begun in one transaction."""
LOOK = 0.1
"""Seconds between two looks at the worker; the figures come from the worker's own clock."""
REST = "rest"
"""How launches wait of which no process holds anything meanwhile."""
PATIENCE = 300.0
"""Seconds after which whatever is waited for will not come."""


@dataclass(slots=True)
class Place:
    """One database with its worker, and what the worker has written down."""

    url: str
    notes: Path
    way: str
    process: subprocess.Popen[bytes] | None = None
    rss: float = 0.0
    """The most memory that a worker was seen to hold, in megabytes."""
    waits: set[str] = field(default_factory=set)
    """The launches that came to wait: in the present process, or at rest, where a kill does not reach them."""
    late: dict[str, float] = field(default_factory=dict)
    """By launch: how many seconds after its instant its milestone began."""
    _read: int = 0

    def start(self) -> None:
        """Start a worker; the one before must have ended."""
        command = [sys.executable, waiting_worker.__file__, self.url, str(self.notes), self.way]
        if self.way != REST:
            self.waits.clear()
        self.process = subprocess.Popen(command)

    def kill(self) -> None:
        """End the worker with -9."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def until(self, true: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
        """Look at the worker again and again until something is so."""
        end = time.monotonic() + seconds
        while not true():
            if time.monotonic() > end:
                sys.exit(
                    f"{what} did not come within {seconds:.0f} s: {len(self.waits)} wait, {len(self.late)} began"
                )
            self.look()

    def look(self) -> None:
        """Read what is new, and how much memory is held."""
        assert self.process is not None
        try:
            self.process.wait(LOOK)
            sys.exit(f"the worker ended by itself with {self.process.returncode}")
        except subprocess.TimeoutExpired:
            self.rss = max(self.rss, psutil.Process(self.process.pid).memory_info().rss / 1e6)
        with self.notes.open("rb") as file:
            file.seek(self._read)
            whole = file.read().rpartition(b"\n")[0]
        self._read += len(whole)
        for line in whole.decode().split("\n"):
            pid, what, *rest = line.split() or ("", "")
            if what == "begins":
                self.late.setdefault(rest[0], float(rest[1]))
            elif what == "waits" and pid == str(self.process.pid):
                self.waits.add(rest[0])

    def processor(self) -> float:
        """Seconds of processor that the worker has used so far."""
        assert self.process is not None
        used = psutil.Process(self.process.pid).cpu_times()
        return used.user + used.system

    def begin(self, *launches: str) -> None:
        """Begin launches as a command does."""
        engine = connect(self.url)
        outbox = DurableOutbox(engine)
        for first in range(0, len(launches), BATCH):
            with engine.execution_options(**{WRITE: True}).begin() as connection:
                for launch in launches[first : first + BATCH]:
                    outbox.begin(connection, launch, "launch")
        engine.dispose()


def waiting() -> list[Figure]:
    """Both databases, one after the other."""
    sizes = {"PostgreSQL": _size("POSTGRES", 10_000), "SQLite": _size("SQLITE", 1_000)}
    found: list[Figure] = []
    for database, size in sizes.items():
        if size:
            with tempfile.TemporaryDirectory() as folder, _database(database, Path(folder)) as url:
                place = Place(url, Path(folder) / "notes", os.environ.get("WAITING_WAY", REST))
                place.notes.touch()
                try:
                    found += _measured(place, database, size)
                finally:
                    if place.process is not None:
                        place.process.kill()
                        place.process.wait()
    return found


def _measured(place: Place, database: str, size: int) -> Iterator[Figure]:
    lead = float(os.environ.get("WAITING_LEAD", 60 + size * 0.04))
    first = wall_clock() + lead
    launches = [waiting_worker.name(number, first + SPREAD * number / size) for number in range(size)]
    place.start()
    place.begin(*launches)
    place.until(lambda: len(place.waits) == size, f"{size} waiting launches", lead)
    early = waiting_worker.name(size, wall_clock() + 3.0)
    place.begin(early)
    place.until(lambda: early in place.waits, "the launch that falls due while nobody lives")
    place.kill()
    back = _back(place, early)
    place.until(lambda: len(place.waits) >= size, "all of them after the kill", first - wall_clock())
    before, until = place.processor(), first + SPREAD + PATIENCE
    place.until(lambda: len(place.late) > size, "the last milestone", until - wall_clock())
    worked = place.processor() - before
    late = [seconds for launch, seconds in place.late.items() if launch != early]
    told = f"{size:,} on {database}"
    p99 = statistics.quantiles(late, n=100)[-1]
    median, latest = statistics.median(late), max(late)
    work = f"{worked:.0f} s of processor meanwhile"
    print(f"{told}: median {median:.3f} s, latest {latest:.3f} s, {work}", flush=True)
    yield Figure("memory of a worker", told, place.rss, MEGABYTES, "MB")
    yield Figure("a milestone late, 99 of 100", told, p99, LATE_SECONDS, "s")
    yield Figure("back after kill -9", told, back, BACK_SECONDS, "s")


def _back(place: Place, early: str) -> float:
    """Seconds from the start of the next process until it begins what fell due meanwhile."""
    due = waiting_worker.due_of(early)
    while wall_clock() < due:
        time.sleep(LOOK)  # noqa: TID251 - nobody lives who could tell
    began = wall_clock()
    place.start()
    place.until(lambda: early in place.late, "the milestone that fell due while nobody lived")
    return place.late[early] + due - began


@contextmanager
def _database(kind: str, folder: Path) -> Iterator[str]:
    """An empty database with its tables; PostgreSQL keeps its promises over a power cut, as SQLite does."""
    if kind == "SQLite":
        yield _prepared(f"sqlite:///{folder / 'tminus.db'}")
        return
    with PostgresCluster.running(durable=True) as cluster:
        yield _prepared(asyncio.run(cluster.url(folder / "waiting")))


def _prepared(url: str) -> str:
    engine = connect(url)
    prepare(engine, lambda: DBOS.migrate(address(url)))
    engine.dispose()
    return url


def _size(database: str, usual: int) -> int:
    return int(os.environ.get(f"WAITING_{database}", usual))
