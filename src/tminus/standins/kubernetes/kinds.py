"""The kinds of objects that this stand-in keeps, and how discovery tells of them."""

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

_ESO, _VSO = "external-secrets.io", "secrets.hashicorp.com"
_VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of object."""

    group: str
    """Empty for the core."""
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    subresources: tuple[str, ...] = ()
    short: tuple[str, ...] = ()
    custom: bool = False
    """Whether it comes from a CustomResourceDefinition, as most kinds of operators do."""

    @property
    def api_version(self) -> str:
        """As objects name it."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def resource(self) -> str:
        """As refusals name it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def told(self) -> list[Json]:
        """It and its sub-resources in a list of discovery."""
        plain: Json = {
            "name": self.plural,
            "singularName": self.kind.lower(),
            "namespaced": self.namespaced,
            "kind": self.kind,
            "verbs": _VERBS,
            **({"shortNames": list(self.short)} if self.short else {}),
        }
        parts = [
            {
                "name": f"{self.plural}/{part}",
                "singularName": "",
                "namespaced": self.namespaced,
                "kind": {"scale": "Scale", "eviction": "Eviction"}.get(part, self.kind),
                "verbs": ["create"] if part == "eviction" else ["get", "patch", "update"],
                **({"group": "autoscaling", "version": "v1"} if part == "scale" else {}),
                **({"group": "policy", "version": "v1"} if part == "eviction" else {}),
            }
            for part in self.subresources
        ]
        return [plain, *parts]


KINDS = (
    Kind("", "v1", "namespaces", "Namespace", namespaced=False, subresources=("status",), short=("ns",)),
    Kind("", "v1", "pods", "Pod", subresources=("status", "eviction", "log"), short=("po",)),
    Kind("", "v1", "services", "Service", subresources=("status",), short=("svc",)),
    Kind("", "v1", "configmaps", "ConfigMap", short=("cm",)),
    Kind("", "v1", "secrets", "Secret"),
    Kind("", "v1", "serviceaccounts", "ServiceAccount", short=("sa",)),
    Kind("apps", "v1", "deployments", "Deployment", subresources=("status", "scale"), short=("deploy",)),
    Kind("apps", "v1", "replicasets", "ReplicaSet", subresources=("status", "scale"), short=("rs",)),
    Kind("apps", "v1", "statefulsets", "StatefulSet", subresources=("status", "scale"), short=("sts",)),
    Kind("apps", "v1", "daemonsets", "DaemonSet", subresources=("status",), short=("ds",)),
    Kind("batch", "v1", "jobs", "Job", subresources=("status",)),
    Kind("batch", "v1", "cronjobs", "CronJob", subresources=("status",), short=("cj",)),
    Kind(
        "policy",
        "v1",
        "poddisruptionbudgets",
        "PodDisruptionBudget",
        subresources=("status",),
        short=("pdb",),
    ),
    Kind("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice"),
    Kind("gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute", subresources=("status",), custom=True),
    Kind("coordination.k8s.io", "v1", "leases", "Lease"),
    Kind("rbac.authorization.k8s.io", "v1", "roles", "Role"),
    Kind("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding"),
    Kind("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", namespaced=False),
    Kind("rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", namespaced=False),
    Kind(
        _ESO, "v1", "externalsecrets", "ExternalSecret", subresources=("status",), short=("es",), custom=True
    ),
    Kind(_ESO, "v1", "secretstores", "SecretStore", subresources=("status",), short=("ss",), custom=True),
    Kind(
        _ESO,
        "v1",
        "clustersecretstores",
        "ClusterSecretStore",
        namespaced=False,
        subresources=("status",),
        short=("css",),
        custom=True,
    ),
    Kind(_VSO, "v1beta1", "vaultstaticsecrets", "VaultStaticSecret", subresources=("status",), custom=True),
    Kind(_VSO, "v1beta1", "vaultdynamicsecrets", "VaultDynamicSecret", subresources=("status",), custom=True),
    Kind(_VSO, "v1beta1", "vaultpkisecrets", "VaultPKISecret", subresources=("status",), custom=True),
    Kind(_VSO, "v1beta1", "vaultauths", "VaultAuth", subresources=("status",), custom=True),
    Kind(_VSO, "v1beta1", "vaultconnections", "VaultConnection", subresources=("status",), custom=True),
    Kind(
        "secrets-store.csi.x-k8s.io",
        "v1",
        "secretproviderclasses",
        "SecretProviderClass",
        custom=True,
    ),
)
"""Every kind."""

REVIEWS = Kind(
    "authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", namespaced=False
)
"""What is asked and never kept: whether the asker may do something."""

_BY_PLACE = {(kind.group, kind.version, kind.plural): kind for kind in (*KINDS, REVIEWS)}
_BY_NAME = {kind.kind: kind for kind in KINDS}


def at(group: str, version: str, plural: str) -> Kind | None:
    """The kind that is served at this place."""
    return _BY_PLACE.get((group, version, plural))


def named(kind: str) -> Kind:
    """The kind of this name; raises `KeyError`."""
    return _BY_NAME[kind]


def versions() -> list[str]:
    """Every group and version but the core's."""
    return sorted({kind.api_version for kind in (*KINDS, REVIEWS) if kind.group})


def resources(api_version: str) -> Json | None:
    """Discovery's list for one group and version; none where it is not served."""
    here = [kind for kind in (*KINDS, REVIEWS) if kind.api_version == api_version]
    told = [entry for kind in here for entry in kind.told()]
    if not here:
        return None
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api_version, "resources": told}


def groups() -> Json:
    """Discovery's list of groups."""
    entries = []
    for api_version in versions():
        group, _, version = api_version.partition("/")
        about = {"groupVersion": api_version, "version": version}
        entries.append({"name": group, "versions": [about], "preferredVersion": about})
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": entries}
