"""Secrets of the Vault Secrets Operator: what its objects say of themselves, and which Vault they take from.

Source: Vault Secrets Operator, `secrets.hashicorp.com/v1beta1`: its controllers, `VaultAuth`, `VaultConnection`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import quote

from tminus.errors import DeniedError
from tminus.gotime import seconds

from .api import Api, Object
from .origins import Limits, Origin, Place, condition, owns
from .placeholders import elsewhere
from .references import mapping, named, text

VSO = "apis/secrets.hashicorp.com/v1beta1"
STATIC, DYNAMIC, PKI = "VaultStaticSecret", "VaultDynamicSecret", "VaultPKISecret"
KINDS = {"vaultstaticsecrets": STATIC, "vaultdynamicsecrets": DYNAMIC, "vaultpkisecrets": PKI}
"""By their plural: the kinds of objects that write a Secret from Vault."""
MANAGER = "vault-secrets-operator"
"""As whom the operator writes: it names no field manager, so the API server takes its program's name."""


@dataclass(frozen=True, slots=True)
class Door:
    """Through what an object of the operator reaches Vault."""

    server: str = ""
    """The address; empty for the operator's own default, which stands in its namespace."""
    namespace: str | None = None
    """Vault's where the object names none; nothing where that is not known."""
    problems: tuple[str, ...] = ()


@dataclass(slots=True)
class Doors:
    """The `VaultAuth` and `VaultConnection` that objects of one namespace name; each is read once."""

    api: Api
    namespace: str
    known: dict[str, Object | None] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    """Those in other namespaces that may not be read."""

    async def of(self, thing: Object) -> Door:
        """Through what an object reaches Vault; raises `DeniedError` for what may not be read in its own namespace."""
        reference = text(mapping(thing.get("spec")).get("vaultAuthRef"))
        if not reference:
            return Door()
        where, name = _apart(reference, self.namespace)
        auth = await self._read("vaultauths", where, name)
        if auth is None:
            closed = f"vaultauths {where}/{name}" in self.closed
            return Door(
                problems=() if closed else (f"there is no VaultAuth/{name}, which {named(thing)} names",)
            )
        spec = mapping(auth.get("spec"))
        shared = "vaultAuthGlobalRef" in spec
        namespace = text(spec.get("namespace")) or (None if shared else "")
        reference = text(spec.get("vaultConnectionRef"))
        if not reference:
            return Door("", namespace)
        where, name = _apart(reference, where)
        connection = await self._read("vaultconnections", where, name)
        if connection is None:
            closed = f"vaultconnections {where}/{name}" in self.closed
            why = f"there is no VaultConnection/{name}, which {named(thing)} takes from"
            return Door("", namespace, () if closed else (why,))
        return Door(text(mapping(connection.get("spec")).get("address")), namespace)

    async def _read(self, plural: str, where: str, name: str) -> Object | None:
        told = f"{plural} {where}/{name}"
        if told not in self.known:
            path = f"/{VSO}/namespaces/{quote(where, safe='')}/{plural}/{quote(name, safe='')}"
            try:
                self.known[told] = await self.api.get(path)
            except DeniedError:
                if where == self.namespace:
                    raise
                self.known[told] = None
                self.closed.add(told)
        return self.known[told]


def _apart(reference: str, namespace: str) -> tuple[str, str]:
    """A reference as the operator reads it: `name`, or `namespace/name`."""
    first, slash, rest = reference.partition("/")
    return (first, rest) if slash else (namespace, first)


def operated(things: Iterable[Object], secret: Object) -> list[Object]:
    """The objects of the operator that write this Secret: one that owns it, or any that fills it by name.

    A Secret that it was told not to create it neither owns nor marks; whose its keys are is told by their managers.
    """
    found = []
    for thing in things:
        destination = mapping(mapping(thing.get("spec")).get("destination"))
        if text(destination.get("name")) != text(secret.get("name")):
            continue
        if owns(thing, secret) or destination.get("create") is not True:
            found.append(thing)
    return found


def of_operated(thing: Object, door: Door, limits: Limits) -> Origin:
    """What an object of the operator says of itself."""
    spec, status = mapping(thing.get("spec")), mapping(thing.get("status"))
    problems = [
        *door.problems,
        *(
            f"{named(thing)} is not well: {kind} is {text(found.get('status')) or 'unknown'}"
            for kind in ("SecretSynced", "Healthy", "Ready")
            if (found := condition(thing, kind)) and found.get("status") != "True"
        ),
    ]
    if thing.get("kind") == PKI:
        problems += _invalid(thing, limits.now)
    elif not status.get("lastGeneration"):
        problems.append(f"{named(thing)} has not been synced by its operator; see whether that runs")
    if status.get("lastGeneration", 0) not in {0, mapping(thing.get("metadata")).get("generation")}:
        problems.append(f"{named(thing)} was changed and has not been synced since")
    if host := elsewhere(door.server, limits.staging):
        problems.append(f"{named(thing)} takes from {host}, which is another environment's")
    if thing.get("kind") == DYNAMIC:
        problems += _run_out(thing, limits.now)
    remarks = [f"{named(thing)} is never refreshed by itself"] if _never(thing) else []
    place = _place(thing, text(spec.get("namespace")) or door.namespace)
    return Origin(
        named(thing),
        "",
        (place,),
        tuple(problems),
        tuple(remarks),
        servers=(door.server,),
        managers=(MANAGER,),
    )


def _place(thing: Object, namespace: str | None) -> Place:
    spec = mapping(thing.get("spec"))
    mount, path = text(spec.get("mount")).strip("/"), text(spec.get("path")).strip("/")
    if thing.get("kind") == PKI:
        return Place(mount, f"issue/{text(spec.get('role'))}", namespace, made=True)
    if thing.get("kind") == DYNAMIC:
        lease = text(mapping(mapping(thing.get("status")).get("secretLease")).get("id"))
        return Place(mount, path, namespace, lease=lease, made=True)
    pinned = spec.get("version")
    number = pinned if isinstance(pinned, int) else 0
    return Place(mount, path, namespace, version=number, first=spec.get("type") == "kv-v1")


def _never(thing: Object) -> bool:
    """Whether what is written from a KV engine stays: nothing asks again, neither by time, by drift, nor by events."""
    spec = mapping(thing.get("spec"))
    told = mapping(spec.get("syncConfig")).get("instantUpdates") is True
    return (
        thing.get("kind") == STATIC
        and spec.get("hmacSecretData") is False
        and not (seconds(spec.get("refreshAfter") or "0") or told)
    )


def _invalid(thing: Object, now: float) -> Iterator[str]:
    """Why a VaultPKISecret has no certificate that counts."""
    status = mapping(thing.get("status"))
    until = status.get("expiration")
    if not status.get("serialNumber"):
        yield f"{named(thing)} has not been given a certificate; see its operator"
    elif status.get("valid") is False:
        yield f"{named(thing)} is not well: its operator calls it invalid"
    elif isinstance(until, int) and 0 < until < now:
        yield f"{named(thing)} has a certificate that ran out {(now - until) / 60:.0f} min ago"


def _run_out(thing: Object, now: float) -> Iterator[str]:
    """Whether what a VaultDynamicSecret was given has run out without being renewed."""
    status = mapping(thing.get("status"))
    renewed, lasts = status.get("lastRenewalTime"), mapping(status.get("secretLease")).get("duration")
    if isinstance(renewed, int) and isinstance(lasts, int) and 0 < lasts < now - renewed:
        yield f"{named(thing)} was renewed {(now - renewed) / 60:.0f} min ago, and lasts {lasts / 60:.0f} min"
