"""Fields of JSON objects that others wrote: present, of the right type, or refused by name."""

from collections.abc import Iterable, Mapping

from tminus.errors import RecordError

_HINT = "the record was not written by tminus, or was altered"


def text(data: Mapping[str, object], name: str) -> str:
    """A text that is not empty."""
    value = data.get(name)
    if not isinstance(value, str) or not value:
        raise _wrong(name, "a text", value)
    return value


def number(data: Mapping[str, object], name: str) -> int:
    """A whole number; true and false are none."""
    value = data.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong(name, "a whole number", value)
    return value


def flag(data: Mapping[str, object], name: str) -> bool:
    """True or false, nothing that merely looks like it."""
    value = data.get(name)
    if not isinstance(value, bool):
        raise _wrong(name, "true or false", value)
    return value


def table(data: Mapping[str, object], name: str) -> dict[str, object]:
    """A JSON object."""
    value = data.get(name)
    if not isinstance(value, dict):
        raise _wrong(name, "an object", value)
    return value


def rows(data: Mapping[str, object], name: str) -> list[dict[str, object]]:
    """A list of JSON objects."""
    value = data.get(name)
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise _wrong(name, "a list of objects", value)
    return value


def texts(data: Mapping[str, object], name: str) -> list[str]:
    """A list of texts."""
    value = data.get(name)
    if not isinstance(value, list) or not all(isinstance(row, str) and row for row in value):
        raise _wrong(name, "a list of texts", value)
    return value


def exactly(data: Mapping[str, object], names: Iterable[str]) -> None:
    """Raise `RecordError` unless the object has these fields and no other."""
    wanted = set(names)
    if data.keys() == wanted:
        return
    if missing := sorted(wanted - data.keys()):
        raise RecordError(f"the field `{missing[0]}` is missing", hint=_HINT)
    if unknown := sorted(data.keys() - wanted):
        raise RecordError(f"the field {unknown[0][:40]!r} is unknown", hint=_HINT)


def _wrong(name: str, kind: str, value: object) -> RecordError:
    seen = "missing" if value is None else f"{str(value)[:40]!r}"
    return RecordError(f"`{name}` must be {kind}, not {seen}", hint=_HINT)
