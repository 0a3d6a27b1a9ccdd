"""A record judged by this machine alone: with the code of `tminus verify`, and a trust root that lies here."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tminus.domain.record import Event
from tminus.domain.trust import KeyKind
from tminus.domain.verification import check_open
from tminus.errors import RefusedError
from tminus.signing import load_trust, open_envelope


@dataclass(frozen=True, slots=True)
class OwnTrust:
    """See `control.ports.Verifier`; the trust root is read each time, so that a key enrolled meanwhile counts."""

    place: Path

    async def verify(self, events: Sequence[Event]) -> None:
        """See `Verifier.verify`; raises `RefusedError` where this machine has no trust root."""
        # A long record takes seconds, in which the heart of this process has to beat.
        await asyncio.to_thread(self._verify, events)

    def told(self) -> str:
        """Whose GO is believed here, in words; raises what `load_trust` raises."""
        if not self.place.exists():
            return f"acts on nobody's GO: {self.place} is not there, the trust root that it would be verified with"
        people = sum(key.kind is KeyKind.PERSON for key in load_trust(self.place).keys)
        return f"verifies each GO with {self.place}, which has {people} keys of people"

    def _verify(self, events: Sequence[Event]) -> None:
        if not self.place.exists():
            raise RefusedError(
                f"{self.place} is not there: nobody's key is trusted on this machine",
                hint="copy your team's trust root there, or start the worker with --trust FILE",
            )
        check_open(events, open_envelope, load_trust(self.place))
