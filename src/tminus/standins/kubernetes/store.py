"""The objects of the stand-in, each with its version, and what happened to them, for those who watch."""

import asyncio
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ..clock import wall_clock
from .contents import must_be_allowed
from .fields import updated
from .kinds import Kind
from .problems import ApiProblem, conflict, copied, invalid, not_found

Json = dict[str, Any]
Change = Callable[[Json], Json]

_HISTORY = 2000
"""How many changes are kept for watches; who asks for an older one has to list again."""


@dataclass(frozen=True, slots=True)
class Happened:
    """One change of one object."""

    version: int
    how: str
    """`ADDED`, `MODIFIED` or `DELETED`."""
    kind: Kind
    thing: Json


def instant(at: float) -> str:
    """An instant as Kubernetes writes it: UTC, in whole seconds."""
    return datetime.fromtimestamp(int(at), tz=UTC).isoformat().replace("+00:00", "Z")


def labels(thing: Json) -> dict[str, str]:
    """An object's labels."""
    return dict(thing["metadata"].get("labels") or {})


class Store:
    """Every object, by kind, namespace and name."""

    def __init__(self) -> None:
        self._things: dict[tuple[str, str, str], tuple[Kind, Json]] = {}
        self.version = 100
        self.history: list[Happened] = []
        self.forgotten = 0
        """The newest version of which watches can no longer be told."""
        self._changed = asyncio.Event()

    def now(self) -> str:
        """The time, as objects hold it."""
        return instant(wall_clock())

    def every(self, kind: str, namespace: str = "") -> Iterator[Json]:
        """The objects of a kind, oldest first; as they are, not to be changed."""
        for held, thing in list(self._things.values()):
            if held.kind == kind and namespace in {"", thing["metadata"].get("namespace", "")}:
                yield thing

    def find(self, kind: Kind, namespace: str, name: str) -> Json:
        """One object, to be changed at will; raises `ApiProblem` 404."""
        entry = self._things.get((kind.resource, namespace, name))
        if entry is None:
            raise not_found(kind.resource, name)
        return copied(entry[1])

    def has(self, kind: Kind, namespace: str, name: str) -> bool:
        """Whether there is such an object."""
        return (kind.resource, namespace, name) in self._things

    def create(
        self, kind: Kind, namespace: str, thing: Json, manager: str = "", *, dry: bool = False
    ) -> Json:
        """Keep a new object; raises `ApiProblem` for a name that is taken, or none."""
        new = copied(thing)
        meta = new.setdefault("metadata", {})
        name = meta.get("name") or (
            f"{meta['generateName']}{uuid.uuid4().hex[:5]}" if "generateName" in meta else ""
        )
        if not name:
            raise invalid(
                kind.resource, "", "metadata.name: Required value: name or generateName is required"
            )
        if self.has(kind, namespace, name):
            raise ApiProblem(409, "AlreadyExists", f'{kind.resource} "{name}" already exists')
        if kind.namespaced and not any(
            one["metadata"]["name"] == namespace for one in self.every("Namespace")
        ):
            raise not_found("namespaces", namespace)
        new["apiVersion"], new["kind"] = kind.api_version, kind.kind
        if manager:
            new = updated({}, new, manager, self.now())
        new["metadata"] |= {
            "name": name,
            "uid": str(uuid.uuid4()),
            "generation": 1,
            "creationTimestamp": self.now(),
            **({"namespace": namespace} if kind.namespaced else {}),
        }
        return new if dry else self._keep(kind, new, "ADDED")

    def write(self, kind: Kind, new: Json, *, part: str = "", dry: bool = False) -> Json:
        """Keep another version of an object that was read here; raises `ApiProblem` 409 when it has changed since.

        `part` is `status` for a write of the status alone; without it the status stays as it is.
        """
        meta = new["metadata"]
        name, namespace = meta["name"], meta.get("namespace", "")
        live = self.find(kind, namespace, name)
        if meta.get("resourceVersion") not in {None, "", live["metadata"]["resourceVersion"]}:
            why = (
                "the object has been modified; please apply your changes to the latest version and try again"
            )
            raise conflict(kind.resource, name, why)
        if meta.get("uid") not in {None, live["metadata"]["uid"]}:
            raise conflict(
                kind.resource, name, f"Precondition failed: UID in precondition: {meta.get('uid')}"
            )
        result = self._combined(kind, live, new, part)
        must_be_allowed(kind, live, result)
        if result == live:
            return live
        return result if dry else self._keep(kind, result, "MODIFIED")

    def _combined(self, kind: Kind, live: Json, new: Json, part: str) -> Json:
        if part == "status":
            held = new["metadata"].get("managedFields", live["metadata"].get("managedFields"))
            result = {**live, "status": new.get("status") or {}}
            result["metadata"] = {**live["metadata"], **({"managedFields": held} if held else {})}
            return copied(result)
        result = copied(new)
        result["apiVersion"], result["kind"] = kind.api_version, kind.kind
        if "status" in kind.subresources:
            result.pop("status", None)
            if "status" in live:
                result["status"] = copied(live["status"])
        fixed = (
            "uid",
            "creationTimestamp",
            "namespace",
            "resourceVersion",
            "generation",
            "deletionTimestamp",
        )
        for key in fixed:
            result["metadata"].pop(key, None)
            if key in live["metadata"]:
                result["metadata"][key] = live["metadata"][key]
        if kind.kind in {"Deployment", "Job"} and _selector(result) != _selector(live):
            raise invalid(kind.resource, live["metadata"]["name"], "spec.selector: field is immutable")
        if {**result, "metadata": 0, "status": 0} != {**live, "metadata": 0, "status": 0}:
            result["metadata"]["generation"] = live["metadata"]["generation"] + 1
        return result

    def set_status(self, kind: Kind, thing: Json, status: Json) -> None:
        """What a controller says about an object; nothing where it said so before or the object has gone."""
        meta = thing["metadata"]
        if not self.has(kind, meta.get("namespace", ""), meta["name"]):
            return
        live = self._things[kind.resource, meta.get("namespace", ""), meta["name"]][1]
        if live.get("status") != status:
            self._keep(kind, {**live, "status": status, "metadata": {**live["metadata"]}}, "MODIFIED")

    def mark(self, kind: Kind, thing: Json, **meta: Any) -> Json:
        """Write into an object's metadata what only the server does."""
        return self._keep(kind, {**thing, "metadata": {**thing["metadata"], **meta}}, "MODIFIED")

    def remove(self, kind: Kind, thing: Json) -> None:
        """Forget an object, and at the next turn whatever it owns."""
        meta = thing["metadata"]
        key = (kind.resource, meta.get("namespace", ""), meta["name"])
        if key in self._things:
            gone = self._things.pop(key)[1]
            self._happened(kind, gone, "DELETED")

    def forget_history(self) -> None:
        """Have every watch from before begin anew, as after a compaction."""
        self.forgotten = self.version
        self.history.clear()

    async def change(self, seconds: float) -> None:
        """Wait for the next change, so long at the most."""
        try:
            await asyncio.wait_for(self._changed.wait(), seconds)
        except TimeoutError:
            return

    def _keep(self, kind: Kind, thing: Json, how: str) -> Json:
        meta = thing["metadata"]
        kept = copied(thing)
        self._things[kind.resource, meta.get("namespace", ""), meta["name"]] = (kind, kept)
        self._happened(kind, kept, how)
        return copied(kept)

    def _happened(self, kind: Kind, thing: Json, how: str) -> None:
        self.version += 1
        thing["metadata"]["resourceVersion"] = str(self.version)
        self.history.append(Happened(self.version, how, kind, copied(thing)))
        if len(self.history) > _HISTORY:
            self.forgotten = self.history.pop(0).version
        before, self._changed = self._changed, asyncio.Event()
        before.set()


def _selector(thing: Json) -> Any:
    return thing.get("spec", {}).get("selector")
