"""Two JSON objects that must be one, and words beside a signature: the first place where they differ is named."""

from collections.abc import Mapping

from tminus.domain.attestation import Json
from tminus.domain.canonical import canonical, written_so
from tminus.domain.report import SignedStatement
from tminus.errors import RecordError

_HINT = "do not rely on this launch: its record does not prove what it says"


def same(what: str, seen: Mapping[str, object], right: Json) -> None:
    """Raise `RecordError` naming the first place where what stands differs from what must stand."""
    if canonical(dict(seen)) != canonical(right):
        raise _differs(what, seen, right)


def signed(what: str, seen: SignedStatement, right: Json) -> None:
    """Raise `RecordError` naming the first place where what was signed differs from what must have been."""
    if not written_so(right, seen.payload):
        raise _differs(what, seen.statement, right)


def said(data: Mapping[str, object], words: Mapping[str, object], *needed: str) -> None:
    """Raise `RecordError` unless what stands beside an envelope is what was signed; the rest of it may be left out.

    Whoever reads a record, and does not open its envelopes, reads these fields.
    """
    for name, right in words.items():
        seen = data.get(name)
        if (name in data or name in needed) and not _alike(seen, right):
            raise RecordError(f"`{name}` is {seen!r}, but {right!r} was signed", hint=_HINT)


def _alike(seen: object, right: object) -> bool:
    """Whether both are one JSON value: 1 is not true, inside of lists and objects as well."""
    if isinstance(right, dict):
        if not isinstance(seen, dict) or seen.keys() != right.keys():
            return False
        return all(_alike(seen[name], value) for name, value in right.items())
    if isinstance(right, list):
        if not isinstance(seen, list) or len(seen) != len(right):
            return False
        return all(_alike(one, other) for one, other in zip(seen, right, strict=True))
    return seen == right and isinstance(seen, bool) == isinstance(right, bool)


def _differs(what: str, seen: Mapping[str, object], right: Json) -> RecordError:
    return RecordError(f"{what} does not hold: {_difference('', seen, right)}", hint=_HINT)


def _difference(place: str, seen: object, right: object) -> str:
    if isinstance(seen, dict) and isinstance(right, dict):
        for name in sorted(seen.keys() | right.keys()):
            if seen.get(name) != right.get(name) or (name in seen) != (name in right):
                return _difference(f"{place}.{name}".lstrip("."), seen.get(name), right.get(name))
    if isinstance(seen, list) and isinstance(right, list) and len(seen) == len(right):
        for number, (one, other) in enumerate(zip(seen, right, strict=True)):
            if one != other:
                return _difference(f"{place}[{number}]", one, other)
    return f"`{place}` is {str(seen)[:80]}, not {str(right)[:80]}"
