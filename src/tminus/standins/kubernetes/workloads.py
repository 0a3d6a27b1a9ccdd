"""The controllers of Deployments, ReplicaSets, Jobs and pods: what is wished becomes pods, one turn at a time."""

import json
from hashlib import sha256
from typing import Any

from ..clock import read, wall_clock
from .kinds import named
from .orders import Orders, Run
from .selectors import selects
from .store import Json, Store, labels

_POD, _SET, _DEPLOYMENT, _JOB = map(named, ("Pod", "ReplicaSet", "Deployment", "Job"))
HASH = "pod-template-hash"


def condition(kind: str, status: str, reason: str, message: str = "") -> Json:
    """One entry of an object's conditions."""
    return {"type": kind, "status": status, "reason": reason, "message": message}


def owned_by(store: Store, kind: str, owner: Json) -> list[Json]:
    """The objects of a kind that name this one as their owner."""
    uid = owner["metadata"]["uid"]
    return [
        thing
        for thing in store.every(kind, owner["metadata"].get("namespace", ""))
        if any(one["uid"] == uid for one in thing["metadata"].get("ownerReferences") or ())
    ]


def ready(pod: Json) -> bool:
    """Whether a pod takes requests."""
    conditions = pod.get("status", {}).get("conditions") or ()
    return "deletionTimestamp" not in pod["metadata"] and any(
        one["type"] == "Ready" and one["status"] == "True" for one in conditions
    )


class Workloads:
    """What runs."""

    def __init__(self, store: Store, orders: Orders) -> None:
        self._store = store
        self._orders = orders
        self._born: dict[str, float] = {}
        """By the uid of a pod: when it was made, more exactly than its object says."""
        self._told: dict[str, float] = {}
        """By the uid of a pod: when it was told to end."""
        self._restarts: dict[str, int] = {}

    def turn(self) -> None:
        """Each controller looks once."""
        for deployment in self._store.every("Deployment"):
            self._deploy(deployment)
        for one in self._store.every("ReplicaSet"):
            self._scale(one)
        for job in self._store.every("Job"):
            self._job(job)
        for pod in self._store.every("Pod"):
            self._pod(pod)

    def crash(self, deployment: str) -> None:
        """Let every pod of a Deployment end and be started again where it is."""
        for pod in self._store.every("Pod"):
            if _deployment_of(pod) == deployment:
                uid = pod["metadata"]["uid"]
                self._restarts[uid] = self._restarts.get(uid, 0) + 1
                self._pod(pod)

    def log(self, pod: Json) -> str:
        """What a pod has printed."""
        job = labels(pod).get("job-name", "")
        return self._how(job).log if job else ""

    def _how(self, job: str) -> Run:
        found = [run for name, run in self._orders.jobs.items() if job.startswith(name)]
        return found[0] if found else Run()

    def _deploy(self, deployment: Json) -> None:
        meta, spec = deployment["metadata"], deployment["spec"]
        template = json.dumps(spec["template"], sort_keys=True)
        mark = sha256(template.encode()).hexdigest()[:10]
        name = f"{meta['name']}-{mark}"
        sets = owned_by(self._store, "ReplicaSet", deployment)
        if name not in {one["metadata"]["name"] for one in sets}:
            template_of_set = _with_label(spec["template"], mark)
            wanted = {
                "metadata": {
                    "name": name,
                    "labels": template_of_set["metadata"]["labels"],
                    "ownerReferences": [_owner(deployment)],
                },
                "spec": {
                    "replicas": 0,
                    "selector": {"matchLabels": {**spec["selector"]["matchLabels"], HASH: mark}},
                    "template": template_of_set,
                },
            }
            sets.append(self._store.create(_SET, meta["namespace"], wanted))
        pods = {one["metadata"]["name"]: owned_by(self._store, "Pod", one) for one in sets}
        desired = spec.get("replicas", 1)
        new_ready = sum(map(ready, pods.get(name, [])))
        for one in sets:
            # The new ones first, the old ones only as these become ready: nobody loses an answer by a rollout.
            is_new = one["metadata"]["name"] == name
            kept = desired if is_new else max(0, min(one["spec"]["replicas"], desired - new_ready))
            if one["spec"]["replicas"] != kept:
                self._store.write(_SET, {**one, "spec": {**one["spec"], "replicas": kept}})
        alive = [pod for some in pods.values() for pod in some if "deletionTimestamp" not in pod["metadata"]]
        self._store.set_status(
            _DEPLOYMENT, deployment, _told_of(meta["generation"], desired, alive, pods.get(name, []))
        )

    def _scale(self, one: Json) -> None:
        desired = one["spec"].get("replicas", 1)
        pods = owned_by(self._store, "Pod", one)
        alive = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
        for _ in range(desired - len(alive)):
            self._make_pod(one, one["spec"]["template"])
        for pod in alive[desired:]:
            self.end(pod)
        count, able = len(alive), sum(map(ready, pods))
        status = {
            "replicas": count,
            "readyReplicas": able,
            "observedGeneration": one["metadata"]["generation"],
        }
        self._store.set_status(_SET, one, status)

    def _make_pod(self, owner: Json, template: Json) -> None:
        name = owner["metadata"]["name"]
        pod = {
            "metadata": {
                "generateName": f"{name}-",
                "labels": dict(template.get("metadata", {}).get("labels") or {}),
                "ownerReferences": [_owner(owner)],
            },
            "spec": {"terminationGracePeriodSeconds": 30, **template["spec"]},
        }
        made = self._store.create(_POD, owner["metadata"]["namespace"], pod)
        self._born[made["metadata"]["uid"]] = wall_clock()

    def end(self, pod: Json, grace: float | None = None) -> None:
        """Tell a pod to end; it is gone when it has, or when its grace period is over."""
        if "deletionTimestamp" not in pod["metadata"]:
            seconds = pod["spec"].get("terminationGracePeriodSeconds", 30) if grace is None else grace
            self._told[pod["metadata"]["uid"]] = wall_clock()
            marks = {"deletionTimestamp": self._store.now(), "deletionGracePeriodSeconds": seconds}
            self._store.mark(_POD, pod, **marks)

    def _pod(self, pod: Json) -> None:
        meta = pod["metadata"]
        uid = meta["uid"]
        if "deletionTimestamp" in meta:
            patience = min(self._orders.stop_seconds, meta.get("deletionGracePeriodSeconds", 30))
            if wall_clock() - self._told.get(uid, 0.0) >= patience:
                self._store.remove(_POD, pod)
            return
        if "job-name" in labels(pod):
            how = self._how(labels(pod)["job-name"])
            phase = ("Succeeded" if how.succeeds else "Failed") if how.ends else "Running"
            self._store.set_status(_POD, pod, {"phase": phase})
            return
        self._store.set_status(_POD, pod, self._pod_status(pod))

    def _container(self, meta: Json, deployment: str, container: Json, *, in_time: bool) -> Json:
        """What a node says of one container."""
        image = container["image"]
        digest = image.partition("@")[2]
        runs, able = self._orders.runs_instead.get(digest, digest), in_time
        state: Json = {"running": {"startedAt": meta["creationTimestamp"]}}
        restarts = self._restarts.get(meta["uid"], 0)
        if digest in self._orders.no_image:
            state, able, runs = {"waiting": {"reason": "ImagePullBackOff", "message": "not found"}}, False, ""
        elif deployment in self._orders.crash_loops:
            state, able = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}}, False
            restarts = self._restarts[meta["uid"]] = max(1, restarts)
        return {
            "name": container["name"],
            "image": image,
            "imageID": f"{image.partition('@')[0]}@{runs}" if runs else "",
            "ready": able,
            "started": "running" in state,
            "restartCount": restarts,
            "state": state,
        }

    def _pod_status(self, pod: Json) -> Json:
        meta, deployment = pod["metadata"], _deployment_of(pod)
        age = wall_clock() - self._born.get(meta["uid"], read(meta["creationTimestamp"]))
        in_time = age >= self._orders.ready_seconds and deployment not in self._orders.never_ready
        found = [self._container(meta, deployment, one, in_time=in_time) for one in pod["spec"]["containers"]]
        able = all(one["ready"] for one in found)
        begun = any("running" in one["state"] or one["restartCount"] for one in found)
        return {
            "phase": "Running" if begun else "Pending",
            "conditions": [{"type": "Ready", "status": str(able)}],
            "containerStatuses": found,
            "podIP": f"10.0.{int(meta['uid'][:2], 16)}.{int(meta['uid'][2:4], 16)}",
        }

    def _job(self, job: Json) -> None:
        meta = job["metadata"]
        pods, how = owned_by(self._store, "Pod", job), self._how(meta["name"])
        if not pods and not job.get("status", {}).get("conditions"):
            template = job["spec"]["template"]
            named_so = {**(template.get("metadata", {}).get("labels") or {}), "job-name": meta["name"]}
            self._make_pod(job, {**template, "metadata": {"labels": named_so}})
            self._store.set_status(_JOB, job, {"active": 1, "startTime": self._store.now()})
            return
        if not how.ends or job.get("status", {}).get("conditions"):
            return
        began = job.get("status", {}).get("startTime", self._store.now())
        ended = {"startTime": began, "completionTime": self._store.now()}
        done = condition("Complete", "True", "CompletionsReached") if how.succeeds else None
        failed = condition(
            "Failed", "True", "BackoffLimitExceeded", "Job has reached the specified backoff limit"
        )
        outcome = {"succeeded": 1} if how.succeeds else {"failed": 1}
        self._store.set_status(_JOB, job, {**ended, **outcome, "conditions": [done or failed]})


def _told_of(generation: int, desired: int, alive: list[Json], new: list[Json]) -> Json:
    able = sum(map(ready, alive))
    enough = able >= desired
    reason = "MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable"
    updated = [pod for pod in new if "deletionTimestamp" not in pod["metadata"]]
    done = len(updated) == len(alive) == desired and able == desired
    return {
        "observedGeneration": generation,
        "replicas": len(alive),
        "updatedReplicas": len(updated),
        "readyReplicas": able,
        "availableReplicas": able,
        "unavailableReplicas": max(0, desired - able),
        "conditions": [
            condition("Available", str(enough), reason),
            condition("Progressing", "True", "NewReplicaSetAvailable" if done else "ReplicaSetUpdated"),
        ],
    }


def _owner(thing: Json) -> Json:
    meta = thing["metadata"]
    kept: dict[str, Any] = {"apiVersion": thing["apiVersion"], "kind": thing["kind"]}
    return {**kept, "name": meta["name"], "uid": meta["uid"], "controller": True, "blockOwnerDeletion": True}


def _with_label(template: Json, mark: str) -> Json:
    meta = dict(template.get("metadata") or {})
    return {**template, "metadata": {**meta, "labels": {**(meta.get("labels") or {}), HASH: mark}}}


def _deployment_of(pod: Json) -> str:
    mark = labels(pod).get(HASH, "")
    owners = pod["metadata"].get("ownerReferences") or [{"name": ""}]
    return str(owners[0]["name"]).removesuffix(f"-{mark}")


def healthy(store: Store, budget: Json) -> tuple[list[Json], list[Json]]:
    """The pods that a disruption budget is about, and those of them that take requests."""
    pods = [
        pod
        for pod in store.every("Pod", budget["metadata"]["namespace"])
        if selects(budget["spec"].get("selector"), labels(pod))
    ]
    return pods, [pod for pod in pods if ready(pod)]
