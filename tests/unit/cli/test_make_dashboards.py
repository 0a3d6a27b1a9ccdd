"""`tminus make dashboards`: files, the same at each making, and what keeps them from being lost."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest
import typer
from typer.testing import CliRunner, Result

from tminus.cli.dashboards import dashboards
from tminus.domain import drift
from tminus.errors import Exit, RefusedError, TminusError, UnreachableError, UsageError
from tminus.grafana.api import Stored

_MAKE = typer.Typer()
_MAKE.command()(dashboards)
KINDS = {"application", "infrastructure", "security", "business"}


def typed(folder: Path, *options: str) -> Result:
    return CliRunner().invoke(_MAKE, ["--out", str(folder), *options])


def refused(result: Result) -> TminusError:
    assert isinstance(result.exception, TminusError), result.output
    return result.exception


def models(folder: Path) -> dict[str, Any]:
    return {path.stem: json.loads(path.read_text()) for path in folder.glob("*.json")}


def test_four_files_are_written_and_told_with_their_digests(tmp_path: Path) -> None:
    ended = typed(tmp_path / "boards")
    assert ended.exit_code == Exit.PASSED, ended.output
    found = models(tmp_path / "boards")
    assert set(found) == KINDS
    for kind, model in found.items():
        assert (
            f"{kind}.json  {len(model['panels'])} panels  sha256 {drift.fingerprint(model)}" in ended.output
        )


def test_a_second_making_changes_nothing_and_one_by_hand_is_not_lost(tmp_path: Path) -> None:
    typed(tmp_path)
    assert typed(tmp_path).exit_code == Exit.PASSED
    path = tmp_path / "application.json"
    path.write_text(path.read_text().replace("Requests", "Answers"))
    assert isinstance(refused(typed(tmp_path)), RefusedError)
    assert "Answers" in path.read_text()
    assert typed(tmp_path, "--force").exit_code == Exit.PASSED
    assert "Answers" not in path.read_text()


def test_what_differs_is_said_by_options(tmp_path: Path) -> None:
    ended = typed(
        tmp_path, "--datasource", "P1", "--label", "color", "--counter", 'shop_requests_total{app="shop"}',
        "--failed", 'code=~"5.."', "--histogram", "shop_seconds_bucket", "--without", "audit", "--json",
    )  # fmt: skip
    told = json.loads(ended.output)
    assert {one["uid"] for one in told["dashboards"]} == {f"tminus-{kind}" for kind in KINDS - {"business"}}
    found = models(tmp_path)
    assert set(found) == KINDS - {"business"}
    text = json.dumps(found)
    assert '"uid": "P1"' in text
    assert 'shop_requests_total{code=~\\"5..\\",app=\\"shop\\"}' in text
    assert "vault_audit" not in text
    assert "by (color)" in text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--without", "nothing"), "no panel shows nothing"),
        (("--label", "a b"), "is no label"),
        (
            ("--counter", "rate(x)", "--failed", 'status=~"5.."', "--histogram", "x_bucket"),
            "could not be read",
        ),
        (("--counter", "x_total"), "belong together"),
        (("--counter", "x_total", "--failed", 'code=~"5.."', "--histogram", "x_seconds"), "no histogram"),
        (("--push", "https://:SECRETTOK@grafana.example"), "--push is no reference to an address"),
        (("--push", "file:/dev/null/none"), "--push: /dev/null/none cannot be read"),
        (("--push", "env:NO_SUCH_GRAFANA"), "the environment variable NO_SUCH_GRAFANA is not set"),
    ],
)
def test_what_makes_no_dashboard_is_refused(tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    error = refused(typed(tmp_path / "boards", *options))
    assert isinstance(error, UsageError)
    assert said in str(error)
    assert "SECRETTOK" not in f"{error} {error.hint}"
    assert "plan" not in error.hint
    assert not (tmp_path / "boards").exists()


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("x")
    assert "is no folder" in str(refused(typed(tmp_path / "taken")))


@dataclass
class Kept:
    """A Grafana that keeps what it is given, and was given something before."""

    there: dict[str, dict[str, Any]] = field(default_factory=dict)
    saved: list[tuple[str, bool, str]] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def dashboard(self, uid: str) -> Stored | None:
        return Stored(self.there[uid], 1, f"/d/{uid}", "closed") if uid in self.there else None

    async def save(self, model: dict[str, Any], _message: str, *, overwrite: bool, folder: str) -> str:
        self.saved.append((str(model["uid"]), overwrite, folder))
        self.there[str(model["uid"])] = dict(model)
        return f"/d/{model['uid']}/new"


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Kept:
    grafana = Kept()
    monkeypatch.setattr("tminus.cli.dashboards.asking", lambda _address: grafana)
    monkeypatch.setenv("GRAFANA", "https://:token@grafana.example")
    return grafana


def test_they_are_pushed_once_and_again_only_where_they_differ(tmp_path: Path, kept: Kept) -> None:
    first = typed(tmp_path, "--push", "env:GRAFANA")
    assert first.exit_code == Exit.PASSED, first.output
    assert "token" not in first.output
    assert {(uid, folder) for uid, _, folder in kept.saved} == {(f"tminus-{kind}", "") for kind in KINDS}
    assert "kept in Grafana: /d/tminus-application/new" in first.output
    kept.saved.clear()
    kept.there["tminus-security"]["refresh"] = "1h"
    again = json.loads(typed(tmp_path, "--push", "env:GRAFANA", "--force", "--json").output)
    assert kept.saved == [("tminus-security", True, "closed")], "in the folder that it lies in"
    assert "/d/tminus-application" in again["pushed"]


@pytest.mark.parametrize("address", ["nowhere", "https://grafana.example:3000x"])
def test_an_address_that_is_none_is_refused_and_no_file_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("GRAFANA", address)
    error = refused(typed(tmp_path / "boards", "--push", "env:GRAFANA"))
    assert "the address that --push refers to" in str(error)
    assert not (tmp_path / "boards").exists()


def test_a_push_that_fails_says_that_the_files_are_written(
    tmp_path: Path, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_uid: str) -> None:
        raise UnreachableError("Grafana does not answer", hint="see whether it runs")

    monkeypatch.setattr(kept, "dashboard", away)
    ended = typed(tmp_path, "--push", "env:GRAFANA")
    assert isinstance(refused(ended), UnreachableError)
    assert f"the files are written into {tmp_path}; Grafana does not have all of them" in ended.stderr
    assert set(models(tmp_path)) == KINDS
