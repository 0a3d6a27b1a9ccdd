"""A record that cannot be read as one: somebody changed a line, or wrote what contradicts the others.

Nothing can be decided by it. That it is so can still be written behind its last line, and people can be told.
"""

from collections.abc import Iterable, Iterator

from tminus.control.launchtime import LaunchTime
from tminus.control.ports import Clock
from tminus.control.proof import held_by
from tminus.domain.course import GUARDED, ORDERED, UNPROVEN, Course, follow
from tminus.domain.record import Event
from tminus.domain.timeline import LaunchClock
from tminus.errors import RecordError
from tminus.store.record import RecordStore
from tminus.wiring import LaunchRecord


class DoubtedRecord(LaunchRecord):
    """The record of a launch as it stands, without the events that contradict those before them."""

    def __init__(self, store: RecordStore, launch: str, clock: Clock) -> None:
        # When T-0 is cannot be known, so nothing that is written here has a place on the launch clock.
        super().__init__(store, launch, LaunchTime(clock, LaunchClock(None, 1.0)))

    async def events(self, after_seq: int = -1) -> list[Event]:
        """See `Record.events`; raises `RecordError` where not even its lines can be read."""
        events = _of_one_course(await self._store.as_they_stand(self._launch, -1))
        return [event for event in events if event.seq > after_seq]

    async def hold(self, error: RecordError) -> bool:
        """Write down that the launch is held and why, once until somebody resumes it; whether it was news.

        Raises `OutOfSequenceError` where it has ended, `RecordError` where not even its lines can be read.
        """
        events = await self._store.as_they_stand(self._launch, -1)
        marks = [event for event in events if event.type in {GUARDED, ORDERED}]
        if marks and marks[-1].data.get("rule") == UNPROVEN:
            return False
        await self.append_once(f"hold:record:{len(marks)}", GUARDED, held_by("record", error))
        return True


def _of_one_course(events: Iterable[Event]) -> Iterator[Event]:
    course: Course | None = None
    for event in events:
        try:
            course = follow(course, event)
        except RecordError:
            continue  # it is what the launch is held for
        yield event
