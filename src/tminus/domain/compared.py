"""Two JSON objects that must be one, and words beside a signature: the first place where they differ is named."""

from collections.abc import Mapping

from tminus.domain.attestation import Json
from tminus.domain.canonical import canonical
from tminus.errors import RecordError

_HINT = "do not rely on this launch: its record does not prove what it says"


def same(what: str, seen: Mapping[str, object], right: Json) -> None:
    """Raise `RecordError` naming the first place where what stands differs from what must stand."""
    if canonical(dict(seen)) != canonical(right):
        raise RecordError(f"{what} does not hold: {_difference('', seen, right)}", hint=_HINT)


def said(data: Mapping[str, object], signed: Mapping[str, object], *needed: str) -> None:
    """Raise `RecordError` unless what stands beside an envelope is what was signed; the rest of it may be left out.

    Whoever reads a record, and does not open its envelopes, reads these fields.
    """
    for name, right in signed.items():
        seen = data.get(name)
        if (name in data or name in needed) and canonical([seen]) != canonical([right]):
            raise RecordError(f"`{name}` is {seen!r}, but {right!r} was signed", hint=_HINT)


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
