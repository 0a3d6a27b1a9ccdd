"""What makes a plan this plan: its canonical form (RFC 8785) and the SHA-256 of it.

The form is of what the file means, so comments, the order of keys, quotes and flow style do not matter, nor whether a
value was written here or came from a base, nor whether a default was spelled out. Left out is what no launch acts on:

- `$schema` and `extends`: help for writing; what they bring is in.
- `source.path`: where the checklist lies on somebody's disk. Its `sha256` is in: the plan is made from those bytes.
- `source_line`, `checked`, `confidence`: how an import came to a line. A ticked box is never believed, and a person who
  confirms a guess changes nothing of what is observed.
"""

from collections.abc import Mapping
from typing import Any

from tminus.domain.canonical import JsonValue
from tminus.domain.evidence import digest
from tminus.planfile.document import Document, NoticesEntry, NotifyEntry

_OF_THE_FILE = {"$schema", "extends"}
_SINCE: Mapping[str, Any] = {
    "changes": [],
    "environment": "",
    "expedited": None,
    "freezes": [],
    "metrics": [],
    "notices": NoticesEntry().model_dump(mode="json"),
    "notify": NotifyEntry().model_dump(mode="json"),
    "target": None,
}
"""Keys that plans did not have at first, as they are when left out: a plan without them keeps its digest."""
_NOTIFY_SINCE: Mapping[str, Any] = {"pager": ""}
"""The same for the systems by which people are told."""
_ROLLOUT_SINCE: Mapping[str, Any] = {"traffic": 0.0}
"""The same for the rollout."""
_ROLES_SINCE: Mapping[str, Any] = {"slack": ""}
"""The same for each role."""
_DECISION_SINCE: Mapping[str, Any] = {"steady": "0s"}
"""The same for the decision."""
_TRIGGERS_SINCE: Mapping[str, Any] = {"path": "", "vantages": []}
"""The same for each trigger."""
_LINES_SINCE: Mapping[str, Any] = {"each": [], "shown": False, "until": ""}
"""The same for each line."""
_OF_THE_IMPORT = {"source_line", "checked", "confidence"}


def canonical(document: Document) -> JsonValue:
    """The plan as the JSON value that its digest is taken of."""
    whole = document.model_dump(mode="json", by_alias=True)
    kept = {key: _entry(value) for key, value in _since(whole, _SINCE).items() if key not in _OF_THE_FILE}
    if "notify" in kept:
        kept["notify"] = _since(kept["notify"], _NOTIFY_SINCE)
    kept["rollout"] = _since(kept["rollout"], _ROLLOUT_SINCE)
    kept["decision"] = _since(kept["decision"], _DECISION_SINCE)
    kept["roles"] = [_since(role, _ROLES_SINCE) for role in kept["roles"]]
    kept["checks"] = {
        section: [_since(line, _LINES_SINCE) for line in lines] for section, lines in kept["checks"].items()
    }
    kept["triggers"] = [_since(trigger, _TRIGGERS_SINCE) for trigger in kept["triggers"]]
    if document.source is not None:
        kept["source"] = {key: value for key, value in whole["source"].items() if key != "path"}
    return kept


def identity(document: Document) -> str:
    """The plan's digest; raises `ValueError` for a value that has no canonical form."""
    return digest(canonical(document))


def _since(entry: Mapping[str, Any], since: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key not in since or value != since[key]}


def _entry(value: Any) -> Any:
    """An entry without what only the import says; arguments of probes are left as they are."""
    if isinstance(value, Mapping):
        return {
            key: inner if key in {"with", "control"} else _entry(inner)
            for key, inner in value.items()
            if key not in _OF_THE_IMPORT
        }
    return [_entry(inner) for inner in value] if isinstance(value, list) else value
