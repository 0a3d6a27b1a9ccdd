"""What objects say: who names whom, which values stand for values, which keys there are, where manifests stand."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tminus.errors import UsageError
from tminus.gotime import instant, seconds
from tminus.kubernetes.injected import of_agents, of_class
from tminus.kubernetes.keys import keys
from tminus.kubernetes.origins import Limits, of_external
from tminus.kubernetes.placeholders import elsewhere, placeholders
from tminus.kubernetes.references import references
from tminus.kubernetes.rendered import objects

POD = """
kind: Deployment
metadata: {name: api}
spec:
  template:
    spec:
      initContainers:
      - name: first
        env: [{name: A, valueFrom: {configMapKeyRef: {name: one, key: a}}}]
      containers:
      - name: main
        envFrom:
        - configMapRef: {name: two, optional: true}
        - secretRef: {name: three}
        env:
        - {name: B, valueFrom: {secretKeyRef: {name: four, key: b, optional: true}}}
        - {name: C, value: plain}
      volumes:
      - {name: v1, configMap: {name: five, items: [{key: k1}, {key: k2}]}}
      - {name: v2, secret: {secretName: six}}
      - name: v3
        projected:
          sources: [{configMap: {name: seven}}, {secret: {name: eight, items: [{key: s}]}}, {serviceAccountToken: {}}]
      - {name: v4, csi: {driver: secrets-store.csi.k8s.io, volumeAttributes: {secretProviderClass: nine}}}
      - {name: v5, cephfs: {secretRef: {name: ten}}}
      - {name: v6, azureFile: {secretName: eleven}}
      - {name: v7, emptyDir: {}}
      imagePullSecrets: [{name: twelve}]
"""


def test_every_place_of_a_pod_that_names_something_is_found() -> None:
    found = references(yaml.safe_load(POD))
    assert [(one.kind, one.name, one.key, one.optional) for one in found] == [
        ("ConfigMap", "one", "a", False),
        ("ConfigMap", "two", "", True),
        ("Secret", "three", "", False),
        ("Secret", "four", "b", True),
        ("ConfigMap", "five", "k1", False),
        ("ConfigMap", "five", "k2", False),
        ("Secret", "six", "", False),
        ("ConfigMap", "seven", "", False),
        ("Secret", "eight", "s", False),
        ("SecretProviderClass", "nine", "", False),
        ("Secret", "ten", "", False),
        ("Secret", "eleven", "", False),
        ("Secret", "twelve", "", False),
    ]
    assert found[0].told == "Deployment/api (container first, env A)"


@pytest.mark.parametrize("spoiled", [None, "text", 7, [], {}, [1, "a"], {"containers": "x"}])
def test_what_is_not_of_its_type_names_nothing(spoiled: Any) -> None:
    for thing in (
        {"kind": "Pod", "spec": spoiled},
        {"kind": "Deployment", "spec": {"template": spoiled}},
        {"kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": {"spec": spoiled}}}}},
        {"kind": "Pod", "spec": {"containers": [{"env": spoiled, "envFrom": spoiled}], "volumes": spoiled}},
    ):
        assert references(thing) == []


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("changeme", ["changeme"]),
        ("CHANGE_ME", ["CHANGE_ME"]),
        ("todo", ["todo"]),
        ("the todo list", []),
        ("TODO-list", ["TODO"]),
        ("[Name]", ["[Name]"]),
        ("[mysqld]\nport=1\n", []),
        ("owner: [Name]\n", ["[Name]"]),
        ("http://localhost:8080", ["localhost"]),
        ("mylocalhost.example", []),
        ("127.0.0.1:5432", ["127.0.0.1:5432"]),
        ("listen 127.0.0.1", []),
        ("https://api-staging.example/x", ["api-staging.example"]),
        ("postgres://user@db.stg.internal/x", ["db.stg.internal"]),
        ("DB_HOST=db.uat.corp", ["db.uat.corp"]),
        ("config.stage.yaml", []),
        ("https://backstage.example", []),
        ("x: 1\n# TODO and staging.example:80\n", []),
        ("# TODO", ["TODO"]),
        ("<your-domain>", ["<your-domain>"]),
        ("", []),
    ],
)
def test_values_that_stand_for_values_are_told_from_others(value: str, found: list[str]) -> None:
    assert placeholders(value) == found


def test_hosts_that_the_plan_names_are_another_environment_s_with_all_below_them() -> None:
    assert elsewhere("https://pay.farm.example:8443/x", ["farm.example"]) == "pay.farm.example"
    assert not elsewhere("https://pay-farm.example", ["farm.example"])


def test_the_names_of_keys_and_their_last_writers_are_read_without_values() -> None:
    def entry(manager: str, at: str, *names: str, holder: str = "f:data") -> dict[str, Any]:
        fields: dict[str, Any] = {holder: {".": {}, **{f"f:{name}": {} for name in names}}}
        return {"manager": manager, "time": at, "fieldsV1": fields}

    found = keys(
        {
            "managedFields": [
                entry("helm", "2026-01-31T12:00:00Z", "a", "b"),
                entry("kubectl-edit", "2026-01-31T13:00:00Z", "b"),
                entry("other", "2026-01-30T13:00:00Z", "b", "c", holder="f:stringData"),
                "nothing",
            ]
        }
    )
    assert found is not None
    assert {name: one.manager for name, one in found.items()} == {
        "a": "helm",
        "b": "kubectl-edit",
        "c": "other",
    }
    assert keys({}) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1h0m0s", 3600.0),
        ("90s", 90.0),
        ("1.5h", 5400.0),
        ("0", 0.0),
        ("24h", 86400.0),
        ("1d", None),
        ("", None),
    ],
)
def test_durations_are_read_as_go_writes_them(text: str, value: float | None) -> None:
    assert seconds(text) == value


def test_instants_are_read_to_the_microsecond_and_zero_time_is_none() -> None:
    assert instant("1970-01-01T00:00:01.123456789Z") == pytest.approx(1.123456)
    assert instant("0001-01-01T00:00:00Z") is None
    assert instant(None) is None


LIMITS = Limits(0.0, 3600)


def store(**vault: Any) -> dict[str, Any]:
    about = {"server": "https://vault.example", "path": "secret", **vault}
    conditions = [{"type": "Ready", "status": "True"}]
    return {"spec": {"provider": {"vault": about}}, "status": {"conditions": conditions}}


@pytest.mark.parametrize(
    ("path", "key", "place"),
    [
        ("secret", "app/db", ("secret", "app/db")),
        ("secret", "secret/app/db", ("secret", "app/db")),
        ("secret", "secret/data/app/db", ("secret", "app/db")),
        ("secret/data", "app/db", ("secret", "app/db")),
        ("", "secret/app/db", ("secret", "app/db")),
        ("", "secret/data/app/db", ("secret", "app/db")),
        ("", "team/kv/data/app", ("team/kv", "app")),
        ("secret", "data/app", ("secret", "data/app")),
        ("team/kv", "app", ("team/kv", "app")),
    ],
)
def test_a_key_is_resolved_as_the_operator_does(path: str, key: str, place: tuple[str, str]) -> None:
    thing = {
        "kind": "ExternalSecret",
        "metadata": {"name": "x"},
        "spec": {
            "secretStoreRef": {"name": "s"},
            "data": [
                {"secretKey": "a", "remoteRef": {"key": key, "property": "a.b"}},
                {"secretKey": "c", "remoteRef": {"key": key, "property": "c"}},
            ],
        },
    }
    (found,) = of_external(thing, {("SecretStore", "s"): store(path=path)}, LIMITS).places
    assert (found.mount, found.path) == place
    assert found.keys == {"a.b", "c"}


def test_a_generator_that_is_not_vault_s_is_no_origin() -> None:
    def generated(kind: str) -> tuple[str, ...]:
        entry = {"sourceRef": {"generatorRef": {"kind": kind, "name": "g"}}}
        thing = {"kind": "ExternalSecret", "metadata": {"name": "x"}, "spec": {"dataFrom": [entry]}}
        return of_external(thing, {}, LIMITS).problems

    assert any("Password, not Vault" in problem for problem in generated("Password"))
    assert not any("not Vault" in problem for problem in generated("VaultDynamicSecret"))


def test_a_template_s_keys_are_asked_for_and_a_path_without_annotation_is_found() -> None:
    annotations = {
        "vault.hashicorp.com/agent-inject": "true",
        "vault.hashicorp.com/agent-inject-template-db": (
            '{{- with secret "internal/data/db" -}}{{ .Data.data.user }}:{{ .Data.data.password }}{{- end }}'
        ),
    }
    pod = {"kind": "Pod", "metadata": {"name": "p", "annotations": annotations}, "spec": {"containers": []}}
    (found,) = of_agents(pod)
    (place,) = found.places
    assert (place.path, place.keys) == ("internal/data/db", frozenset({"user", "password"}))
    assert found.problems == ()


@pytest.mark.parametrize("objects_text", ["", "- {", "x", "- objectName: a\n"])
def test_a_provider_class_whose_objects_cannot_be_read_is_a_fault(objects_text: str) -> None:
    thing = {"spec": {"provider": "openbao", "parameters": {"objects": objects_text}}}
    assert of_class(thing, "keys", LIMITS).problems == (
        "SecretProviderClass/keys names no secret that can be read from it",
    )


def test_manifests_of_a_folder_are_read_in_order_and_lists_are_taken_apart(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "two.json").write_text('{"apiVersion": "v1", "kind": "Secret"}')
    many = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap}\n- {apiVersion: v1, kind: Pod}\n"
    (tmp_path / "a.yml").write_text(many)
    (tmp_path / "note.txt").write_text("nothing")
    assert [one.thing["kind"] for one in objects(tmp_path)] == ["ConfigMap", "Pod", "Secret"]
    (tmp_path / "values.yaml").write_text("\nreplicas: 2\n")
    with pytest.raises(UsageError, match=r"values.yaml:2: no Kubernetes object"):
        objects(tmp_path)
