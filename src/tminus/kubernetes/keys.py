"""The names of an object's keys, and when each was last written: read from `managedFields`, where no value stands."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from tminus.gotime import instant

from .api import Object
from .references import mapping, mappings, text

_HOLDERS = ("f:data", "f:binaryData", "f:stringData")


@dataclass(frozen=True, slots=True)
class Written:
    """Who wrote a key, and when at the latest: the time is that of the writer's last change of anything here."""

    manager: str
    at: float
    holders: frozenset[str] = frozenset()
    """Everybody who holds it: whoever changes it takes it from the others, so they all want the same value."""


def keys(metadata: Object) -> Mapping[str, Written] | None:
    """By name of a key of a ConfigMap or a Secret: its last writer; nothing where the API does not tell of any.

    Several writers may hold one key; the last of them counts.
    """
    entries = mappings(metadata.get("managedFields"))
    if not entries:
        return None
    found: dict[str, Written] = {}
    for entry in entries:
        manager, at = text(entry.get("manager")), instant(entry.get("time")) or 0.0
        for holder in _HOLDERS:
            for step in mapping(mapping(entry.get("fieldsV1")).get(holder)):
                if step.startswith("f:"):
                    name = step.removeprefix("f:")
                    before = found.get(name, Written(manager, at))
                    holders = before.holders | {manager}
                    last = at >= before.at
                    found[name] = Written(manager if last else before.manager, max(at, before.at), holders)
    return found


def wrote(metadata: Object, managers: Collection[str]) -> float:
    """When one of these managers last changed anything in an object; 0 where none of them ever did."""
    entries = mappings(metadata.get("managedFields"))
    times = (instant(entry.get("time")) or 0.0 for entry in entries if entry.get("manager") in managers)
    return max(times, default=0.0)
