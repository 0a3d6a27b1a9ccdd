"""Who may do what: bearer tokens, and the Roles that are bound to their service accounts."""

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .problems import ApiProblem
from .store import Json, Store

ADMIN = "admin"
"""The user who may do everything."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One thing that somebody wants to do."""

    verb: str
    group: str
    resource: str
    """With its sub-resource: `pods/eviction`."""
    namespace: str
    name: str = ""


def user_of(tokens: Mapping[str, str], header: str) -> str:
    """Whose token an `Authorization` header shows; raises `ApiProblem` 401."""
    for token, user in tokens.items():
        if hmac.compare_digest(header.encode(), f"Bearer {token}".encode()):
            return user
    raise ApiProblem(401, "Unauthorized", "Unauthorized")


def may(store: Store, user: str, wish: Wish) -> bool:
    """Whether a user may do this, by the Roles that are bound to him in the namespace and the cluster's."""
    return user == ADMIN or any(_takes(rule, wish) for rule in _rules(store, user, wish.namespace))


def must_be_allowed(store: Store, user: str, wish: Wish) -> None:
    """Raise `ApiProblem` 403 unless a user may do this."""
    if not may(store, user, wish):
        plural = wish.resource.partition("/")[0]
        about = f'{plural}.{wish.group} "{wish.name}"' if wish.group else f'{plural} "{wish.name}"'
        why = (
            f'{about} is forbidden: User "{user}" cannot {wish.verb} resource "{wish.resource}" '
            f'in API group "{wish.group}" in the namespace "{wish.namespace}"'
        )
        raise ApiProblem(403, "Forbidden", why)


def _rules(store: Store, user: str, namespace: str) -> Iterable[Json]:
    roles = {role["metadata"]["name"]: role for role in store.every("Role", namespace)}
    clusters = {role["metadata"]["name"]: role for role in store.every("ClusterRole")}
    bindings = [(one, roles) for one in store.every("RoleBinding", namespace) if namespace]
    bindings += [(one, clusters) for one in store.every("ClusterRoleBinding")]
    for binding, among in bindings:
        if any(_names(subject) == user for subject in binding.get("subjects") or ()):
            yield from among.get(binding["roleRef"]["name"], {}).get("rules") or ()


def _names(subject: Json) -> str:
    if subject["kind"] == "ServiceAccount":
        return f"system:serviceaccount:{subject['namespace']}:{subject['name']}"
    return str(subject["name"])


def _takes(rule: Json, wish: Wish) -> bool:
    def among(name: str, wanted: str) -> bool:
        return bool({"*", wanted} & set(rule.get(name) or ()))

    names = rule.get("resourceNames") or ()
    return (
        among("verbs", wish.verb)
        and among("apiGroups", wish.group)
        and among("resources", wish.resource)
        and (not names or wish.name in names)
    )
