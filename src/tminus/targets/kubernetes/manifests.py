"""What a team puts into its cluster for a service that tminus rolls out, and what tminus may do there.

Generated, so that documentation, tests and clusters have the same; each object is checked against the published schema.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tminus.domain.traffic import Side
from tminus.kubernetes import MANAGER, Object

from .service import Service


@dataclass(frozen=True, slots=True)
class Example:
    """What of the objects is the team's own."""

    digest: str
    """The image that blue runs first."""
    gateway: str = "public"
    """The Gateway that users come through."""
    hostname: str = "depot.example"
    container_port: int = 8080
    health: str = "/health"
    replicas: int = 3
    grace_seconds: int = 30


def role(service: Service, others: Sequence[str] = ()) -> Object:
    """What tminus may do, and nothing more: in one namespace, by name wherever the API can tell names apart.

    `others` are the Deployments of further components.
    """
    sides = sorted(service.sides.values())
    by_route = _rule("gateway.networking.k8s.io", ["httproutes"], ["get", "patch"], [service.route])
    by_switch = _rule("", ["services"], ["patch"], [service.switch])
    read = [*sides, *([service.switch] if service.switch else [])]
    rules = [
        _rule("apps", ["deployments"], ["get", "patch"], [*sides, *others]),
        # Whoever may not create may not apply what is not there yet; the API cannot bind this to a name.
        _rule("apps", ["deployments"], ["create"]),
        _rule("", ["pods"], ["list"]),
        _rule("", ["pods/log"], ["get"]),
        _rule("", ["services"], ["get"], read),
        _rule("discovery.k8s.io", ["endpointslices"], ["list"]),
        _rule("policy", ["poddisruptionbudgets"], ["list"]),
        _rule("batch", ["jobs"], ["get", "create"]),
        by_route if service.route else by_switch,
    ]
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": _meta(service, MANAGER),
        "rules": rules,
    }


def account(service: Service) -> list[Object]:
    """The service account that tminus uses, bound to its role."""
    subject = {"kind": "ServiceAccount", "name": MANAGER, "namespace": service.namespace}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": MANAGER}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _meta(service, MANAGER)},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": _meta(service, MANAGER),
            "roleRef": reference,
            "subjects": [subject],
        },
    ]


def manifests(service: Service, example: Example, others: Sequence[str] = ()) -> list[Object]:
    """The account and its role, blue, both Services, what divides the traffic, and a disruption budget.

    Green is not among it, for a launch makes it from blue, nor are the Deployments of `others`.
    """
    app = service.image.rpartition("/")[2]
    fronts = [_front(service, service.sides[side], _labels(app, side), example) for side in Side]
    if service.route:
        divider = _route(service, example)
    else:
        divider = _front(service, service.switch, _labels(app, Side.BLUE), example)
    return [
        *account(service),
        role(service, others),
        _deployment(service, app, example),
        *fronts,
        divider,
        _budget(service, app),
    ]


def _rule(group: str, resources: list[str], verbs: list[str], names: list[str] | None = None) -> Object:
    return {
        "apiGroups": [group],
        "resources": resources,
        "verbs": verbs,
        **({"resourceNames": names} if names else {}),
    }


def _meta(service: Service, name: str, labels: dict[str, str] | None = None) -> Object:
    return {"name": name, "namespace": service.namespace, **({"labels": labels} if labels else {})}


def _labels(app: str, side: Side) -> dict[str, str]:
    return {"app.kubernetes.io/name": app, "side": side.value}


def _deployment(service: Service, app: str, example: Example) -> Object:
    labels = _labels(app, Side.BLUE)
    container = {
        "name": service.container or app,
        "image": service.pinned(example.digest),
        "ports": [{"name": "http", "containerPort": example.container_port}],
        "readinessProbe": {"httpGet": {"path": example.health, "port": "http"}, "periodSeconds": 2},
        # Whoever routes requests learns a moment late that a pod ends: until then it answers.
        "lifecycle": {"preStop": {"sleep": {"seconds": 5}}},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _meta(service, service.sides[Side.BLUE], labels),
        "spec": {
            "replicas": example.replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [container], "terminationGracePeriodSeconds": example.grace_seconds},
            },
        },
    }


def _front(service: Service, name: str, selector: dict[str, str], example: Example) -> Object:
    port = {"name": "http", "port": service.port, "targetPort": example.container_port}
    spec = {"selector": selector, "ports": [port]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": _meta(service, name), "spec": spec}


def _route(service: Service, example: Example) -> Object:
    weights = {Side.BLUE: 100, Side.GREEN: 0}
    backends = [
        {"name": service.sides[side], "port": service.port, "weight": weight}
        for side, weight in weights.items()
    ]
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": _meta(service, service.route),
        "spec": {
            "parentRefs": [{"name": example.gateway}],
            "hostnames": [example.hostname],
            "rules": [{"backendRefs": backends}],
        },
    }


def _budget(service: Service, app: str) -> Object:
    """About both sides: a budget about one alone would never let its last pod go."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": _meta(service, app),
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app.kubernetes.io/name": app}}},
    }
