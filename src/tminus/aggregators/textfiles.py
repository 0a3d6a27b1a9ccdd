"""Files that many machines' lines are written to, as by a central syslog server: read from their ends.

A line's labels are the fields that it holds, and beside them `file` and `folder`: the names of its file and of the
folder around it. Its time is the field that says one with its zone; a line without one belongs to the line before it.
What was written to a file before it was rotated (`app.log.1`, `app.log-20270115`) counts as its own.
"""

import asyncio
import glob
import math
import os
import re
from dataclasses import dataclass
from pathlib import Path

from tminus.aggregators.lines import SAMPLE, Found, Line, Wanted, gathered, own_time, structured
from tminus.errors import DeniedError, InconclusiveError, UnreachableError

MOST_BYTES = 4 * 1024 * 1024
"""How much of a file is read, from its end."""
MOST_FILES = 500
MOST_LINES = 10_000
"""Lines that are looked at in all, the newest of each file: a look has to end."""
_ROTATED = re.compile(r"[.-](?:1|\d{8,14})$")
"""How the end of a file's name is changed when it is rotated, by logrotate's own ways; packed ones are older."""
_OWN = {"file", "folder"}


@dataclass(frozen=True, slots=True)
class TextFiles:
    """See `Aggregator`."""

    pattern: str

    async def recent(self, wanted: Wanted) -> Found:
        """See `Aggregator.recent`."""
        return await asyncio.to_thread(self._recent, wanted)

    async def marked(self, wanted: Wanted, mark: str) -> Found:
        """See `Aggregator.marked`; of the lines of a file only those that hold the mark are read further."""
        return await asyncio.to_thread(self._marked, wanted, mark)

    def _recent(self, wanted: Wanted) -> Found:
        files = self._files(wanted.since)
        share = max(SAMPLE, MOST_LINES // max(1, len(files)))
        lines: list[Line] = []
        texts: list[str] = []
        cut = False
        for path, known in files:
            texts = _texts(_end_of(path), share + SAMPLE)
            lines += (found := _lines(known, texts, len(texts) - share, len(texts)))
            # Older lines are of no use, so it matters only where the oldest that was looked at is still wanted.
            cut = cut or (len(texts) > share and bool(found) and found[0].at >= wanted.since)
        if texts and not lines:
            raise InconclusiveError(
                f"no line in {self.pattern} says when it was written",
                hint="let lines be JSON or name=value, with a time that has its zone",
            )
        # A file that is its instance's own shows whether there is a line, however many there are.
        return gathered(lines, wanted, cut=cut and wanted.instance not in _OWN)

    def _marked(self, wanted: Wanted, mark: str) -> Found:
        lines: list[Line] = []
        for path, known in self._files(wanted.since):
            data = _end_of(path)
            texts = _texts(data, len(data)) if mark.encode() in data else []
            for number, text in enumerate(texts):
                if mark in text:
                    lines += _lines(known, texts, number, number + 1)
        return gathered(lines, wanted)

    def _files(self, since: float) -> list[tuple[Path, Path]]:
        """Those that something was written to since then, each with the file that it was before it was rotated."""
        paths = _matching(self.pattern)
        if not paths:
            raise UnreachableError(
                f"no file matches {self.pattern}", hint="see whether the folder is mounted"
            )
        if len(paths) > MOST_FILES:
            raise InconclusiveError(
                f"{len(paths)} files match {self.pattern}, too many to look at", hint="narrow the pattern"
            )
        known = {path: path for path in paths}
        for path in _matching(f"{self.pattern}[.-]*"):
            before = path.with_name(_ROTATED.sub("", path.name))
            if before != path and before in known:
                known[path] = before
        return [(path, name) for path, name in known.items() if _changed(path) >= since]


def _matching(pattern: str) -> list[Path]:
    return [Path(name) for name in sorted(glob.glob(pattern))]  # noqa: PTH207 - the pattern is absolute


def _changed(path: Path) -> float:
    """When it was written to; never, if it has just been rotated away."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return -math.inf
    except OSError as error:
        raise UnreachableError(f"{path}: {error.strerror}", hint="see whether it is still there") from error


def _end_of(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - MOST_BYTES))
            data = file.read()
    except PermissionError as error:
        raise DeniedError(f"{path} may not be read", hint="let tminus' user read it") from error
    except OSError as error:
        raise UnreachableError(f"{path}: {error.strerror}", hint="see whether it is still there") from error
    return data.partition(b"\n")[2] if size > MOST_BYTES else data  # the first line is cut off


def _texts(data: bytes, most: int) -> list[str]:
    """The last lines, as they are."""
    rows = data.rstrip(b"\n").rsplit(b"\n", most)
    return [row.decode(errors="replace") for row in rows[-most:] if row]


def _lines(known: Path, texts: list[str], begin: int, end: int) -> list[Line]:
    """The lines from one to another; those before are looked at for the time of the first alone."""
    labels = {"file": known.name, "folder": known.parent.name}
    begin = max(0, begin)
    before = (own_time(structured(text)) for text in reversed(texts[max(0, begin - SAMPLE) : begin]))
    at: float | None = None
    lines: list[Line] = []
    for text in texts[begin:end]:
        fields = structured(text)
        own = own_time(fields)
        if own is None and at is None:
            own = next((found for found in before if found is not None), None)
        at = at if own is None else own
        if at is not None:
            lines.append(Line(at, text, {**fields, **labels}))
    return lines
