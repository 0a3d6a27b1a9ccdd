"""Values of manifests as kubectl reads them, and objects that a release makes for a moment."""

from pathlib import Path
from typing import Any, cast

import pytest

from tminus.errors import DeniedError, RolloutError, TminusError
from tminus.kubernetes import Api
from tminus.kubernetes.api import InvalidError, _refusal
from tminus.kubernetes.rendered import documents
from tminus.kubernetes.workloads import Asked, gathered


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("22:30", "22:30"),
        ("12e34", 12e34),
        ("12e3456", "12e3456"),
        ("08", 8.0),
        ("010", 8),
        ("1_000", 1000),
        ("0x1f", 31),
        ("0o17", 15),
        ("1.5", 1.5),
        ("-3", -3),
        ("y", True),
        ("yes", True),
        ("2026-01-31", "2026-01-31"),
        ("=", "="),
        ("1.2.3", "1.2.3"),
        ("'22'", "22"),
    ],
)
def test_plain_values_are_what_kubectl_takes_them_for(tmp_path: Path, written: str, value: Any) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(f"value: {written}\n")
    found = documents(file)[0].thing["value"]
    assert (found, type(found)) == (value, type(value))


class Empty:
    """A cluster in which nothing runs."""

    async def items(self, path: str) -> list[Any]:
        del path
        return []


async def test_hooks_need_not_be_there_and_what_they_make_for_themselves_neither(tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text(
        """
apiVersion: v1
kind: ConfigMap
metadata: {name: of-hook, annotations: {helm.sh/hook: pre-install, helm.sh/hook-delete-policy: hook-succeeded}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: migrate, annotations: {argocd.argoproj.io/hook: PreSync}}
spec:
  template:
    spec:
      containers:
      - {name: a, envFrom: [{configMapRef: {name: of-hook}}, {configMapRef: {name: of-all}}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: of-all}
"""
    )
    found = await gathered(cast("Api", Empty()), Asked("shop", str(tmp_path)))
    assert [one.name for one in found.references] == ["of-all"]
    assert [one.thing["metadata"]["name"] for one in found.rendered] == ["migrate", "of-all"]


@pytest.mark.parametrize(
    ("status", "message", "kind", "hint"),
    [
        (422, "is invalid", InvalidError, "refuses"),
        (400, 'admission webhook "a" does not support dry run', RolloutError, "refuses"),
        (409, "the object has been modified", RolloutError, "same time"),
        (403, 'admission webhook "validation.gatekeeper.sh" denied the request', DeniedError, "policy"),
        (403, 'configmaps "a" is forbidden: User "b" cannot patch', DeniedError, "our Role"),
    ],
)
def test_only_what_the_api_never_takes_is_invalid(
    status: int, message: str, kind: type[TminusError], hint: str
) -> None:
    found = _refusal("PATCH /a", status, {"message": message}, "here")
    assert isinstance(found, kind)
    assert isinstance(found, InvalidError) is (status == 422)
    assert hint in found.hint
