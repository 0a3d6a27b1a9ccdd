"""Whose field is whose: server-side apply, its conflicts, and patches, as the API server reckons them.

A field is a path: `f:NAME` into a mapping, `k:{…}` to the entry of a list that is known by its keys, and `.` for such
an entry itself. Which lists have keys and which mappings are one whole is taken from Kubernetes' published schema.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .problems import ApiProblem, copied

Json = dict[str, Any]
Path = tuple[str, ...]

KEYS: Mapping[str, tuple[str, ...]] = {
    "containers": ("name",),
    "initContainers": ("name",),
    "env": ("name",),
    "volumes": ("name",),
    "imagePullSecrets": ("name",),
    "volumeMounts": ("mountPath",),
    "ownerReferences": ("uid",),
}
"""By the name of a list: the keys that its entries are known by. Every other list is one whole."""
PORT_KEYS = {"containers": ("containerPort", "protocol"), "spec": ("port", "protocol")}
"""The same for lists of the name `ports`, by what they stand in: a container, or the spec of a Service."""
WHOLE = frozenset({"selector", "nodeSelector"})
"""Mappings that are one value."""
_SERVERS = frozenset(
    {
        "name",
        "namespace",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "managedFields",
        "selfLink",
    }
)
"""What of the metadata nobody manages."""
_MISSING = object()


def _keys(path: Path) -> tuple[str, ...]:
    name = path[-1].removeprefix("f:") if path else ""
    if name == "ports":
        within = "containers" if any(step.startswith("k:") for step in path) else "spec"
        return PORT_KEYS[within]
    return KEYS.get(name, ())


def _step(item: Json, keys: tuple[str, ...]) -> str:
    known = {key: item.get(key, "TCP" if key == "protocol" else None) for key in keys}
    return "k:" + json.dumps(known, separators=(",", ":"))


def _keyed(value: Any, path: Path) -> tuple[str, ...]:
    """The keys of this list, where it is one that has them."""
    keys = _keys(path)
    return keys if isinstance(value, list) and keys and all(isinstance(item, dict) for item in value) else ()


def _leaves(value: Any, path: Path) -> Iterator[Path]:
    if isinstance(value, dict) and value and path[-1:] != () and path[-1].removeprefix("f:") in WHOLE:
        yield path
    elif isinstance(value, dict) and value:
        for name, part in value.items():
            yield from _leaves(part, (*path, f"f:{name}"))
    elif keys := _keyed(value, path):
        for item in value:
            step = _step(item, keys)
            yield (*path, step, ".")
            yield from _leaves(item, (*path, step))
    else:
        yield path


def owned(thing: Json, part: str = "") -> set[Path]:
    """Every field of an object that somebody may manage: of its status alone, or of all else."""
    if part == "status":
        return set(_leaves({"status": thing.get("status") or {}}, ()))
    meta = {key: value for key, value in thing.get("metadata", {}).items() if key not in _SERVERS}
    rest = {
        key: value for key, value in thing.items() if key not in {"apiVersion", "kind", "metadata", "status"}
    }
    return set(_leaves({**({"metadata": meta} if meta else {}), **rest}, ()))


def value_at(thing: Any, path: Path) -> Any:
    """What stands at a path; `_MISSING` where nothing does."""
    for index, step in enumerate(path):
        if step == ".":
            return True
        if step.startswith("f:"):
            thing = thing.get(step[2:], _MISSING) if isinstance(thing, dict) else _MISSING
        else:
            keys = _keys(path[:index])
            among = thing if isinstance(thing, list) else []
            thing = next((item for item in among if _step(item, keys) == step), _MISSING)
        if thing is _MISSING:
            return _MISSING
    return thing


def encoded(paths: Iterable[Path]) -> Json:
    """Paths as `fieldsV1` writes them."""
    tree: Json = {}
    for path in sorted(paths):
        node = tree
        for step in path:
            node = node.setdefault(step, {})
    return tree


def decoded(tree: Json, path: Path = ()) -> set[Path]:
    """The paths of a `fieldsV1`."""
    found: set[Path] = set()
    for step, below in tree.items():
        found |= decoded(below, (*path, step)) if below else {(*path, step)}
    return found


def shown(path: Path) -> str:
    """A path as refusals write it."""
    text = ""
    for step in path:
        text += f".{step[2:]}" if step.startswith("f:") else (f"[{step[2:]}]" if step != "." else "")
    return text


class Managers:
    """Who manages which fields of one object."""

    def __init__(self, entries: Iterable[Json]) -> None:
        self._entries = [(dict(entry), decoded(entry.get("fieldsV1") or {})) for entry in entries]

    def entries(self) -> list[Json]:
        """As `metadata.managedFields` holds them."""
        return [{**entry, "fieldsV1": encoded(paths)} for entry, paths in self._entries if paths]

    def of(self, manager: str, operation: str, part: str) -> set[Path]:
        """The fields of one manager."""
        for entry, paths in self._entries:
            if _named(entry) == (manager, operation, part):
                return paths
        return set()

    def assign(self, manager: str, operation: str, about: tuple[str, str, str], paths: set[Path]) -> None:
        """Have a manager hold exactly these fields; `about` is the API version, the time and the sub-resource."""
        api_version, at, part = about
        named = (manager, operation, part)
        self._entries = [(entry, had) for entry, had in self._entries if _named(entry) != named]
        entry = {
            "manager": manager,
            "operation": operation,
            "apiVersion": api_version,
            "time": at,
            "fieldsType": "FieldsV1",
            **({"subresource": part} if part else {}),
        }
        self._entries.append((entry, set(paths)))

    def take(self, paths: set[Path], but: tuple[str, str, str]) -> None:
        """Take these fields from everybody else."""
        for entry, had in self._entries:
            if _named(entry) != but:
                had.difference_update(paths)

    def others(self, but: tuple[str, str, str]) -> list[tuple[Json, set[Path]]]:
        """Everybody else."""
        return [(entry, paths) for entry, paths in self._entries if _named(entry) != but]


def _named(entry: Json) -> tuple[str, str, str]:
    return entry["manager"], entry["operation"], entry.get("subresource", "")


def applied(live: Json, wish: Json, manager: str, at: str, *, force: bool) -> Json:
    """The object after a server-side apply; raises `ApiProblem` 409 for fields that others hold otherwise."""
    managers = Managers(live.get("metadata", {}).get("managedFields") or [])
    mine = (manager, "Apply", "")
    wanted, before = owned(wish), managers.of(*mine)
    disputed = [
        (entry, path)
        for entry, paths in managers.others(mine)
        for path in sorted(paths & wanted)
        if value_at(live, path) != value_at(wish, path)
    ]
    if disputed and not force:
        raise _disputed(disputed)
    managers.take({path for _, path in disputed}, mine)
    result: Json = merged(live, wish)
    kept = {path for _, paths in managers.others(mine) for path in paths}
    for path in sorted(before - wanted - kept, key=len, reverse=True):
        _remove(result, path)
    managers.assign(manager, "Apply", (str(wish["apiVersion"]), at, ""), wanted)
    result["metadata"]["managedFields"] = managers.entries()
    return result


def _disputed(disputed: list[tuple[Json, Path]]) -> ApiProblem:
    def who(entry: Json) -> str:
        part = f' with subresource "{entry["subresource"]}"' if entry.get("subresource") else ""
        return f'conflict with "{entry["manager"]}"{part} using {entry["apiVersion"]}'

    causes = [
        {"reason": "FieldManagerConflict", "message": who(entry), "field": shown(path)}
        for entry, path in disputed
    ]
    number = f"{len(causes)} conflict{'s' if len(causes) > 1 else ''}"
    told = "; ".join(f"{cause['message']}: {cause['field']}" for cause in causes)
    return ApiProblem(409, "Conflict", f"Apply failed with {number}: {told}", causes)


def updated(live: Json, new: Json, manager: str, at: str, part: str = "") -> Json:
    """The object after any other write, which takes each field that it changes from whoever held it."""
    managers = Managers(live.get("metadata", {}).get("managedFields") or [])
    mine = (manager, "Update", "" if part == "status" else part)
    if part == "status":
        mine = (manager, "Update", "status")
    where = "status" if part == "status" else ""
    had, has = owned(live, where), owned(new, where)
    changed = {path for path in has if value_at(live, path) != value_at(new, path)}
    managers.take(changed | (had - has), mine)
    held = managers.of(*mine)
    if changed or held:
        managers.assign(manager, "Update", (str(new["apiVersion"]), at, mine[2]), (held | changed) & has)
    result = copied(new)
    result["metadata"]["managedFields"] = managers.entries()
    return result


def merged(live: Any, wish: Any, path: Path = ()) -> Any:
    """What is there with what is wished laid over it; lists with keys entry by entry, `None` takes away."""
    if isinstance(live, dict) and isinstance(wish, dict) and path[-1:] and path[-1][2:] in WHOLE:
        return copied(wish)
    if isinstance(live, dict) and isinstance(wish, dict):
        result = dict(live)
        for name, part in wish.items():
            if part is None:
                result.pop(name, None)
            else:
                result[name] = merged(live.get(name), part, (*path, f"f:{name}"))
        return result
    if (keys := _keyed(wish, path)) and isinstance(live, list):
        by_key = {_step(item, keys): item for item in live}
        for item in wish:
            step = _step(item, keys)
            by_key[step] = merged(by_key.get(step), item, (*path, step))
        return list(by_key.values())
    return copied(wish)


def merge_patched(live: Any, patch: Any) -> Any:
    """RFC 7386: every list is one value."""
    if not isinstance(patch, dict):
        return copied(patch)
    result = dict(live) if isinstance(live, dict) else {}
    for name, part in patch.items():
        if part is None:
            result.pop(name, None)
        else:
            result[name] = merge_patched(result.get(name), part)
    return result


def _remove(thing: Any, path: Path) -> None:
    if path[-1] == ".":
        path = path[:-1]
    holder = value_at(thing, path[:-1])
    if holder is _MISSING:
        return
    if path[-1].startswith("f:"):
        holder.pop(path[-1][2:], None)
    else:
        keys = _keys(path[:-1])
        holder[:] = [item for item in holder if _step(item, keys) != path[-1]]
