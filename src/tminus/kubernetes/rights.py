"""What tminus has to be allowed in a namespace to look at ConfigMaps and Secrets, and nothing more.

Generated, so that documentation, tests and clusters have the same.
"""

from collections.abc import Sequence

from .api import MANAGER, Object

_RBAC = "rbac.authorization.k8s.io"
LOOKING = f"{MANAGER}-looking"
"""The name of the roles and their bindings."""


def rights(namespace: str, secrets: Sequence[str] = (), stores: Sequence[str] = ()) -> list[Object]:
    """A Role, a ClusterRole for the stores that every namespace shares, and their bindings to the account `tminus`.

    `secrets` and `stores` bind them to these names; without any they are for all. To the API a right to read a Secret's
    metadata is a right to read the Secret: tminus asks for the metadata alone, and who wants to be certain binds names.
    """
    subject = {"kind": "ServiceAccount", "name": MANAGER, "namespace": namespace}
    rules = [
        _rule("", ["configmaps"], ["list"]),
        # The API takes a dry run for the write that it would be.
        _rule("", ["configmaps"], ["patch"]),
        _rule("", ["secrets"], ["get"], secrets),
        _rule("apps", ["deployments", "statefulsets", "daemonsets"], ["list"]),
        _rule("batch", ["cronjobs", "jobs"], ["list"]),
        _rule("external-secrets.io", ["externalsecrets"], ["list"]),
        _rule("external-secrets.io", ["secretstores"], ["get"]),
        _rule(
            "secrets.hashicorp.com",
            ["vaultstaticsecrets", "vaultdynamicsecrets", "vaultpkisecrets"],
            ["list"],
        ),
        _rule("secrets.hashicorp.com", ["vaultauths", "vaultconnections"], ["get"]),
        _rule("secrets-store.csi.x-k8s.io", ["secretproviderclasses"], ["list"]),
    ]
    shared = [_rule("external-secrets.io", ["clustersecretstores"], ["get"], stores)]
    return [
        _role("Role", {"name": LOOKING, "namespace": namespace}, rules),
        _role("ClusterRole", {"name": LOOKING}, shared),
        _binding("RoleBinding", {"name": LOOKING, "namespace": namespace}, "Role", subject),
        _binding("ClusterRoleBinding", {"name": LOOKING}, "ClusterRole", subject),
    ]


def _rule(group: str, resources: list[str], verbs: list[str], names: Sequence[str] = ()) -> Object:
    bound = {"resourceNames": [*names]} if names else {}
    return {"apiGroups": [group], "resources": resources, "verbs": verbs, **bound}


def _role(kind: str, meta: Object, rules: list[Object]) -> Object:
    return {"apiVersion": f"{_RBAC}/v1", "kind": kind, "metadata": meta, "rules": rules}


def _binding(kind: str, meta: Object, role: str, subject: Object) -> Object:
    reference = {"apiGroup": _RBAC, "kind": role, "name": LOOKING}
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": kind,
        "metadata": meta,
        "roleRef": reference,
        "subjects": [subject],
    }
