"""Whose field is whose, read from an object's `managedFields`."""

import json
from collections.abc import Mapping
from typing import Any

from tminus.kubernetes import MANAGER, Object


def own(live: Object) -> Object:
    """What we have applied to an object before: the fields that our apply holds, with their values now.

    Applied again with one more field it changes that field alone, since apply takes away what it held and is not told.
    """
    kept: Object = {}
    for entry in live.get("metadata", {}).get("managedFields") or ():
        if entry["manager"] == MANAGER and entry["operation"] == "Apply" and not entry.get("subresource"):
            kept = _picked(live, entry.get("fieldsV1") or {})
    meta = {key: live["metadata"][key] for key in ("name", "namespace") if key in live["metadata"]}
    kept["metadata"] = {**kept.get("metadata", {}), **meta}
    return {**kept, "apiVersion": live["apiVersion"], "kind": live["kind"]}


def writers(live: Object, *path: str) -> list[str]:
    """Who but us holds a field or something below it, whoever wrote last first."""
    found = [
        (str(entry.get("time", "")), str(entry["manager"]))
        for entry in live.get("metadata", {}).get("managedFields") or ()
        if entry["manager"] != MANAGER and _holds(entry.get("fieldsV1") or {}, path)
    ]
    return [manager for _, manager in sorted(found, reverse=True)]


def _holds(tree: Mapping[str, Any], path: tuple[str, ...]) -> bool:
    for step in path:
        if f"f:{step}" not in tree:
            return False
        tree = tree[f"f:{step}"]
    return True


def _picked(value: Any, tree: Mapping[str, Any]) -> Any:
    """Of a value the part that a tree of `fieldsV1` names."""
    below = {step: inner for step, inner in tree.items() if step != "."}
    if not below:
        return value
    if isinstance(value, list):
        return [
            {**json.loads(step[2:]), **_picked(item, inner)}
            for step, inner in below.items()
            for item in value
            if step.startswith("k:") and _is(item, json.loads(step[2:]))
        ]
    return {
        step[2:]: _picked(value[step[2:]], inner)
        for step, inner in below.items()
        if step[2:] in (value or {})
    }


def _is(item: Object, keys: Object) -> bool:
    # A port's protocol is TCP where none is written.
    return all(item.get(key, "TCP" if key == "protocol" else None) == value for key, value in keys.items())
