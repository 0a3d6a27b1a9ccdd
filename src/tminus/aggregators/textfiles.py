"""Files that many machines' lines are written to, as by a central syslog server: read from their ends.

A line's labels are the fields that it holds, and beside them `file` and `folder`: the names of its file and of the
folder around it. Its time is the field that says one; a line without one belongs to the line before it.
"""

import asyncio
import glob
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tminus.aggregators.lines import TIMES, Found, Line, Wanted, gathered, instant, structured
from tminus.errors import DeniedError, InconclusiveError, UnreachableError

MOST_BYTES = 4 * 1024 * 1024
"""How much of a file is read, from its end."""
MOST_FILES = 500


@dataclass(frozen=True, slots=True)
class TextFiles:
    """See `Aggregator`."""

    pattern: str

    async def recent(self, wanted: Wanted) -> Found:
        """See `Aggregator.recent`."""
        return gathered(await asyncio.to_thread(self._lines), wanted)

    async def marked(self, wanted: Wanted, mark: str) -> Found:
        """See `Aggregator.marked`."""
        lines = [line for line in await asyncio.to_thread(self._lines) if mark in line.text]
        return gathered(lines, wanted)

    def _lines(self) -> list[Line]:
        paths = [Path(name) for name in sorted(glob.glob(self.pattern))]  # noqa: PTH207 - the pattern is absolute
        if not paths:
            raise UnreachableError(
                f"no file matches {self.pattern}", hint="see whether the folder is mounted"
            )
        if len(paths) > MOST_FILES:
            raise InconclusiveError(
                f"{len(paths)} files match {self.pattern}, too many to look at", hint="narrow the pattern"
            )
        return [line for path in paths for line in _read(path)]


def _read(path: Path) -> Iterator[Line]:
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - MOST_BYTES))
            data = file.read()
    except PermissionError as error:
        raise DeniedError(f"{path} may not be read", hint="let tminus' user read it") from error
    except OSError as error:
        raise UnreachableError(f"{path}: {error.strerror}", hint="see whether it is still there") from error
    if size > MOST_BYTES:
        data = data.partition(b"\n")[2]  # the first line is cut off
    at: float | None = None
    for text in data.decode(errors="replace").splitlines():
        fields = structured(text)
        at = next((found for name in TIMES if (found := instant(fields.get(name, ""))) is not None), at)
        if at is not None:
            yield Line(at, text, {**fields, "file": path.name, "folder": path.parent.name})
