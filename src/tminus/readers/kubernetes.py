"""Kubernetes manifests: YAML or JSON, many objects in one file."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from difflib import get_close_matches
from pathlib import Path

from tminus.domain.canonical import JsonValue
from tminus.kubernetes.injected import of_agents
from tminus.kubernetes.references import mapping, nameless, references, text
from tminus.kubernetes.rendered import SUFFIXES, Document, documents
from tminus.readers import Sight

_SAID = re.compile(rb"^\s*\"?(?:apiVersion|kind)\"?\s*:", re.MULTILINE)

_GROUPS = ("", "apps", "batch")
"""The API's own groups of workloads and what they name: no other maker adds a kind to them."""
_KINDS = (
    "ConfigMap",
    "CronJob",
    "DaemonSet",
    "Deployment",
    "Job",
    "Pod",
    "ReplicaSet",
    "ReplicationController",
    "Secret",
    "Service",
    "StatefulSet",
)
_NEAR = 0.8
"""From this likeness on another kind is a misspelling: `Deploymnt` is, `ServiceAccount` is none of `Service`."""
_UNNAMED = ("List", "Config", "Configuration")
"""How kinds end that are no objects of a cluster's own and need no name."""
_KUSTOMIZE = "kustomize.config.k8s.io"


def likely(path: Path, head: bytes) -> bool:
    """See `Reader.likely`."""
    return path.suffix.lower() in SUFFIXES and len(set(_SAID.findall(head))) > 1


def see(path: Path) -> Sight:
    """Its objects by kind, and what they name; of a Secret's data the names of its keys alone."""
    found = documents(path)
    kinds = Counter(text(one.thing.get("kind")) for one in found)
    nameless = kinds.pop("", 0)
    named = [one for document in found for one in references(document.thing)]
    counts = {
        "documents": len(found),
        **dict(sorted(kinds.items())),
        "without_kind": nameless,
        "references": len(named),
    }
    details: dict[str, JsonValue] = {
        "objects": [_told(one) for one in found],
        "references": [asdict(one) for one in named],
        "from_vault": [
            {"by": origin.proof, "path": place.told}
            for document in found
            for origin in of_agents(document.thing)
            for place in origin.places
        ],
    }
    remarks = [f"{one.file.name}:{one.line}: {what}" for one in found for what in _doubts(one)]
    nothing = "" if any(one.is_object for one in found) else "no object of Kubernetes stands in it"
    return Sight(counts, details, tuple(remarks), refused=nothing)


def _doubts(document: Document) -> Iterator[str]:
    """What a cluster would refuse of a document, or take for something else than is meant."""
    if not document.is_object:
        yield "no object of Kubernetes"
        return
    thing, meta = document.thing, mapping(document.thing.get("metadata"))
    kind, group = text(thing.get("kind")), text(thing.get("apiVersion")).rpartition("/")[0]
    if group in _GROUPS and kind not in _KINDS and not kind.endswith("List"):
        for near in get_close_matches(kind, _KINDS, n=1, cutoff=_NEAR):
            yield f"the kind {kind} is unknown; did you mean {near}?"
    named_so = text(meta.get("name")) or text(meta.get("generateName"))
    if not named_so and not kind.endswith(_UNNAMED) and group != _KUSTOMIZE:
        yield f"{kind} has no metadata.name"
    for one in nameless(thing):
        yield f"{one.told} refers to a {one.kind} without its name"


def _told(document: Document) -> JsonValue:
    thing, meta = document.thing, mapping(document.thing.get("metadata"))
    told: dict[str, JsonValue] = {
        "line": document.line,
        "api_version": text(thing.get("apiVersion")),
        "kind": text(thing.get("kind")),
        "name": text(meta.get("name")),
        "namespace": text(meta.get("namespace")),
    }
    if thing.get("kind") in {"ConfigMap", "Secret"}:
        holders = ("data", "binaryData", "stringData")
        told["keys"] = [*sorted({str(key) for holder in holders for key in mapping(thing.get(holder))})]
    return told
