"""What runs in a namespace and what is to run there: its live workloads, the rendered ones, and what they name."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tminus.errors import InconclusiveError, UsageError

from .api import Api, Object
from .references import Reference, mapping, mappings, named, references, template, text
from .rendered import Document, objects

_KINDS = (
    ("apis/apps/v1", "deployments", "Deployment"),
    ("apis/apps/v1", "statefulsets", "StatefulSet"),
    ("apis/apps/v1", "daemonsets", "DaemonSet"),
    ("apis/batch/v1", "cronjobs", "CronJob"),
    ("apis/batch/v1", "jobs", "Job"),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which namespace a line is about, and which parts of it."""

    namespace: str
    manifests: str = ""
    """The file or the folder of rendered manifests; empty for none."""
    workloads: Sequence[str] = ()
    """The live workloads that count, by name; all of them where none is named."""

    def path(self, plural: str, api: str = "api/v1") -> str:
        """Where the API keeps objects of a kind in the namespace."""
        return f"/{api}/namespaces/{self.namespace}/{plural}"


@dataclass(frozen=True, slots=True)
class Named:
    """The workloads of a namespace, and everything that they name."""

    live: tuple[Object, ...]
    rendered: tuple[Document, ...]
    """The objects of this namespace out of the manifests, also those that are no workloads; of hooks these alone."""
    references: tuple[Reference, ...]

    @property
    def workloads(self) -> list[Object]:
        """Every workload, the live ones first."""
        return [*self.live, *(one.thing for one in self.rendered if template(one.thing))]

    def of(self, kind: str) -> list[Reference]:
        """What is named of one kind."""
        return [one for one in self.references if one.kind == kind]


async def gathered(api: Api, asked: Asked) -> Named:
    """Everything that the workloads of a namespace name.

    Raises `InconclusiveError` for manifests that cannot be read and for a workload that is asked for and not there.
    """
    rendered = _rendered(asked)
    live = [thing for kind in _KINDS for thing in await _listed(api, asked, kind)]
    if asked.workloads:
        there = {_name(thing) for thing in live}
        if missing := [name for name in asked.workloads if name not in there]:
            raise InconclusiveError(
                f"the namespace {asked.namespace} has no workload {', '.join(missing)}",
                hint="correct `workloads` in the plan, or see what runs there",
            )
        live = [thing for thing in live if _name(thing) in asked.workloads]
    every = [*live, *(one.thing for one in rendered)]
    # What is both live and rendered names most of it twice.
    found = dict.fromkeys(reference for thing in every for reference in references(thing))
    hooks = [one for one in rendered if _hook(one.thing)]
    passing = {(text(one.thing.get("kind")), _name(one.thing)) for one in hooks}
    return Named(
        tuple(live),
        tuple(one for one in rendered if one not in hooks or template(one.thing)),
        tuple(one for one in found if (one.kind, one.name) not in passing or one.by in _told(live)),
    )


def _hook(thing: Object) -> bool:
    """Whether Helm or Argo CD makes an object for a moment of a release, and takes it away again as it likes."""
    annotations = mapping(mapping(thing.get("metadata")).get("annotations"))
    return bool({"helm.sh/hook", "argocd.argoproj.io/hook"} & annotations.keys())


def _told(workloads: Sequence[Object]) -> set[str]:
    return {named(one) for one in workloads}


async def _listed(api: Api, asked: Asked, kind: tuple[str, str, str]) -> list[Object]:
    where, plural, name = kind
    found = await api.items(asked.path(plural, where))  # every cluster knows these kinds
    # A list of the API does not repeat on each object what it is.
    return [{**thing, "kind": name} for thing in found if name != "Job" or _runs_by_itself(thing)]


def _runs_by_itself(job: Object) -> bool:
    """Whether a Job is no CronJob's, and has not ended."""
    meta, status = mapping(job.get("metadata")), mapping(job.get("status"))
    over = {one.get("type") for one in mappings(status.get("conditions")) if one.get("status") == "True"}
    return not meta.get("ownerReferences") and not over & {"Complete", "Failed"}


def _name(thing: Object) -> str:
    return text(mapping(thing.get("metadata")).get("name"))


def _rendered(asked: Asked) -> list[Document]:
    if not asked.manifests:
        return []
    try:
        found = objects(Path(asked.manifests).expanduser())
    except UsageError as error:
        raise InconclusiveError(f"the manifests: {error}", hint=error.hint) from error
    here = [
        one
        for one in found
        if text(mapping(one.thing.get("metadata")).get("namespace")) in {"", asked.namespace}
    ]
    if not here:
        raise InconclusiveError(
            f"none of the {len(found)} objects in {asked.manifests} is of the namespace {asked.namespace}",
            hint="render the manifests of this namespace",
        )
    return here


def said_of(workloads: Sequence[Object]) -> list[str]:
    """Workloads as people write them, each once."""
    return sorted(_told(workloads))
