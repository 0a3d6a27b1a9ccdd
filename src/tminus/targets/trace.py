"""The trace of one launch: every request that the proxy logged, kept on disk as it comes.

A restarted tminus reads it from the beginning and so judges as if it had never been away; the proxy's ring holds the
lines of the time between.
"""

import asyncio
import json
from collections import deque
from contextlib import suppress
from pathlib import Path
from threading import Lock
from time import monotonic

from tminus.domain.trace import read, render
from tminus.domain.traffic import Outcome, WeightChange
from tminus.errors import ProbeError
from tminus.haproxy import LogListener, Runtime

TAKE_SECONDS = 0.2
"""How long to wait for a line before counting again."""

PAUSE_SECONDS = 0.05
"""How long lines may wait before they are in the trace."""

WINDOW_SECONDS = 60.0
"""How far back lost lines make blind."""


class ProxyTrace:
    """Receives the proxy's lines in one task; the launch reads them from its own thread."""

    def __init__(self, file: Path, port: int, proxy: Runtime) -> None:
        self._file = file
        self._proxy = proxy
        self._items = _stored(file)
        self._lock = Lock()
        numbers = [
            item.number for item in self._items if isinstance(item, Outcome) and item.number is not None
        ]
        self._listener = LogListener(port, stored=numbers)
        self._seen: deque[tuple[float, int, int]] = deque()
        self._lost = self._received = 0
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen for lines; raises `PartError` when the port is taken."""
        await self._listener.start()
        if self._items:
            # A kill loses the lines that were on their way; the proxy's ring still has them.
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
        return self._items[after:]

    def outcomes(self) -> list[Outcome]:
        """Every finished request so far."""
        return [item for item in self.items(0) if isinstance(item, Outcome)]

    def missing(self) -> int:
        """How many requests of the whole launch have no line, in all."""
        return self._listener.lost

    def lost(self) -> int:
        """See `Traffic.lost`; of the last minute, so that an old gap does not blind for ever."""
        return self._lost

    def received(self) -> int:
        """See `Traffic.received`; of the last minute."""
        return self._received

    def note_weight(self, change: WeightChange) -> None:
        """See `Traffic.note_weight`."""
        self._keep([change])

    async def _pump(self) -> None:
        while True:
            lines = await self._listener.take(TAKE_SECONDS)
            self._keep([line.outcome for line in lines])
            await self._count(monotonic())
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
        if not items:
            return
        text = "".join(json.dumps(render(item), separators=(",", ":")) + "\n" for item in items)
        with self._lock, self._file.open("a", encoding="utf-8") as file:
            file.write(text)
            self._items.extend(items)


def _stored(file: Path) -> list[Outcome | WeightChange]:
    """What the file holds; a last line that a crash cut off is cut off for good, and counted as lost by its number."""
    if not file.exists():
        return []
    text = file.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        file.write_text(whole, encoding="utf-8")
    return list(read(whole.splitlines()))
