"""Kubernetes: the ConfigMaps and Secrets that a service's workloads name, and whether the Secrets come from Vault.

The cluster is asked by the plan's kubeconfig. Nothing is changed: rendered manifests are applied as a dry run only. Of
Secrets the metadata alone is asked for, so no value of one ever arrives here.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated

from tminus.domain.canonical import JsonValue
from tminus.domain.evidence import Observation
from tminus.domain.value import ValueKind
from tminus.errors import InconclusiveError, RolloutError
from tminus.kubernetes import Access, Api
from tminus.kubernetes.configmaps import Map, differing, missing, odd, unfilled
from tminus.kubernetes.origins import Limits
from tminus.kubernetes.provenance import Provenance, Wanted
from tminus.kubernetes.references import CONFIG_MAP, mapping, text
from tminus.kubernetes.workloads import Asked, Named, gathered, said_of
from tminus.probes import Probe


@dataclass(frozen=True, slots=True)
class System:
    """One cluster, by the path of a kubeconfig or `in-cluster`; and what a plan says beside."""

    address: str = field(repr=False)
    now: Callable[[], float]
    context: str = ""
    """The context of the kubeconfig where a line names none."""
    namespace: str = ""
    """The namespace where a line names none: that of the plan's target."""
    vaults: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The addresses of the plan's systems of kind vault, by name."""

    @asynccontextmanager
    async def asking(self, context: str) -> AsyncIterator[Api]:
        """The cluster's API; what it refuses for another reason than our rights supports no verdict."""
        api = Api(Access(self.address, context or self.context))
        try:
            yield api
        except RolloutError as error:
            raise InconclusiveError(str(error), hint=error.hint) from error
        finally:
            await api.close()

    def asked(self, namespace: str, manifests: str, workloads: list[str] | None) -> Asked:
        """Which part of the cluster a line is about."""
        found = namespace or self.namespace
        if not found:
            raise InconclusiveError(
                "nobody says which namespace is meant",
                hint="write `namespace: NAME` under `with` in the plan",
            )
        return Asked(found, manifests, tuple(workloads or ()))


@Probe
async def configmaps(  # noqa: PLR0913 - what a plan may say
    kubernetes: System,
    *,
    namespace: str = "",
    context: str = "",
    names: list[str] | None = None,
    manifests: str = "",
    workloads: list[str] | None = None,
    staging: list[str] | None = None,
    allowed: list[str] | None = None,
    immutable: list[str] | None = None,
    settled_seconds: int = 3600,
) -> Annotated[Observation, ValueKind.FINDINGS]:
    """What is wrong with ConfigMaps: missing, a key missing, placeholders in them, not as they were rendered.

    Meant are those of `names` and those that workloads name, live ones and those of `manifests`: a file or a folder of
    rendered manifests, whose ConfigMaps are applied as a dry run and compared. Hosts of staging are known by their
    names; `staging` are more of them, and `allowed` are values that are right all the same, as `map/key`.
    """
    asked = kubernetes.asked(namespace, manifests, workloads)
    now = kubernetes.now()
    async with kubernetes.asking(context) as api:
        seen = await gathered(api, asked)
        every = [Map(thing) for thing in await api.items(asked.path("configmaps"))]
        maps = {one.name: one for one in every}
        wishes = [one for one in seen.rendered if text(one.thing.get("kind")) == CONFIG_MAP]
        by_name = {Map(one.thing).name: one for one in wishes}
        _something(seen, [*(names or ()), *by_name], CONFIG_MAP)
        problems = [*missing(maps, seen.of(CONFIG_MAP), names or (), asked.namespace)]
        problems += [
            f"there is no ConfigMap {name} in {asked.namespace}, which {one.file.name}:{one.line} has"
            for name, one in by_name.items()
            if name not in maps and not any(f"no ConfigMap {name} " in problem for problem in problems)
        ]
        for name, wish in by_name.items():
            if name in maps:
                problems += await differing(api, asked.path("configmaps"), maps[name], wish)
    wanted = {*(names or ()), *by_name, *(one.name for one in seen.of(CONFIG_MAP))}
    meant = {name: maps[name] for name in sorted(wanted) if name in maps}
    for one in meant.values():
        problems += unfilled(one, staging or (), allowed or ())
    remarks = tuple(odd(maps, wanted, seen.of(CONFIG_MAP), immutable or (), (now, settled_seconds)))
    return _of_maps(seen, meant, [*problems], remarks)


def _of_maps(
    seen: Named, meant: Mapping[str, Map], problems: list[JsonValue], remarks: tuple[str, ...]
) -> Observation:
    digests: dict[str, JsonValue] = {name: {**one.digests} for name, one in meant.items()}
    told: dict[str, JsonValue] = {
        "maps": {
            name: {
                "uid": text(mapping(one.thing.get("metadata")).get("uid")),
                "resource_version": text(mapping(one.thing.get("metadata")).get("resourceVersion")),
                "sha256": {**one.digests},
            }
            for name, one in meant.items()
        },
        "workloads": [*said_of(seen.workloads)],
        "rendered": len(seen.rendered),
    }
    if not meant and not problems:
        raise InconclusiveError(
            "none of the ConfigMaps that workloads name is there, and all are optional",
            hint="see whether it is the right namespace",
        )
    keys = sum(len(one.digests) for one in meant.values())
    fact = f"{len(meant)} ConfigMaps with {keys} keys, named by {len(said_of(seen.workloads))} workloads"
    return Observation(problems, told, {"maps": digests}, remarks, fact)


@Probe
async def secrets(  # noqa: PLR0913 - what a plan may say
    kubernetes: System,
    *,
    namespace: str = "",
    context: str = "",
    names: list[str] | None = None,
    manifests: str = "",
    workloads: list[str] | None = None,
    vault: str = "",
    servers: list[str] | None = None,
    refreshed_seconds: int = 3600,
    rotated_days: int = 0,
    staging: list[str] | None = None,
    other_origin: list[str] | None = None,
) -> Annotated[Observation, ValueKind.FINDINGS]:
    """What is wrong with Secrets: missing, a key missing, not from Vault, or nothing there in Vault; no value is read.

    Meant are those of `names`, those that workloads name, and what pods take from Vault without one. Each has to come
    from Vault by External Secrets, the Vault Secrets Operator, the agent's annotations or a provider class, whose paths
    are looked up in `vault`, the plan's only Vault where none is named. `servers` are other addresses of that Vault, as
    operators reach it. Secrets of `other_origin` are warned of.
    """
    asked = kubernetes.asked(namespace, manifests, workloads)
    limits = Limits(kubernetes.now(), refreshed_seconds, tuple(staging or ()))
    wanted = Wanted(tuple(names or ()), tuple(other_origin or ()), tuple(servers or ()), rotated_days)
    async with kubernetes.asking(context) as api:
        provenance = await Provenance.of(api, asked, wanted, limits)
        await provenance.in_vault(_vault(kubernetes, vault))
    return provenance.observation()


def _vault(kubernetes: System, name: str) -> str:
    """The address of the Vault that is meant; empty where the plan has none."""
    if not name and len(kubernetes.vaults) <= 1:
        return next(iter(kubernetes.vaults.values()), "")
    if name not in kubernetes.vaults:
        known = ", ".join(kubernetes.vaults) or "none"
        raise InconclusiveError(
            f"which Vault is meant, {name or 'without a name'}? The plan has: {known}",
            hint="write `vault: NAME` under `with`, of a system of kind vault that has an address",
        )
    return kubernetes.vaults[name]


def _something(seen: Named, names: list[str], kind: str) -> None:
    """Raise `InconclusiveError` where nothing names anything: that there is nothing to see proves nothing."""
    if not seen.of(kind) and not names:
        raise InconclusiveError(
            f"none of the {len(seen.workloads)} workloads in the namespace names a {kind}",
            hint="see whether it is the right namespace; if none is needed, let the plan say `not_applicable`",
        )
