"""The same file with a few bytes changed: whatever no edit names stays as it is, down to the last byte.

The export calls it; what is to be written where, it leaves to its caller. Line ends, a byte order mark and bytes that
are no UTF-8 are never looked at, so they cannot be changed.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from tminus.checklist.model import Span
from tminus.checklist.repair import broken, repaired
from tminus.errors import RefusedError

_EVIDENCE = re.compile(r" \[(?:\\.|[^\[\]\\])*\]\([^()\s]*#[0-9a-f]{64}\)")


@dataclass(frozen=True, slots=True)
class Edit:
    """New bytes in the place of a stretch of old ones; an empty stretch inserts."""

    span: Span
    replacement: bytes


def written(data: bytes, edits: Iterable[Edit]) -> bytes:
    """The file with these edits, in any order, and nothing else changed.

    Raises `RefusedError` for edits that overlap, that insert at the same place, or that lie outside the file.
    """
    ordered = sorted(edits, key=lambda edit: (edit.span.start, edit.span.end))
    for edit in ordered:
        if not 0 <= edit.span.start <= edit.span.end <= len(data):
            raise _refused(
                f"bytes {edit.span.start} to {edit.span.end} are not in a file of {len(data)} bytes"
            )
    for one, other in pairwise(ordered):
        if other.span.start < one.span.end or other.span == one.span:
            raise _refused(f"two changes meet at byte {other.span.start}")
    parts: list[bytes] = []
    place = 0
    for edit in ordered:
        parts += (data[place : edit.span.start], edit.replacement)
        place = edit.span.end
    return b"".join([*parts, data[place:]])


def spelled(data: bytes, place: int, text: str) -> bytes:
    """Text as it must stand at this place of the file to be read there as it is meant.

    A line that was decoded wrongly once is repaired as a whole or not at all, so what is added to it makes the same
    mistake.
    """
    if text.isascii():
        return text.encode()
    start = max(data.rfind(b"\n", 0, place), data.rfind(b"\r", 0, place)) + 1
    line = data[start:].splitlines()[0].decode(errors="surrogateescape").removeprefix("\ufeff")
    return broken(text, repaired(line)[1]).encode()


def evidence_link(words: str, record: str, entry: str) -> str:
    """What is put behind a line: a link into the record, named by its file and the SHA-256 of the entry.

    The words must be Markdown already, and the record's name fit for an address.
    """
    return f" [{words}]({record}#{entry})"


def unlinked(text: str) -> str:
    """Text without evidence links: a file that was handed back once says again what its team had written."""
    return _EVIDENCE.sub("", text) if "#" in text else text


def _refused(what: str) -> RefusedError:
    return RefusedError(f"the checklist cannot be written: {what}", hint="export as html or json instead")
