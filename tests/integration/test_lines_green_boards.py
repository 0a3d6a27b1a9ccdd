"""The lines about dashboards after the launch: what they show of green, and of nobody else."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tminus.domain.evidence import Claim, Verdict
from tminus.domain.plan import Check

if TYPE_CHECKING:
    from tests.integration.alert_world import NOBODY
    from tests.integration.grafana_world import (
        Around,
        Measured,
        asks,
        grafana,
        healthy,
        level,
        prometheus,
        until,
        used,
        without,
    )
    from tests.integration.line_register import line
    from tests.integration.line_world import World, answering, fails, shows
else:
    from alert_world import NOBODY
    from grafana_world import (
        Around,
        Measured,
        asks,
        grafana,
        healthy,
        level,
        prometheus,
        until,
        used,
        without,
    )
    from line_register import line
    from line_world import World, answering, fails, shows

OK, REVIEW = "ok.dash", "t1.dash"
REQUESTS, FAILED, TIME, WAITS = "Requests", "Failed requests", "Time to answer", "Work that waits"


@pytest.fixture
async def around(tmp_path: Path) -> AsyncIterator[Around]:
    """A Grafana over a Prometheus that has measured both sides of a service which is well."""
    async with prometheus(tmp_path / "measured", healthy()) as address, grafana(tmp_path, address) as found:
        yield found


async def judged(world: World, tmp_path: Path, measured: Measured, check: str = OK) -> Claim:
    async with prometheus(tmp_path / "measured", measured) as address, grafana(tmp_path, address) as found:
        return await found.seen(world.scene).judge(check)


def coloured(world: World) -> Check:
    """The line for a service whose sides are told apart by their colour."""
    check = world.scene.plan.check(OK)
    return replace(check, arguments={"side": "green", "label": "color"})


def by_colour(measured: Measured) -> Measured:
    return {series.replace("side=", "color="): points for series, points in measured.items()}


@line(OK, "passed", "every dashboard of the stage, by green's series alone, while users are there")
@line(REVIEW, "passed", "every dashboard of the stage, by green's series alone, while users are there")
async def test_every_dashboard_shows_greens_data(world: World) -> None:
    async with used(world):
        claims = await world.scene.judged(OK, REVIEW)
    for claim in claims.values():
        shows(
            claim,
            Verdict.PASSED,
            "18 of 18 panels of Application, Infrastructure, Security, Business .*of green",
        )


async def test_what_each_panel_shows_of_green_is_kept(world: World, around: Around) -> None:
    scene = around.seen(world.scene)
    both, green = [
        (await scene.systems().observe(scene.plan.check(OK), arguments)).seen["dashboards"]
        for arguments in ({"kind": "application"}, {"side": "green"})
    ]
    assert isinstance(both, dict)
    assert isinstance(green, dict)
    rows: list[Any] = [one["Application"] for one in (both, green)]
    shown = [board["panels"][REQUESTS]["rows"] for board in rows]
    assert shown[0] == 2 * shown[1] > 0


@line(OK, "failed", "the panels select blue alone", mutation=437)
async def test_panels_that_select_blue_show_nothing_of_green(world: World, tmp_path: Path) -> None:
    async with (
        prometheus(tmp_path / "measured", by_colour(healthy())) as address,
        grafana(tmp_path, address) as around,
    ):
        asked = 'sum(rate(depot_http_requests_total{color="blue"}[1m]))'
        around.edit("application", lambda model: asks(model, REQUESTS, asked))
        claim = await around.seen(world.scene).judge(coloured(world))
    fails(
        claim,
        world.scene.plan,
        f"Application: nothing shows rate: the panel '{REQUESTS}' is empty",
        'color="green"',
    )


@line(OK, "failed", "the variable's default is blue", mutation=438)
async def test_a_default_that_is_blue_is_named(world: World, around: Around) -> None:
    def selects(model: dict[str, Any]) -> None:
        sides = {"name": "which", "type": "custom", "query": "blue,green", "current": {"value": "blue"}}
        model["templating"]["list"] = [sides]
        asks(model, REQUESTS, 'sum(rate(depot_http_requests_total{side="$which"}[1m]))')

    around.edit("application", selects)
    claim = await around.seen(world.scene).judge(OK)
    fails(claim, world.scene.plan, f"'{REQUESTS}' is empty", r"\$which is 'blue'")


@line(OK, "failed", "green is not scraped, and blue fills every panel", mutation=439)
async def test_a_green_that_is_not_scraped_is_missed(world: World, tmp_path: Path) -> None:
    claim = await judged(world, tmp_path, without(healthy(), 'side="green"'))
    fails(
        claim,
        world.scene.plan,
        f"'{REQUESTS}' is empty",
        f"nothing shows errors: the panel '{FAILED}'",
        "duration",
    )


@line(OK, "failed", "no series has the label that tells green from blue", mutation=440)
async def test_without_the_label_nothing_can_be_told_to_be_greens(world: World, tmp_path: Path) -> None:
    bare = {
        series.replace(',side="green"', ""): points
        for series, points in healthy().items()
        if "blue" not in series
    }
    claim = await judged(world, tmp_path, bare)
    fails(
        claim,
        world.scene.plan,
        "none of it can be told to be green's|is empty",
        "Application: nothing shows rate",
    )


@line(OK, "failed", "a sum without any side is full of blue's data", mutation=441)
async def test_a_sum_without_a_side_is_nobodys(world: World, tmp_path: Path) -> None:
    measured = {**healthy(), 'depot:requests:rate1m{job="depot"}': level(20)}
    async with prometheus(tmp_path / "measured", measured) as address, grafana(tmp_path, address) as around:
        around.edit(
            "application", lambda model: asks(model, REQUESTS, "sum(rate(depot:requests:rate1m[1m]))")
        )
        claim = await around.seen(world.scene).judge(OK)
    fails(
        claim,
        world.scene.plan,
        f"nothing shows rate of green: the panel '{REQUESTS}' shows data, and none of it",
    )


@line(OK, "failed", "the recording rule behind the durations stopped with the rollout", mutation=442)
async def test_a_recording_rule_that_stopped_is_missed(world: World, tmp_path: Path) -> None:
    rule = {f'depot:latency:p95{{side="{side}"}}': level(0.2) for side in ("blue", "green")}
    rule['depot:latency:p95{side="green"}'] = until(level(0.2), 1500)
    async with (
        prometheus(tmp_path / "measured", {**healthy(), **rule}) as address,
        grafana(tmp_path, address) as around,
    ):
        around.edit("application", lambda model: asks(model, TIME, "depot:latency:p95"))
        claim = await around.seen(world.scene).judge(OK)
    fails(claim, world.scene.plan, f"nothing shows duration: the panel '{TIME}' is empty")


@line(OK, "failed", "green fills every panel but the saturation", mutation=443)
async def test_a_saturation_that_green_does_not_tell_is_missed(world: World, tmp_path: Path) -> None:
    claim = await judged(world, tmp_path, without(healthy(), 'depot_backlog{job="depot",side="green"'))
    fails(claim, world.scene.plan, "nothing shows saturation")


@line(OK, "failed", "green's newest value is 25 minutes old", mutation=444)
async def test_the_age_of_greens_newest_value_is_told(world: World, tmp_path: Path) -> None:
    measured = {
        series: until(points, 1500) if 'side="green"' in series else points
        for series, points in healthy().items()
    }
    claim = await judged(world, tmp_path, measured)
    fails(claim, world.scene.plan, f"'{REQUESTS}' is empty", "the last value came (24|25|26) min ago")


@line(OK, "failed", "green gets no requests, and every value is NaN", mutation=445)
async def test_zero_by_zero_is_no_data(world: World, tmp_path: Path) -> None:
    measured = {
        series: level(5.0) if 'side="green"' in series and "depot_http" in series else points
        for series, points in healthy().items()
    }
    claim = await judged(world, tmp_path, measured)
    fails(claim, world.scene.plan, f"'{TIME}' is empty .*every value is NaN, which is no data")


@line(OK, "failed", "the data source became ill after T-0", mutation=446)
async def test_a_data_source_that_became_ill_fails(world: World, around: Around) -> None:
    around.source("prometheus", url=NOBODY, isDefault=True)
    claim = await around.seen(world.scene).judge(OK)
    fails(claim, world.scene.plan, "Application: the data source prometheus .* is ill: Cannot connect")


@line(OK, "failed", "a dashboard was deleted after T-0", mutation=447)
async def test_a_dashboard_that_is_gone_is_named_among_the_others(world: World, around: Around) -> None:
    around.store.delete("tminus-security")
    fails(
        await around.seen(world.scene).judge(OK),
        world.scene.plan,
        "security.json is missing: .*tminus-security",
    )


@line(OK, "passed", "(warned) a panel of rare events is empty for green", mutation=448)
async def test_an_empty_event_panel_of_green_is_warned_of(world: World, around: Around) -> None:
    asked = 'rate(depot_http_requests_total{status=~"401|403"}[1m])'
    around.edit("security", lambda model: asks(model, "Requests without permission", asked))
    claim = await around.seen(world.scene).judge(OK)
    shows(claim, Verdict.WARNED, "Security: the panel 'Requests without permission' is empty")


@line(OK, "inconclusive", "the plan names no dashboard, or no label tells the sides apart", mutation=449)
@line(REVIEW, "inconclusive", "the plan names no dashboard")
async def test_without_a_dashboard_or_a_label_nothing_is_looked_at(world: World, around: Around) -> None:
    alone = around.seen(world.scene, world.scene.plan.check(OK))
    for check in (OK, REVIEW):
        claim = await alone.judge(check)
        shows(claim, Verdict.INCONCLUSIVE, "no line of the plan names a dashboard")
    unknown = replace(world.scene.plan.check(OK), arguments={"side": "green", "label": ""})
    claim = await around.seen(world.scene).judge(unknown)
    shows(claim, Verdict.INCONCLUSIVE, "the label '' tells no side from another")


@line(OK, "error", "Grafana does not answer, or its query address", mutation=450)
@line(REVIEW, "error", "Grafana does not answer", mutation=435)
async def test_a_grafana_that_is_gone_is_an_error(world: World, around: Around) -> None:
    gone = replace(around, address=NOBODY).seen(world.scene)
    for check in (OK, REVIEW):
        shows(await gone.judge(check), Verdict.ERROR, "127.0.0.1:1")
    async with answering(503, "no") as where:
        shows(
            await replace(around, address=where).seen(world.scene).judge(OK),
            Verdict.ERROR,
            "its own|answers 503|JSON",
        )


@line(REVIEW, "failed", "a required panel has no data at T+1h, whatever anybody has said", mutation=434)
async def test_a_review_fails_without_the_data(world: World, tmp_path: Path) -> None:
    claim = await judged(
        world,
        tmp_path,
        without(healthy(), 'depot_http_request_seconds_bucket{job="depot",side="green"'),
        REVIEW,
    )
    fails(claim, world.scene.plan, f"Application: nothing shows duration: the panel '{TIME}' is empty")
