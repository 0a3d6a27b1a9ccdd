"""The objects of a namespace that write Secrets from Vault, and which of them writes a Secret."""

from dataclasses import dataclass, field
from urllib.parse import quote

from tminus.errors import DeniedError

from .api import Api, Object
from .injected import of_class, syncs
from .operated import KINDS, VSO, Doors, of_operated, operated
from .origins import Limits, Origin, externals, of_external, stores_of
from .references import PROVIDER_CLASS, Reference, mapping, mappings, text
from .references import named as shown
from .workloads import Asked, Named

_ESO = "apis/external-secrets.io"
_CSI = "apis/secrets-store.csi.x-k8s.io/v1"


@dataclass(slots=True)
class Operators:
    """The objects of a namespace that write Secrets from Vault."""

    api: Api
    asked: Asked
    externals: list[Object] = field(default_factory=list)
    operated: list[Object] = field(default_factory=list)
    classes: dict[str, Object] = field(default_factory=dict)
    stores: dict[tuple[str, str], Object | None] = field(default_factory=dict)
    """Those that were needed: of the Secrets that are looked at, and of no others."""
    hidden: list[str] = field(default_factory=list)
    """Kinds that tminus may not read: what they would prove is not known."""
    unknown: list[str] = field(default_factory=list)
    """Kinds that the cluster does not know."""
    _group: str = f"{_ESO}/v1"
    _doors: Doors = field(init=False)

    def __post_init__(self) -> None:
        self._doors = Doors(self.api, self.asked.namespace)

    async def load(self) -> None:
        """Read all of them; a kind that the cluster does not know has no objects."""
        for version in ("v1", "v1beta1"):
            found = await self._listed(f"{_ESO}/{version}", "externalsecrets", "ExternalSecret")
            if found is not None:
                self.externals, self._group = found, f"{_ESO}/{version}"
                break
        else:
            self.unknown.append("ExternalSecret")
        for plural, kind in KINDS.items():
            listed = await self._listed(VSO, plural, kind)
            self.unknown += [kind] if listed is None else []
            self.operated += listed or []
        for thing in await self._listed(_CSI, "secretproviderclasses", "SecretProviderClass") or []:
            self.classes[text(mapping(thing.get("metadata")).get("name"))] = thing

    async def _listed(self, where: str, plural: str, kind: str) -> list[Object] | None:
        try:
            found = await self.api.listed(self.asked.path(plural, where))
        except DeniedError:
            # Asked for before it is known whether anything needs it; who needs it is told then.
            self.hidden.append(plural)
            return []
        return None if found is None else [{**thing, "kind": kind} for thing in found]

    async def _read_stores(self, thing: Object) -> None:
        for kind, name in stores_of(thing):
            if (kind, name) not in self.stores:
                where = (
                    f"/{self._group}/clustersecretstores"
                    if kind == "ClusterSecretStore"
                    else self.asked.path("secretstores", self._group)
                )
                self.stores[kind, name] = await self.api.get(f"{where}/{quote(name, safe='')}")

    async def origins(
        self, secret: Object, references: list[Reference], limits: Limits, named: Named
    ) -> list[Origin]:
        """Who writes a Secret from Vault, each of them; none where nobody says so."""
        found = []
        for thing in externals(self.externals, secret):
            await self._read_stores(thing)
            found.append(of_external(thing, self.stores, limits))
        found += [
            of_operated(thing, await self._doors.of(thing), limits)
            for thing in operated(self.operated, secret)
        ]
        if found:
            return found
        users = {one.by for one in references}
        mounted = dict.fromkeys(one.name for one in named.of(PROVIDER_CLASS) if one.by in users)
        return [
            of_class(self.classes[name], name, limits)
            for name in mounted
            if name in self.classes and syncs(self.classes[name], secret)
        ]

    def excuse(self, secret: Object) -> str:
        """Why nobody says that a Secret is from Vault, as far as that can be seen."""
        name = text(secret.get("name"))
        there = {text(mapping(one.get("metadata")).get("uid")) for one in (*self.externals, *self.operated)}
        lost = [one for one in mappings(secret.get("ownerReferences")) if text(one.get("uid")) not in there]
        kinds = ("ExternalSecret", *KINDS.values())
        told = [
            f"its owner {text(one.get('kind'))}/{text(one.get('name'))} is not there"
            for one in lost
            if one.get("kind") in kinds
        ]
        for thing in self.externals:
            target = text(mapping(mapping(thing.get("spec")).get("target")).get("name"))
            if text(mapping(thing.get("metadata")).get("name")) == name and target not in {"", name}:
                told.append(f"{shown(thing)} writes {target}")
        told += [f"the cluster knows no {', '.join(self.unknown)}"] if self.unknown else []
        return ", ".join(told) or f"nothing in {self.asked.namespace} that writes Secrets from there owns it"
