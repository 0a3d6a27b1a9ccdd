"""`tminus read --as kubernetes`: every real manifest is read as who collected it counted, or refused with its line."""

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tminus import readers
from tminus.errors import TminusError, UsageError
from tminus.kubernetes.rendered import documents
from tminus.readers import Sight, kubernetes

CORPUS = Path(__file__).parents[4] / "shared" / "corpora" / "k8s"
MANIFEST = CORPUS / "MANIFEST.csv"
ROWS: list[dict[str, str]] = (
    list(csv.DictReader(MANIFEST.read_text(encoding="utf-8").splitlines())) if MANIFEST.exists() else []
)
collected = pytest.mark.skipif(not ROWS, reason="the collected manifests are not beside this repository")
MISCOUNTED: dict[str, str] = {}
"""Files of which the collection counts otherwise, and why."""


@collected
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["file"])
def test_a_collected_manifest_is_read_as_it_was_counted_or_refused_with_its_line(row: dict[str, str]) -> None:
    wanted: dict[str, Any] = json.loads(row["expected"])
    file = CORPUS / row["file"]
    if "yaml_error" in wanted:
        with pytest.raises(UsageError, match=rf"{file.name}:\d+: no YAML") as refused:
            kubernetes.see(file)
        assert "template" in refused.value.hint
        return
    seen = kubernetes.see(file)
    objects = seen.details["objects"]
    assert isinstance(objects, list)
    kinds = Counter(one["kind"] or "None" for one in objects)  # type: ignore[index, call-overload] # a table
    assert kinds == wanted["kinds"]
    assert seen.counts["documents"] == wanted["documents"]
    keys = {one["name"]: one["keys"] for one in objects if one["kind"] == "ConfigMap"}  # type: ignore[index, call-overload] # a table
    assert keys == {one["configmap"]: one["keys"] for one in wanted.get("configmaps", [])}
    secrets = [(one["name"], one["keys"]) for one in objects if one["kind"] == "Secret"]  # type: ignore[index, call-overload] # a table
    assert secrets == [(one["secret"], one["keys"]) for one in wanted.get("secrets", [])]
    pods = [kind for kind in kinds if kind != "None"]
    assert bool(seen.details["from_vault"]) is (wanted["vault_agent_inject"] and bool(pods))


@collected
def test_manifests_are_known_by_their_look() -> None:
    for row in ROWS:
        kinds = json.loads(row["expected"]).get("kinds", {"None": 1})
        if "None" not in kinds:
            assert readers.guess(CORPUS / row["file"]) == "kubernetes", row["file"]


@collected
def test_no_value_of_a_secret_is_told() -> None:
    seen = kubernetes.see(CORPUS / "examples__secret.yaml")
    assert "password" in str(seen.details)
    text = (CORPUS / "examples__secret.yaml").read_text(encoding="utf-8")
    values = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("  ")]
    told = str(seen.details)
    assert [value for value in values if len(value) > 8 and value in told and value != "sio-secret"] == []


def test_references_are_told_with_who_names_them(tmp_path: Path) -> None:
    file = tmp_path / "pod.yaml"
    file.write_text(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: one}\nspec:\n  containers:\n  - name: c\n"
        "    envFrom: [{configMapRef: {name: settings, optional: true}}]\n---\n# nothing\n---\nkind: Note\n"
    )
    seen = kubernetes.see(file)
    assert seen.counts == {
        "documents": 2,
        "Note": 1,
        "Pod": 1,
        "without_kind": 0,
        "references": 1,
    }
    assert seen.details["references"] == [
        {
            "kind": "ConfigMap",
            "name": "settings",
            "key": "",
            "optional": True,
            "by": "Pod/one",
            "where": "container c, envFrom",
        }
    ]
    assert seen.remarks == ("pod.yaml:11: no object of Kubernetes",)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.yaml", "a: &a [*a]\n", "more than"),
        (
            "a.yaml",
            "a: &x [1,2]\n"
            + "".join(
                f"b{n}: &y{n} [{', '.join(['*' + ('x' if n == 0 else f'y{n - 1}')] * 9)}]\n" for n in range(8)
            ),
            "more than",
        ),
        ("a.yaml", "a: 1\n\tb: 2\n", ":2: no YAML"),
        ("a.yaml", "a: \x01\n", ":1: no YAML: a control character"),
        ("a.yaml", "a: " + "[" * 5000, "no YAML"),
        ("a.json", '{"a": 1,\n}', ":2: no JSON"),
        ("a.yaml", "a: !!python/object:os.system x\n", ":1: no YAML"),
    ],
    ids=["itself", "nested", "tab", "control", "deep", "json", "tag"],
)
def test_what_cannot_be_read_is_refused_with_its_line(
    tmp_path: Path, name: str, text: str, told: str
) -> None:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=told) as refused:
        kubernetes.see(file)
    assert refused.value.hint


def test_a_date_and_a_plain_sign_stay_text(tmp_path: Path) -> None:
    file = tmp_path / "map.yaml"
    file.write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata: {a: 2026-01-31, b: =}\n")
    (document,) = documents(file)
    assert document.thing["data"] == {"a": "2026-01-31", "b": "="}


def test_no_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(TminusError):
        kubernetes.see(tmp_path / "nothing.yaml")


DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  template:
    spec:
      containers:
      - name: api
        image: one
        envFrom: [{secretRef: {name: x}}]
        env: [{name: URL, valueFrom: {secretKeyRef: {name: pw, key: k}}}]
"""


def seen(tmp_path: Path, text: str, name: str = "a.yaml") -> Sight:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return kubernetes.see(file)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (
            "a.yaml",
            "apiVersion: v1\nkind: ConfigMap\ndata:\n  URL: a\n  URL: b\n",
            r":5: the key 'URL' stands twice",
        ),
        ("a.yaml", f"{DEPLOYMENT}metadata: {{name: b}}\n", r":12: the key 'metadata' stands twice"),
        (
            "a.yaml",
            DEPLOYMENT.replace("image: one", "image: one\n        image: two"),
            r":10: the key 'image'",
        ),
        ("a.json", '{"kind": "Pod", "kind": "Job"}', r"a.json: the key 'kind' stands twice"),
    ],
)
def test_a_key_that_stands_twice_is_refused(tmp_path: Path, name: str, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as refused:
        seen(tmp_path, text, name)
    assert refused.value.hint


def test_a_merged_key_may_be_overridden(tmp_path: Path) -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: &m {name: a}\ndata: {<<: *m, name: b}\n"
    assert seen(tmp_path, text).refused == ""


@pytest.mark.parametrize("text", ["", "[]\n", "route: {receiver: x}\nreceivers: [{name: x}]\n"])
def test_a_file_without_any_object_is_refused(tmp_path: Path, text: str) -> None:
    assert seen(tmp_path, text).refused == "no object of Kubernetes stands in it"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "secretRef: {name: x}",
            "secretRef: {nam: x}",
            "Deployment/api (container api, envFrom) refers to a Secret",
        ),
        (
            "{name: pw, key: k}",
            "{kay: k}",
            "Deployment/api (container api, env URL) refers to a Secret without",
        ),
        ("kind: Deployment", "kind: Deploymnt", "the kind Deploymnt is unknown; did you mean Deployment?"),
        ("metadata: {name: api}", "metadata: {nam: api}", "Deployment has no metadata.name"),
    ],
)
def test_what_a_cluster_would_refuse_is_remarked(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert seen(tmp_path, DEPLOYMENT).remarks == ()
    assert DEPLOYMENT.count(old) == 1
    (only,) = seen(tmp_path, DEPLOYMENT.replace(old, new)).remarks
    assert only.startswith(f"a.yaml:1: {said}")


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: v1\nkind: List\nitems: []\n",
        "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: a}\n",
        "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {name: a}\n",
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n",
        "apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: a-}\n",
    ],
)
def test_other_kinds_are_read_without_a_remark(tmp_path: Path, text: str) -> None:
    sight = seen(tmp_path, text)
    assert (sight.remarks, sight.refused) == ((), "")
