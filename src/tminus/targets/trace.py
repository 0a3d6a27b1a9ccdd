"""The trace of one launch: every request that the proxy logged, kept on disk as it comes.

A restarted tminus reads it from the beginning and so judges as if it had never been away; the proxy's ring holds the
lines of the time between.
"""

import asyncio
import json
from pathlib import Path
from threading import Lock

from tminus.domain.trace import read, render
from tminus.domain.traffic import Outcome, WeightChange
from tminus.haproxy import LogListener

TAKE_SECONDS = 0.2
"""How long lines may wait before they are in the trace."""


class ProxyTrace:
    """Receives the proxy's lines in one task; the launch reads them from its own thread."""

    def __init__(self, file: Path, port: int) -> None:
        self._file = file
        self._items = _stored(file)
        self._lock = Lock()
        numbers = [
            item.number for item in self._items if isinstance(item, Outcome) and item.number is not None
        ]
        self._listener = LogListener(port, stored=numbers)
        self._lost = 0
        self._received = len(numbers)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen for lines; raises `PartError` when the port is taken."""
        await self._listener.start()
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

    def lost(self) -> int:
        """See `Traffic.lost`."""
        return self._lost

    def received(self) -> int:
        """See `Traffic.received`."""
        return self._received

    def note_weight(self, change: WeightChange) -> None:
        """See `Traffic.note_weight`."""
        self._keep([change])

    async def _pump(self) -> None:
        while True:
            lines = await self._listener.take(TAKE_SECONDS)
            self._lost = self._listener.lost
            self._received += len(lines)
            self._keep([line.outcome for line in lines])

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
