"""Which service of a cluster is rolled out: its names, and nothing that is secret."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tminus.domain.traffic import Side
from tminus.errors import RolloutError
from tminus.kubernetes import Object


@dataclass(frozen=True, slots=True)
class Service:
    """One service in one namespace."""

    namespace: str
    image: str
    """The repository of its images, without tag and digest: `registry.example/depot`."""
    sides: Mapping[Side, str] = field(default_factory=lambda: {side: side.value for side in Side})
    """By side: the name of its Deployment, and of the Service in front of that."""
    route: str = ""
    """The HTTPRoute whose weights divide the traffic; empty where there is no Gateway API."""
    switch: str = ""
    """The Service that users come through, whose selector is switched where there is no route: all or nothing."""
    container: str = ""
    """Which container runs the release; empty for a pod's only one."""
    port: int = 80
    """The port of each side's Service."""
    replicas: int = 0
    """How many pods a side has; 0 for as many as the other side."""
    ready_seconds: float = 600.0
    """How long a side may take until every pod of it is ready."""
    take: bool = False
    """Whether fields that another manager holds may be taken from it, as the plan says in so many words."""

    def path(self, kind: str, name: str = "") -> str:
        """Where the API keeps objects of this kind in this namespace."""
        group = _GROUPS[kind]
        base = f"/apis/{group}" if "/" in group else f"/api/{group}"
        return f"{base}/namespaces/{self.namespace}/{kind}" + (f"/{name}" if name else "")

    def pinned(self, digest: str) -> str:
        """The image by its digest."""
        return f"{self.image}@{digest}"

    def container_of(self, template: Object) -> Object:
        """The container that runs the release; raises `RolloutError` where it cannot be told which."""
        found = template.get("spec", {}).get("containers") or []
        named = [one for one in found if self.container in {"", one["name"]}]
        if len(named) != 1:
            names = ", ".join(one["name"] for one in found) or "none"
            raise RolloutError(
                f"which container runs the release cannot be told: {self.container or 'no name'} among {names}",
                hint="name the container in the plan's target",
            )
        return dict(named[0])


_GROUPS: Mapping[str, str] = {
    "pods": "v1",
    "services": "v1",
    "deployments": "apps/v1",
    "jobs": "batch/v1",
    "poddisruptionbudgets": "policy/v1",
    "endpointslices": "discovery.k8s.io/v1",
    "httproutes": "gateway.networking.k8s.io/v1",
}


def selects(selector: Object | None, labels: Mapping[str, str]) -> bool:
    """Whether labels meet a `LabelSelector`; none takes nothing."""
    if selector is None:
        return False
    wanted = selector.get("matchLabels") or {}
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _meets(one, labels) for one in selector.get("matchExpressions") or ()
    )


def _meets(one: Object, labels: Mapping[str, str]) -> bool:
    key, values = one["key"], one.get("values") or ()
    holds = {
        "In": labels.get(key) in values,
        "NotIn": labels.get(key) not in values,
        "Exists": key in labels,
        "DoesNotExist": key not in labels,
    }
    return holds[one["operator"]]


def labels_of(thing: Object) -> dict[str, str]:
    """An object's labels."""
    return dict(thing.get("metadata", {}).get("labels") or {})
