"""The record of one launch as a worker keeps it: it waits for a database that is away, and tells what is new in it."""

from collections.abc import Callable, Sequence
from typing import Protocol

from tminus.control.ports import Json, Record, Verifier
from tminus.domain.course import DECIDED, Course
from tminus.domain.record import Event
from tminus.engine.patience import Patience
from tminus.errors import TminusError

RECORD = "its record"
"""What a launch waits for, in words that go on from its name."""


class Journal(Protocol):
    """Takes what happens in the launches of one worker; raises nothing, since that would end the launch."""

    def say(self, launch: str, words: str) -> None:
        """Something that is not in the record; `launch` is empty for what is about no single one."""
        ...

    def tell(self, launch: str, event: Event) -> None:
        """An event that is new in the record, whoever has recorded it."""
        ...


class AttendedRecord:
    """See `control.ports.Record`; `heard` takes all events when they are read first, and then each new one.

    `told` is the last event of which this process knows, from an earlier run of the launch: what came behind it while
    the launch was at rest is news. None where it meets the launch for the first time. A GO that is new is held
    against `verifier` at once: what nobody acts on at T-0 must not be told as if it stood.
    """

    def __init__(
        self, record: Record, launch: str, journal: Journal, patience: Patience, told: int | None = None
    ) -> None:
        self._record = record
        self._launch = launch
        self._journal = journal
        self._patience = patience
        self.told = told
        self.verifier: Verifier | None = None
        self.heard: Callable[[Sequence[Event]], None] = lambda _: None

    async def append_once(self, key: str, kind: str, data: Json) -> Event:
        """See `Record.append_once`."""
        return self._noted(
            await self._patience.run(RECORD, lambda: self._record.append_once(key, kind, data))
        )

    async def append_while(self, allowed: Callable[[Course], None], key: str, kind: str, data: Json) -> Event:
        """See `Record.append_while`."""
        return self._noted(
            await self._patience.run(RECORD, lambda: self._record.append_while(allowed, key, kind, data))
        )

    async def events(self, after_seq: int = -1) -> list[Event]:
        """See `Record.events`."""
        known = self.told
        if known is None:
            # What stood there when this process met the launch is no news.
            events = await self._read(-1)
            self.told = len(events) - 1
            self.heard(events)
        else:
            events = await self._read(min(known, after_seq))
            new = [event for event in events if event.seq > known]
            self._tell(new)
            if any(event.type == DECIDED and event.data.get("decision") == "go" for event in new):
                await self._prove(events if events[0].seq == 0 else await self._read(-1))
        return [event for event in events if event.seq > after_seq]

    async def _read(self, after_seq: int) -> list[Event]:
        return await self._patience.run(RECORD, lambda: self._record.events(after_seq))

    async def _prove(self, events: Sequence[Event]) -> None:
        if self.verifier is None:
            return
        try:
            await self.verifier.verify(events)
        except TminusError as error:
            self._journal.say(self._launch, f"nothing will be done on that GO: {error}; {error.hint}")

    def _noted(self, event: Event) -> Event:
        """An event that follows on what was told; one behind others is told with them, when they are read."""
        if self.told is not None and event.seq == self.told + 1:
            self._tell([event])
        return event

    def _tell(self, events: Sequence[Event]) -> None:
        for event in events:
            self.told = event.seq
            self._journal.tell(self._launch, event)
        if events:
            self.heard(events)
