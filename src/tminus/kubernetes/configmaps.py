"""ConfigMaps beside what names them: what is missing, what was never filled in, what is not as it was rendered."""

import json
from base64 import b64decode
from binascii import Error as NoBase64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from hashlib import sha256

from .api import Api, InvalidError, Object
from .keys import keys
from .placeholders import placeholders
from .references import Reference, mapping, text
from .rendered import Document

OTHERS = frozenset(
    {"kube-root-ca.crt", "openshift-service-ca.crt", "istio-ca-root-cert", "linkerd-identity-trust-roots"}
)
"""Maps that a cluster puts into each namespace by itself."""


_STALE = "; who reads it by its environment has the old one until it is started again"


@dataclass(frozen=True, slots=True)
class Map:
    """One ConfigMap: what identifies it, and the digest of each of its values."""

    thing: Object

    @property
    def name(self) -> str:
        """Its name."""
        return text(mapping(self.thing.get("metadata")).get("name"))

    @property
    def digests(self) -> dict[str, str]:
        """SHA-256 of each value by key, of its bytes."""
        return {key: sha256(value).hexdigest() for key, value in _values(self.thing).items()}

    @property
    def immutable(self) -> bool:
        """Whether the API server lets nobody change it."""
        return self.thing.get("immutable") is True

    @property
    def owned(self) -> bool:
        """Whether another object made it, and not a person."""
        return bool(mapping(self.thing.get("metadata")).get("ownerReferences"))


def _values(thing: Object) -> dict[str, bytes]:
    plain = {key: _bytes(value) for key, value in mapping(thing.get("data")).items()}
    for key, value in mapping(thing.get("binaryData")).items():
        try:
            plain[key] = b64decode(text(value), validate=True)
        except (NoBase64, ValueError):
            plain[key] = text(value).encode()
    return plain


def _bytes(value: object) -> bytes:
    return value.encode() if isinstance(value, str) else json.dumps(value, default=str).encode()


def missing(
    maps: Mapping[str, Map], references: Iterable[Reference], names: Iterable[str], namespace: str
) -> Iterator[str]:
    """Maps and keys that are named and not there; what a pod starts without is not missed."""
    for name in names:
        if name not in maps:
            yield f"there is no ConfigMap {name} in {namespace}, which the plan names"
    wanted: dict[tuple[str, str], list[str]] = {}
    for one in references:
        if not one.optional:
            wanted.setdefault((one.name, one.key), []).append(one.told)
    absent: set[str] = set()
    for (name, key), told in wanted.items():
        who = f"{told[0]}{f' and {len(told) - 1} more' if len(told) > 1 else ''}"
        if name not in maps and name not in absent:
            absent.add(name)
            yield f"there is no ConfigMap {name} in {namespace}, which {who} names"
        elif name in maps and key and key not in maps[name].digests:
            yield f"the ConfigMap {name} lacks the key {key}, which {who} names"


def unfilled(one: Map, staging: Sequence[str], allowed: Sequence[str]) -> Iterator[str]:
    """Values of a map that stand for values; `allowed` are those that are right all the same, as `MAP/KEY`."""
    for key, value in mapping(one.thing.get("data")).items():
        if any(fnmatchcase(f"{one.name}/{key}", pattern) for pattern in allowed):
            continue
        for word in placeholders(text(value), staging):
            yield f"the ConfigMap {one.name} has {word!r} in the key {key}"


async def differing(api: Api, path: str, live: Map, wish: Document) -> list[str]:
    """What of a map is not as it was rendered: applied without being kept, it would change, or be refused.

    Refused for what it is: what the cluster cannot try, or somebody changes meanwhile, raises `RolloutError`.
    """
    told = f"{wish.file.name}:{wish.line}"
    if wrong := [key for key, value in mapping(wish.thing.get("data")).items() if not isinstance(value, str)]:
        return [f"{told} gives the ConfigMap {live.name} no text for {', '.join(wrong)}; quote it"]
    try:
        after = Map(await api.apply(f"{path}/{live.name}", _wished(wish.thing), dry=True, force=True))
    except InvalidError as error:
        return [f"{told} cannot be applied to the ConfigMap {live.name}: {_reason(error)}"]
    now, then, rendered = live.digests, after.digests, Map(wish.thing).digests
    found = []
    for key in sorted({*now, *then}):
        if key not in now:
            found.append(f"the ConfigMap {live.name} lacks the key {key}, which {told} has")
        elif now[key] != then.get(key):
            found.append(
                f"the ConfigMap {live.name} has another {key} than {told}: sha256 {now[key][:12]}…, "
                f"rendered {then.get(key, 'none')[:12]}…"
            )
        elif key not in rendered:
            found.append(f"the ConfigMap {live.name} has the key {key}, which {told} has not")
    if live.immutable is not after.immutable:
        found.append(
            f"the ConfigMap {live.name} is {'' if live.immutable else 'not '}immutable, unlike {told}"
        )
    return found


def _wished(thing: Object) -> Object:
    """A rendered map as it is applied: nothing that only the server writes."""
    meta = mapping(thing.get("metadata"))
    kept = {key: meta[key] for key in ("name", "namespace", "labels", "annotations") if key in meta}
    data: Object = {key: thing[key] for key in ("data", "binaryData", "immutable") if key in thing}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": kept, **data}


def _reason(error: InvalidError) -> str:
    return str(error).rpartition(" is invalid: ")[2][:200]


def odd(
    maps: Mapping[str, Map],
    wanted: Iterable[str],
    references: Iterable[Reference],
    policy: Sequence[str],
    asked: tuple[float, float],
) -> Iterator[str]:
    """What is not wrong and yet not as it should be; `asked` is the time, and how long a key has to stand."""
    now, settled = asked
    known = set(wanted)
    by_environment = {one.name for one in references if ", env" in one.where}
    for name, one in maps.items():
        if name not in known:
            if name not in OTHERS and not one.owned:
                yield f"nothing names the ConfigMap {name}"
            continue
        if not one.immutable and any(fnmatchcase(name, pattern) for pattern in policy):
            yield f"the ConfigMap {name} is not immutable, as the plan asks"
        for key, written in (keys(mapping(one.thing.get("metadata"))) or {}).items():
            if key in one.digests and now - written.at < settled:
                yield (
                    f"the ConfigMap {name} was changed {max(now - written.at, 0) / 60:.0f} min ago "
                    f"in the key {key}, by {written.manager}{_STALE if name in by_environment else ''}"
                )
