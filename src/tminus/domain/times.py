"""When things of a record happened: what it says of that, held against itself.

`at` is the clock of who recorded it, `t_ms` where the launch clock stood by that, `signed_at` the clock of who signed.
None of them has a witness outside; but they have to fit each other, the date that people signed, and the holds.
"""

from dataclasses import dataclass

from tminus.domain import fields
from tminus.domain.canonical import instant
from tminus.domain.course import HELD, RESCHEDULED, RESUMED
from tminus.domain.offsets import clock
from tminus.domain.record import OPENED, Event
from tminus.errors import RecordError

SIDE_BY_SIDE = 1.0
"""Seconds: two who write at once may have read their clocks in the other order."""
READ_TWICE = 5.0
"""Seconds between two readings of one clock, on a machine that is busy."""
AT_ONCE = 600.0
"""Seconds between a signature and its record, at the most: who signs records it in the same act."""
_GRACE_MS = 1000
_HINT = "do not rely on this launch: its record does not carry its decision"


@dataclass(slots=True)
class Times:
    """The clocks of one record, as its events are read."""

    t0: float | None = None
    speed: float = 1.0
    held: float | None = None
    """Since when people hold the clock."""
    last: float | None = None
    steps_back: int = 0

    @property
    def notes(self) -> tuple[str, ...]:
        """What is odd but no reason to refuse."""
        return (f"the clock went back {self.steps_back} times",) if self.steps_back else ()

    def follow(self, event: Event) -> None:
        """Take the next event, whatever it is."""
        at = instant(event.at)
        self.steps_back += self.last is not None and at < self.last - SIDE_BY_SIDE
        self.last = at
        if event.type in {OPENED, RESCHEDULED}:
            schedule = fields.table(event.data, "schedule")
            self.t0, self.held = instant(fields.text(schedule, "t0")), None
            speed = schedule.get("speed", self.speed)
            self.speed = float(speed) if isinstance(speed, int | float) else self.speed
        elif event.type == HELD:
            self._hold(event, at)
        elif event.type == RESUMED:
            self._resume(event, at)

    def judge_go(self, event: Event, valid_ms: int | None) -> None:
        """Raise `RecordError` unless GO was decided near T-0, as far as the record says how near that has to be.

        Where waits are shortened the launch clock runs ahead of all others, and what it showed is believed.
        """
        if valid_ms is None:
            return
        if event.t_ms is None or abs(event.t_ms) > valid_ms + _GRACE_MS:
            when = "without a T-0" if event.t_ms is None else f"at {clock(event.t_ms / 1000)}"
            raise RecordError(f"GO {when}, more than {valid_ms} ms from T-0", hint=_HINT)
        if self.speed == 1 and self.t0 is not None:
            self._judge_clocks(instant(event.at), event.t_ms / 1000, self.t0)

    def _hold(self, event: Event, at: float) -> None:
        since = instant(fields.text(event.data, "since"))
        if self.speed == 1 and abs(since - at) > READ_TWICE:
            raise RecordError(
                f"the clock was held since {event.data['since']}, but that was recorded at {event.at}",
                hint=_HINT,
            )
        self.held = since

    def _resume(self, event: Event, at: float) -> None:
        """T-0 moves by the time for which the clock stood, and by no more: nobody signs a hold."""
        t0 = instant(fields.text(event.data, "t0"))
        if self.speed == 1 and self.t0 is not None:
            stood = 0.0 if self.held is None else max(0.0, at - self.held)
            if abs(t0 - self.t0 - stood) > READ_TWICE:
                raise RecordError(
                    f"after a hold of {stood:.0f} s T-0 moved by {t0 - self.t0:.0f} s, to {event.data['t0']}",
                    hint=_HINT,
                )
        self.t0, self.held = t0, None

    def _judge_clocks(self, at: float, shown: float, t0: float) -> None:
        stood = (at if self.held is None else min(at, self.held)) - t0
        if abs(stood - shown) > READ_TWICE:
            raise RecordError(
                f"GO says {clock(shown)}, but by its date and its holds it was {clock(stood)}", hint=_HINT
            )


def judge_signed(event: Event, signed_at: str) -> None:
    """Raise `RecordError` for a person's signed word that was not recorded when it was signed."""
    if abs(instant(signed_at) - instant(event.at)) > AT_ONCE:
        raise RecordError(f"it was signed at {signed_at} and recorded at {event.at}", hint=_HINT)
