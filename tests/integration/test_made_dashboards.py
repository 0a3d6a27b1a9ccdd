"""Made, kept in Grafana by the command, and looked at by the probe: the whole way, over a real Prometheus."""

import asyncio
import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tminus.domain.evidence import Observation
from tminus.domain.panelkinds import KINDS
from tminus.errors import Exit, InconclusiveError
from tminus.probes import grafana as probe

if TYPE_CHECKING:
    from tests.integration.grafana_world import (
        Around,
        Forgetful,
        asks,
        grafana,
        healthy,
        level,
        prometheus,
        until,
    )
else:
    from grafana_world import Around, Forgetful, asks, grafana, healthy, level, prometheus, until

REPORTED = {
    "vault_audit_log_request_count": level(5),
    "vault_audit_log_request_failure": level(0),
    'trivy_image_vulnerabilities{severity="Critical"}': level(0),
}
"""What a stage does not report, and a team's own systems would."""


async def make(folder: Path, around: Around, *options: str) -> tuple[int, str]:
    """The command, as a person types it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tminus", "make", "dashboards", "--out", str(folder), "--push", "env:GRAFANA", *options),
        env={**os.environ, "GRAFANA": around.address},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode()


def forget(around: Around) -> None:
    for uid in list(around.store.dashboards):
        around.store.delete(uid)


async def look(around: Around, folder: Path, kind: str, **arguments: Any) -> Observation:
    system = probe.System(around.address, folder=folder, vouch=around.vouch)
    return await probe.dashboard.run(system, kind=kind, copy=f"{kind}.json", **arguments)


async def test_what_is_made_and_pushed_passes_when_it_is_looked_at(tmp_path: Path) -> None:
    made = tmp_path / "made"
    async with (
        prometheus(tmp_path / "measured", {**healthy(), **REPORTED}) as address,
        grafana(tmp_path, address) as around,
    ):
        forget(around)
        code, said = await make(made, around, "--json")
        assert code == 0, said
        told = {Path(one["file"]).stem: one["sha256"] for one in json.loads(said)["dashboards"]}
        around.confirm({"sha256": told["business"], "by": "Mara", "text": "stored, not tried"})
        confirmed = {"confirmed": str(around.folder / "confirmed.yaml"), "owner": "Mara"}
        for kind in KINDS:
            found = await look(around, made, kind, **(confirmed if kind == "business" else {}))
            assert (found.value, found.remarks) == ([], ()), kind
            board: Any = found.seen["dashboards"]
            (seen,) = board.values()
            assert seen["sha256"] == told[kind]
            assert all(panel["rows"] for panel in seen["panels"].values())
        # One that somebody changed is not written over, and is when that is wanted.
        around.edit("security", lambda model: model.update(refresh="1h"))
        code, said = await make(made, around)
        assert code == Exit.REFUSED
        assert "has another version of 'Security'" in said
        assert around.store.dashboards["tminus-security"].model["refresh"] == "1h"
        code, said = await make(made, around, "--force")
        assert code == 0, said
        assert around.store.dashboards["tminus-security"].model["refresh"] == "30s"
    assert address not in said


async def test_a_grafana_of_the_newer_structure_alone_is_looked_at_as_well(tmp_path: Path) -> None:
    async with (
        prometheus(tmp_path / "measured", healthy()) as address,
        grafana(tmp_path, address, newer=True) as around,
    ):
        found = await look(around, around.folder / "dashboards", "application")
        assert (found.value, found.remarks) == ([], ())
        gone = await probe.dashboard.run(probe.System(around.address), uid="nobody")
        assert gone.value == [
            "the dashboard nobody is missing: no dashboard has the uid nobody; import it from the repository"
        ]


async def test_values_of_variables_are_asked_for_as_the_page_does(tmp_path: Path) -> None:
    def select(model: dict[str, Any]) -> None:
        model["templating"]["list"] = [
            {"name": "ds", "type": "datasource", "query": "prometheus", "current": {}},
            {
                "name": "job", "type": "query", "query": {"query": "label_values(up, job)"}, "refresh": 1,
                "datasource": {"type": "prometheus", "uid": "${ds}"}, "current": {"value": "gone"},
            },
            {
                "name": "route", "type": "query", "query": 'label_values(depot_http_requests_total{job="$job"}, route)',
                "refresh": 2, "includeAll": True, "multi": True, "current": {},
            },
        ]  # fmt: skip
        for panel in model["panels"]:
            panel["datasource"] = {"type": "prometheus", "uid": "${ds}"}
            for target in panel["targets"]:
                target["datasource"] = panel["datasource"]
        selected = 'sum(rate(depot_http_requests_total{job="$job",route=~"$route"}[$__rate_interval]))'
        model["panels"][0]["targets"][0]["expr"] = selected

    async with prometheus(tmp_path / "measured", healthy()) as address, grafana(tmp_path, address) as around:
        around.edit("application", select)
        found = await probe.dashboard.run(probe.System(around.address), uid="tminus-application")
    assert found.value == []


async def test_a_title_that_several_have_is_not_guessed_at(tmp_path: Path) -> None:
    async with prometheus(tmp_path / "measured", healthy()) as address, grafana(tmp_path, address) as around:
        model = around.store.dashboards["tminus-application"].model
        for uid in ("a1", "a2"):
            around.store.save({"dashboard": {**model, "id": None, "uid": uid, "title": f"Application {uid}"}})
        system = probe.System(around.address)
        named = await probe.dashboard.run(system, kind="application")
        assert named.value == []
        assert named.remarks == (
            "nobody can say whether it was changed: name the repository's file as `copy`",
        )
        around.store.delete("tminus-application")
        several = (
            r"2 dashboards could be meant by 'application': Application a1 \(a1\), Application a2 \(a2\)"
        )
        with pytest.raises(InconclusiveError, match=several):
            await probe.dashboard.run(system, kind="application")


async def test_a_constant_behind_which_nothing_is_measured_is_no_data(tmp_path: Path) -> None:
    async with prometheus(tmp_path / "measured", healthy()) as address, grafana(tmp_path, address) as around:

        def fall_back(model: dict[str, Any]) -> None:
            model["panels"][1]["targets"][0]["expr"] = "sum(rate(shop_errors_total[1m])) or vector(0)"

        around.edit("application", fall_back)
        found = await probe.dashboard.run(
            probe.System(around.address), uid="tminus-application", kind="application"
        )
    assert isinstance(found.value, list)
    assert "it would show a constant, and nothing is measured" in str(found.value[0])
    assert "nothing shows errors" in str(found.value[0])


def _failures(model: dict[str, Any], text: str) -> None:
    asks(model, "Failed requests", text)


async def test_no_errors_are_zero_where_requests_are_measured(tmp_path: Path) -> None:
    async with prometheus(tmp_path / "measured", healthy()) as address, grafana(tmp_path, address) as around:
        failed = 'sum(rate(depot_http_requests_total{status=~"5.."}[1m]))'
        every = "sum(rate(depot_http_requests_total[1m]))"
        for text in (
            f"{failed} / {every}",
            f"{failed} / {every} or vector(0)",
            failed,
            f"{failed} or vector(0)",
        ):
            around.edit("application", partial(_failures, text=text))
            for side in ("", "green"):
                found = await probe.dashboard.run(
                    probe.System(around.address), uid="tminus-application", kind="application", side=side
                )
                assert found.value == [], (text, side)


async def test_sums_over_hidden_queries_show_data_of_a_side(tmp_path: Path) -> None:
    def add_up(model: dict[str, Any]) -> None:
        first = model["panels"][0]["targets"][0]
        over = {"type": "__expr__", "uid": "__expr__"}
        model["panels"][0]["targets"] = [
            {**first, "hide": True},
            {
                "refId": "B",
                "datasource": over,
                "type": "reduce",
                "expression": "A",
                "reducer": "last",
                "hide": True,
            },
            {"refId": "C", "datasource": over, "type": "math", "expression": "$B * 60"},
        ]
        model["panels"][0]["title"] = "Requests a minute"

    async with prometheus(tmp_path / "measured", healthy()) as address, grafana(tmp_path, address) as around:
        around.edit("application", add_up)
        for side in ("", "green"):
            found = await probe.dashboard.run(
                probe.System(around.address), uid="tminus-application", kind="application", side=side
            )
            assert found.value == [], side


async def test_where_the_label_cannot_be_seen_nothing_is_said_of_green(tmp_path: Path) -> None:
    async with (
        prometheus(tmp_path / "measured", healthy()) as address,
        grafana(tmp_path, address, kind=Forgetful) as around,
    ):
        with pytest.raises(InconclusiveError, match="have the label side could not be seen: query timed out"):
            await probe.dashboard.run(probe.System(around.address), uid="tminus-application", side="green")


async def test_what_was_measured_long_ago_is_dated(tmp_path: Path) -> None:
    measured = {series: until(points, 1800) for series, points in healthy().items()}
    async with prometheus(tmp_path / "measured", measured) as address, grafana(tmp_path, address) as around:
        found = await probe.dashboard.run(probe.System(around.address), uid="tminus-application", minutes=45)
        late = await probe.dashboard.run(probe.System(around.address), uid="tminus-application", minutes=5)
    assert found.value == []
    assert "the last value came" in str(late.value)


PUBLISHED = Path(__file__).parents[2].parent / "shared" / "corpora" / "dashboards"


async def test_every_published_dashboard_can_be_looked_at(tmp_path: Path) -> None:
    files = sorted(PUBLISHED.glob("*.json"))
    if not files:
        pytest.skip("the published dashboards are not beside this repository")
    async with prometheus(tmp_path / "measured", healthy()) as address, grafana(tmp_path, address) as around:
        system = probe.System(around.address)
        for number, file in enumerate(files):
            model = json.loads(file.read_text())
            model = {**model.get("dashboard", model), "id": None, "uid": f"published-{number}"}
            around.store.save({"dashboard": model})
            found = await probe.dashboard.run(system, uid=f"published-{number}")
            assert isinstance(found.value, list)
            seen: Any = found.seen
            # Some show figures of the machine that was measured; what they ask of others is empty, and nothing fails
            # for what the variables were saved with.
            assert seen["panels"] > 0, file.name
            assert not [one for one in found.value if "nothing is known for the variable" in str(one)], (
                file.name
            )
