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
"""Seconds between a signature and its record, at the most: the command that signs records it."""
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
            self.held = instant(fields.text(event.data, "since"))
        elif event.type == RESUMED:
            self.t0, self.held = instant(fields.text(event.data, "t0")), None

    def judge_go(self, event: Event, signed_at: str, valid_ms: int | None) -> None:
        """Raise `RecordError` unless GO was decided near T-0, as far as the record says how near that has to be.

        Where waits are shortened the launch clock runs ahead of all others, and what it showed is believed.
        """
        if valid_ms is None:
            return
        if event.t_ms is None or abs(event.t_ms) > valid_ms + _GRACE_MS:
            when = "without a T-0" if event.t_ms is None else f"at {clock(event.t_ms / 1000)}"
            raise RecordError(f"GO {when}, more than {valid_ms} ms from T-0", hint=_HINT)
        if self.speed == 1 and self.t0 is not None:
            self._judge_clocks(event, event.t_ms / 1000, signed_at, self.t0)

    def _judge_clocks(self, event: Event, shown: float, signed_at: str, t0: float) -> None:
        at = instant(event.at)
        stood = (at if self.held is None else min(at, self.held)) - t0
        if abs(stood - shown) > READ_TWICE:
            raise RecordError(
                f"GO says {clock(shown)}, but by its date and its holds it was {clock(stood)}", hint=_HINT
            )
        if abs(instant(signed_at) - at) > AT_ONCE:
            raise RecordError(f"GO was signed at {signed_at} and recorded at {event.at}", hint=_HINT)
