"""`tminus read` of dashboards: those that other people publish are seen as they were counted."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from tminus import readers
from tminus.cli.read import read
from tminus.errors import UsageError

FOLDER = Path(__file__).parents[3].parent / "shared" / "corpora" / "dashboards"
_READ = typer.Typer()
_READ.command()(read)
COUNTED = {
    "panels": "panels",
    "row_panels": "rows",
    "targets": "queries",
    "targets_with_expr": "queries_with_an_expression",
    "template_vars": "variables",
    "inputs": "inputs",
    "legacy_rows": "legacy_rows",
}
"""By the name in the manifest: the count that it must be."""


def _published() -> list[dict[str, str]]:
    manifest = FOLDER / "MANIFEST.csv"
    if not manifest.is_file():
        return []
    return list(csv.DictReader(manifest.read_text(encoding="utf-8").splitlines()))


def _seen(path: Path, *options: str) -> dict[str, Any]:
    ended = CliRunner().invoke(_READ, [str(path), "--json", *options])
    assert ended.exit_code == 0, ended.exception
    seen: dict[str, Any] = json.loads(ended.output)
    return seen


@pytest.mark.parametrize("row", _published() or [None], ids=lambda row: row["file"] if row else "none")
def test_a_published_dashboard_is_seen_as_it_was_counted(row: dict[str, str] | None) -> None:
    if row is None:
        pytest.skip("the published dashboards are not beside this repository")
    expected = json.loads(row["expected"])
    seen = _seen(FOLDER / row["file"])
    assert seen["kind"] == "dashboard"
    assert {name: seen["counts"][ours] for name, ours in COUNTED.items()} == {
        name: expected[name] for name in COUNTED
    }
    details = seen["details"]
    assert (details["title"], details["uid"] or None, details["schema"]) == (
        expected["title"],
        expected["uid"],
        expected["schemaVersion"],
    )
    assert (FOLDER / row["file"]).stat().st_size == expected["bytes"]


def test_a_dashboard_is_seen_with_what_its_panels_ask_and_are_about(tmp_path: Path) -> None:
    path = tmp_path / "shop.json"
    target = {"refId": "A", "expr": "sum(rate(http_requests_total[5m]))", "datasource": {"uid": "p"}}
    broken = {"refId": "B", "expr": "sum(rate(x[5m])", "hide": True}
    panel = {"id": 1, "type": "stat", "title": "Requests", "targets": [target, broken]}
    path.write_text(json.dumps({"title": "Shop", "schemaVersion": 39, "refresh": "1h", "panels": [panel]}))
    seen = _seen(path)
    counts = {name: number for name, number in seen["counts"].items() if number}
    assert counts == {
        "panels": 1, "panels_that_ask": 1, "queries": 2, "queries_with_an_expression": 2, "hidden_queries": 1,
        "about_rate": 1,
    }  # fmt: skip
    assert seen["details"]["panels"][0]["queries"][0] == {
        "ref": "A", "source": "p", "hidden": False, "asks": target["expr"], "unread": "",
    }  # fmt: skip
    asks, unread = seen["remarks"]
    assert asks == "it asks anew only every 1h; set its refresh to 5m or less"
    assert unread.startswith("the query B of the panel 'Requests' cannot be read as PromQL: ")
    why = seen["details"]["panels"][0]["queries"][1]["unread"]
    assert why
    assert unread.endswith(why)


@pytest.mark.parametrize("text", ["{}", "[]", '{"title": "x"}', "{"])
def test_what_is_no_dashboard_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(UsageError, match="is no dashboard"):
        readers.reader("dashboard").see(path)


@pytest.mark.parametrize("depth", [1500, 100_000])
def test_a_file_that_is_nested_too_deep_is_said_to_be(tmp_path: Path, depth: int) -> None:
    path = tmp_path / "deep.json"
    path.write_text(f'{{"title": "x", "panels": [], "links": {"[" * depth}{"]" * depth}}}')
    with pytest.raises(UsageError, match="is no dashboard: nested too deep"):
        readers.reader("dashboard").see(path)


def test_a_file_that_is_too_long_is_said_to_be(tmp_path: Path) -> None:
    path = tmp_path / "long.json"
    path.write_text(json.dumps({"title": "x", "panels": [], "description": "x" * 10_000_000}))
    with pytest.raises(UsageError, match="is longer than 8 MB"):
        readers.reader("dashboard").see(path)


def test_the_smallest_dashboard_is_taken_for_one(tmp_path: Path) -> None:
    path = tmp_path / "small.json"
    path.write_text('{"title": "Shop", "uid": "shop", "panels": []}')
    assert readers.guess(path) == "dashboard"


def test_another_json_is_not_taken_for_a_dashboard(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('{"schemaVersion": 2, "name": "something"}')
    with pytest.raises(UsageError, match="looks like nothing"):
        readers.guess(path)
