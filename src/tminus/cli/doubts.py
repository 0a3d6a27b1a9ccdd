"""What the picture of a launch cannot know: that its record is not proved, and that nobody runs it any more."""

from collections.abc import Sequence
from pathlib import Path

from tminus.cli.launches import Found
from tminus.demo.custody import Custody, custody
from tminus.domain.record import Event
from tminus.domain.verification import check_open
from tminus.errors import TminusError
from tminus.signing import load_trust, open_envelope, trust_path

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
    """Why a launch that has not ended is not what its record says; looks again only when the record has grown."""

    def __init__(self, home: Path, found: Found) -> None:
        self._home = home
        self._found = found
        self._seen = ""
        """The digest of the last event that was verified."""
        self._unproved = ""

    def of(self, events: Sequence[Event], outcome: str) -> list[str]:
        """Each in a sentence with what to do; of a launch that has ended none: `tminus verify` judges it."""
        if outcome or not events:
            return []
        untended = "" if self._found.environment else UNTENDED[custody(self._home, self._found.id)]
        return [words for words in (untended, self._proof(events)) if words]

    def _proof(self, events: Sequence[Event]) -> str:
        if events[-1].digest != self._seen:
            self._seen, self._unproved = events[-1].digest, _unproved(events, trust_path(self._home))
        return self._unproved


def _unproved(events: Sequence[Event], trust: Path) -> str:
    """Why the record does not verify with this machine's trust root; empty where it does, or where there is none."""
    if not trust.exists():
        return ""
    try:
        check_open(events, open_envelope, load_trust(trust))
    except TminusError as error:
        return f"the record does not prove what it says: {error}; nothing is done on it"
    return ""
