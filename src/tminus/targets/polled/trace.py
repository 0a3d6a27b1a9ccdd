"""The task that fetches what was scraped, and the trace that it makes."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from threading import Lock

from tminus.alerting.prometheus import asking
from tminus.control.ports import Clock
from tminus.domain.canonical import timestamp
from tminus.domain.scrapes import GAP_SECONDS, Scrapes
from tminus.domain.traffic import Outcome, WeightChange
from tminus.errors import ProbeError
from tminus.http import bare

from . import sight
from .kept import Kept
from .selectors import Counted
from .source import HISTORY_SECONDS, Fetching, Samples

POLL_SECONDS = 1.0
"""How often is looked for new samples."""

WINDOW_SECONDS = 60.0
"""Of how long `received` tells."""

SKEW_SECONDS = 2.0
"""How far Prometheus' clock may be from ours: beyond that nobody can tell which weight routed a request."""

LOST_SECONDS = 300.0
"""A first look further back than this needs to be remembered by Prometheus."""


class PolledTrace:
    """Fetches in one task; the launch reads the trace from its own thread.

    `address` is that of a Prometheus, and may hold a login; `source` opens it. Raises `PartError` when what lies in
    `file`, or beside it, cannot be gone on with, and `OSError` when it cannot be read.
    """

    def __init__(
        self,
        file: Path,
        address: str,
        counted: Counted,
        clock: Clock,
        source: Callable[[str], AbstractAsyncContextManager[Samples]] = asking,
    ) -> None:
        self._address = address
        self._counted = counted
        self._clock = clock
        self._source = source
        self._kept = Kept(file, counted)
        self._scrapes = self._kept.scrapes
        self._lock = Lock()
        self._asked: float | None = None
        """Up to when was asked, on Prometheus' own clock."""
        self._reached = False
        """Whether all was fetched that had been scraped by then."""
        self._away = self._skewed = self._unwritable = ""
        self._away_since = 0.0
        self._lost: tuple[float, float] | None = None
        self._received: deque[tuple[float, int]] = deque()
        self._task: asyncio.Task[None] | None = None

    def begin(self, since: float, weights: Sequence[WeightChange] = ()) -> None:
        """Count from this instant on, in seconds of the epoch, with the changes of weight since then.

        On another machine, with the instant and the changes that the first one had, the trace becomes what it was
        there. Changes then stand by their instants, while the first machine wrote each at once, before older requests
        that came after it. What was scraped around `since` and while series were missed may differ by one scrape.
        Where the file holds a trace, that stands; changes that another machine made since are noted in it.
        """
        with self._lock:
            new = self._scrapes is None
            scrapes = self._begun(since, weights)
            for change in () if new else weights:
                last = scrapes.weight
                if last is None or (change.at > last.at and change.percent != last.percent):
                    scrapes.note(change)
                    self._write(scrapes)

    async def start(self) -> None:
        """Go on fetching; a trace that was not begun begins now."""
        self.begin(self._clock.now())
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Fetch nothing more. What was taken is written; what was not is fetched by the next process."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def items(self, after: int) -> list[Outcome | WeightChange]:
        """See `Traffic.items`."""
        return self._kept.trace.after(after)

    def since(self, at: float) -> list[Outcome]:
        """The requests that ended at this instant or later, in seconds of the epoch."""
        return [item for item in self._kept.trace.since(at) if isinstance(item, Outcome) and item.at >= at]

    def lost(self) -> int:
        """See `Traffic.lost`: always 0, for counters have no lines that could be missed.

        A counter that is scraped late tells then of all requests; of what may really be lost tells `blindness`.
        """
        return 0

    def received(self) -> int:
        """See `Traffic.received`; of the last minute."""
        oldest = self._clock.now() - WINDOW_SECONDS
        return sum(many for at, many in list(self._received) if at > oldest)

    def refused(self) -> int:
        """See `Traffic.refused`: always 0, since nobody can send us anything."""
        return 0

    def delay(self) -> float:
        """How many seconds the newest request that is seen may lie behind; 0 before two samples are known.

        A request is seen once every pod has been scraped after it; one that its pod was scraped for long after is
        seen after twice this time at the latest.
        """
        scrapes = self._scrapes
        every = max((book.interval for book in scrapes.books.values()), default=0.0) if scrapes else 0.0
        return every + POLL_SECONDS if every else 0.0

    def note_weight(self, change: WeightChange) -> None:
        """See `Traffic.note_weight`; it stands behind what was given out, and before older requests to come."""
        with self._lock:
            scrapes = self._begun(change.at)
            scrapes.note(change)
            self._write(scrapes)

    def blindness(self) -> str:
        """See `Traffic.blindness`; a defect that ended the task that fetches is one too: it holds, and calls people."""
        now = self._clock.now()
        if why := self._ended() or self._unwritable:
            return why
        if self._away:
            return f"{bare(self._address)} gives no samples since {timestamp(self._away_since)}: {self._away}"
        with self._lock:
            scrapes = self._scrapes
            if scrapes is None or self._asked is None:
                return f"{bare(self._address)} has not been asked yet"
            return self._skewed or self._behind(scrapes, now) or sight.blindness(scrapes, self._counted, now)

    async def poll(self) -> None:
        """Look once, and fetch all that was scraped; raises `ProbeError` when Prometheus does not answer."""
        with self._lock:
            scrapes = self._begun(self._clock.now())
        async with self._source(self._address) as source:
            before = self._clock.now()
            now = round(await source.now(), 3)
            self._compare(before, now, self._clock.now())
            fetching = Fetching(source, self._counted)
            if not scrapes.looked:
                await self._look(scrapes, fetching, now)
            after = self._asked or 0.0
            while after < now:
                after, looks = await fetching.upto(scrapes, after, now)
                with self._lock:
                    if scrapes.take(looks) or self._unwritable:
                        self._write(scrapes)
                    self._asked, self._reached = after, after >= now

    async def _run(self) -> None:
        while True:
            try:
                await self.poll()
            except ProbeError as error:
                self._away_since = self._away_since if self._away else self._clock.now()
                self._away = str(error)
            else:
                self._away = ""
            await self._clock.sleep(POLL_SECONDS)

    async def _look(self, scrapes: Scrapes, fetching: Fetching, now: float) -> None:
        """Take the first look; what lies further back than Prometheus remembers is lost, and told."""
        since = max(scrapes.since, now - HISTORY_SECONDS)
        known = await fetching.known(since)
        empty = not any(look.requests or look.latencies for look in known.values())
        if empty and now - since > LOST_SECONDS and not await fetching.remembers(since):
            since = now
            known = await fetching.known(since)
        with self._lock:
            if since > scrapes.since:
                self._lost = (scrapes.since, since)
            scrapes.begin(since, known)
            self._write(scrapes)

    def _begun(self, since: float, weights: Sequence[WeightChange] = ()) -> Scrapes:
        if self._scrapes is None:
            self._scrapes = Scrapes(since, weights)
            # Before any item, so that a trace without its state is known for what it is.
            self._write(self._scrapes)
        return self._scrapes

    def _write(self, scrapes: Scrapes) -> None:
        """Write down what is due; what a full disk does not take now is tried again."""
        items = scrapes.due()
        now = self._clock.now()
        self._received.append((now, sum(isinstance(item, Outcome) for item in items)))
        while now - self._received[0][0] > WINDOW_SECONDS:
            self._received.popleft()
        try:
            self._kept.write(items, scrapes)
        except OSError as error:
            self._unwritable = f"the trace cannot be written: {error.strerror}"
        else:
            self._unwritable = ""

    def _compare(self, before: float, there: float, after: float) -> None:
        """Compare both clocks; the answer was given at some moment between two of ours."""
        off = there - after if there > after else min(0.0, there - before)
        words = f"the clock of {bare(self._address)} is {off:+.1f} s from ours: nobody can tell which weight was when"
        self._skewed = words if abs(off) > SKEW_SECONDS else ""

    def _behind(self, scrapes: Scrapes, now: float) -> str:
        """What lies back and is still being fetched, or cannot be."""
        if not self._reached or not scrapes.placed:
            return (
                f"what was scraped since {timestamp(max(scrapes.frontier, scrapes.since))} is being fetched"
            )
        if self._lost and now - self._lost[1] <= GAP_SECONDS:
            return f"{sight.between(*self._lost)}: Prometheus remembers nothing of then"
        return ""

    def _ended(self) -> str:
        """Why nobody fetches any more, in words; empty while somebody does."""
        task = self._task
        if task is None or not task.done() or task.cancelled() or (error := task.exception()) is None:
            return ""
        return f"requests are not counted any more, by a defect of tminus: {type(error).__name__}: {error}"
