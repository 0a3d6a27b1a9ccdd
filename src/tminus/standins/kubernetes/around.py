"""The controllers around what runs: endpoints, disruption budgets, routes, ownership, and other managers."""

from collections.abc import Mapping
from typing import Any

from .fields import merged, updated
from .kinds import KINDS, named
from .orders import Orders
from .problems import ApiProblem
from .selectors import selects
from .store import Json, Store, labels
from .workloads import Workloads, condition, healthy, ready

_SLICE, _BUDGET, _ROUTE, _POD = map(named, ("EndpointSlice", "PodDisruptionBudget", "HTTPRoute", "Pod"))
SERVICE_NAME = "kubernetes.io/service-name"


class Surroundings:
    """What happens to objects without anybody asking."""

    def __init__(self, store: Store, orders: Orders, workloads: Workloads) -> None:
        self._store = store
        self._orders = orders
        self._workloads = workloads

    def turn(self) -> None:
        """Each controller looks once."""
        for service in self._store.every("Service"):
            self._endpoints(service)
        for budget in self._store.every("PodDisruptionBudget"):
            self._budget(budget)
        for route in self._store.every("HTTPRoute"):
            self._route(route)
        self._collect()
        self._rewrite()

    def evict(self, pod: Json, *, dry: bool = False) -> None:
        """End a pod unless a disruption budget forbids it; raises `ApiProblem` 429 then."""
        for budget in self._store.every("PodDisruptionBudget", pod["metadata"]["namespace"]):
            if selects(budget["spec"].get("selector"), labels(pod)):
                self._budget(budget)
                live = self._store.find(_BUDGET, budget["metadata"]["namespace"], budget["metadata"]["name"])
                if live["status"]["disruptionsAllowed"] < 1 and ready(pod):
                    name = budget["metadata"]["name"]
                    message = (
                        f"The disruption budget {name} needs {live['status']['desiredHealthy']} healthy pods"
                    )
                    causes = [{"reason": "DisruptionBudget", "message": message}]
                    why = "Cannot evict pod as it would violate the pod's disruption budget."
                    raise ApiProblem(429, "TooManyRequests", why, causes)
        if not dry:
            self._workloads.end(pod)

    def _endpoints(self, service: Json) -> None:
        meta, selector = service["metadata"], service["spec"].get("selector")
        if not selector:
            return
        port = (service["spec"].get("ports") or [{}])[0]
        chosen = [
            pod
            for pod in self._store.every("Pod", meta["namespace"])
            if all(labels(pod).get(key) == value for key, value in selector.items()) and "status" in pod
        ]
        wish: Json = {
            "metadata": {
                "name": f"{meta['name']}-slice",
                "labels": {SERVICE_NAME: meta["name"]},
                "ownerReferences": [_owner_of(service)],
            },
            "addressType": "IPv4",
            "endpoints": [_endpoint(pod) for pod in chosen],
            "ports": [{"port": port.get("targetPort", port.get("port")), "protocol": "TCP"}],
        }
        if not self._store.has(_SLICE, meta["namespace"], wish["metadata"]["name"]):
            self._store.create(_SLICE, meta["namespace"], wish)
            return
        live = self._store.find(_SLICE, meta["namespace"], wish["metadata"]["name"])
        self._store.write(_SLICE, {**live, "endpoints": wish["endpoints"], "ports": wish["ports"]})

    def _budget(self, budget: Json) -> None:
        pods, able = healthy(self._store, budget)
        expected = len([pod for pod in pods if "deletionTimestamp" not in pod["metadata"]])
        spec = budget["spec"]
        if "minAvailable" in spec:
            needed = _number(spec["minAvailable"], expected)
        else:
            needed = expected - _number(spec.get("maxUnavailable", 0), expected)
        status = {
            "observedGeneration": budget["metadata"]["generation"],
            "currentHealthy": len(able),
            "desiredHealthy": needed,
            "expectedPods": expected,
            "disruptionsAllowed": max(0, len(able) - needed) if expected else 0,
        }
        self._store.set_status(_BUDGET, budget, status)

    def _route(self, route: Json) -> None:
        if self._orders.unobserved:
            return
        meta = route["metadata"]
        services = {one["metadata"]["name"] for one in self._store.every("Service", meta["namespace"])}
        asked = {
            ref["name"] for rule in route["spec"].get("rules") or () for ref in rule.get("backendRefs") or ()
        }
        resolved = condition("ResolvedRefs", "True", "ResolvedRefs")
        if missing := sorted(asked - services):
            resolved = condition(
                "ResolvedRefs", "False", "BackendNotFound", f"no Service {', '.join(missing)}"
            )
        given = {"Accepted": condition("Accepted", "True", "Accepted"), "ResolvedRefs": resolved}
        for kind, (status, reason, message) in self._orders.conditions.items():
            given[kind] = condition(kind, status, reason, message)
        old = (route.get("status") or {}).get("parents") or [{}]
        same = old[0].get("conditions", [{}])[0].get("observedGeneration") == meta["generation"]
        at = old[0]["conditions"][0]["lastTransitionTime"] if same else self._store.now()
        about = {"observedGeneration": meta["generation"], "lastTransitionTime": at}
        parents = [
            {
                "parentRef": ref,
                "controllerName": "stand-in.example/gateway",
                "conditions": [{**one, **about} for one in given.values()],
            }
            for ref in route["spec"].get("parentRefs") or ()
        ]
        self._store.set_status(_ROUTE, route, {"parents": parents})

    def _collect(self) -> None:
        """Forget what is owned by nothing that is left."""
        alive = {thing["metadata"]["uid"] for kind in KINDS for thing in self._store.every(kind.kind)}
        for kind in KINDS:
            for thing in self._store.every(kind.kind):
                owners = thing["metadata"].get("ownerReferences") or ()
                if owners and not any(one["uid"] in alive for one in owners):
                    if kind.kind == "Pod":
                        self._workloads.end(thing)
                    else:
                        self._store.remove(kind, thing)

    def _rewrite(self) -> None:
        for order in self._orders.rewrites:
            kind = named(order.kind)
            for thing in self._store.every(order.kind):
                if thing["metadata"]["name"] != order.name:
                    continue
                wanted = merged(thing, {"spec": order.spec})
                if wanted["spec"] != thing["spec"]:
                    self._store.write(kind, updated(thing, wanted, order.manager, self._store.now()))


def _number(value: Any, of: int) -> int:
    """A count, or a share of a whole, rounded up."""
    if isinstance(value, str) and value.endswith("%"):
        return -(-of * int(value[:-1]) // 100)
    return int(value)


def _owner_of(thing: Mapping[str, Any]) -> Json:
    meta = thing["metadata"]
    return {
        "apiVersion": thing["apiVersion"],
        "kind": thing["kind"],
        "name": meta["name"],
        "uid": meta["uid"],
    }


def _endpoint(pod: Json) -> Json:
    going = "deletionTimestamp" in pod["metadata"]
    return {
        "addresses": [pod["status"].get("podIP", "")],
        "conditions": {"ready": ready(pod), "serving": ready(pod), "terminating": going},
        "targetRef": {"kind": "Pod", "name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]},
    }
