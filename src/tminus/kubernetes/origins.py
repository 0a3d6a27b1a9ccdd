"""Where a Secret comes from, as the operators that write it say: what all of them have, and External Secrets.

Nothing here reads a value. What an operator says is believed as far as its object goes: that it is ready, when it last
refreshed, and which places of Vault it names; whether these are there is asked of Vault.

Source: External Secrets Operator, `external-secrets.io/v1`, its controller and its provider of Vault.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha3_224

from tminus.gotime import instant, seconds

from .api import Object
from .placeholders import elsewhere
from .references import mapping, mappings, named, text

LATE = 2.0
"""How many of its intervals a refresh may be old."""
SLACK = 60.0
"""Seconds that a refresh may take beyond its interval: its operator waits some seconds more, and then works."""
_INTERVAL = 3600.0
"""Seconds between refreshes where an ExternalSecret names none."""
_MANAGER = "externalsecrets.external-secrets.io/"
_LONGEST_MANAGER = 63
_GENERATOR = "VaultDynamicSecret"
_WRAPS = "ClusterGenerator"


@dataclass(frozen=True, slots=True)
class Place:
    """Where in Vault something stands."""

    mount: str
    """Empty where only the whole path is known."""
    path: str
    """Below the mount, or with it; as KV version 2 names it, without `data`."""
    namespace: str | None = None
    """Vault's; empty for its root, nothing where nobody says: then that of the plan's address."""
    keys: frozenset[str] = frozenset()
    """The keys that must be there."""
    version: int = 0
    """0 for the newest."""
    lease: str = field(default="", repr=False)
    """What Vault knows it by that it made on being asked; such a place is not looked at itself."""
    made: bool = False
    """Whether it is such a place."""
    first: bool = False
    """Whether it is in KV version 1, which keeps no metadata."""

    @property
    def told(self) -> str:
        """It as people write it."""
        return f"{self.mount}/{self.path}" if self.mount else self.path


@dataclass(frozen=True, slots=True)
class Origin:
    """Who writes a Secret, or puts files into a pod, and from where."""

    proof: str
    """The object that says so: `ExternalSecret/api`."""
    store: str = ""
    places: tuple[Place, ...] = ()
    problems: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    refreshed: float | None = None
    """When what stands in Vault was last taken over, by the operator's own word."""
    proven: frozenset[str] | None = None
    """The keys that are from there; nothing where any may be."""
    servers: tuple[str, ...] = ()
    """The addresses of Vault that it names; an empty one where it takes a default that stands elsewhere."""
    managers: tuple[str, ...] = ()
    """As which field managers its operator writes the Secret."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a plan asks of refreshes, and what time it is."""

    now: float
    refreshed_seconds: float
    staging: tuple[str, ...] = ()


def owns(owner: Object, secret: Object) -> bool:
    """Whether an operator's object says that it writes this Secret, and the Secret says so too."""
    uid = text(mapping(owner.get("metadata")).get("uid"))
    owners = {text(one.get("uid")) for one in mappings(secret.get("ownerReferences"))}
    labels = mapping(secret.get("labels"))
    return bool(uid) and (uid in owners or labels.get("secrets.hashicorp.com/vso-ownerRefUID") == uid)


def externals(things: Iterable[Object], secret: Object) -> list[Object]:
    """The ExternalSecrets that write this Secret: those that own it, or write into it by name and have marked it."""
    name, found = text(secret.get("name")), []
    marked = mapping(secret.get("labels")).get("reconcile.external-secrets.io/managed") == "true"
    for thing in things:
        target = mapping(mapping(thing.get("spec")).get("target"))
        aims = text(target.get("name")) or text(mapping(thing.get("metadata")).get("name"))
        shared = target.get("creationPolicy") in {"Orphan", "Merge"}
        if aims == name and (owns(thing, secret) or (shared and marked)):
            found.append(thing)
    return found


def stores_of(thing: Object) -> list[tuple[str, str]]:
    """The stores that an ExternalSecret takes from, each once: kind and name."""
    spec = mapping(thing.get("spec"))
    entries = (*mappings(spec.get("data")), *mappings(spec.get("dataFrom")))
    own = [mapping(entry.get("sourceRef")).get("storeRef") for entry in entries]
    found = [_store_of(reference) for reference in (spec.get("secretStoreRef"), *own)]
    return [*dict.fromkeys(one for one in found if one[1])]


def _store_of(reference: object) -> tuple[str, str]:
    wanted = mapping(reference)
    return text(wanted.get("kind")) or "SecretStore", text(wanted.get("name"))


def of_external(thing: Object, stores: Mapping[tuple[str, str], Object | None], limits: Limits) -> Origin:
    """What an ExternalSecret says of itself, and its stores of themselves."""
    problems = [*_unready(thing, "SecretSynced")]
    for reference in stores_of(thing):
        problems += _of_store(reference, stores.get(reference), limits)
    places, others = _places(thing, stores)
    problems += others
    refreshed, remarks = _refreshed(thing, limits)
    if refreshed is None and not problems:
        problems.append(f"{named(thing)} does not say when it was refreshed; see its operator")
    if changed := _changed(thing):
        # What is written once does not follow, as its author wants it.
        (remarks if _once(thing) else problems).append(changed)
    spec = mapping(thing.get("spec"))
    remarks += [*_unseen(spec, named(thing))]
    plain = not spec.get("dataFrom") and not mapping(spec.get("target")).get("template")
    given = frozenset(text(one.get("secretKey")) for one in mappings(spec.get("data")))
    store = ", ".join(f"{kind}/{name}" for kind, name in stores_of(thing))
    return Origin(
        named(thing),
        store,
        tuple(places),
        tuple(problems),
        tuple(remarks),
        refreshed,
        given if plain else None,
        tuple(dict.fromkeys(filter(None, (_server(stores.get(one)) for one in stores_of(thing))))),
        _managers(text(mapping(thing.get("metadata")).get("name"))),
    )


def _managers(name: str) -> tuple[str, ...]:
    """As whom External Secrets writes: by the object's name, or its digest where that is too long; once by its own."""
    plain = f"{_MANAGER}{name}"
    if len(plain) > _LONGEST_MANAGER:
        plain = f"{_MANAGER}sha3/{sha3_224(name.encode()).hexdigest()}"
    return plain, f"{_MANAGER}{name}", "external-secrets"


def _changed(thing: Object) -> str:
    """Whether an ExternalSecret says something else than what was synced last; empty where it does not."""
    synced, _, rest = text(mapping(thing.get("status")).get("syncedResourceVersion")).partition("-")
    generation = mapping(thing.get("metadata")).get("generation")
    if rest and synced.isdecimal() and isinstance(generation, int) and int(synced) != generation:
        return f"{named(thing)} was changed and has not been synced since"
    return ""


def _unseen(spec: Object, name: str) -> Iterator[str]:
    """What an ExternalSecret takes without naming the place itself."""
    entries = mappings(spec.get("dataFrom"))
    if any("find" in one for one in entries):
        yield f"{name} finds its paths by a pattern, so none of them was looked at"
    for entry in entries:
        kind, what = _generator(entry)
        if kind == _GENERATOR:
            yield f"{name} takes from the generator {kind}/{what}, whose path was not looked at"
        elif kind == _WRAPS:
            yield f"{name} takes from {kind}/{what}, which is not read here: it may not be Vault's"


def _generator(entry: Object) -> tuple[str, str]:
    found = mapping(mapping(entry.get("sourceRef")).get("generatorRef"))
    return text(found.get("kind")), text(found.get("name"))


def _server(store: Object | None) -> str:
    return text(
        mapping(mapping(mapping((store or {}).get("spec")).get("provider")).get("vault")).get("server")
    )


def _unready(thing: Object, wanted: str) -> Iterator[str]:
    """Why an object's operator does not call it ready; what it says beside the reason may be anything."""
    ready = condition(thing, "Ready")
    if not ready:
        yield f"{named(thing)} has not been looked at by its operator; see whether that runs"
    elif ready.get("status") != "True" or (wanted and text(ready.get("reason")) != wanted):
        yield f"{named(thing)} is not ready: {text(ready.get('reason')) or 'no reason'}"


def condition(thing: Object, kind: str) -> Object:
    """One of the conditions of an object's status; an empty one where it has none of this kind."""
    conditions = mappings(mapping(thing.get("status")).get("conditions"))
    return next((one for one in conditions if one.get("type") == kind), {})


def _of_store(reference: tuple[str, str], store: Object | None, limits: Limits) -> Iterator[str]:
    name = "/".join(reference)
    if store is None:
        yield f"there is no {name}"
        return
    provider = mapping(mapping(store.get("spec")).get("provider"))
    if "vault" not in provider:
        yield f"{name} is no store of Vault but of {', '.join(map(str, provider)) or 'nothing'}"
        return
    ready = condition(store, "Ready")
    if ready.get("status") != "True":
        yield f"{name} is not ready: {text(ready.get('reason')) or 'its operator has not looked at it'}"
    server = text(mapping(provider["vault"]).get("server"))
    if host := elsewhere(server, limits.staging):
        yield f"{name} takes from {host}, which is another environment's"


def _policy(spec: Object) -> tuple[str, float | None]:
    """When an ExternalSecret is refreshed, and its interval in seconds; nothing for one that cannot be read."""
    interval = seconds(spec["refreshInterval"]) if "refreshInterval" in spec else _INTERVAL
    return text(spec.get("refreshPolicy")) or "Periodic", interval


def _once(thing: Object) -> bool:
    """Whether its Secret is written once and not again."""
    spec = mapping(thing.get("spec"))
    return _policy(spec)[0] == "CreatedOnce" or mapping(spec.get("target")).get("immutable") is True


def _refreshed(thing: Object, limits: Limits) -> tuple[float | None, list[str]]:
    """When an ExternalSecret was last refreshed, and whether that is late."""
    spec, name = mapping(thing.get("spec")), named(thing)
    at = instant(mapping(thing.get("status")).get("refreshTime"))
    policy, interval = _policy(spec)
    if _once(thing) or (policy == "Periodic" and interval == 0):
        return at, [f"{name} is written once and never refreshed; rotate it by hand or let it be Periodic"]
    if at is None or policy != "Periodic":
        return at, []
    past, shown = limits.now - at, spec.get("refreshInterval", "1h")
    said = f"{name} was refreshed {past / 60:.0f} min ago"
    if interval and past > LATE * interval:
        return at, [f"{said}, twice its interval of {shown} and more"]
    if past > limits.refreshed_seconds + SLACK:
        return at, [f"{said}, longer than the plan allows"]
    if interval and interval > limits.refreshed_seconds + SLACK:
        # Told at each look and not only in the later part of each interval.
        return at, [f"{name} is refreshed every {shown}, which is longer than the plan allows"]
    return at, []


def _places(thing: Object, stores: Mapping[tuple[str, str], Object | None]) -> tuple[list[Place], list[str]]:
    """The places of Vault that an ExternalSecret names, each once with all its keys; and what is none."""
    spec, problems = mapping(thing.get("spec")), []
    default = _store_of(spec.get("secretStoreRef"))
    found: dict[Place, set[str]] = {}
    entries = [(one, mapping(one.get("remoteRef"))) for one in mappings(spec.get("data"))]
    entries += [(one, mapping(one.get("extract"))) for one in mappings(spec.get("dataFrom"))]
    for entry, remote in entries:
        source = mapping(entry.get("sourceRef"))
        if kind := _generator(entry)[0]:
            if kind not in {_GENERATOR, _WRAPS}:
                problems.append(f"{named(thing)} takes from a generator, {kind}, not Vault")
            continue
        reference = _store_of(source.get("storeRef")) if source.get("storeRef") else default
        place = _in_store(mapping(stores.get(reference) or {}), remote)
        if place is not None:
            # With this policy the property is one of the secret's metadata, and no key of it.
            key = "" if remote.get("metadataPolicy") == "Fetch" else text(remote.get("property"))
            found.setdefault(place, set()).update({key} if key else ())
    if not entries:
        problems.append(f"{named(thing)} takes nothing from anywhere")
    return [replace(place, keys=frozenset(names)) for place, names in found.items()], problems


def _in_store(store: Object, remote: Object) -> Place | None:
    """A key as a store of Vault resolves it: below its mount, `data` left out."""
    vault = mapping(mapping(mapping(store.get("spec")).get("provider")).get("vault"))
    key = text(remote.get("key")).strip("/")
    if not vault or not key:
        return None
    mount = text(vault.get("path")).strip("/").removesuffix("/data")
    if mount:
        if key.startswith(f"{mount}/"):
            key = key.removeprefix(f"{mount}/").removeprefix("data/")
    elif "/data/" in key:
        mount, _, key = key.partition("/data/")
    else:
        mount, _, key = key.partition("/")
    version = text(remote.get("version"))
    pinned = int(version) if version.isdecimal() else 0
    return Place(mount, key, text(vault.get("namespace")), version=pinned, first=vault.get("version") == "v1")
