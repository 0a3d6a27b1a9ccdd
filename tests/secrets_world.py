"""A service on a stand-in cluster whose Secrets come from Vault in each way that there is; a test breaks one thing."""

import copy
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tminus import loopback
from tminus.domain.evidence import Claim
from tminus.domain.plan import Plan
from tminus.domain.record import Event
from tminus.kubernetes.rights import rights
from tminus.planfile import loaded
from tminus.standins.clock import wall_clock
from tminus.standins.kubernetes import Cluster
from tminus.standins.kubernetes.kinds import named
from tminus.standins.kubernetes.store import instant
from tminus.wiring.appraisal import looking_at

if TYPE_CHECKING:
    from tests.kubernetes_world import NAMESPACE, TOKENS, kubeconfig
    from tests.vault_world import Bao
else:
    from kubernetes_world import NAMESPACE, TOKENS, kubeconfig
    from vault_world import Bao

Json = dict[str, Any]
_NUMBERS = itertools.count(1)
SECRETS = {
    "db": {"username": "api", "password": "canary-db-7f3a9c"},
    "tls": {"tls.crt": "canary-crt-7f3a9c", "tls.key": "canary-key-7f3a9c"},
    "pull": {".dockerconfigjson": "canary-pull-7f3a9c"},
    "report": {"username": "report", "password": "canary-report-7f3a9c"},
    "web": {"token": "canary-web-7f3a9c"},
    "session": {"key": "canary-session-7f3a9c"},
}
"""By path below the test's own: what stands in Vault. No value is ever to be seen again."""
PLAN = """
plan: the shop
extends: production
systems:
  kubernetes: {address: "env:KUBE"}
  vault: {address: "env:VAULT"}
checks:
  Configuration Files:
    - {id: cfg.configmaps, with: {namespace: shop}}
    - {id: cfg.secrets, with: {namespace: shop}}
"""


@cache
def plan() -> Plan:
    """The built-in plan, as a team with this cluster has it."""
    found = loaded(PLAN, Path("shop.yaml"))
    assert found.plan is not None, found.problems
    return found.plan


def map_of(name: str, **data: Any) -> Json:
    """A ConfigMap."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "data": data,
    }


MAPS = (
    map_of("api-config", DB_HOST="db.shop.svc", PAYMENT_URL="https://pay.example", WORKERS="8"),
    map_of("api-flags", LOG_LEVEL="info", TRACING="off"),
    map_of(
        "api-files", **{"application.yaml": "server:\n  port: 8080\n# TODO is no value here\nowner: ops\n"}
    ),
    map_of("api-init", URL="https://setup.example"),
    map_of("report-config", AT="06:00"),
)


def workload(kind: str, name: str, spec: Json, annotations: Json | None = None) -> Json:
    """A workload with this pod."""
    labels = {"app": name}
    pod = {
        "metadata": {"labels": labels, **({"annotations": annotations} if annotations else {})},
        "spec": spec,
    }
    wanted: Json = {"selector": {"matchLabels": labels}, "template": pod}
    if kind == "Deployment":
        wanted["replicas"] = 1
    if kind == "StatefulSet":
        wanted["serviceName"] = name
    api = "apps/v1"
    if kind == "CronJob":
        api, wanted = "batch/v1", {"schedule": "0 6 * * *", "jobTemplate": {"spec": {"template": pod}}}
    return {
        "apiVersion": api,
        "kind": kind,
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": wanted,
    }


def container(name: str, **more: Any) -> Json:
    return {"name": name, "image": f"registry.example/{name}", **more}


def from_map(variable: str, name: str, key: str, **more: Any) -> Json:
    return {"name": variable, "valueFrom": {"configMapKeyRef": {"name": name, "key": key, **more}}}


def from_secret(variable: str, name: str, key: str, **more: Any) -> Json:
    return {"name": variable, "valueFrom": {"secretKeyRef": {"name": name, "key": key, **more}}}


def api() -> Json:
    """The service: it takes maps and Secrets in every way."""
    sources = [
        {
            "configMap": {
                "name": "api-files",
                "items": [{"key": "application.yaml", "path": "application.yaml"}],
            }
        },
        {"secret": {"name": "api-tls", "items": [{"key": "tls.key", "path": "tls.key"}]}},
    ]
    env = [from_map("LOG_LEVEL", "api-flags", "LOG_LEVEL"), from_secret("DB_PASSWORD", "api-db", "password")]
    return workload(
        "Deployment",
        "api",
        {
            "initContainers": [container("setup", env=[from_map("URL", "api-init", "URL")])],
            "containers": [container("api", envFrom=[{"configMapRef": {"name": "api-config"}}], env=env)],
            "volumes": [{"name": "files", "projected": {"sources": sources}}],
            "imagePullSecrets": [{"name": "registry-pull"}],
        },
    )


def others(paths: str, url: str = "http://127.0.0.1:1") -> list[Json]:
    """What else runs: by the Vault Secrets Operator, by the agent, by the CSI driver."""
    report = container(
        "report",
        envFrom=[{"configMapRef": {"name": "report-config"}}],
        env=[from_secret("PASSWORD", "report-db", "password")],
    )
    queue = container("queue", env=[from_secret("LOGIN", "queue-login", "password")])
    web = container("web", env=[from_secret("SESSION", "web-session", "key")])
    csi = {
        "driver": "secrets-store.csi.k8s.io",
        "readOnly": True,
        "volumeAttributes": {"secretProviderClass": "web-keys"},
    }
    agent = {
        "vault.hashicorp.com/agent-inject": "true",
        "vault.hashicorp.com/role": "web",
        "vault.hashicorp.com/service": url,
        "vault.hashicorp.com/agent-inject-secret-token": f"secret/data/{paths}/web",
        "vault.hashicorp.com/agent-inject-template-token": (
            f'{{{{ with secret "secret/data/{paths}/web" }}}}{{{{ .Data.data.token }}}}{{{{ end }}}}'
        ),
    }
    return [
        workload("CronJob", "report", {"containers": [report]}),
        workload("StatefulSet", "queue", {"containers": [queue]}),
        workload(
            "Deployment", "web", {"containers": [web], "volumes": [{"name": "keys", "csi": csi}]}, agent
        ),
    ]


def store(kind: str, name: str, url: str) -> Json:
    meta = {"name": name, **({"namespace": NAMESPACE} if kind == "SecretStore" else {})}
    provider = {"server": url, "path": "secret", "version": "v2", "auth": {"tokenSecretRef": {"name": "t"}}}
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": kind,
        "metadata": meta,
        "spec": {"provider": {"vault": provider}},
    }


def external(name: str, path: str, keys: list[str], kind: str = "SecretStore", **spec: Any) -> Json:
    """An ExternalSecret that takes keys one by one."""
    store_name = "vault-shop" if kind == "SecretStore" else "vault"
    data = [{"secretKey": key, "remoteRef": {"key": path, "property": key}} for key in keys]
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "refreshInterval": "1h0m0s",
            "secretStoreRef": {"name": store_name, "kind": kind},
            "target": {"name": name, "creationPolicy": "Owner"},
            "data": data,
            **spec,
        },
    }


def of_operator(kind: str, name: str, mount: str, path: str, **spec: Any) -> Json:
    """A VaultStaticSecret or VaultDynamicSecret."""
    destination = {"name": name, "create": True}
    return {
        "apiVersion": "secrets.hashicorp.com/v1beta1",
        "kind": kind,
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"mount": mount, "path": path, "destination": destination, "vaultAuthRef": "shop", **spec},
    }


def door(name: str, url: str, **auth: Any) -> list[Json]:
    """How the Vault Secrets Operator reaches a Vault."""

    def thing(kind: str, spec: Json) -> Json:
        about = {"name": name, "namespace": NAMESPACE}
        return {"apiVersion": "secrets.hashicorp.com/v1beta1", "kind": kind, "metadata": about, "spec": spec}

    kubernetes = {"role": "shop", "serviceAccount": "default"}
    spec = {
        "vaultConnectionRef": name,
        "method": "kubernetes",
        "mount": "kubernetes",
        "kubernetes": kubernetes,
    }
    return [thing("VaultConnection", {"address": url}), thing("VaultAuth", {**spec, **auth})]


def provider_class(paths: str, url: str) -> Json:
    objects = [{"objectName": "key", "secretPath": f"secret/data/{paths}/session", "secretKey": "key"}]
    synced = {"secretName": "web-session", "type": "Opaque", "data": [{"objectName": "key", "key": "key"}]}
    return {
        "apiVersion": "secrets-store.csi.x-k8s.io/v1",
        "kind": "SecretProviderClass",
        "metadata": {"name": "web-keys", "namespace": NAMESPACE},
        "spec": {
            "provider": "vault",
            "parameters": {"roleName": "web", "vaultAddress": url, "objects": yaml.safe_dump(objects)},
            "secretObjects": [synced],
        },
    }


@dataclass
class Shop:
    """The cluster, its Vault, and how a line of the plan is judged on them."""

    cluster: Cluster
    config: Path
    vault: Bao
    paths: str
    """Where in Vault everything of this test stands, below `secret/`."""
    claims: list[Event] = field(default_factory=list)
    """Everything that was written down."""

    def find(self, kind: str, name: str) -> Json:
        """An object, to be changed and put back."""
        return copy.deepcopy(
            next(one for one in self.cluster.store.every(kind) if one["metadata"]["name"] == name)
        )

    def put(self, *things: Json, manager: str = "kubectl-client-side-apply") -> None:
        """Write objects and let every controller act."""
        self.cluster.put(*things, manager=manager)
        self.cluster.settle()

    def remove(self, kind: str, name: str) -> None:
        self.cluster.store.remove(named(kind), self.find(kind, name))
        self.cluster.settle()

    def status(self, kind: str, name: str, **status: Any) -> None:
        """Have an object say this of itself from now on, whatever its operator thinks."""
        self.cluster.orders.operators_idle = True
        thing = self.find(kind, name)
        self.cluster.store.set_status(named(kind), thing, {**(thing.get("status") or {}), **status})

    def calm(self, *, hours: float = 48.0) -> None:
        """Have every map stand as it is for so long."""
        at = instant(wall_clock() - hours * 3600)
        for thing in list(self.cluster.store.every("ConfigMap")):
            entries = [{**entry, "time": at} for entry in thing["metadata"].get("managedFields") or ()]
            self.cluster.store.mark(named("ConfigMap"), thing, managedFields=entries, creationTimestamp=at)

    async def judge(self, line: str, address: str = "", **arguments: Any) -> Claim:
        """What the plan's line comes out as, by the product's own path."""
        where = {"KUBE": str(self.config), "VAULT": address or self.vault.address}
        claim, events = await judged(line, where, **arguments)
        self.claims += events
        return claim


async def judged(line: str, where: dict[str, str], **arguments: Any) -> tuple[Claim, list[Event]]:
    """What a line of the plan comes out as with these arguments, and everything that is written down of it."""
    check = plan().check(line)
    check = replace(check, arguments={**(check.arguments or {}), **arguments})
    readiness = looking_at(replace(plan(), checks=(check,)), where).readiness
    await readiness.observe([check], "test")
    return (await readiness.claims())[line], await readiness._record.events()


def ago(**of: float) -> str:
    """An instant as Kubernetes writes it: `ago(hours=5)`."""
    seconds = sum(value * {"hours": 3600, "minutes": 60, "days": 86400}[unit] for unit, value in of.items())
    return instant(wall_clock() - seconds)


@asynccontextmanager
async def maps(folder: Path, vault: Bao) -> AsyncIterator[Shop]:
    """The shop's maps and workloads alone: nothing here asks Vault."""
    cluster = Cluster(NAMESPACE, TOKENS)
    cluster.put(*rights(NAMESPACE), *MAPS, api(), *others("nowhere"))
    cluster.settle()
    async with cluster.serving(loopback.free_port()) as url:
        made = Shop(cluster, kubeconfig(folder, url), vault, "nowhere")
        made.calm()
        yield made


@asynccontextmanager
async def shop(folder: Path, vault: Bao) -> AsyncIterator[Shop]:
    """The whole shop, with Secrets from a real Vault's paths of its own."""
    paths = f"shop{next(_NUMBERS)}"
    for name, values in SECRETS.items():
        vault.write(f"{paths}/{name}", **values)
    cluster = Cluster(NAMESPACE, TOKENS)
    orders = cluster.orders
    orders.secret_values = {key: value for values in SECRETS.values() for key, value in values.items()}
    orders.leases["queue-login"] = vault.login_once()
    cluster.put(
        *rights(NAMESPACE),
        *MAPS,
        store("SecretStore", "vault-shop", vault.url),
        store("ClusterSecretStore", "vault", vault.url),
        external("api-db", f"{paths}/db", ["username", "password"]),
        external("api-tls", f"{paths}/tls", ["tls.crt", "tls.key"], "ClusterSecretStore"),
        external("registry-pull", f"{paths}/pull", [".dockerconfigjson"], "ClusterSecretStore"),
        *door("shop", vault.url),
        of_operator("VaultStaticSecret", "report-db", "secret", f"{paths}/report", type="kv-v2"),
        of_operator("VaultDynamicSecret", "queue-login", "ssh", "creds/once"),
        provider_class(paths, vault.url),
        api(),
        *others(paths, vault.url),
    )
    cluster.settle()
    async with cluster.serving(loopback.free_port()) as url:
        made = Shop(cluster, kubeconfig(folder, url), vault.looking(), paths)
        made.calm()
        yield made
