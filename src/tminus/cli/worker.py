"""`tminus worker`: runs the launches of the common database until it is told to stop."""

import asyncio
import os
import signal
import sys
import threading
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Annotated

import typer

from tminus.cli.clock import now
from tminus.config import database_url, evidence_place, writable_home
from tminus.domain.canonical import timestamp
from tminus.domain.record import Event
from tminus.engine.survey import survey
from tminus.errors import Exit
from tminus.evidence import place
from tminus.metrics import LOOPBACK, METRICS_SECONDS, Metrics
from tminus.picture.events import entries
from tminus.picture.words import plural
from tminus.planfile.problem import printable
from tminus.signing import trust_path
from tminus.store.tables import shown
from tminus.wiring.working import Worker, Yard, place_of

STOPS = (signal.SIGTERM, signal.SIGINT)
"""What tells a worker to stop."""
GRACE_SECONDS = 15.0
"""How long a worker that is tied may take to stop after the one that started it has ended."""


class Lines:
    """See `Journal`: one line for each thing that happens, with its instant and its launch in front.

    A line that cannot be written, since the disk of a log is full or whoever read the lines has ended, harms no launch:
    it is counted, and the next that can be written says how many there were.
    """

    def __init__(self) -> None:
        self._missing = 0

    def say(self, launch: str, words: str) -> None:
        """See `Journal.say`."""
        line = " ".join(part.strip() for part in printable(words).splitlines())
        try:
            if self._missing:
                self._write(
                    "worker", f"{plural(self._missing, 'line')} before this could not be written in time"
                )
            self._write(launch or "worker", line)
        except OSError:
            self._missing += 1
        else:
            self._missing = 0

    def _write(self, whose: str, line: str) -> None:
        sys.stdout.write(f"{timestamp(now())} {whose}  {line}\n")
        sys.stdout.flush()

    def tell(self, launch: str, event: Event) -> None:
        """See `Journal.tell`; events of which people need not hear make no line."""
        for entry in entries([event]):
            self.say(launch, f"{entry.t or '-'}  {entry.word}: {entry.text}")


def worker(
    *,
    metrics_port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            help="Where /metrics answers, on 127.0.0.1 alone; 0 takes a free one, none without it.",
        ),
    ] = None,
    trust: Annotated[
        Path | None,
        typer.Option(help="The trust root that a GO is verified with; this machine's by default."),
    ] = None,
    tied: Annotated[
        bool,
        typer.Option("--tied", help="Stop also when standard input closes: when whoever started it ends."),
    ] = False,
    name: Annotated[
        str,
        typer.Option(
            help="What it is called among the workers: a name that no other ever had; made up without."
        ),
    ] = "",
    after: Annotated[
        list[str] | None,
        typer.Option(help="A worker that has ended, by whoever saw it: its launches are taken over at once."),
    ] = None,
) -> None:
    """Run the launches of the common database.

    It does so until SIGTERM or Ctrl-C; then it leaves them to other workers.

    Before it acts on a GO it verifies the whole record with its own trust root (trust.json in the home, or --trust).
    Where the record does not prove the GO, nothing is done: the launch is held, people are told why, and `tminus
    resume` has it look again.

    The database is TMINUS_DATABASE_URL, or a SQLite file in the home. Any number of workers share a PostgreSQL database
    and take over from each other; a SQLite file has one worker, and a second ends with 3. Ends with 0 when it was told
    to stop, 4 when the database does not answer at the start, 70 when it was silent for so long that others took its
    launches.
    """
    folder = writable_home()
    store = place(evidence_place()) if evidence_place() else None
    yard = Yard(database_url(), folder, os.environ, trust or trust_path(folder), store, name, after or ())
    with place_of(yard.database):
        asyncio.run(_work(yard, metrics_port, tied=tied))


async def _work(yard: Yard, metrics_port: int | None, *, tied: bool) -> None:
    told = asyncio.Event()
    for number in STOPS:
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    if tied:
        tie(told)
    lines = Lines()
    one = Worker(yard, lines)
    metrics = Metrics(lambda: survey(yard.database, now, METRICS_SECONDS))
    metrics.heart(one.engine.silent)
    one.engine.meter = metrics
    with nullcontext() if metrics_port is None else metrics.served(metrics_port) as port:
        await one.start()
        lines.say("", f"{one.engine.executor} runs the launches of {shown(yard.database)}")
        if port is not None:
            lines.say("", f"its figures are at http://{LOOPBACK}:{port}/metrics")
        await told.wait()
        lines.say("", f"{one.engine.executor} was told to stop: it leaves its launches to others")
        await one.stop()
    lines.say("", f"{one.engine.executor} has stopped")


def tie(told: asyncio.Event) -> None:
    """Tell this process to stop when its standard input closes, and end it when it does not within a grace.

    Whoever started it holds the other end of that pipe, which the kernel closes however that one ends. A thread waits
    for it, so that a loop that stands still cannot leave a worker behind.
    """
    loop = asyncio.get_running_loop()

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            continue
        with suppress(RuntimeError):  # it has ended by itself meanwhile
            loop.call_soon_threadsafe(told.set)
        threading.Event().wait(GRACE_SECONDS)
        os._exit(Exit.UNKNOWN)

    threading.Thread(target=wait, name="tminus tie", daemon=True).start()
