"""The Secrets of a namespace, each with its origin, and how the places that they come from stand in Vault."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from tminus.domain.canonical import JsonValue, timestamp
from tminus.domain.evidence import Observation
from tminus.errors import DeniedError, InconclusiveError, ProbeError, TminusError
from tminus.http import bare
from tminus.vault import asking

from .api import Api, Object
from .entries import Entry, Policy, look
from .injected import of_agents, of_class
from .keys import Written, keys, wrote
from .operators import Operators
from .origins import Limits, Origin, Place
from .references import PROVIDER_CLASS, SECRET, Reference, mapping, text
from .workloads import Asked, Named, gathered, said_of


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a plan says of its Secrets."""

    names: tuple[str, ...] = ()
    """Secrets that must be there although no workload names them."""
    other_origin: tuple[str, ...] = ()
    """Secrets that are not from Vault, as the plan says."""
    servers: tuple[str, ...] = ()
    """Other addresses of the plan's Vault, as operators reach it; patterns."""
    rotated_days: int = 0


@dataclass(slots=True)
class Provenance:
    """Where everything secret of a namespace comes from."""

    named: Named
    limits: Limits
    wanted: Wanted
    origins: dict[str, list[Origin]] = field(default_factory=dict)
    """By Secret, or by workload for what its pods take without one."""
    owners: dict[str, JsonValue] = field(default_factory=dict)
    names: dict[str, JsonValue] = field(default_factory=dict)
    """By Secret: the names of its keys."""
    entries: dict[tuple[str, Place], Entry] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @classmethod
    async def of(cls, api: Api, asked: Asked, wanted: Wanted, limits: Limits) -> Provenance:
        """Read a namespace; raises `InconclusiveError` where nothing in it takes anything secret."""
        made = cls(await gathered(api, asked), limits, wanted)
        operators = Operators(api, asked)
        await operators.load()
        made._inject(operators)
        by_name: dict[str, list[Reference]] = {name: [] for name in wanted.names}
        for one in made.named.of(SECRET):
            by_name.setdefault(one.name, []).append(one)
        if not by_name and not made.origins:
            raise InconclusiveError(
                f"none of the {len(made.named.workloads)} workloads in the namespace names a Secret, or takes "
                "anything from Vault",
                hint="see whether it is the right namespace; if nothing is secret, let the plan say `not_applicable`",
            )
        unproven = []
        for name, references in by_name.items():
            secret = await api.metadata(f"{asked.path('secrets')}/{name}")
            if not await made._judge(name, references, secret, operators):
                unproven.append(name)
        if unproven and operators.hidden:
            raise DeniedError(
                f"what would prove that {', '.join(unproven)} came from Vault may not be read: "
                f"{', '.join(operators.hidden)}",
                hint="compare our Role with docs/how-to/kubernetes.md",
            )
        if not made.origins and not made.problems and not made.names:
            raise InconclusiveError(
                f"none of the Secrets that workloads name is there, and all are optional: {', '.join(by_name)}",
                hint="see whether it is the right namespace",
            )
        return made

    def _inject(self, operators: Operators) -> None:
        """What pods take from Vault without a Secret."""
        for workload in self.named.workloads:
            for origin in of_agents(workload):
                self._add(said_of([workload])[0], origin)
        for one in dict.fromkeys((one.by, one.name) for one in self.named.of(PROVIDER_CLASS)):
            by, name = one
            if "secretproviderclasses" in operators.hidden:
                raise DeniedError(
                    f"{by} mounts the provider class {name}, which may not be read",
                    hint="compare our Role with docs/how-to/kubernetes.md",
                )
            self._add(by, of_class(operators.classes.get(name), name, self.limits))

    def _add(self, what: str, origin: Origin) -> None:
        self.origins.setdefault(what, []).append(origin)
        self.problems += [problem for problem in origin.problems if problem not in self.problems]
        self.remarks += [remark for remark in origin.remarks if remark not in self.remarks]

    async def _judge(
        self, name: str, references: list[Reference], secret: Object | None, operators: Operators
    ) -> bool:
        """Judge one Secret; whether it is known where it comes from, or need not be."""
        needed = [one for one in references if not one.optional]
        used = (needed or references)[:1]
        who = f"; {used[0].told} names it" if used else "; the plan names it"
        if secret is None:
            if needed or name in self.wanted.names:
                self.problems.append(f"there is no Secret {name} in {operators.asked.namespace}{who}")
            return True
        written = self._keys(name, needed, secret)
        if name in self.wanted.other_origin:
            self.remarks.append(f"the Secret {name} is not from Vault, as the plan says")
            return True
        origins = await operators.origins(secret, references, self.limits, self.named)
        self.owners[name] = [*_owners(secret)]
        if not origins:
            if not operators.hidden:
                self.problems.append(f"the Secret {name} is not from Vault: {operators.excuse(secret)}{who}")
            return False
        for origin in origins:
            self._add(name, origin)
        for key in _taken(references, written):
            self._overwritten(key, written[key], secret, origins)
        return True

    def _keys(self, name: str, needed: list[Reference], secret: Object) -> Mapping[str, Written]:
        """The keys of a Secret, those told that it lacks; raises `InconclusiveError` where nobody tells them."""
        written = keys(secret)
        if written is None:
            raise InconclusiveError(
                f"the API tells no names of the keys of the Secret {name}", hint="see its `managedFields`"
            )
        self.names[name] = [*sorted(written)]
        self.problems += [
            f"the Secret {name} lacks the key {one.key}, which {one.told} names"
            for one in needed
            if one.key and one.key not in written
        ]
        return written

    def _overwritten(self, key: str, by: Written, secret: Object, origins: list[Origin]) -> None:
        """A key that is somebody else's in a Secret that operators write.

        An operator that takes a Secret over, or writes it again, takes no key whose value is the same already: such a
        key stays its first writer's, whose last write is then older than the operator's.
        """
        told = f"the key {key} of the Secret {text(secret.get('name'))}"
        givers = [one for one in origins if one.proven is None or key in one.proven]
        proofs = " and ".join(origin.proof for origin in givers or origins)
        managers = {one for origin in givers for one in origin.managers}
        if by.holders & managers:
            return
        settled = max((origin.refreshed or 0.0 for origin in givers), default=0.0)
        if not givers:
            self.problems.append(f"{told} is not among those of {proofs}: {by.manager} wrote it last")
        elif by.at >= max(settled, wrote(secret, managers)):
            self.problems.append(f"{told} was last written by {by.manager}, not by {proofs}")
        else:
            self.remarks.append(
                f"{told} is still held by {by.manager}, who wrote it before {proofs} did; see that Vault has it"
            )

    async def in_vault(self, address: str) -> None:
        """Look up every place that an origin names.

        Where something is wrong already, a Vault that cannot be asked takes nothing from that.
        """
        try:
            if not address:
                raise InconclusiveError(
                    "the plan names no Vault, so nobody can tell what stands there",
                    hint="add a system `{kind: vault, address: env:NAME}` to the plan",
                )
            async with asking(address) as vault:
                self._same(vault.where)
                health = await vault.health()
                if health.problem:
                    self.problems.insert(0, health.problem)
                    return
                policy = Policy(self.limits.now, self.wanted.rotated_days)
                for origin, place in self._places():
                    if (origin.proof, place) not in self.entries:
                        self._found(origin, place, await look(vault, place, origin, policy))
        except ProbeError as error:
            if not self.problems:
                raise
            self.problems.append(f"beside this, Vault could not be asked: {_words(error)}")

    def _found(self, origin: Origin, place: Place, entry: Entry) -> None:
        self.entries[origin.proof, place] = entry
        self.problems += [one for one in entry.problems if one not in self.problems]
        self.remarks += [one for one in entry.remarks if one not in self.remarks]

    def _same(self, where: str) -> None:
        """Raise `InconclusiveError` where operators take from another Vault than the one that is asked."""
        for origins in self.origins.values():
            for origin in origins:
                for server in origin.servers:
                    if _alike(server, where, self.wanted.servers):
                        continue
                    if not server:
                        remark = (
                            f"which Vault {origin.proof} takes from stands in no object that can be read; "
                            f"it was looked up in {where}"
                        )
                        self.remarks += [remark] if origin.places and remark not in self.remarks else []
                    else:
                        raise InconclusiveError(
                            f"{origin.proof} takes from {bare(server)}, and the plan's Vault is {where}: what stands "
                            "in one proves nothing of the other",
                            hint="if both are one Vault, write `servers: [HOST]` under `with` in the plan",
                        )

    def _places(self) -> Iterator[tuple[Origin, Place]]:
        for origins in self.origins.values():
            for origin in origins:
                for place in origin.places:
                    yield origin, place

    def observation(self) -> Observation:
        """What was found, with everything that may be shown of it."""
        secret: dict[str, JsonValue] = {}
        material: dict[str, JsonValue] = {}
        for what, origins in sorted(self.origins.items()):
            told = [self._told(origin) for origin in origins]
            secret[what] = {
                "keys": self.names.get(what, []),
                "owners": self.owners.get(what, []),
                "from": [*told],
            }
            material[what] = {
                "keys": self.names.get(what, []),
                "from": [{"proof": o.proof, "store": o.store, "places": self._versions(o)} for o in origins],
            }
        for name in self.wanted.other_origin:
            material.setdefault(name, {"keys": self.names.get(name, [])})
        paths = len({place for _, place in self._places()})
        if self.origins and not paths and not self.problems:
            raise InconclusiveError(
                f"no place of Vault could be looked at: {'; '.join(self.remarks)}",
                hint="name paths where they can be read, or have a person attest the line",
            )
        fact = (
            f"{len(self.names)} Secrets and {len(said_of(self.named.workloads))} workloads take from {paths} places "
            "of Vault, each of which is there"
        )
        seen: dict[str, JsonValue] = {"secrets": secret, "workloads": [*said_of(self.named.workloads)]}
        return Observation([*self.problems], seen, {"secrets": material}, tuple(self.remarks), fact)

    def _told(self, origin: Origin) -> JsonValue:
        entries = [(place, self.entries.get((origin.proof, place), Entry())) for place in origin.places]
        return {
            "proof": origin.proof,
            "store": origin.store,
            "refreshed_at": timestamp(origin.refreshed) if origin.refreshed else None,
            "places": [
                {
                    "path": place.told,
                    "version": entry.version,
                    "created_at": timestamp(entry.created) if entry.created else None,
                    "keys": [*sorted(place.keys)],
                }
                for place, entry in entries
            ],
        }

    def _versions(self, origin: Origin) -> list[JsonValue]:
        found = [
            (place.told, self.entries.get((origin.proof, place), Entry()).version) for place in origin.places
        ]
        return [f"{path}@{version}" for path, version in found]


def _taken(references: list[Reference], written: Iterable[str]) -> list[str]:
    """The keys of a Secret that are taken: who takes the whole of it takes each."""
    named_so = {one.key for one in references}
    return sorted({*written} if "" in named_so or not named_so else named_so & {*written})


def _owners(secret: Object) -> list[str]:
    references = mapping(secret).get("ownerReferences")
    found = references if isinstance(references, list) else []
    return [f"{text(mapping(one).get('kind'))}/{text(mapping(one).get('name'))}" for one in found]


def _alike(server: str, where: str, others: tuple[str, ...]) -> bool:
    """Whether an operator's address is that of the Vault that is asked, or one that the plan calls so."""
    host = _host(server)
    return host == _host(where) or any(
        fnmatchcase(one, pattern) for pattern in others for one in (server, host, host.rpartition(":")[0])
    )


def _host(address: str) -> str:
    """The host and the port of an address, for comparing."""
    parts = urlsplit(address if "://" in address else f"//{address}")
    return parts.netloc.rpartition("@")[2].lower()


def _words(error: TminusError) -> str:
    return f"{error}; {error.hint}"
