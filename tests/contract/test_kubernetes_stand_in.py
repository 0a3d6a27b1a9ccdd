"""The stand-in for the Kubernetes API, as the official client and kubectl meet it."""

import asyncio
import datetime as dt
import ipaddress
import json
import shutil
import ssl
from collections.abc import AsyncIterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from kubernetes.aio.client.exceptions import ApiException

from tminus import loopback
from tminus.domain.traffic import Side
from tminus.standins.kubernetes import Cluster

if TYPE_CHECKING:
    from tests.kubernetes_world import ADMIN_TOKEN, NAMESPACE, TOKENS, Kube, kube, kubeconfig
else:
    from kubernetes_world import ADMIN_TOKEN, NAMESPACE, TOKENS, Kube, kube, kubeconfig

KUBECTL = shutil.which("kubectl")
# The official client is typed in part; what is asked of it here is what it does.
client: Any = import_module("kubernetes.aio.client")
config: Any = import_module("kubernetes.aio.config")
watch: Any = import_module("kubernetes.aio.watch")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Kube]:
    async with kube(tmp_path) as made:
        yield made


@pytest.fixture
async def api(world: Kube, tmp_path: Path) -> AsyncIterator[Any]:
    """The official client, as an administrator."""
    path = kubeconfig(tmp_path, world.url, ADMIN_TOKEN)
    async with await config.new_client_from_config(str(path)) as made:
        yield made


def config_map(name: str, **more: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **more}, "data": {"a": "1"}}


async def test_objects_have_an_identity_and_a_version_and_old_ones_are_refused(api: Any) -> None:
    core = client.CoreV1Api(api)
    made = await core.create_namespaced_config_map(NAMESPACE, config_map("one", labels={"tier": "x"}))
    assert made.metadata.uid
    with pytest.raises(ApiException) as taken:
        await core.create_namespaced_config_map(NAMESPACE, config_map("one"))
    assert (taken.value.status, json.loads(taken.value.body or "")["reason"]) == (409, "AlreadyExists")
    made.data = {"a": "2"}
    newer = await core.replace_namespaced_config_map("one", NAMESPACE, made)
    assert int(newer.metadata.resource_version) > int(made.metadata.resource_version)
    with pytest.raises(ApiException) as stale:
        await core.replace_namespaced_config_map("one", NAMESPACE, made)
    assert (stale.value.status, json.loads(stale.value.body or "")["reason"]) == (409, "Conflict")
    found = await core.list_namespaced_config_map(NAMESPACE, label_selector="tier in (x,y),!other")
    assert [one.metadata.name for one in found.items] == ["one"]
    assert (await core.list_namespaced_config_map(NAMESPACE, field_selector="metadata.name!=one")).items == []
    await core.delete_namespaced_config_map("one", NAMESPACE)
    with pytest.raises(ApiException) as gone:
        await core.read_namespaced_config_map("one", NAMESPACE)
    assert gone.value.status == 404


async def test_field_managers_conflict_unless_one_forces_and_give_up_what_they_no_longer_apply(
    api: Any,
) -> None:
    core = client.CoreV1Api(api)

    async def apply(manager: str, data: dict[str, str], **more: Any) -> Any:
        wish = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shared"}, "data": data}
        return await core.patch_namespaced_config_map(
            "shared",
            NAMESPACE,
            wish,
            field_manager=manager,
            _content_type="application/apply-patch+yaml",
            **more,
        )

    await apply("first", {"a": "1", "b": "1"})
    await apply("second", {"a": "1", "c": "1"})
    with pytest.raises(ApiException) as held:
        await apply("second", {"a": "2", "c": "1"})
    told = json.loads(held.value.body or "")
    assert held.value.status == 409
    assert told["details"]["causes"][0]["field"] == ".data.a"
    assert 'conflict with "first"' in told["message"]
    assert (await apply("second", {"a": "2", "c": "1"}, dry_run="All", force=True)).data["a"] == "2"
    assert (await core.read_namespaced_config_map("shared", NAMESPACE)).data["a"] == "1"
    await apply("second", {"a": "2", "c": "1"}, force=True)
    assert (await apply("first", {"b": "1"})).data == {"a": "2", "b": "1", "c": "1"}
    assert (await apply("second", {})).data == {"b": "1"}


async def test_a_watch_tells_what_happens_and_one_that_is_too_old_has_to_begin_anew(
    world: Kube, api: Any
) -> None:
    core = client.CoreV1Api(api)
    since = (await core.list_namespaced_config_map(NAMESPACE)).metadata.resource_version
    await core.create_namespaced_config_map(NAMESPACE, config_map("seen"))
    await core.delete_namespaced_config_map("seen", NAMESPACE)

    async def told(**asked: Any) -> list[tuple[str, str]]:
        async with watch.Watch().stream(core.list_namespaced_config_map, NAMESPACE, **asked) as events:
            return [(one["type"], one["object"].metadata.name) async for one in events]

    assert await told(resource_version=since, timeout_seconds=1) == [("ADDED", "seen"), ("DELETED", "seen")]
    world.cluster.store.forget_history()
    with pytest.raises(ApiException) as old:
        await told(resource_version=since, timeout_seconds=1)
    assert old.value.status == 410


async def test_a_wrong_token_and_a_forbidden_act_are_refused_and_can_be_asked_about(
    world: Kube, tmp_path: Path
) -> None:
    async with await config.new_client_from_config(str(kubeconfig(tmp_path, world.url, "wrong"))) as stranger:
        with pytest.raises(ApiException) as unknown:
            await client.CoreV1Api(stranger).list_namespaced_pod(NAMESPACE)
    assert unknown.value.status == 401
    async with await config.new_client_from_config(str(world.config)) as own:
        with pytest.raises(ApiException) as forbidden:
            await client.CoreV1Api(own).list_namespaced_secret(NAMESPACE)
        assert forbidden.value.status == 403
        reviews = client.AuthorizationV1Api(own)
        for verb, kind, allowed in (("list", "pods", True), ("list", "secrets", False)):
            about = {"namespace": NAMESPACE, "verb": verb, "resource": kind}
            wish = {"spec": {"resourceAttributes": about}}
            assert (await reviews.create_self_subject_access_review(wish)).status.allowed is allowed


async def test_an_eviction_is_refused_where_a_budget_forbids_it(world: Kube, api: Any) -> None:
    core = client.CoreV1Api(api)
    budget = world.find("PodDisruptionBudget", "depot")
    world.cluster.put({**budget, "spec": {**budget["spec"], "minAvailable": 2}})
    name = world.pods(Side.BLUE)[0]["metadata"]["name"]
    wish = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    with pytest.raises(ApiException) as refused:
        await core.create_namespaced_pod_eviction(name, NAMESPACE, wish)
    assert refused.value.status == 429


async def test_what_a_deployment_owns_goes_with_it(world: Kube, api: Any) -> None:
    await client.AppsV1Api(api).delete_namespaced_deployment("depot-blue", NAMESPACE)
    world.cluster.settle()
    assert world.pods(Side.BLUE) == []
    assert list(world.cluster.store.every("ReplicaSet")) == []


async def test_it_answers_over_tls_and_says_that_it_is_a_stand_in(tmp_path: Path) -> None:
    ca, tls = _certificate(tmp_path)
    cluster = Cluster(NAMESPACE, TOKENS)
    async with cluster.serving(loopback.free_port(), tls) as url:
        path = kubeconfig(tmp_path, url, ADMIN_TOKEN, ca)
        async with await config.new_client_from_config(str(path)) as made:
            answer = await client.VersionApi(made).get_code_with_http_info()
    assert answer.data.git_version.endswith("standin")
    assert "stand-in" in answer.headers["X-Stand-In"]


@pytest.mark.skipif(KUBECTL is None, reason="kubectl is not on this machine")
async def test_kubectl_reads_scales_and_applies(world: Kube, tmp_path: Path) -> None:
    ca, tls = _certificate(tmp_path)
    # Without TLS kubectl shows nobody its token.
    async with world.cluster.serving(loopback.free_port(), tls) as url:
        await _by_kubectl(world, kubeconfig(tmp_path, url, ADMIN_TOKEN, ca), tmp_path)


async def _by_kubectl(world: Kube, path: Path, tmp_path: Path) -> None:

    async def kubectl(*words: str) -> str:
        command = (str(KUBECTL), "--kubeconfig", str(path), "--cache-dir", str(tmp_path), *words)
        pipe = asyncio.subprocess.PIPE
        child = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
        out, err = await asyncio.wait_for(child.communicate(), 60)
        assert child.returncode == 0, err.decode()
        return out.decode()

    assert "depot-blue" in await kubectl("get", "deployments", "-o", "name")
    assert "scaled" in await kubectl("scale", "deployment/depot-blue", "--replicas=3")
    assert len(world.pods(Side.BLUE)) == 3
    wish = tmp_path / "map.json"
    wish.write_text(json.dumps(config_map("by-kubectl")))
    assert "applied" in await kubectl("apply", "--server-side", "--validate=false", "-f", str(wish))
    route = json.loads(await kubectl("get", "httproute", "depot", "-o", "json"))
    assert [ref["weight"] for ref in route["spec"]["rules"][0]["backendRefs"]] == [100, 0]


def _certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for the loopback address, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "stand-in")])
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=36500))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    ca, own = folder / "ca.pem", folder / "key.pem"
    ca.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    own.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(ca, own)
    return ca, context
