"""A record that is kept only as long as its command runs: for looking at a plan's lines outside a launch."""

from collections.abc import Callable

from tminus.control.ports import Json
from tminus.domain.course import Course
from tminus.domain.record import Event


class UnkeptRecord:
    """See `control.ports.Record`; nothing is written anywhere, and nothing is chained."""

    def __init__(self, at: str) -> None:
        self._at = at
        self._events: dict[str, Event] = {}

    async def append_once(self, key: str, kind: str, data: Json) -> Event:
        """See `Record.append_once`."""
        if key not in self._events:
            self._events[key] = Event(len(self._events), "", self._at, None, kind, key, data)
        return self._events[key]

    async def append_while(self, allowed: Callable[[Course], None], key: str, kind: str, data: Json) -> Event:
        """See `Record.append_while`; outside a launch nothing forbids anything."""
        del allowed
        return await self.append_once(key, kind, data)

    async def events(self, after_seq: int = -1) -> list[Event]:
        """See `Record.events`."""
        return list(self._events.values())[after_seq + 1 :]
