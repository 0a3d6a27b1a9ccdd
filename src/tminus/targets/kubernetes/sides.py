"""One side as it stands: its Deployment and its pods, read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zlib import crc32

from tminus.errors import RolloutError
from tminus.kubernetes import Object

from .service import Service, labels_of

_HOPELESS = frozenset(
    {
        "CrashLoopBackOff",
        "ImagePullBackOff",
        "ErrImageNeverPull",
        "InvalidImageName",
        "CreateContainerConfigError",
        "CreateContainerError",
    }
)
"""Why a container waits that will not end by waiting."""
VERSION = "app.kubernetes.io/version"


@dataclass(frozen=True, slots=True)
class Seen:
    """A side's Deployment, if there is one, and every pod of it."""

    service: Service
    deployment: Object | None
    pods: Sequence[Object]

    @property
    def replicas(self) -> int:
        """How many pods are wished."""
        return int(self.deployment["spec"].get("replicas", 1)) if self.deployment else 0

    @property
    def alive(self) -> list[Object]:
        """The pods that nobody has told to end."""
        return [pod for pod in self.pods if "deletionTimestamp" not in pod["metadata"]]

    @property
    def running(self) -> bool:
        """Whether a container of it runs, one that ends included."""
        return any("running" in (self._status(pod).get("state") or {}) for pod in self.pods)

    @property
    def digest(self) -> str:
        """The digest of the image that its pods run; where they run several, all of them."""
        found = {
            str(status["imageID"]).rpartition("@")[2]
            for status in map(self._status, self.alive)
            if status.get("imageID")
        }
        return ", ".join(sorted(found))

    @property
    def version(self) -> str:
        """What the pods' label says."""
        return next((found for pod in self.alive if (found := labels_of(pod).get(VERSION, ""))), "")

    @property
    def started(self) -> float:
        """When its oldest pod was made, in seconds of the epoch; 0 without one.

        Behind the point stand a mark of that pod and how often containers were restarted, so that a pod in another's
        place and a container that was started again give another value, and pods that came for more load do not.
        """
        if not self.alive:
            return 0.0
        oldest = min(
            self.alive, key=lambda pod: (pod["metadata"]["creationTimestamp"], pod["metadata"]["uid"])
        )
        made = datetime.fromisoformat(oldest["metadata"]["creationTimestamp"]).timestamp()
        restarts = sum(int(self._status(pod).get("restartCount", 0)) for pod in self.alive)
        return made + crc32(oldest["metadata"]["uid"].encode()) % 1000 / 1e6 + restarts / 1e3

    def image(self) -> str:
        """The image that is wished; empty without a Deployment."""
        if self.deployment is None:
            return ""
        return str(self.service.container_of(self.deployment["spec"]["template"])["image"])

    def waits_for(self, digest: str) -> str:
        """What is missing until every pod is ready and runs this digest, in words; empty when nothing is.

        Raises `RolloutError` for what will not come by waiting.
        """
        if self.deployment is None:
            return "there is no Deployment"
        name, status = self.deployment["metadata"]["name"], self.deployment.get("status") or {}
        self._must_have_hope(name)
        if status.get("observedGeneration", 0) < self.deployment["metadata"]["generation"]:
            return f"Deployment {name} has not been looked at"
        counts = [
            int(status.get(key, 0))
            for key in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
        ]
        if set(counts) != {self.replicas}:
            return (
                f"of {self.replicas} pods of {name} {counts[1]} are of this release, {counts[2]} ready, "
                f"{counts[3]} available ({counts[0]} there)"
            )
        if not _is_true(status, "Available"):
            return f"Deployment {name} is not Available"
        if len(self.alive) != self.replicas or not self.digest:
            return f"the pods of {name} do not say what they run"
        if self.digest != digest:
            raise RolloutError(
                f"the pods of {name} run {self.digest} instead of {digest}",
                hint="does something rewrite images: a mirror, an admission webhook?",
            )
        return ""

    def _must_have_hope(self, name: str) -> None:
        for pod in self.alive:
            status = self._status(pod)
            waiting = (status.get("state") or {}).get("waiting") or {}
            if waiting.get("reason") in _HOPELESS:
                raise RolloutError(
                    f"pod {pod['metadata']['name']} of {name} does not start: {waiting['reason']}, "
                    f"{waiting.get('message', '')} (restarts: {status.get('restartCount', 0)})",
                    hint=f"kubectl -n {self.service.namespace} logs {pod['metadata']['name']} --previous",
                )

    def _status(self, pod: Object) -> Object:
        """What is said of the container that runs the release; empty where nothing is yet."""
        found = (pod.get("status") or {}).get("containerStatuses") or []
        wanted = self.service.container_of(pod)["name"] if found else ""
        return next((dict(one) for one in found if one["name"] == wanted), {})


def _is_true(status: Object, kind: str) -> bool:
    return any(one["type"] == kind and one["status"] == "True" for one in status.get("conditions") or ())
