"""The trace of one launch: every request that the proxy logged, kept on disk as it comes.

A restarted tminus reads it on from where its guard had come to, and so judges as if it had never been away; the proxy's
ring holds the lines of the time between.
"""

import asyncio
from collections import deque
from contextlib import suppress
from pathlib import Path
from time import monotonic

from tminus.domain.traffic import Outcome, WeightChange
from tminus.errors import PartError, ProbeError, UnreachableError
from tminus.haproxy import LogListener, Runtime
from tminus.haproxy.tracefile import TraceFile

TAKE_SECONDS = 0.2
"""How long to wait for a line before counting again."""

PAUSE_SECONDS = 0.05
"""How long lines may wait before they are in the trace."""

WINDOW_SECONDS = 60.0
"""How far back lost lines make blind."""

PATIENCE_SECONDS = 30.0
"""How long a launch holds for a disk that takes nothing; the engine would try for ever to remember its next step."""

SIGHT_SECONDS = 2.0
"""How long the log of a proxy that came back must have gone on before it counts as whole again."""


class ProxyTrace:
    """Receives the proxy's lines in one task; the launch reads them from its own thread."""

    def __init__(self, file: Path, port: int, secret: str, proxy: Runtime) -> None:
        self._file = file
        self._proxy = proxy
        self._items = TraceFile(file)
        self._listener = LogListener(port, secret, runs=self._items.numbers())
        self._seen: deque[tuple[float, int, int]] = deque()
        self._lost = self._received = 0
        self._unwritable = ""
        self._unwritable_since: float | None = None
        self._sight = _Sight()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen for lines; raises `PartError` when the port is taken."""
        await self._listener.start()
        if len(self._items):
            # A kill loses the lines that were on their way; the proxy's ring still has them. If the proxy was killed
            # too, they are gone with it, and whoever looks after it starts another.
            with suppress(UnreachableError):
                await self._listener.recover(self._proxy)
        self._task = asyncio.create_task(self._pump())

    async def stop(self) -> None:
        """Take no new lines, after every one that is on its way."""
        await self._listener.stop()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._keep([line.outcome for line in await self._listener.take(0.0)])

    def items(self, after: int) -> list[Outcome | WeightChange]:
        """See `Traffic.items`."""
        return self._items.after(after)

    def outcomes(self) -> list[Outcome]:
        """Every finished request so far: a day of them is a gigabyte."""
        return [item for item in self._items.all() if isinstance(item, Outcome)]

    def since(self, at: float) -> list[Outcome]:
        """The requests that ended at this instant or later, in seconds of the epoch."""
        return [item for item in self._items.since(at) if isinstance(item, Outcome) and item.at >= at]

    def missing(self) -> int:
        """How many requests of the whole launch have no line, in all."""
        return self._listener.lost

    def lost(self) -> int:
        """See `Traffic.lost`; of the last minute, so that an old gap does not blind for ever."""
        return self._lost

    def received(self) -> int:
        """See `Traffic.received`; of the last minute."""
        return self._received

    def blindness(self) -> str:
        """See `Traffic.blindness`."""
        return self._unwritable or self._sight.blindness

    def must_be_writable(self) -> None:
        """Raise `PartError` when nothing could be written for so long that the launch cannot be recorded either."""
        if self._unwritable_since is not None and monotonic() - self._unwritable_since >= PATIENCE_SECONDS:
            raise PartError(
                f"for {PATIENCE_SECONDS:g} s nothing could be written into {self._file.parent}: {self._unwritable}",
                hint="free room on this disk; the end of the launch is recorded with room that was kept for it",
            )

    def refused(self) -> int:
        """See `Traffic.refused`; since this process listens."""
        return self._listener.refused

    def cut_off(self) -> int:
        """Requests under way that ended with a proxy that died, as far as its count tells."""
        return self._listener.cut_off

    def note_weight(self, change: WeightChange) -> None:
        """See `Traffic.note_weight`."""
        self._keep([change])

    async def _pump(self) -> None:
        while True:
            lines = await self._listener.take(TAKE_SECONDS)
            self._keep([line.outcome for line in lines])
            await self._count(monotonic())
            self._sight.look(self._listener.generation, connected=self._listener.connected, now=monotonic())
            if lines:
                # Lines come one by one; a pause makes one write of several.
                await asyncio.sleep(PAUSE_SECONDS)

    async def _count(self, now: float) -> None:
        """Lost and received lines of the last minute; what is lost may still stand in the proxy's ring."""
        lost = self._listener.lost
        if self._seen and lost > self._seen[-1][1]:
            # When the proxy is away, the lines stay lost, and the watch sees for itself that it cannot be reached.
            with suppress(ProbeError):
                await self._listener.recover(self._proxy)
            lost = self._listener.lost
        self._seen.append((now, lost, self._listener.received))
        while now - self._seen[0][0] > WINDOW_SECONDS:
            self._seen.popleft()
        _, first_lost, first_received = self._seen[0]
        self._lost, self._received = max(0, lost - first_lost), self._listener.received - first_received

    def _keep(self, items: list[Outcome] | list[WeightChange]) -> None:
        """Judge these at once, and write them down; what a full disk does not take now is tried again."""
        try:
            self._items.write(items)
        except OSError as error:
            self._unwritable = f"the trace cannot be written: {error.strerror}"
            self._unwritable_since = self._unwritable_since or monotonic()
        else:
            self._unwritable, self._unwritable_since = "", None


class _Sight:
    """Whether the proxy's log comes without a break."""

    def __init__(self) -> None:
        self.blindness = ""
        """Why it does not; empty while it does, and before it has begun."""
        self._generation = 0
        self._clear_at: float | None = None

    def look(self, generation: int, *, connected: bool, now: float) -> None:
        """Take how the log stands: after a break it has to go on for a while."""
        if generation == 0 or (self._generation == 0 and not connected):
            return
        broken = not connected or (self._generation and generation != self._generation)
        self._generation = generation
        if broken:
            self.blindness = "the proxy's log has ended; requests of this time leave no line"
            self._clear_at = None
        elif self.blindness and self._clear_at is None:
            self.blindness = "the proxy's log has just begun again"
            self._clear_at = now + SIGHT_SECONDS
        elif self._clear_at is not None and now >= self._clear_at:
            self.blindness, self._clear_at = "", None
