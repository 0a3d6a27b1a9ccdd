"""A worker's record: it waits for a database that is away, and tells what is new in it."""

from collections.abc import Callable, Sequence
from functools import partial

import pytest

from tminus.control.ports import Json
from tminus.domain.course import DECIDED, Course
from tminus.domain.record import OPENED, Entry, Event, append
from tminus.engine.patience import AGAIN_SECONDS, Patience
from tminus.errors import OutOfSequenceError, RecordError, StoreError, TminusError
from tminus.testing import FakeClock
from tminus.wiring.attended import AttendedRecord

AT = "2027-01-15T08:00:00.000Z"
GONE = StoreError("the store does not answer\n\tis it there?", hint="start it")


class Said:
    """A journal that keeps what it is told."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.events: list[str] = []

    def say(self, launch: str, words: str) -> None:
        assert launch == "a"
        self.words.append(words)

    def tell(self, launch: str, event: Event) -> None:
        assert launch == "a"
        self.events.append(event.key)


class Chain:
    """A record in memory that others write too, and that may be away."""

    def __init__(self) -> None:
        self.events_: list[Event] = []
        self.away = 0
        self.refuses: OutOfSequenceError | None = None
        self.add("opened", OPENED)

    def add(self, key: str, kind: str = "milestone.reached", data: Json | None = None) -> Event:
        last = self.events_[-1] if self.events_ else None
        self.events_.append(append(last, Entry(kind, key, data or {}, AT)))
        return self.events_[-1]

    async def append_once(self, key: str, kind: str, data: Json) -> Event:
        del data
        self._reach()
        found = next((event for event in self.events_ if event.key == key), None)
        return found or self.add(key, kind)

    async def append_while(self, allowed: Callable[[Course], None], key: str, kind: str, data: Json) -> Event:
        del allowed
        return await self.append_once(key, kind, data)

    async def events(self, after_seq: int = -1) -> list[Event]:
        self._reach()
        return [event for event in self.events_ if event.seq > after_seq]

    def _reach(self) -> None:
        if self.away:
            self.away -= 1
            raise GONE
        if self.refuses is not None:
            raise self.refuses


class Place:
    def __init__(self) -> None:
        self.clock, self.said, self.chain = FakeClock(), Said(), Chain()
        self.patience = Patience(self.clock, partial(self.said.say, "a"))
        self.record = AttendedRecord(self.chain, "a", self.said, self.patience)


async def test_what_stood_there_before_is_no_news_and_what_comes_is_told_once() -> None:
    place = Place()
    await place.record.append_once("opened", OPENED, {})
    await place.record.events()
    assert place.said.events == []
    await place.record.append_once("mine", "milestone.reached", {})
    await place.record.append_once("mine", "milestone.reached", {})
    await place.record.events()
    assert place.said.events == ["mine"]


async def test_what_came_while_the_launch_was_at_rest_is_told_by_its_next_run() -> None:
    place = Place()
    await place.record.events()
    place.chain.add("ordered")
    again = AttendedRecord(place.chain, "a", place.said, place.patience, place.record.told)
    await again.events()
    await again.events()
    assert place.said.events == ["ordered"]


async def test_what_others_have_recorded_is_told_in_its_order() -> None:
    place = Place()
    await place.record.events()
    place.chain.add("theirs")
    await place.record.append_once("mine", "milestone.reached", {})
    assert place.said.events == []
    await place.record.events()
    await place.record.events()
    assert place.said.events == ["theirs", "mine"]


async def test_a_database_that_is_away_is_waited_for_and_said_once() -> None:
    place = Place()
    place.chain.away = 3
    begun = place.clock.now()
    assert [event.key for event in await place.record.events()] == ["opened"]
    assert place.clock.now() == begun + 3 * AGAIN_SECONDS
    first, last = place.said.words
    assert first == "its record meets StoreError: the store does not answer; it tries again every second"
    assert last == "its record goes on: what it met is over"


async def test_what_is_refused_is_raised_at_once() -> None:
    place = Place()
    place.chain.refuses = OutOfSequenceError("the launch has ended", hint="open another")
    with pytest.raises(OutOfSequenceError):
        await place.record.append_once("mine", "milestone.reached", {})
    assert place.said.words == []


async def test_whoever_listens_hears_all_that_stands_there_once_and_then_what_is_new() -> None:
    place = Place()
    heard: list[list[str]] = []
    place.record.heard = lambda events: heard.append([event.key for event in events])
    await place.record.events()
    place.chain.add("theirs")
    await place.record.append_once("mine", "milestone.reached", {})
    await place.record.events()
    await place.record.events()
    assert heard == [["opened"], ["theirs", "mine"]]


class Doubter:
    """Verifies what it is shown, or says that it is not proved."""

    def __init__(self, error: TminusError | None) -> None:
        self.error = error
        self.shown: list[int] = []

    async def verify(self, events: Sequence[Event]) -> None:
        self.shown.append(len(events))
        if self.error:
            raise self.error


@pytest.mark.parametrize("error", [None, RecordError("a stranger signed this", hint="ask who it was")])
async def test_a_go_is_held_against_the_trust_root_when_it_comes(error: TminusError | None) -> None:
    place, doubter = Place(), Doubter(error)
    place.record.verifier = doubter
    place.chain.add("before", DECIDED, {"decision": "go"})
    await place.record.events()
    place.chain.add("milestone")
    place.chain.add("not", DECIDED, {"decision": "no-go"})
    await place.record.events()
    assert doubter.shown == [], (
        "what stood there before is no news, and a NO-GO needs no proof to stop a launch"
    )
    place.chain.add("go", DECIDED, {"decision": "go"})
    await place.record.events()
    await place.record.events()
    assert doubter.shown == [5]
    told = "nothing will be done on that GO: a stranger signed this; ask who it was"
    assert place.said.words == ([told] if error else [])
