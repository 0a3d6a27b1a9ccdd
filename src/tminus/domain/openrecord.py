"""The record of a launch under way, verified as it grows: each event once."""

from collections.abc import Sequence

from tminus.domain.record import Event
from tminus.domain.report import OpenEnvelope
from tminus.domain.signers import Signers
from tminus.domain.trust import TrustRoot
from tminus.domain.verification import Reading, take_all
from tminus.errors import RecordError


class OpenRecord:
    """What one reader has verified of it so far; what did not hold then does not hold from then on."""

    def __init__(self, open_envelope: OpenEnvelope, trust: TrustRoot | None) -> None:
        self._reading = Reading(open_envelope, Signers(trust))
        self._refused: tuple[Event, RecordError] | None = None

    def leads_to(self, events: Sequence[Event]) -> bool:
        """Whether these begin with what was read so far."""
        last = self._refused[0] if self._refused else self._reading.last
        return last is None or (len(events) > last.seq and events[last.seq].digest == last.digest)

    def follow(self, events: Sequence[Event]) -> None:
        """Verify what is new in these; raises `RecordError` for the first event that does not hold, from then on."""
        if self._refused:
            # Raised at each look: with its traceback it would keep one more look's events in memory every time.
            raise self._refused[1].with_traceback(None)
        try:
            take_all(self._reading, events[self._count :])
        except RecordError as error:
            self._refused = events[self._count], error
            raise

    @property
    def _count(self) -> int:
        return self._reading.last.seq + 1 if self._reading.last else 0
