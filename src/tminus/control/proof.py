"""Nothing is done on a GO that its record does not prove, whoever wrote it there.

The whole record is read again before each thing that changes the service, within the step that changes it, so that
nothing comes in between when a process dies. Where it proves no GO, the launch holds, and only a person lets it look
once more.
"""

from dataclasses import dataclass

from tminus.control.countdown import CONTROL, LONGEST
from tminus.control.ports import Clock, Json, Record, Steps, Verifier
from tminus.domain.course import GUARDED, UNPROVEN, course_of
from tminus.errors import RecordError, TminusError


@dataclass(frozen=True, slots=True)
class Proof:
    """Whether one launch may act on its GO."""

    record: Record
    verifier: Verifier

    async def check(self) -> None:
        """Raise `RecordError` unless the record, as it stands now, proves all that it says."""
        try:
            await self.verifier.verify(await self.record.events())
        except TminusError as error:
            raise RecordError(f"the record does not prove its GO: {error}", hint=error.hint) from error

    async def awaited(self, steps: Steps, clock: Clock) -> None:
        """Return once the record proves its GO and nobody holds the clock, or somebody has ordered the launch back."""
        number = 0
        while not (await steps.step(f"verify GO, look {number}", self._look))["done"]:
            await steps.receive(CONTROL, clock.now() + LONGEST)
            number += 1

    async def _look(self) -> Json:
        events = await self.record.events()
        course = course_of(events)
        if course.leaving or course.over:
            return {"done": True}
        if course.held or course.unproven:
            return {"done": False}
        try:
            await self.check()
        except RecordError as error:
            held = sum(event.type == GUARDED for event in events)
            await self.record.append_once(f"hold:GO:{held}", GUARDED, held_by("GO", error))
            return {"done": False}
        return {"done": True}


def held_by(where: str, error: RecordError) -> Json:
    """What the record says of a launch that is held since it does not prove its GO."""
    return {"where": where, "rule": UNPROVEN, "text": f"{error} ({error.hint})"}
