"""Canonical JSON (RFC 8785): one byte form for each value, and a reader that accepts no other.

Whatever is signed or chained passes through here. The reader is strict, so that two programs can never see two
values in the same bytes: no duplicate keys, no numbers that a double cannot hold, no spaces.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import NoReturn, TypeAlias, cast

import orjson
import rfc8785

from tminus.errors import RecordError

JsonValue: TypeAlias = "str | int | float | bool | list[JsonValue] | dict[str, JsonValue] | None"
"""What records and evidence are made of: it is stored, hashed and printed as JSON."""

_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
_NUMBERS = re.compile(rb"[\[:,]-?[0-9](?:[0-9]{15}|[0-9]*\.[0-9]*0[,\]}]|[0-9.]*[eE][-+]?[0-9]+[,\]}])")
"""Numbers in a list or an object with sixteen digits before the point, an exponent, or a last 0 behind the point."""
_BEYOND = re.compile(rb"[\xf0-\xf7]")
"""A character beyond U+FFFF."""
_ORDERED = (
    orjson.OPT_SORT_KEYS
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_SUBCLASS
)
_SAFE = 2**53 - 1
"""The largest integer that every JSON reader keeps exactly: RFC 8785, appendix D."""
_HINT = "export the record again from its store; if the difference stays, treat the record as altered"


def canonical(value: object) -> bytes:
    """The RFC 8785 bytes of a JSON value.

    Raises `RecordError` for what its own reader would refuse: NaN, numbers beyond 2^53 - 1, lone surrogates, keys
    that are no text, other types, nesting too deep to read back.
    """
    encoded, _ = _written(value)
    return encoded


def written(value: object) -> bytes:
    """The same bytes for what nobody reads again; raises `ValueError` for what is no JSON."""
    quick = _quickly_written(value)
    if quick is not None:
        return quick[0]
    return rfc8785.dumps(value)  # type: ignore[arg-type] # refuses what is no JSON by itself


def written_so(value: object, encoded: bytes) -> bool:
    """Whether these canonical bytes, as `parse` takes them, are those of this value."""
    try:
        # Of JSON values orjson writes NaN alone as something else, and that as null.
        if b"null" not in encoded and orjson.dumps(value, option=_ORDERED) == encoded:
            return True
    except orjson.JSONEncodeError:
        return canonical(value) == encoded
    return canonical(value) == encoded


def plain(value: Mapping[str, object]) -> dict[str, JsonValue]:
    """A detached copy as a reader will see it: lists for tuples, integers for whole floats."""
    _, read = _written(dict(value))
    return cast("dict[str, JsonValue]", read)


def _written(value: object) -> tuple[bytes, JsonValue]:
    """The bytes, and what is read from them again: bytes that this writes have their one form already."""
    return _quickly_written(value) or _written_by_the_library(value)


def _quickly_written(value: object) -> tuple[bytes, JsonValue] | None:
    """The same by orjson, where it spells this value as RFC 8785 does; nothing where that is not certain (ADR 32)."""
    try:
        encoded = orjson.dumps(value, option=_ORDERED)
        read: JsonValue = orjson.loads(encoded)
    except (orjson.JSONEncodeError, orjson.JSONDecodeError):
        return None
    # What orjson changes without a word (a tuple, NaN) is not what is read again.
    return None if read != value or _otherwise(encoded) else (encoded, read)


def _written_by_the_library(value: object) -> tuple[bytes, JsonValue]:
    try:
        encoded = rfc8785.dumps(value)  # type: ignore[arg-type] # refuses what is no JSON by itself
    except (ValueError, RecursionError) as error:
        raise RecordError(
            f"this cannot be written as JSON: {error}", hint="record plain JSON values"
        ) from error
    return encoded, _read(encoded)


def parse(encoded: bytes) -> JsonValue:
    """Read canonical JSON; raises `RecordError` naming the first byte that is not as RFC 8785 writes it."""
    try:
        value: JsonValue = orjson.loads(encoded)
        alike = orjson.dumps(value, option=_ORDERED) == encoded
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return _parsed_by_the_library(encoded)
    return value if alike and not _otherwise(encoded) else _parsed_by_the_library(encoded)


def _parsed_by_the_library(encoded: bytes) -> JsonValue:
    value = _read(encoded)
    try:
        again = rfc8785.dumps(value)
    except (ValueError, RecursionError) as error:
        raise _refused(f"not canonical JSON: {error}") from error
    if again != encoded:
        raise _refused(f"byte {first_difference(encoded, again)}: not as RFC 8785 writes it")
    return value


def _otherwise(encoded: bytes) -> bool:
    """Whether orjson may spell something here in another way than RFC 8785.

    Such are some numbers, and the order of some keys. Within a text they do no harm, and are not told apart.
    """
    if encoded[:1] in b"-0123456789" or _NUMBERS.search(encoded):
        return True
    return not encoded.isascii() and _BEYOND.search(encoded) is not None


def first_difference(one: bytes, other: bytes) -> int:
    """Where two byte strings part, counted from 1."""
    pairs = zip(one, other, strict=False)
    return next((i for i, (a, b) in enumerate(pairs, 1) if a != b), min(len(one), len(other)) + 1)


def sha256_hex(content: bytes) -> str:
    """The SHA-256 digest in lower-case hex."""
    return sha256(content).hexdigest()


def timestamp(epoch_seconds: float) -> str:
    """An instant as records write it: UTC, milliseconds, `2026-01-31T12:00:00.000Z`."""
    moment = datetime.fromtimestamp(round(epoch_seconds * 1000) / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@lru_cache(maxsize=1024)  # every reader of an event asks for the same one
def instant(text: str) -> float:
    """Seconds of the epoch for an instant written by `timestamp`; raises `RecordError` for any other form."""
    try:
        seconds = datetime.fromisoformat(text).timestamp()
        if _INSTANT.fullmatch(text):
            return seconds
        written = timestamp(seconds)
    except (ValueError, OverflowError) as error:
        raise _refused(f"{text!r} is no instant") from error
    if written != text:
        raise _refused(f"{text!r} is no instant in UTC with milliseconds, such as {written!r}")
    return seconds


def _read(encoded: bytes) -> JsonValue:
    try:
        value: JsonValue = json.loads(
            encoded.decode("utf-8"),
            object_pairs_hook=_without_duplicates,
            parse_constant=_no_constant,
            parse_int=_integer,
            parse_float=_number,
        )
    except UnicodeDecodeError as error:
        raise _refused(f"byte {error.start + 1}: no UTF-8") from error
    except json.JSONDecodeError as error:
        column = len(error.doc[: error.pos].encode("utf-8", "surrogatepass")) + 1
        raise _refused(f"byte {column}: no JSON: {error.msg}") from error
    except RecursionError as error:
        raise _refused("nested too deep to read") from error
    return value


def _without_duplicates(pairs: Sequence[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    read = dict(pairs)
    if len(read) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise _refused(f"the key {twice!r} stands twice in one object")
    return read


def _integer(text: str) -> int:
    if len(text) > 17 or abs(int(text)) > _SAFE:
        raise _refused(f"the number {text[:40]} is beyond 2^53 - 1")
    return int(text)


def _number(text: str) -> float:
    number = float(text)
    if not abs(number) <= _SAFE:
        raise _refused(f"the number {text[:40]} is beyond 2^53 - 1")
    return number


def _no_constant(text: str) -> NoReturn:
    raise _refused(f"{text} is no JSON number")


def _refused(what: str) -> RecordError:
    return RecordError(what, hint=_HINT)
