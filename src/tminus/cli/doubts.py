"""What the picture of a launch cannot know: that its record is not proved, and that nobody runs it any more."""

from collections.abc import Callable, Sequence
from pathlib import Path

from tminus.demo.custody import Custody, custody
from tminus.domain.openrecord import OpenRecord
from tminus.domain.record import ENDED, Event
from tminus.domain.trust import KeyKind, TrustRoot
from tminus.errors import RecordError, TminusError
from tminus.picture.reading import DATABASE
from tminus.signing import load_trust, open_envelope, trust_path

AGAIN_SECONDS = 2.0
"""Between two looks at who has a demo in hand; many may watch at once."""
UNTENDED = {
    Custody.ALIVE: "",
    Custody.WAITING: (
        "nobody runs this demo: its tminus has ended and its users go on, with nobody who judges or moves traffic;"
        " `tminus demo` goes on with it, `tminus demo --clear` takes it down"
    ),
    Custody.LOST: "nobody runs this demo, and too little of it is left to go on; `tminus demo --clear` ends its record",
}
"""By who has a demo in hand: what is to be said of a launch that has not ended."""


class Doubts:
    """Why a launch that has not ended is not what its record says, each in a sentence with what to do.

    One that has ended is left to `tminus verify`. Of a record that has grown only what is new is verified.
    """

    def __init__(self, home: Path, launch: str, now: Callable[[], float], trust: Path | None = None) -> None:
        self._home = home
        self._root = trust or trust_path(home)
        self._launch = launch
        # A demo has a database of its own.
        self._demo = (home / "launches" / launch / DATABASE).exists()
        self._now = now
        self._looked = float("-inf")
        self._untended = ""
        self._proof: OpenRecord | None = None
        self._trusted = -1
        """When the trust root was written by which it is proved, in nanoseconds."""

    def __call__(self, events: Sequence[Event]) -> Sequence[str]:
        """See `picture.watched.Doubt`."""
        if not events or any(event.type == ENDED for event in events):
            return ()
        return [words for words in (self._tended(), self._doubted(events)) if words]

    def _tended(self) -> str:
        """A launch of the common database has workers, of which `tminus doctor` tells."""
        if self._demo and not 0 <= self._now() - self._looked < AGAIN_SECONDS:
            self._looked, self._untended = self._now(), UNTENDED[custody(self._home, self._launch)]
        return self._untended

    def _doubted(self, events: Sequence[Event]) -> str:
        """Why the record does not verify with the trust root; empty where it does, or the root knows nobody."""
        if not self._root.exists():
            return ""
        try:
            written = self._root.stat().st_mtime_ns
            if self._proof is None or written != self._trusted or not self._proof.leads_to(events):
                trust = load_trust(self._root)
                self._proof = OpenRecord(open_envelope, trust if self._knows_people(trust) else None)
                self._trusted = written
        except TminusError as error:
            return f"nobody here can tell whether the record is proved: {error} ({error.hint})"
        try:
            self._proof.follow(events)
        except RecordError as error:
            return f"the record does not prove what it says, by {self._root}: {error}"
        return ""

    def _knows_people(self, trust: TrustRoot) -> bool:
        """Whether it could know who signed: every machine that ran a demo has the keys of simulated people."""
        return any(key.kind is KeyKind.PERSON and (self._demo or not key.simulated) for key in trust.keys)
