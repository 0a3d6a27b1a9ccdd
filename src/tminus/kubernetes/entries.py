"""Whether what origins name stands in Vault, and is current: by its metadata, never by its values."""

from dataclasses import dataclass

from tminus.errors import DeniedError, InconclusiveError
from tminus.vault import Metadata, Vault, is_path

from .origins import Origin, Place

_DAY = 86400.0
_TICK = 1.0
"""Kubernetes writes whole seconds, Vault parts of one."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One place of Vault as it was found."""

    problems: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    version: int = 0
    created: float = 0.0
    """When that version was written."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What time it is, and how old a version may be."""

    now: float
    rotated_days: int = 0
    """0 for any age."""


async def look(vault: Vault, place: Place, origin: Origin, policy: Policy) -> Entry:
    """What is wrong with a place of Vault that an origin names."""
    if not is_path(place.told):
        return Entry((f"{origin.proof} names {place.told[:80]!r}, which is no path in Vault",))
    if place.first:
        raise _first(place, origin)
    if place.made:
        return await _made(vault, place, origin)
    if not place.mount:
        found = await _below(vault, place, origin)
        if isinstance(found, Entry):
            return found
        place = found
    metadata = await vault.metadata(place.mount, place.path, place.namespace)
    if metadata is None:
        engine = await vault.engine(place.told, place.namespace)
        if engine is not None and engine.version == "1":
            raise _first(place, origin)
        return Entry((f"Vault has nothing at {place.told}, which {origin.proof} names",))
    return await _version(vault, place, metadata, (origin, policy))


def _first(place: Place, origin: Origin) -> InconclusiveError:
    return InconclusiveError(
        f"{origin.proof} names {place.told}, in KV version 1, which keeps no metadata: no version can be seen there",
        hint="move it to an engine of version 2, or have a person attest the line",
    )


def _untold(vault: Vault, place: Place, origin: Origin) -> DeniedError:
    """Vault says the same of a path where nothing is mounted and of one that we may see nothing of."""
    return DeniedError(
        f"{vault.where} does not tell what is mounted at {place.told}, which {origin.proof} names",
        hint="correct the path, or give the token a policy that sees something below it, see docs/how-to/kubernetes.md",
    )


async def _made(vault: Vault, place: Place, origin: Origin) -> Entry:
    """What Vault made on being asked is known by its lease alone; asked again it would make another."""
    if place.lease and await vault.lease(place.lease, place.namespace) is None:
        return Entry((f"Vault knows no lease any more of what {origin.proof} was given at {place.told}",))
    if not place.lease and await vault.engine(place.told, place.namespace) is None:
        raise _untold(vault, place, origin)
    return Entry()


async def _below(vault: Vault, place: Place, origin: Origin) -> Place | Entry:
    """A whole path taken apart by what is mounted there; or all that can be said of it."""
    engine = await vault.engine(place.path, place.namespace)
    if engine is None:
        mount, data, rest = place.path.partition("/data/")
        if not data:
            raise _untold(vault, place, origin)
        return Place(mount, rest, place.namespace, place.keys)
    if engine.kind != "kv":
        return Entry()  # it makes what it gives, so nothing stands there
    if engine.version != "2":
        raise _first(place, origin)
    rest = place.path.strip("/").removeprefix(f"{engine.mount}/").removeprefix("data/")
    return Place(engine.mount, rest, place.namespace, place.keys)


async def _version(vault: Vault, place: Place, metadata: Metadata, about: tuple[Origin, Policy]) -> Entry:
    origin, policy = about
    number = place.version or metadata.current
    version = metadata.versions.get(number)
    told = f"{place.told}, which {origin.proof} names"
    if version is None:
        which = f"no version {number}" if number else "no version at all"
        return Entry((f"Vault has {which} of {told}",))
    if version.destroyed:
        return Entry((f"version {number} was destroyed in Vault, of {told}",), (), number, version.created)
    if version.deleted is not None and version.deleted <= policy.now:
        return Entry((f"version {number} was deleted in Vault, of {told}",), (), number, version.created)
    problems: list[str] = []
    if place.keys:
        there = await vault.subkeys(place.mount, place.path, number, place.namespace)
        # A property with points is a key of that name, or a way into the value of a key.
        missing = [key for key in sorted(place.keys - there) if key.partition(".")[0] not in there]
        problems += [f"Vault has no key {key} at {told}" for key in missing]
    remarks = []
    days = (policy.now - version.created) / _DAY
    if policy.rotated_days and days > policy.rotated_days:
        allowed = f"and the plan allows {policy.rotated_days} days"
        remarks.append(f"{place.told} was last rotated {days:.0f} days ago, {allowed}")
    if origin.refreshed is not None and not place.version and version.created > origin.refreshed + _TICK:
        remarks.append(f"{origin.proof} was refreshed before the newest version of {place.told} was written")
    return Entry(tuple(problems), tuple(remarks), number, version.created)
