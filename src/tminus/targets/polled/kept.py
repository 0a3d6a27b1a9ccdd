"""A trace and what was taken for it, so that a kill at any moment neither loses a request nor counts it twice.

The items are written first, then the state in one move, which names how many items it belongs to. After a kill between
the two the items behind that number are cut off: the same samples are not taken yet, and come to the same items.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from tminus.domain.scrapes import Scrapes
from tminus.domain.traffic import Outcome, WeightChange
from tminus.errors import PartError
from tminus.files import replace
from tminus.haproxy.tracefile import TraceFile

from .selectors import Counted

FORMAT = 1
"""Another number is another form of the state."""


class Kept:
    """The files of one launch; raises `PartError` where they do not fit each other, or another plan has made them."""

    def __init__(self, file: Path, counted: Counted) -> None:
        self._file = file
        self._state = file.with_name(f"{file.name}.state")
        self._by = [
            counted.status,
            *(select(side) for side in counted.names for select in (counted.requests_of, counted.buckets_of)),
        ]
        self.scrapes: Scrapes | None = None
        """What was taken when the files were opened; nothing where there are none."""
        self.trace = TraceFile(file)
        if self._state.exists():
            self.scrapes = self._read()
        elif len(self.trace):
            raise PartError(
                f"{self._state} is missing beside its trace",
                hint=f"move {file} away; it is made again from what Prometheus has kept",
            )

    def write(self, items: Sequence[Outcome | WeightChange], scrapes: Scrapes) -> None:
        """Have these at the end of the trace, and what was taken with them; raises `OSError` when that is not written.

        It is then written with the next.
        """
        self.trace.write(items)
        if self._file.exists():
            # The state is flushed, and must never name what a machine that lost its power has not kept.
            with self._file.open("rb") as written:
                os.fsync(written.fileno())
        state = {"format": FORMAT, "by": self._by, "items": len(self.trace), "scrapes": scrapes.data()}
        replace(self._state, [json.dumps(state, separators=(",", ":"), allow_nan=False).encode()])

    def _read(self) -> Scrapes:
        hint = f"move {self._state} and {self._file} away; both are made again from what Prometheus has kept"
        try:
            state = json.loads(self._state.read_bytes())
            form, by, items = state["format"], state["by"], int(state["items"])
            scrapes = Scrapes.of(state["scrapes"])
        except (KeyError, TypeError, ValueError) as error:
            raise PartError(f"{self._state} cannot be read: {error!r}", hint=hint) from error
        if (form, by) != (FORMAT, self._by):
            raise PartError(f"{self._state} counts by other selectors", hint=hint)
        if items > len(self.trace):
            raise PartError(f"{self._file} has {len(self.trace)} items of {items}", hint=hint)
        self.trace.cut(items)
        return scrapes
