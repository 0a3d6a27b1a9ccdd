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
from tminus.readers import kubernetes

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
