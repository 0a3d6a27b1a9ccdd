"""The names of an object's keys, and when each was last written: read from `managedFields`, where no value stands."""

from collections.abc import Mapping
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


def keys(metadata: Object) -> Mapping[str, Written] | None:
    """By name of a key of a ConfigMap or a Secret: its last writer; nothing where the API does not tell of any.

    Several writers may hold one key; the last of them counts.
    """
    entries = mappings(metadata.get("managedFields"))
    if not entries:
        return None
    found: dict[str, Written] = {}
    for entry in entries:
        by = Written(text(entry.get("manager")), instant(entry.get("time")) or 0.0)
        for holder in _HOLDERS:
            for step in mapping(mapping(entry.get("fieldsV1")).get(holder)):
                name = step.removeprefix("f:")
                if step.startswith("f:") and by.at >= found.get(name, by).at:
                    found[name] = by
    return found
