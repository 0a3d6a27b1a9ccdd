"""ConfigMaps, Secrets and the objects of their operators, as the official client meets them on the stand-in."""

import functools
import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from kubernetes.aio.client.exceptions import ApiException

from tminus.errors import RolloutError
from tminus.kubernetes import Access, Api
from tminus.kubernetes.keys import keys
from tminus.kubernetes.rights import rights
from tminus.standins.kubernetes.kinds import named

if TYPE_CHECKING:
    from tests.contract.test_kubernetes_manifests import closed, problems, published
    from tests.kubernetes_world import ADMIN_TOKEN, NAMESPACE, OWN_TOKEN, Kube, kube, kubeconfig
    from tests.secrets_world import external, map_of, of_operator, provider_class, store
else:
    from test_kubernetes_manifests import closed, problems, published

    from kubernetes_world import ADMIN_TOKEN, NAMESPACE, OWN_TOKEN, Kube, kube, kubeconfig
    from secrets_world import external, map_of, of_operator, provider_class, store

client: Any = import_module("kubernetes.aio.client")
config: Any = import_module("kubernetes.aio.config")
CRD = (
    Path(__file__).parents[3]
    / "shared/corpora/k8s/vault-secrets-operator__secrets.hashicorp.com_vaultdynamicsecrets.yaml"
)
VALUE = "canary-value-7f3a9c"


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


def secret(name: str, **more: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, **more}


async def test_a_secret_s_plain_texts_become_data_and_no_other_data_is_taken(api: Any) -> None:
    core = client.CoreV1Api(api)
    made = await core.create_namespaced_secret(NAMESPACE, secret("one", stringData={"password": VALUE}))
    assert b64decode(made.data["password"]).decode() == VALUE
    assert made.string_data is None
    for wrong, told in (
        (secret("two", data={"a": "no base64!"}), "illegal base64"),
        (secret("two", stringData={"a/b": "x"}), "valid config key"),
    ):
        with pytest.raises(ApiException) as refused:
            await core.create_namespaced_secret(NAMESPACE, wrong)
        assert told in json.loads(refused.value.body or "")["message"]
        assert refused.value.status in {400, 422}


@pytest.mark.parametrize("kind", ["config_map", "secret"])
async def test_what_is_immutable_keeps_its_content(api: Any, kind: str) -> None:
    core = client.CoreV1Api(api)
    data = {"a": "MQ=="}
    about = {"apiVersion": "v1", "metadata": {"name": "fixed"}, "data": data, "immutable": True}
    made = await getattr(core, f"create_namespaced_{kind}")(NAMESPACE, about)
    for change in ({"data": {"a": "Mg=="}}, {"immutable": False}):
        with pytest.raises(ApiException) as refused:
            await getattr(core, f"patch_namespaced_{kind}")("fixed", NAMESPACE, change)
        assert refused.value.status == 422
        assert "immutable" in json.loads(refused.value.body or "")["message"]
    named_so = {"metadata": {"labels": {"a": "b"}}}
    assert (await getattr(core, f"patch_namespaced_{kind}")("fixed", NAMESPACE, named_so)).data == made.data


@pytest.mark.parametrize("kind", ["configmaps", "secrets"])
async def test_values_are_texts(world: Kube, tmp_path: Path, kind: str) -> None:
    """The official client's models refuse numbers by themselves; the server does so too."""
    api = Api(Access(str(kubeconfig(tmp_path, world.url, ADMIN_TOKEN))))
    try:
        with pytest.raises(RolloutError, match="cannot unmarshal number"):
            await api.create(
                f"/api/v1/namespaces/{NAMESPACE}/{kind}", "n", {"metadata": {"name": "n"}, "data": {"a": 1}}
            )
    finally:
        await api.close()


async def test_the_metadata_of_a_secret_comes_without_its_data(world: Kube, tmp_path: Path) -> None:
    annotation = {
        "kubectl.kubernetes.io/last-applied-configuration": json.dumps({"stringData": {"a": VALUE}})
    }
    thing = secret("kept", stringData={"a": VALUE, "b": VALUE})
    thing["metadata"] |= {"namespace": NAMESPACE, "annotations": annotation}
    world.cluster.put(thing)
    api = Api(Access(str(kubeconfig(tmp_path, world.url, ADMIN_TOKEN))))
    try:
        found = await api.metadata(f"/api/v1/namespaces/{NAMESPACE}/secrets/kept")
        assert await api.metadata(f"/api/v1/namespaces/{NAMESPACE}/secrets/none") is None
    finally:
        await api.close()
    assert found is not None
    assert VALUE not in json.dumps(found)
    assert b64encode(VALUE.encode()).decode() not in json.dumps(found)
    assert list(found["annotations"]) == list(annotation)
    assert sorted(keys(found) or ()) == ["a", "b"]


async def test_a_list_says_once_what_it_is_of_and_custom_objects_each(api: Any) -> None:
    raw = await client.CoreV1Api(api).list_namespaced_config_map_without_preload_content(NAMESPACE)
    listed = json.loads(await raw.read())
    assert listed["kind"] == "ConfigMapList"
    assert not any("kind" in one for one in listed["items"])
    custom = client.CustomObjectsApi(api)
    routes = await custom.list_namespaced_custom_object(
        "gateway.networking.k8s.io", "v1", NAMESPACE, "httproutes"
    )
    assert {one["kind"] for one in routes["items"]} == {"HTTPRoute"}


async def test_the_operators_write_secrets_and_say_so(world: Kube, api: Any) -> None:
    custom, core = client.CustomObjectsApi(api), client.CoreV1Api(api)
    world.cluster.orders.secret_values["password"] = VALUE
    eso, vso = ("external-secrets.io", "v1"), ("secrets.hashicorp.com", "v1beta1")
    shared = store("ClusterSecretStore", "vault", "https://vault.example")
    await custom.create_cluster_custom_object(*eso, "clustersecretstores", shared)
    for (group, version), plural, thing in (
        (eso, "secretstores", store("SecretStore", "vault-shop", "https://vault.example")),
        (eso, "externalsecrets", external("db", "shop/db", ["username", "password"])),
        (vso, "vaultstaticsecrets", of_operator("VaultStaticSecret", "static", "secret", "a", type="kv-v2")),
        (vso, "vaultdynamicsecrets", of_operator("VaultDynamicSecret", "dynamic", "db", "creds/a")),
    ):
        await custom.create_namespaced_custom_object(group, version, NAMESPACE, plural, thing)
    world.cluster.settle()
    made = await core.read_namespaced_secret("db", NAMESPACE)
    assert b64decode(made.data["password"]).decode() == VALUE
    assert [one.kind for one in made.metadata.owner_references] == ["ExternalSecret"]
    assert made.metadata.labels["reconcile.external-secrets.io/managed"] == "true"
    told = await custom.get_namespaced_custom_object(*eso, NAMESPACE, "externalsecrets", "db")
    assert told["status"]["refreshTime"]
    assert (told["status"]["conditions"][0]["status"], told["status"]["conditions"][0]["reason"]) == (
        "True",
        "SecretSynced",
    )
    ready = await custom.get_cluster_custom_object(*eso, "clustersecretstores", "vault")
    assert ready["status"]["conditions"][0]["reason"] == "Valid"
    dynamic = await custom.get_namespaced_custom_object(*vso, NAMESPACE, "vaultdynamicsecrets", "dynamic")
    assert dynamic["status"]["secretLease"]["id"]
    static = await core.read_namespaced_secret("static", NAMESPACE)
    assert static.metadata.labels["secrets.hashicorp.com/vso-ownerRefUID"]
    await custom.delete_namespaced_custom_object(*eso, NAMESPACE, "externalsecrets", "db")
    world.cluster.settle()
    with pytest.raises(ApiException) as gone:
        await core.read_namespaced_secret("db", NAMESPACE)
    assert gone.value.status == 404


async def test_a_store_that_is_not_ready_stops_who_takes_from_it(world: Kube) -> None:
    world.cluster.orders.store_reasons["vault-shop"] = "InvalidProviderConfig"
    world.cluster.put(
        store("SecretStore", "vault-shop", "https://vault.example"), external("db", "shop/db", ["password"])
    )
    world.cluster.settle()
    (condition,) = world.find("ExternalSecret", "db")["status"]["conditions"]
    assert (condition["status"], condition["reason"]) == ("False", "SecretSyncedError")
    assert not [one for one in world.cluster.store.every("Secret") if one["metadata"]["name"] == "db"]


async def test_a_class_that_a_pod_mounts_syncs_its_secret(world: Kube) -> None:
    csi = {"driver": "secrets-store.csi.k8s.io", "volumeAttributes": {"secretProviderClass": "web-keys"}}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web", "namespace": NAMESPACE},
        "spec": {"containers": [{"name": "web", "image": "web"}], "volumes": [{"name": "keys", "csi": csi}]},
    }
    world.cluster.put(provider_class("shop", "https://vault.example"))
    world.cluster.settle()
    assert not list(world.cluster.store.every("Secret"))
    world.cluster.put(pod)
    world.cluster.settle()
    (made,) = world.cluster.store.every("Secret")
    assert made["metadata"]["labels"] == {"secrets-store.csi.k8s.io/managed": "true"}


async def test_a_cluster_role_reaches_beyond_namespaces_and_a_role_does_not(
    world: Kube, tmp_path: Path
) -> None:
    world.cluster.put(store("ClusterSecretStore", "vault", "https://vault.example"), *rights(NAMESPACE))
    async with await config.new_client_from_config(str(kubeconfig(tmp_path, world.url, OWN_TOKEN))) as own:
        custom = client.CustomObjectsApi(own)
        found = await custom.get_cluster_custom_object(
            "external-secrets.io", "v1", "clustersecretstores", "vault"
        )
        assert found["metadata"]["name"] == "vault"
        role = world.cluster.store.find(named("ClusterRole"), "", "tminus-looking")
        world.cluster.store.remove(named("ClusterRole"), role)
        with pytest.raises(ApiException) as refused:
            await custom.get_cluster_custom_object(
                "external-secrets.io", "v1", "clustersecretstores", "vault"
            )
        assert refused.value.status == 403


async def test_kinds_that_are_not_installed_are_not_found(world: Kube, api: Any) -> None:
    world.cluster.orders.unserved = {"external-secrets.io"}
    custom = client.CustomObjectsApi(api)
    with pytest.raises(ApiException) as gone:
        await custom.list_namespaced_custom_object("external-secrets.io", "v1", NAMESPACE, "externalsecrets")
    assert gone.value.status == 404


@published
async def test_what_the_stand_in_keeps_is_valid_by_the_published_schema(world: Kube) -> None:
    world.cluster.put(
        secret("one", stringData={"a": VALUE}) | {"metadata": {"name": "one", "namespace": NAMESPACE}},
        map_of("m", a="1"),
        store("SecretStore", "vault-shop", "https://vault.example"),
        external("db", "shop/db", ["password"]),
        *rights(NAMESPACE),
    )
    world.cluster.settle()
    kinds = ("Secret", "ConfigMap", "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding")
    for kind in kinds:
        things = list(world.cluster.store.every(kind))
        assert things, kind
        for thing in things:
            assert problems(thing) == [], kind


@functools.cache
def dynamic_schema() -> Any:
    found = yaml.safe_load(CRD.read_text(encoding="utf-8"))["spec"]["versions"][0]["schema"][
        "openAPIV3Schema"
    ]
    schema = closed(found)
    schema["properties"]["metadata"] = {"type": "object"}
    return schema


@pytest.mark.skipif(not CRD.exists(), reason="the collected definition is not beside this repository")
async def test_a_dynamic_secret_is_valid_by_its_own_definition(world: Kube) -> None:
    world.cluster.put(of_operator("VaultDynamicSecret", "dynamic", "db", "creds/a"))
    world.cluster.settle()
    thing = world.find("VaultDynamicSecret", "dynamic")
    validator = Draft202012Validator(dynamic_schema())
    assert [error.message for error in validator.iter_errors(thing)] == []
    assert list(validator.iter_errors({**thing, "spec": {**thing["spec"], "mount": 7}}))
