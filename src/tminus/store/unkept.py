"""A record that is kept only as long as its command runs: for looking at a plan's lines outside a launch."""

from tminus.control.ports import Json
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

    async def append_for(self, attempt: int, key: str, kind: str, data: Json) -> Event:
        """See `Record.append_for`; outside a launch there is one date, which is none."""
        del attempt
        return await self.append_once(key, kind, data)

    async def events(self) -> list[Event]:
        """See `Record.events`."""
        return list(self._events.values())
