"""The launch record: events in a hash chain, one canonical JSON line each.

A line is the RFC 8785 form of one event and a newline. Each event names the SHA-256 of the line before it, so
whoever knows the last line knows them all; `head -n 5 FILE | tail -n 1 | sha256sum` shows the same digest by hand.
The store writes through `append`, verification reads through `read`. What the events mean is left to `verification`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeGuard

from tminus.domain.canonical import JsonValue, canonical, instant, parse, plain, sha256_hex
from tminus.domain.fields import exactly
from tminus.errors import OutOfSequenceError, RecordError

OPENED = "launch.opened"
"""The first event: what the launch binds, and by which rules it is judged."""
ENDED = "launch.ended"
"""How the launch ended; only a checkpoint follows."""
CHECKPOINT = "checkpoint"
"""The server's signature over everything before it; the last line of an exported record."""
NO_LINE = "0" * 64
"""What the first event names as the line before it."""
LINE_LIMIT = 1024 * 1024
"""Bytes of one line; larger evidence is kept by digest, outside the record."""

_FIELDS = ("seq", "prev", "at", "t_ms", "type", "key", "data")
_TYPE = re.compile(r"[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)*")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_HINT = "export the record again from its store; if it still does not hold, treat it as altered"


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be recorded, before it has a place in the chain."""

    type: str
    """Dotted, lower case, such as `check.observed`."""
    key: str
    """Unique within the launch, such as `check:bk.db@T-2h`: a step that runs again records nothing twice."""
    data: Mapping[str, object]
    """JSON without secrets."""
    at: str
    """When it happened, as `canonical.timestamp` writes it."""
    t_ms: int | None = None
    """Milliseconds from T-0 on the launch clock, negative before; none while no T-0 is set."""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the record."""

    seq: int
    """Counted from 0; its line number is one more."""
    prev: str
    """SHA-256 of the line before, newline included."""
    at: str
    t_ms: int | None
    type: str
    key: str
    data: Mapping[str, JsonValue] = field(hash=False)
    _digest: str = field(default="", init=False, repr=False, compare=False)
    """Of the line that it was read from or written to; a copy with other fields has none yet."""

    @property
    def line(self) -> int:
        """Its line number in an exported record, from 1."""
        return self.seq + 1

    @property
    def digest(self) -> str:
        """SHA-256 of its line: what the next event names."""
        return self._digest or digest(encode(self))

    def stands_in(self, line: bytes) -> "Event":
        """The same event, which this is the line of: its digest need not be made anew each time that it is named."""
        object.__setattr__(self, "_digest", digest(line))
        return self


def digest(line: bytes) -> str:
    """SHA-256 of a line, newline included, in hex."""
    return sha256_hex(line)


def append(previous: Event | None, entry: Entry) -> Event:
    """Give an entry its place behind the previous event.

    Raises `OutOfSequenceError` when the record must open first or has ended, `RecordError` for what cannot be
    written.
    """
    if (previous is None) != (entry.type == OPENED):
        raise OutOfSequenceError(
            f"{entry.type} cannot stand here: a record begins with {OPENED} and has it once",
            hint="open the launch before anything else is recorded",
        )
    if previous and previous.type == ENDED and entry.type != CHECKPOINT:
        raise OutOfSequenceError(
            f"{entry.type} comes after {ENDED}: the record is closed", hint="open a new launch"
        )
    event = Event(
        seq=previous.seq + 1 if previous else 0,
        prev=previous.digest if previous else NO_LINE,
        at=entry.at,
        t_ms=entry.t_ms,
        type=entry.type,
        key=entry.key,
        data=plain(entry.data),
    )
    return event.stands_in(encode(event))


def encode(event: Event) -> bytes:
    """The event's line; raises `RecordError` for one that `decode` would refuse."""
    fields = {name: getattr(event, name) for name in _FIELDS}
    _check(fields)
    line = canonical(fields) + b"\n"
    if len(line) > LINE_LIMIT:
        raise RecordError(
            f"the event {event.key} has {len(line)} bytes, more than {LINE_LIMIT}",
            hint="store large evidence by its digest",
        )
    return line


def decode(number: int, line: bytes) -> Event:
    """Read line `number` (from 1), newline included.

    Raises `RecordError` with the line and the byte for anything but the one canonical form of an event.
    """
    try:
        fields = _fields(line)
    except RecordError as error:
        raise RecordError(f"line {number}: {error}", hint=error.hint) from error
    return Event(**fields).stands_in(line)  # type: ignore[arg-type] # every field was checked


def read(chunks: Iterable[bytes]) -> Iterator[Event]:
    """The events of a record, each yielded once the line behind it has confirmed it.

    Holds two lines in memory at most. Raises `RecordError` with the line where the chain does not hold, and for a
    record that is empty, does not open, or does not end with a checkpoint. What the checkpoint signs is left to
    `verification`.
    """
    previous: Event | None = None
    prev = NO_LINE
    for number, line in enumerate(_lines(chunks), 1):
        event = decode(number, line)
        check_place(event, number, prev)
        if previous:
            yield previous
        previous, prev = event, event.digest
    if previous is None:
        raise RecordError("line 1: the record is empty", hint=_HINT)
    if previous.type != CHECKPOINT:
        raise RecordError(
            f"line {previous.line}: the record ends with {previous.type}, not with a checkpoint: lines are missing",
            hint=_HINT,
        )
    yield previous


def _fields(line: bytes) -> dict[str, JsonValue]:
    if not line.endswith(b"\n"):
        raise RecordError(f"byte {len(line) + 1}: the final newline is missing", hint=_HINT)
    fields = parse(line[:-1])
    if not isinstance(fields, dict):
        raise RecordError("not an object", hint=_HINT)
    _check(fields)
    return fields


def check_place(event: Event, number: int, prev: str) -> None:
    """Raise `RecordError` unless the event stands on this line, behind the line of this digest."""
    if event.seq != number - 1:
        raise RecordError(
            f"line {number}: `seq` is {event.seq}, not {number - 1}: lines are missing, moved or added",
            hint=_HINT,
        )
    if event.prev != prev:
        before = f"line {number - 1}: that line was changed" if number > 1 else "the beginning"
        raise RecordError(f"line {number}: `prev` is not the digest of {before}, or this one", hint=_HINT)
    if (event.type == OPENED) != (number == 1):
        raise RecordError(f"line {number}: {OPENED} must be the first event and stand once", hint=_HINT)


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    number = 1
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            _check_length(number, line)
            yield line + b"\n"
            number += 1
        _check_length(number, rest)
    if rest:
        yield rest


def _check_length(number: int, line: bytes) -> None:
    if len(line) >= LINE_LIMIT:
        raise RecordError(f"line {number}: longer than {LINE_LIMIT} bytes", hint=_HINT)


def _check(fields: Mapping[str, object]) -> None:
    exactly(fields, _FIELDS)
    seq, t_ms, key, at = fields["seq"], fields["t_ms"], fields["key"], fields["at"]
    wrong = (
        ("seq" if not (_whole(seq) and seq >= 0) else "")
        or ("prev" if not _matches(_DIGEST, fields["prev"]) else "")
        or ("t_ms" if not (t_ms is None or _whole(t_ms)) else "")
        or ("type" if not _matches(_TYPE, fields["type"]) else "")
        or ("key" if not (isinstance(key, str) and 0 < len(key) <= 200 and key.isprintable()) else "")
        or ("data" if not isinstance(fields["data"], dict) else "")
        or ("at" if not isinstance(at, str) else "")
    )
    if wrong:
        raise RecordError(f"`{wrong}` cannot be {str(fields[wrong])[:60]!r}", hint=_HINT)
    instant(str(at))


def _whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None
