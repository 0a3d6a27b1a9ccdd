"""A file's bytes as lines of text, with the way back from every column to its byte."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from tminus import files
from tminus.checklist.repair import broken, repaired, suspicious
from tminus.errors import ChecklistError

MAX_BYTES = 2 * 1024 * 1024
"""A checklist of 10,000 lines has half a megabyte."""
MAX_LINE = 20_000
"""The longest line, in characters; more is no sentence, and patterns are slow on it."""
_BOM = b"\xef\xbb\xbf"
_ENDINGS = re.compile(rb"\r\n|\r|\n")
_ESCAPED = re.compile("[\udc80-\udcff]")
_CLEANER = "Write it as Markdown in UTF-8 and import that file."


@dataclass(frozen=True, slots=True)
class Source:
    """A checklist's lines, repaired for reading, and where each of them is in the file.

    A byte that is no UTF-8 stands in `lines` as a lone surrogate; `readable` turns it into the letter that
    Windows-1252 has there, which is what such files are.
    """

    data: bytes
    lines: list[str]
    starts: list[int]
    ends: list[int]
    newline: str
    bom: bool
    undecodable: int
    layers: dict[int, int] = field(default_factory=dict)
    """How many wrong decodings were taken back, by the number of the line from 0."""

    def at(self, line: int, column: int) -> int:
        """The byte of the file at which a column of a line begins."""
        before = self.lines[line][:column]
        if before.isascii():
            return self.starts[line] + column
        written = broken(before, self.layers.get(line, 0))
        return self.starts[line] + len(written.encode(errors="surrogateescape"))

    def end(self, line: int) -> int:
        """The byte behind the last one of a line that is not blank."""
        return self.starts[line] + len(self.data[self.starts[line] : self.ends[line]].rstrip(b" \t"))


def load(path: Path) -> bytes:
    """A checklist's bytes, never more than `MAX_BYTES` of them; raises `ChecklistError`."""
    try:
        data = files.regular(path, MAX_BYTES + 1)
    except OSError as error:
        raise ChecklistError(
            f"{path} cannot be read: {error.strerror}", hint="Name a file that exists and that you may read."
        ) from error
    _refuse(data)
    return data


def opened(data: bytes) -> Source:
    """The lines of a file; raises `ChecklistError` for what is too large, empty or no text."""
    _refuse(data)
    bom = data.startswith(_BOM)
    starts, ends = _bounds(data, len(_BOM) if bom else 0)
    text = data[starts[0] :].decode(errors="surrogateescape")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    _refuse_long(lines)
    undecodable = 0 if text.isascii() else len(_ESCAPED.findall(text))
    layers = _repair(lines) if suspicious(text) else {}
    if lines[0].startswith("\ufeff"):
        marked = broken(lines[0][:1], layers.get(0, 0))
        starts[0] += len(marked.encode())
        lines[0] = lines[0][1:]
    return Source(data, lines, starts, ends, _newline(data), bom, undecodable, layers)


def readable(text: str) -> str:
    """Text without the stand-ins for bytes that are no UTF-8."""
    return _ESCAPED.sub(_letter, text)


def _letter(match: re.Match[str]) -> str:
    return bytes([ord(match.group()) - 0xDC00]).decode("cp1252", errors="replace")


def _refuse(data: bytes) -> None:
    if len(data) > MAX_BYTES:
        raise ChecklistError(
            f"the file is larger than {MAX_BYTES:,} bytes",
            hint="Import the one document that the team ticks, not a collection of them.",
        )
    if not data.removeprefix(_BOM).strip():
        raise ChecklistError("the file is empty", hint="Name the Markdown file that holds the checklist.")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ChecklistError("the file is UTF-16, not UTF-8", hint=_CLEANER)
    if (place := data.find(b"\0")) >= 0:
        line = data.count(b"\n", 0, place) + 1
        raise ChecklistError(f"line {line}: the file is binary (a NUL byte), not Markdown", hint=_CLEANER)


def _refuse_long(lines: list[str]) -> None:
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_LINE:
            raise ChecklistError(
                f"line {number} has {len(line):,} characters; {MAX_LINE:,} are read at most",
                hint="Break this line into several, or take out what is embedded in it.",
            )


def _bounds(data: bytes, first: int) -> tuple[list[int], list[int]]:
    starts, ends = [first], []
    for ending in _ENDINGS.finditer(data, first):
        ends.append(ending.start())
        starts.append(ending.end())
    ends.append(len(data))
    return starts, ends


def _newline(data: bytes) -> str:
    pairs = data.count(b"\r\n")
    if data.count(b"\r") != pairs or (pairs and data.count(b"\n") != pairs):
        return "mixed"
    return "crlf" if pairs else "lf"


def _repair(lines: list[str]) -> dict[int, int]:
    layers = {}
    for number, line in enumerate(lines):
        if not line.isascii():
            lines[number], count = repaired(line)
            if count:
                layers[number] = count
    return layers
