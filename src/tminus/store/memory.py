"""Launch records in memory: the store's twin for tests and dry runs, under the same contract."""

from dataclasses import replace
from pathlib import Path
from threading import Lock

from tminus.domain.record import CHECKPOINT, OPENED, Entry, Event, append, encode
from tminus.store import chain
from tminus.store.chain import LaunchRow, Sign


class MemoryRecordStore:
    """See `RecordStore`; gone with its process."""

    def __init__(self) -> None:
        self._events: dict[str, list[Event]] = {}
        self._launches: dict[str, LaunchRow] = {}
        self._lock = Lock()

    async def prepare(self) -> None:
        """Nothing needs to be created."""

    async def append_once(self, launch: str, entry: Entry) -> Event:
        """See `RecordStore.append_once`."""
        chain.check_checkpoint(entry)
        with self._lock:
            events = self._events.get(launch, [])
            for event in events:
                if event.key == entry.key:
                    return event
            chain.check_open(self._launches.get(launch), launch, entry)
            return self._insert(launch, append(events[-1] if events else None, entry))

    async def checkpoint(self, launch: str, sign: Sign) -> Event:
        """See `RecordStore.checkpoint`."""
        with self._lock:
            events = self._events.get(launch, [])
            last = chain.signable(events[-1] if events else None, launch)
            return last if last.type == CHECKPOINT else self._insert(launch, append(last, sign(last)))

    async def events(self, launch: str, after_seq: int = -1) -> list[Event]:
        """See `RecordStore.events`."""
        return self._events.get(launch, [])[after_seq + 1 :]

    async def launches(self) -> list[LaunchRow]:
        """See `RecordStore.launches`."""
        by_id = sorted(self._launches.values(), key=lambda row: row.id)
        return sorted(by_id, key=lambda row: row.opened_at, reverse=True)

    async def export(self, launch: str, path: Path) -> None:
        """See `RecordStore.export`."""
        if launch not in self._launches:
            raise chain.unknown(launch)
        chain.write(path, map(encode, self._events[launch]))

    def _insert(self, launch: str, event: Event) -> Event:
        if event.type == OPENED:
            self._launches[launch] = chain.opened_row(launch, event)
        self._events.setdefault(launch, []).append(event)
        if outcome := chain.outcome(event):
            self._launches[launch] = replace(self._launches[launch], state=outcome, ended_at=event.at)
        return event
