"""The objects of a namespace that write Secrets from Vault, and which of them writes a Secret."""

from dataclasses import dataclass, field

from tminus.errors import DeniedError

from .api import Api, Object
from .injected import of_class, syncs
from .origins import Limits, Origin, external, of_external, of_operated, operated, stores_of
from .references import PROVIDER_CLASS, Reference, mapping, mappings, text
from .references import named as shown
from .workloads import Asked, Named

_ESO, _VSO = "apis/external-secrets.io", "apis/secrets.hashicorp.com/v1beta1"
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
    hidden: list[str] = field(default_factory=list)
    """Kinds that tminus may not read: what they would prove is not known."""
    unknown: list[str] = field(default_factory=list)
    """Kinds that the cluster does not know."""

    async def load(self) -> None:
        """Read all of them; a kind that the cluster does not know has no objects."""
        for version in ("v1", "v1beta1"):
            found = await self._listed(f"{_ESO}/{version}", "externalsecrets", "ExternalSecret")
            if found is not None:
                self.externals = found
                await self._read_stores(f"{_ESO}/{version}")
                break
        else:
            self.unknown.append("ExternalSecret")
        for plural, kind in (
            ("vaultstaticsecrets", "VaultStaticSecret"),
            ("vaultdynamicsecrets", "VaultDynamicSecret"),
        ):
            listed = await self._listed(_VSO, plural, kind)
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

    async def _read_stores(self, where: str) -> None:
        for kind, name in dict.fromkeys(one for thing in self.externals for one in stores_of(thing)):
            path = (
                f"/{where}/clustersecretstores/{name}"
                if kind == "ClusterSecretStore"
                else f"{self.asked.path('secretstores', where)}/{name}"
            )
            self.stores[kind, name] = await self.api.get(path)

    def origin(
        self, secret: Object, references: list[Reference], limits: Limits, named: Named
    ) -> Origin | None:
        """Who writes a Secret from Vault; nothing where nobody says so."""
        if thing := external(self.externals, secret):
            return of_external(thing, self.stores, limits)
        if thing := operated(self.operated, secret):
            return of_operated(thing, limits)
        users = {one.by for one in references}
        mounted = [one.name for one in named.of(PROVIDER_CLASS) if one.by in users]
        for name in mounted:
            if name in self.classes and syncs(self.classes[name], secret):
                return of_class(self.classes[name], name, limits)
        return None

    def excuse(self, secret: Object) -> str:
        """Why nobody says that a Secret is from Vault, as far as that can be seen."""
        name = text(secret.get("name"))
        there = {text(mapping(one.get("metadata")).get("uid")) for one in (*self.externals, *self.operated)}
        lost = [one for one in mappings(secret.get("ownerReferences")) if text(one.get("uid")) not in there]
        kinds = ("ExternalSecret", "VaultStaticSecret", "VaultDynamicSecret")
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
