"""The file of one launch's trace: written at its end alone, and read from any of its lines on.

A day of requests is half a gigabyte. So nothing here holds all of it: what was written lately is in memory, and for the
rest a mark for each few thousand lines says where in the file to begin.
"""

import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from tminus.domain.trace import MOST_SECONDS_BACK, parse_line, render
from tminus.domain.traffic import Outcome, WeightChange

STRIDE = 4096
"""Lines from one mark to the next at the least."""

NEWEST = 20_000
"""How many of the newest items are in memory, and how many are given at once."""

BLOCK = 1 << 20
"""Bytes that are read at once."""

_NUMBER = re.compile(rb'"n":(\d+)\}$', re.MULTILINE)
"""The proxy's own count of a request, as `render` writes it: last in its line."""

Item = Outcome | WeightChange


@dataclass(frozen=True, slots=True)
class _Mark:
    """Where in the file a line begins."""

    items: int
    """How many lines stand before it."""
    offset: int


class TraceFile:
    """The items of one trace, by their places in it; a launch's thread reads while another writes."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = Lock()
        self._open()

    def _open(self) -> None:
        self._marks = [_Mark(0, 0)]
        self._written = self._size = 0
        self._runs: list[range] = []
        if self._file.exists():
            self._scan()
        self._base = self._written
        """How many items stand before those in memory."""
        self._newest: list[Item] = []
        self._unwritten: list[bytes] = []

    def __len__(self) -> int:
        return self._base + len(self._newest)

    def numbers(self) -> Sequence[range]:
        """The proxy's own counts of all requests that the file held when it was opened, in their order."""
        return self._runs

    def after(self, after: int) -> list[Item]:
        """The items after the first `after`, in order of arrival; the first 20,000 of them where there are more."""
        with self._lock:
            if after >= self._base:
                return self._newest[after - self._base :][:NEWEST]
            mark = self._marks[bisect_right(self._marks, after, key=lambda mark: mark.items) - 1]
            most = min(self._base - after, NEWEST)
        return self._read(mark, after - mark.items, most)

    def all(self) -> Iterator[Item]:
        """Every item from the beginning, a part at a time."""
        at = 0
        while part := self.after(at):
            yield from part
            at += len(part)

    def since(self, at: float) -> list[Item]:
        """At least every item that was there at this instant or later; `at` in seconds like `Outcome.at`."""
        found: list[list[Item]] = []
        end = len(self)
        while end > 0:
            begin = max(0, end - NEWEST)
            part = self._between(begin, end)
            found.append(part)
            if min(item.at for item in part) < at - MOST_SECONDS_BACK:
                break
            end = begin
        return [item for part in reversed(found) for item in part]

    def _between(self, begin: int, end: int) -> list[Item]:
        found: list[Item] = []
        while begin + len(found) < end:
            found += self.after(begin + len(found))
        return found[: end - begin]

    def write(self, items: Sequence[Item]) -> None:
        """Have these at the end, in memory at once; raises `OSError` when the file does not take them now.

        They are written then with the next ones.
        """
        with self._lock:
            self._newest.extend(items)
            self._unwritten += [_line(item) for item in items]
            if self._unwritten:
                text = b"".join(self._unwritten)
                append(self._file, text)
                self._grown(len(self._unwritten), len(text))
                self._unwritten.clear()
            if len(self._newest) >= 2 * NEWEST:
                del self._newest[: len(self._newest) - NEWEST]
                self._base = self._written - NEWEST

    def cut(self, items: int) -> None:
        """Take everything behind the first `items` away for good; nothing where there are no more."""
        with self._lock:
            if items >= self._written:
                return
            mark = self._marks[bisect_right(self._marks, items, key=lambda mark: mark.items) - 1]
            with self._file.open("r+b") as file:
                file.seek(mark.offset)
                kept = sum(len(file.readline()) for _ in range(items - mark.items))
                file.truncate(mark.offset + kept)
            self._open()

    def _grown(self, items: int, size: int) -> None:
        """Note what is written; a mark stands where a write has begun."""
        if self._written - self._marks[-1].items >= STRIDE:
            self._marks.append(_Mark(self._written, self._size))
        self._written += items
        self._size += size

    def _read(self, mark: _Mark, skip: int, most: int) -> list[Item]:
        found: list[Item] = []
        with self._file.open("rb") as lines:
            lines.seek(mark.offset)
            for number, text in enumerate(lines):
                if number >= skip:
                    found.append(parse_line(text.decode(), mark.items + number + 1))
                    if len(found) == most:
                        break
        return found

    def _scan(self) -> None:
        """Find the marks and the numbers; a last line that a crash cut off is cut off for good."""
        runs: list[range] = []
        rest = b""
        with self._file.open("r+b") as file:
            while block := file.read(BLOCK):
                whole, cut, rest = (rest + block).rpartition(b"\n")
                if cut:
                    text = whole + cut
                    runs += _runs(sorted(map(int, _NUMBER.findall(text))))
                    self._grown(text.count(b"\n"), len(text))
            file.truncate(self._size)
        self._runs = _merged(runs)


def append(file: Path, text: bytes) -> None:
    """Write at the end, whole or not at all."""
    with file.open("ab", buffering=0) as out:
        end = out.tell()
        try:
            rest = memoryview(text)
            while rest:
                rest = rest[out.write(rest) :]
        except OSError:
            out.truncate(end)
            raise


def _line(item: Item) -> bytes:
    return json.dumps(render(item), separators=(",", ":")).encode() + b"\n"


def _runs(numbers: Sequence[int]) -> list[range]:
    """Sorted numbers without their gaps."""
    runs: list[range] = []
    first = last = None
    for number in numbers:
        if first is None or last is None:
            first = last = number
        elif number <= last + 1:
            last = number
        else:
            runs.append(range(first, last + 1))
            first = last = number
    return runs if first is None or last is None else [*runs, range(first, last + 1)]


def _merged(runs: list[range]) -> list[range]:
    """Runs in their order, those that meet made one."""
    merged: list[range] = []
    for run in sorted(runs, key=lambda run: run.start):
        if merged and run.start <= merged[-1].stop:
            merged[-1] = range(merged[-1].start, max(merged[-1].stop, run.stop))
        else:
            merged.append(run)
    return merged
