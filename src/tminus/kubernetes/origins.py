"""Where a Secret comes from, as the operators that write it say: External Secrets, Vault Secrets Operator.

Nothing here reads a value. What an operator says is believed as far as its object goes: that it is ready, when it last
refreshed, and which places of Vault it names; whether these are there is asked of Vault.

Sources: External Secrets Operator, `external-secrets.io/v1`; Vault Secrets Operator, `secrets.hashicorp.com/v1beta1`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from tminus.gotime import instant, seconds

from .api import Object
from .placeholders import elsewhere
from .references import mapping, mappings, named, text

LATE = 2.0
"""How many of its intervals a refresh may be old."""
_INTERVAL = 3600.0
"""Seconds between refreshes where an ExternalSecret names none."""
_BY_HAND = ("kubectl", "helm", "argocd", "kustomize", "terraform", "flux", "ansible")
"""How the names of those begin who write what stands in files, and not what stands in Vault."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in Vault something stands."""

    mount: str
    """Empty where only the whole path is known."""
    path: str
    """Below the mount, or with it; as KV version 2 names it, without `data`."""
    namespace: str = ""
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
    """The keys that are from there; nothing for all of them."""
    servers: tuple[str, ...] = ()
    """The addresses of Vault that it names."""


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


def external(things: Iterable[Object], secret: Object) -> Object | None:
    """The ExternalSecret that writes this Secret: it owns it, or writes into it by name and has marked it."""
    name = text(secret.get("name"))
    for thing in things:
        target = mapping(mapping(thing.get("spec")).get("target"))
        aims = text(target.get("name")) or text(mapping(thing.get("metadata")).get("name"))
        shared = target.get("creationPolicy") in {"Orphan", "Merge"}
        marked = mapping(secret.get("labels")).get("reconcile.external-secrets.io/managed") == "true"
        if aims == name and (owns(thing, secret) or (shared and marked)):
            return thing
    return None


def operated(things: Iterable[Object], secret: Object) -> Object | None:
    """The VaultStaticSecret or VaultDynamicSecret that writes this Secret."""
    for thing in things:
        aims = text(mapping(mapping(thing.get("spec")).get("destination")).get("name"))
        if aims == text(secret.get("name")) and owns(thing, secret):
            return thing
    return None


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
    spec = mapping(thing.get("spec"))
    finds = [one for one in mappings(spec.get("dataFrom")) if "find" in one]
    remarks += (
        [f"{named(thing)} finds its paths by a pattern, so none of them was looked at"] if finds else []
    )
    merges = mapping(spec.get("target")).get("creationPolicy") == "Merge" and not spec.get("dataFrom")
    given = frozenset(text(one.get("secretKey")) for one in mappings(spec.get("data")))
    store = ", ".join(f"{kind}/{name}" for kind, name in stores_of(thing))
    return Origin(
        named(thing),
        store,
        tuple(places),
        tuple(problems),
        tuple(remarks),
        refreshed,
        given if merges else None,
        tuple(dict.fromkeys(filter(None, (_server(stores.get(one)) for one in stores_of(thing))))),
    )


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


def _refreshed(thing: Object, limits: Limits) -> tuple[float | None, list[str]]:
    """When an ExternalSecret was last refreshed, and whether that is late."""
    spec, name = mapping(thing.get("spec")), named(thing)
    at = instant(mapping(thing.get("status")).get("refreshTime"))
    policy = text(spec.get("refreshPolicy")) or "Periodic"
    interval = seconds(spec["refreshInterval"]) if "refreshInterval" in spec else _INTERVAL
    if policy == "CreatedOnce" or (policy == "Periodic" and interval == 0):
        return at, [f"{name} is written once and never refreshed; rotate it by hand or let it be Periodic"]
    if at is None or policy != "Periodic":
        return at, []
    minutes = (limits.now - at) / 60
    if interval and minutes * 60 > LATE * interval:
        twice = f"twice its interval of {spec.get('refreshInterval', '1h')} and more"
        return at, [f"{name} was refreshed {minutes:.0f} min ago, {twice}"]
    if minutes * 60 > limits.refreshed_seconds:
        return at, [f"{name} was refreshed {minutes:.0f} min ago, longer than the plan allows"]
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
        if generator := mapping(source.get("generatorRef")):
            if generator.get("kind") != "VaultDynamicSecret":
                problems.append(
                    f"{named(thing)} takes from a generator, {text(generator.get('kind'))}, not Vault"
                )
            continue
        reference = _store_of(source.get("storeRef")) if source.get("storeRef") else default
        place = _in_store(mapping(stores.get(reference) or {}), remote)
        if place is not None:
            key = text(remote.get("property"))
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
        key = key.removeprefix(f"{mount}/").removeprefix("data/")
    else:
        mount, _, key = key.partition("/")
        key = key.removeprefix("data/")
    version = text(remote.get("version"))
    pinned = int(version) if version.isdecimal() else 0
    return Place(mount, key, text(vault.get("namespace")), version=pinned, first=vault.get("version") == "v1")


def of_operated(thing: Object, limits: Limits) -> Origin:
    """What a VaultStaticSecret or a VaultDynamicSecret says of itself."""
    spec, status = mapping(thing.get("spec")), mapping(thing.get("status"))
    problems = [
        f"{named(thing)} is not well: {kind} is {text(found.get('status')) or 'unknown'}"
        for kind in ("SecretSynced", "Healthy", "Ready")
        if (found := condition(thing, kind)) and found.get("status") != "True"
    ]
    if not status.get("lastGeneration"):
        problems.append(f"{named(thing)} has not been synced by its operator; see whether that runs")
    elif status["lastGeneration"] != mapping(thing.get("metadata")).get("generation"):
        problems.append(f"{named(thing)} was changed and has not been synced since")
    mount, path = text(spec.get("mount")).strip("/"), text(spec.get("path")).strip("/")
    namespace = text(spec.get("namespace"))
    if thing.get("kind") == "VaultDynamicSecret":
        lease = mapping(status.get("secretLease"))
        problems += _run_out(thing, limits.now)
        place = Place(mount, path, namespace, lease=text(lease.get("id")), made=True)
    else:
        pinned = spec.get("version")
        number = pinned if isinstance(pinned, int) else 0
        place = Place(mount, path, namespace, version=number, first=spec.get("type") == "kv-v1")
    once = spec.get("refreshAfter") in {"0s", "0"}
    remarks = [f"{named(thing)} is never refreshed by itself"] if once else []
    return Origin(named(thing), "", (place,), tuple(problems), tuple(remarks))


def _run_out(thing: Object, now: float) -> Iterator[str]:
    """Whether what a VaultDynamicSecret was given has run out without being renewed."""
    status = mapping(thing.get("status"))
    renewed, lasts = status.get("lastRenewalTime"), mapping(status.get("secretLease")).get("duration")
    if isinstance(renewed, int) and isinstance(lasts, int) and 0 < lasts < now - renewed:
        yield f"{named(thing)} was renewed {(now - renewed) / 60:.0f} min ago, and lasts {lasts / 60:.0f} min"


def by_hand(manager: str) -> bool:
    """Whether a field manager writes what people or files say."""
    return manager.lower().startswith(_BY_HAND)
