"""Kubernetes manifests: YAML or JSON, many objects in one file."""

import re
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from tminus.domain.canonical import JsonValue
from tminus.kubernetes.injected import of_agents
from tminus.kubernetes.references import mapping, references, text
from tminus.kubernetes.rendered import SUFFIXES, Document, documents
from tminus.readers import Sight

_SAID = re.compile(rb"^\s*\"?(?:apiVersion|kind)\"?\s*:", re.MULTILINE)


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
    remarks = [f"{one.file.name}:{one.line}: no object of Kubernetes" for one in found if not one.is_object]
    return Sight(counts, details, tuple(remarks))


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
