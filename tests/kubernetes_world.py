"""A stand-in cluster with one service in it, and tminus' own account there, which may do what its Role says."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from tminus import loopback
from tminus.domain.traffic import Side
from tminus.kubernetes import Access, Api
from tminus.standins.kubernetes import Cluster
from tminus.targets.kubernetes import (
    Jobs,
    KubernetesDatabase,
    KubernetesSmoke,
    KubernetesTarget,
    Service,
    manifests,
)
from tminus.targets.kubernetes.manifests import Example

NAMESPACE = "shop"
BLUE, GREEN, OTHER = (f"sha256:{letter * 64}" for letter in "abc")
ROUTED = Service(
    namespace=NAMESPACE,
    image="registry.example/depot",
    sides={Side.BLUE: "depot-blue", Side.GREEN: "depot-green"},
    route="depot",
    port=8080,
    ready_seconds=10.0,
    take=True,
)
"""The service behind an HTTPRoute. Whoever set it up holds the weights and blue's replicas: tminus may take them."""
SWITCHED = replace(ROUTED, route="", switch="depot")
"""The same behind one Service."""
ADMIN_TOKEN, OWN_TOKEN = "admin-token-of-the-tests", "tminus-token-of-the-tests"
TOKENS = {ADMIN_TOKEN: "admin", OWN_TOKEN: f"system:serviceaccount:{NAMESPACE}:tminus"}


def kubeconfig(folder: Path, url: str, token: str = OWN_TOKEN, ca: Path | None = None) -> Path:
    """A kubeconfig that reaches the stand-in."""
    path = folder / f"kubeconfig-{token}"
    cluster: dict[str, Any] = {"server": url, **({"certificate-authority": str(ca)} if ca else {})}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "stand-in", "cluster": cluster}],
        "users": [{"name": "tminus", "user": {"token": token}}],
        "contexts": [
            {"name": "shop", "context": {"cluster": "stand-in", "user": "tminus", "namespace": NAMESPACE}}
        ],
        "current-context": "shop",
    }
    path.write_text(yaml.safe_dump(content))
    return path


@dataclass
class Kube:
    """The cluster, how it is reached, and every target that was made for it."""

    cluster: Cluster
    config: Path
    service: Service
    url: str = ""
    made: list[KubernetesTarget] = field(default_factory=list)

    def api(self, seconds: float = 5.0) -> Api:
        return Api(Access(str(self.config), "shop"), seconds=seconds)

    def target(self, **other: Any) -> KubernetesTarget:
        """A target as a new process has it."""
        service = replace(self.service, **other)
        made = KubernetesTarget(self.api(), service, poll_seconds=0.01, take_seconds=5.0, budget_seconds=0.3)
        self.made.append(made)
        return made

    def database(self, *command: str, back_up: tuple[str, ...] = ()) -> KubernetesDatabase:
        return KubernetesDatabase(self.jobs(), command or ("migrate",), "a launch", back_up)

    def smoke(self, *command: str) -> KubernetesSmoke:
        return KubernetesSmoke(self.jobs(), self.target(), command or ("smoke",))

    def jobs(self) -> Jobs:
        return Jobs(self.target().api, self.service, poll_seconds=0.01, seconds=5.0)

    def find(self, kind: str, name: str) -> dict[str, Any]:
        """An object as it is now."""
        return next(
            thing for thing in self.cluster.store.every(kind, NAMESPACE) if thing["metadata"]["name"] == name
        )

    def pods(self, side: Side) -> list[dict[str, Any]]:
        """The pods of a side."""
        return [
            pod
            for pod in self.cluster.store.every("Pod", NAMESPACE)
            if pod["metadata"].get("labels", {}).get("side") == side
        ]


@asynccontextmanager
async def kube(folder: Path, service: Service = ROUTED) -> AsyncIterator[Kube]:
    """The cluster as a team has it before its first launch: blue serves."""
    cluster = Cluster(NAMESPACE, TOKENS)
    cluster.put(*manifests(service, Example(BLUE, replicas=2)))
    cluster.settle()
    async with cluster.serving(loopback.free_port()) as url:
        world = Kube(cluster, kubeconfig(folder, url), service, url)
        try:
            yield world
        finally:
            for target in world.made:
                await target.close()
