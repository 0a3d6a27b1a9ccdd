"""The lines about the application's and the infrastructure's dashboards: each broken in one way, over real data."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tminus.domain.evidence import Claim, Verdict
from tminus.grafana.confirming import nobody
from tminus.wiring import dashboards

if TYPE_CHECKING:
    from tests.integration.alert_world import NOBODY
    from tests.integration.grafana_world import (
        Around,
        Lenient,
        Measured,
        asks,
        grafana,
        healthy,
        level,
        more_panels,
        panel,
        prometheus,
        remove,
        until,
        used,
        without,
    )
    from tests.integration.line_register import line
    from tests.integration.line_world import Scene, World, answering, fails, shows
else:
    from alert_world import NOBODY
    from grafana_world import (
        Around,
        Lenient,
        Measured,
        asks,
        grafana,
        healthy,
        level,
        more_panels,
        panel,
        prometheus,
        remove,
        until,
        used,
        without,
    )
    from line_register import line
    from line_world import Scene, World, answering, fails, shows

APP, INFRA = "dash.app", "dash.infra"
REQUESTS, FAILED, TIME, WAITS = "Requests", "Failed requests", "Time to answer", "Work that waits"


@pytest.fixture
async def around(tmp_path: Path) -> AsyncIterator[Around]:
    """A Grafana over a Prometheus that has measured a service which is well."""
    async with prometheus(tmp_path / "measured", healthy()) as address, grafana(tmp_path, address) as found:
        yield found


async def judged(world: World, tmp_path: Path, measured: Measured, check: str) -> Claim:
    """A line over what was measured, dashboards and all else as they should be."""
    async with prometheus(tmp_path / "measured", measured) as address, grafana(tmp_path, address) as found:
        return await found.seen(world.scene).judge(check)


def at(scene: Scene, address: str) -> Scene:
    return replace(
        scene,
        handles={
            "grafana": dashboards.maker(scene.plan, {"grafana": address}, nobody, scene.site.copies)(address)
        },
    )


@line(APP, "passed", "the stage's dashboard, as it was made, over its Prometheus while users are there")
@line(INFRA, "passed", "the stage's dashboard, as it was made, over its exporters")
async def test_the_stages_dashboards_show_data_in_each_panel(world: World) -> None:
    async with used(world):
        claims = await world.scene.judged(APP, INFRA)
    shows(claims[APP], Verdict.PASSED, "4 of 4 panels of Application show data")
    shows(claims[INFRA], Verdict.PASSED, "6 of 6 panels of Infrastructure show data")


async def test_what_was_seen_names_version_digest_and_each_panels_rows(world: World, around: Around) -> None:
    scene, check = around.seen(world.scene), world.scene.plan.check(APP)
    observed = await scene.systems().observe(check, check.arguments or {})
    seen: Any = observed.seen
    board = seen["dashboards"]["Application"]
    assert (seen["grafana"], board["uid"], board["version"]) == ("12.0.0", "tminus-application", 1)
    assert len(board["sha256"]) == 64
    assert {name: one["rows"] > 0 for name, one in board["panels"].items()} == {
        REQUESTS: True, FAILED: True, TIME: True, WAITS: True,
    }  # fmt: skip
    assert observed.material == {
        "dashboards": {"Application": {"uid": "tminus-application", "sha256": board["sha256"]}}
    }


@line(APP, "failed", "the dashboard was deleted", mutation=365)
@line(INFRA, "failed", "the dashboard was deleted", mutation=386)
@pytest.mark.parametrize(("check", "kind"), [(APP, "application"), (INFRA, "infrastructure")])
async def test_a_dashboard_that_was_deleted_fails(
    world: World, around: Around, check: str, kind: str
) -> None:
    around.store.delete(f"tminus-{kind}")
    claim = await around.seen(world.scene).judge(check)
    fails(claim, world.scene.plan, f"no dashboard has the uid tminus-{kind}", "import it from the repository")


@line(APP, "failed", "it was imported again under another uid", mutation=366)
async def test_a_dashboard_under_another_uid_fails_and_is_named(world: World, around: Around) -> None:
    model = around.store.delete("tminus-application").model
    around.store.save({"dashboard": {**model, "id": None, "uid": "other-uid", "version": 0}})
    claim = await around.seen(world.scene).judge(APP)
    fails(claim, world.scene.plan, "uid tminus-application; other-uid has the same title")


@line(APP, "failed", "it was saved without a panel", mutation=367)
async def test_an_empty_dashboard_fails_for_what_it_must_show(world: World, around: Around) -> None:
    around.edit("application", lambda model: model.update(panels=[]))
    claim = await around.seen(world.scene).judge(APP)
    fails(claim, world.scene.plan, "no panel shows rate; no panel shows errors", "duration", "saturation")
    assert "0 of 0" not in claim.why


@line(APP, "failed", "the panel of durations was removed", mutation=368)
async def test_a_panel_that_was_removed_fails(world: World, around: Around) -> None:
    around.edit("application", lambda model: remove(model, TIME))
    fails(await around.seen(world.scene).judge(APP), world.scene.plan, "no panel shows duration")


@line(APP, "failed", "the data source was deleted", mutation=369)
async def test_a_data_source_that_was_deleted_fails(world: World, around: Around) -> None:
    around.store.remove_source("prometheus")
    claim = await around.seen(world.scene).judge(APP)
    fails(claim, world.scene.plan, "data source prometheus of the panels .*: it is not there")


@line(APP, "failed", "the data source's address leads nowhere", mutation=370)
async def test_an_ill_data_source_fails_with_its_own_words(world: World, around: Around) -> None:
    around.source("prometheus", url=NOBODY, isDefault=True)
    claim = await around.seen(world.scene).judge(APP)
    fails(claim, world.scene.plan, "the data source prometheus .* is ill: Cannot connect to host")


@line(APP, "failed", "the data source leads to an empty Prometheus", mutation=371)
async def test_an_empty_prometheus_fails(world: World, tmp_path: Path) -> None:
    claim = await judged(world, tmp_path, {}, APP)
    fails(
        claim,
        world.scene.plan,
        f"nothing shows rate: the panel '{REQUESTS}' is empty",
        "nothing shows errors",
    )


@line(APP, "failed", "the error panel's query was broken by hand", mutation=372)
async def test_a_query_that_prometheus_cannot_read_fails(world: World, around: Around) -> None:
    around.edit(
        "application",
        lambda model: asks(model, FAILED, 'sum(rate(depot_http_requests_total{status=~"5.."}[5m])'),
    )
    claim = await around.seen(world.scene).judge(APP)
    fails(claim, world.scene.plan, f"'{FAILED}' fails: A: bad_data: .*parse error")


@line(APP, "failed", "Grafana answers 200, and a query in its answer has failed", mutation=373)
async def test_an_error_within_a_good_answer_fails(world: World, tmp_path: Path) -> None:
    async with (
        prometheus(tmp_path / "measured", healthy()) as address,
        grafana(tmp_path, address, kind=Lenient) as around,
    ):
        around.edit(
            "application", lambda model: asks(model, WAITS, "depot_backlog", "max by kind depot_backlog")
        )
        claim = await around.seen(world.scene).judge(APP)
    fails(claim, world.scene.plan, f"'{WAITS}' fails: B: bad_data")


@line(APP, "failed", "the metric of the saturation was renamed", mutation=374)
async def test_a_metric_that_was_renamed_fails_with_the_query(world: World, tmp_path: Path) -> None:
    measured = without(healthy(), "depot_backlog", "haproxy_backend_current_queue", "process_open_fds")
    claim = await judged(world, tmp_path, {**measured, 'depot_waiting{side="green"}': level(1)}, APP)
    fails(
        claim, world.scene.plan, "nothing shows saturation", "max by .side, kind. .depot_backlog", "within 1d"
    )


@line(APP, "failed", "a variable's default selects a job that no longer exists", mutation=375)
async def test_a_default_that_selects_nothing_is_named(world: World, around: Around) -> None:
    def selects(model: dict[str, Any]) -> None:
        known = {
            "name": "job",
            "type": "query",
            "query": "label_values(up, job)",
            "refresh": 0,
            "includeAll": True,
        }
        model["templating"]["list"] = [{**known, "current": {"text": "shop-old", "value": "shop-old"}}]
        asks(model, REQUESTS, 'sum(rate(depot_http_requests_total{job=~"$job"}[1m]))')

    around.edit("application", selects)
    claim = await around.seen(world.scene).judge(APP)
    fails(claim, world.scene.plan, f"'{REQUESTS}' is empty", "\\$job is 'shop-old'")


@line(APP, "failed", "the error panel lies in a folded row, and is empty", mutation=376)
async def test_a_panel_in_a_folded_row_is_not_passed_over(world: World, around: Around) -> None:
    def fold(model: dict[str, Any]) -> None:
        asks(model, FAILED, 'rate(depot_errors_total{status="5xx"}[1m])')
        inner = panel(model, FAILED)
        remove(model, FAILED)
        model["panels"].append(
            {"id": 50, "type": "row", "title": "More", "collapsed": True, "panels": [inner]}
        )

    around.edit("application", fold)
    fails(
        await around.seen(world.scene).judge(APP),
        world.scene.plan,
        f"nothing shows errors: .*'{FAILED}' is empty",
    )


async def test_a_library_panel_is_followed_and_missed_when_it_is_gone(world: World, around: Around) -> None:
    def borrow(model: dict[str, Any]) -> None:
        own = panel(model, FAILED)
        around.store.add_element({"uid": "lib1", "name": FAILED, "kind": 1, "model": dict(own)})
        place = {"id": own["id"], "gridPos": own["gridPos"], "libraryPanel": {"uid": "lib1", "name": FAILED}}
        model["panels"] = [place if one is own else one for one in model["panels"]]

    around.edit("application", borrow)
    around.keep("application")
    shows(await around.seen(world.scene).judge(APP), Verdict.PASSED)
    around.store.remove_element("lib1")
    claim = await around.seen(world.scene).judge(APP)
    fails(
        claim,
        world.scene.plan,
        f"'{FAILED}' is of the library, and lib1 is not there",
        "no panel shows errors",
    )


@line(APP, "failed", "every value of the durations is NaN", mutation=377)
async def test_nothing_but_nan_is_no_data(world: World, around: Around) -> None:
    around.edit(
        "application",
        lambda model: asks(model, TIME, "histogram_quantile(0.95, 0 * depot_http_request_seconds_bucket)"),
    )
    claim = await around.seen(world.scene).judge(APP)
    fails(claim, world.scene.plan, f"'{TIME}' is empty .*every value is NaN, which is no data")


@line(APP, "failed", "the scrape stopped 20 minutes ago", mutation=378)
async def test_data_that_ended_is_none_and_its_end_is_told(world: World, tmp_path: Path) -> None:
    measured = {series: until(points, 1260) for series, points in healthy().items()}
    claim = await judged(world, tmp_path, measured, APP)
    fails(claim, world.scene.plan, f"'{REQUESTS}' is empty", "the last value came (20|21|22) min ago")


@line(APP, "inconclusive", "the repository's copy is not there, or is no JSON", mutation=385)
@pytest.mark.parametrize("content", [None, "{not json"])
async def test_without_a_copy_there_is_nothing_to_compare_with(
    world: World, around: Around, content: str | None
) -> None:
    path = around.folder / "dashboards" / "application.json"
    path.unlink()
    if content is not None:
        path.write_text(content)
    claim = await around.seen(world.scene).judge(APP)
    shows(
        claim, Verdict.INCONCLUSIVE, "the copy dashboards/application.json (cannot be read|is no dashboard)"
    )


@line(APP, "passed", "(warned) somebody changed a panel's unit in the browser", mutation=379)
@line(INFRA, "passed", "(warned) thresholds were changed by hand and never taken back", mutation=396)
@pytest.mark.parametrize(
    ("check", "kind", "title"), [(APP, "application", FAILED), (INFRA, "infrastructure", "Disk in use")]
)
async def test_thresholds_that_were_changed_are_warned_of(
    world: World, around: Around, check: str, kind: str, title: str
) -> None:
    def change(model: dict[str, Any]) -> None:
        panel(model, title)["fieldConfig"]["defaults"]["thresholds"] = {"mode": "absolute", "steps": []}

    around.edit(kind, change)
    claim = await around.seen(world.scene).judge(check)
    shows(claim, Verdict.WARNED, f"the panel '{title}': fieldConfig.defaults.thresholds was added")
    assert "version" not in claim.why


@line(APP, "passed", "(warned) one of twenty panels is empty, and none of those that matter", mutation=380)
@line(APP, "failed", "two of twenty panels are empty, and none of those that matter", mutation=381)
@pytest.mark.parametrize("empty", [1, 2])
async def test_one_empty_panel_of_twenty_is_warned_of_and_two_fail(
    world: World, around: Around, empty: int
) -> None:
    asked = ["up"] * (16 - empty) + ["gone_metric"] * empty
    around.edit("application", lambda model: more_panels(model, asked))
    around.keep("application")
    claim = await around.seen(world.scene).judge(APP)
    if empty == 1:
        shows(claim, Verdict.WARNED, "the panel 'Further 16' is empty")
    else:
        fails(
            claim, world.scene.plan, "18 of 20 panels show data, and 95% must", "'Further 15'", "'Further 16'"
        )


@line(APP, "passed", "(warned) it asks anew every 15 minutes", mutation=382)
async def test_a_dashboard_that_seldom_asks_anew_is_warned_of(world: World, around: Around) -> None:
    around.edit("application", lambda model: model.update(refresh="15m"))
    around.keep("application")
    shows(
        await around.seen(world.scene).judge(APP),
        Verdict.WARNED,
        "only every 15m; set its refresh to 5m or less",
    )


@line(APP, "error", "the token was revoked", mutation=383)
@line(INFRA, "error", "the token was revoked")
@pytest.mark.parametrize("check", [APP, INFRA])
async def test_a_token_that_was_revoked_is_an_error_and_no_missing_dashboard(
    world: World, around: Around, check: str
) -> None:
    claim = await at(world.scene, f"http://:gone-token@{around.host}").judge(check)
    shows(claim, Verdict.ERROR, "refuses us: 401 .*Invalid API key", "service account's token")
    assert "gone-token" not in claim.why
    assert "missing" not in claim.why


async def test_a_login_page_is_no_answer(world: World) -> None:
    async with answering(200, "<html>Log in</html>") as where:
        claim = await at(world.scene, where).judge(APP)
    shows(claim, Verdict.INCONCLUSIVE, "is no JSON")


@line(APP, "error", "Grafana does not answer", mutation=384)
@line(INFRA, "error", "Grafana's proxy answers 502", mutation=398)
async def test_a_grafana_that_is_away_is_an_error(world: World) -> None:
    shows(await at(world.scene, NOBODY).judge(APP), Verdict.ERROR, "127.0.0.1:1", "is something listening")
    async with answering(502, "bad gateway") as where:
        shows(await at(world.scene, where).judge(INFRA), Verdict.ERROR, "answers 502")
