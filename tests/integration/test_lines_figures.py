"""The security's and the business' dashboards: what may be empty, what may not, and whose word figures need."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tminus.demo.parts import grafana as part
from tminus.domain.canonical import JsonValue
from tminus.domain.evidence import Verdict
from tminus.domain.plan import Check

if TYPE_CHECKING:
    from tests.integration.alert_world import NOBODY
    from tests.integration.grafana_world import (
        Around,
        asks,
        grafana,
        grows,
        healthy,
        panel,
        prometheus,
        remove,
        until,
        used,
    )
    from tests.integration.line_register import line
    from tests.integration.line_world import World, answering, fails, shows
else:
    from alert_world import NOBODY
    from grafana_world import Around, asks, grafana, grows, healthy, panel, prometheus, remove, until, used
    from line_register import line
    from line_world import World, answering, fails, shows

SEC, BIZ = "dash.sec", "dash.biz"
LOGINS, DENIED, BLOCKED = "Failed logins", "Requests without permission", "Requests that were stopped"
ALL_FIVE: list[JsonValue] = ["logins", "denied", "blocked", "audit", "vulnerabilities"]
ORDERS = "Documents stored"


@pytest.fixture
async def around(tmp_path: Path) -> AsyncIterator[Around]:
    """A Grafana over a Prometheus that has measured a service which is well."""
    async with prometheus(tmp_path / "measured", healthy()) as address, grafana(tmp_path, address) as found:
        yield found


def five(world: World) -> Check:
    """The line as the built-in plan has it: with the audit log and the scanner's counts."""
    check = world.scene.plan.check(SEC)
    return replace(check, arguments={**(check.arguments or {}), "panels": ALL_FIVE})


def logs(around: Around, title: str, **told: Any) -> None:
    """Let a security panel ask a log store."""
    around.source("logs", "loki", told=told)

    def ask(model: dict[str, Any]) -> None:
        found = panel(model, title)
        found["datasource"] = {"type": "loki", "uid": "logs"}
        query = '{app="shop"} |= "login failed" | status="401"'
        found["targets"] = [{"refId": "A", "datasource": found["datasource"], "expr": query}]

    around.edit("security", ask)


@line(SEC, "passed", "the stage's dashboard over its Prometheus while users are there")
@line(BIZ, "passed", "the stage's dashboard, whose version its owner has confirmed")
async def test_the_stages_dashboards_show_data_and_are_confirmed(world: World) -> None:
    async with used(world):
        claims = await world.scene.judged(SEC, BIZ)
    shows(claims[SEC], Verdict.PASSED, "3 of 3 panels of Security")
    shows(claims[BIZ], Verdict.PASSED, "5 of 5 panels of Business")


@line(SEC, "failed", "the dashboard was deleted", mutation=399)
@line(BIZ, "failed", "the dashboard was deleted after it was confirmed", mutation=416)
@pytest.mark.parametrize(("check", "kind"), [(SEC, "security"), (BIZ, "business")])
async def test_a_board_that_was_deleted_fails(world: World, around: Around, check: str, kind: str) -> None:
    around.store.delete(f"tminus-{kind}")
    fails(await around.seen(world.scene).judge(check), world.scene.plan, f"has the uid tminus-{kind}")


@line(SEC, "failed", "the panel of blocked requests was removed", mutation=400)
async def test_a_security_panel_that_was_removed_fails(world: World, around: Around) -> None:
    around.edit("security", lambda model: remove(model, BLOCKED))
    fails(await around.seen(world.scene).judge(SEC), world.scene.plan, "no panel shows blocked")


@line(SEC, "failed", "the panel of denials asks a log store that is ill", mutation=401)
async def test_an_ill_log_store_fails(world: World, around: Around) -> None:
    logs(around, DENIED, health="Unable to connect with Loki: 503")
    claim = await around.seen(world.scene).judge(SEC)
    fails(claim, world.scene.plan, f"the data source logs of the panels '{DENIED}' is ill: Unable to connect")


@line(SEC, "failed", "the log query of failed logins has an error in its pattern", mutation=402)
@line(SEC, "failed", "the log store refuses who asks", mutation=403)
@pytest.mark.parametrize(
    "error", ["parse error : missing closing ')'", "403: no permissions for [indices:audit]"]
)
async def test_an_event_panel_may_be_empty_and_must_not_fail(
    world: World, around: Around, error: str
) -> None:
    logs(around, LOGINS, error=error, status=400)
    claim = await around.seen(world.scene).judge(SEC)
    fails(claim, world.scene.plan, f"'{LOGINS}' fails: A: {error[:12]}")


@line(SEC, "failed", "the scanner's exporter is gone", mutation=404)
async def test_counts_of_vulnerabilities_are_a_level_and_no_event(world: World, tmp_path: Path) -> None:
    measured = {
        **healthy(),
        "vault_audit_log_request_count": grows(1),
        "vault_audit_log_request_failure": grows(0),
    }
    async with (
        prometheus(tmp_path / "measured", measured) as address,
        grafana(tmp_path, address, whole=True) as around,
    ):
        claim = await around.seen(world.scene).judge(five(world))
    fails(
        claim, world.scene.plan, "nothing shows vulnerabilities: the panel 'Known vulnerabilities' is empty"
    )
    assert "'Audit log'" not in claim.why


@line(SEC, "failed", "a panel names the data source of another Grafana", mutation=405)
async def test_a_data_source_of_another_grafana_is_missed(world: World, around: Around) -> None:
    def rename(model: dict[str, Any]) -> None:
        for target in panel(model, DENIED)["targets"]:
            target["datasource"] = {"type": "prometheus", "uid": "P0LD"}

    around.edit("security", rename)
    claim = await around.seen(world.scene).judge(SEC)
    fails(claim, world.scene.plan, f"the data source P0LD of the panels '{DENIED}' is ill: it is not there")


@line(SEC, "passed", "(warned) nobody was refused for a day", mutation=406)
@line(SEC, "passed", "(warned) the metric of failed logins was renamed", mutation=407)
@pytest.mark.parametrize(
    ("title", "asked", "said"),
    [
        (DENIED, 'rate(depot_http_requests_total{status=~"401|403"}[1m])', "is empty"),
        (LOGINS, "rate(depot_login_failures_total[1m])", "no value of depot_login_failures_total within 1d"),
    ],
)
async def test_an_empty_event_panel_is_warned_of(
    world: World, around: Around, title: str, asked: str, said: str
) -> None:
    around.edit("security", lambda model: asks(model, title, asked))
    around.keep("security")
    claim = await around.seen(world.scene).judge(SEC)
    shows(claim, Verdict.WARNED, f"the panel '{title}' is empty", said, "see whether anything would fill it")


@line(SEC, "failed", "all five panels are empty at once", mutation=408)
async def test_when_every_panel_is_empty_it_is_no_calm(world: World, tmp_path: Path) -> None:
    async with (
        prometheus(tmp_path / "measured", {}) as address,
        grafana(tmp_path, address, whole=True) as around,
    ):
        claim = await around.seen(world.scene).judge(five(world))
        three = await around.seen(world.scene).judge(SEC)
    fails(claim, world.scene.plan, "no panel shows any data, and that is no calm")
    fails(three, world.scene.plan, "no panel shows any data, and that is no calm")


@line(SEC, "passed", "(warned) a filter was added by hand", mutation=409)
async def test_a_filter_by_hand_is_warned_of(world: World, around: Around) -> None:
    asked = 'sum(rate(depot_http_requests_total{status=~"401|403",instance!="10.0.0.1"}[1m])) or 0 * sum(up)'
    around.edit("security", lambda model: asks(model, DENIED, asked))
    claim = await around.seen(world.scene).judge(SEC)
    shows(claim, Verdict.WARNED, f"not the repository's copy: the panel '{DENIED}': targets.expr was changed")


@line(SEC, "error", "the token was revoked", mutation=410)
@line(BIZ, "error", "Grafana does not answer")
async def test_who_is_not_let_in_sees_nothing(world: World, around: Around) -> None:
    revoked = replace(around, address=f"http://:revoked@{around.host}")
    shows(await revoked.seen(world.scene).judge(SEC), Verdict.ERROR, "refuses us: 401")
    shows(
        await replace(around, address=NOBODY).seen(world.scene).judge(BIZ),
        Verdict.ERROR,
        "something listening",
    )


@line(SEC, "inconclusive", "what answers is no Grafana")
async def test_a_page_is_no_security_dashboard(world: World, around: Around) -> None:
    async with answering(200, "<html></html>") as where:
        claim = await replace(around, address=where).seen(world.scene).judge(SEC)
    shows(claim, Verdict.INCONCLUSIVE, "is no JSON")


@line(BIZ, "failed", "nobody has confirmed what the figures mean", mutation=411)
async def test_without_a_confirmation_it_fails(world: World, around: Around) -> None:
    around.confirm()
    claim = await around.seen(world.scene).judge(BIZ)
    fails(
        claim,
        world.scene.plan,
        "nobody has confirmed what the figures of this version mean",
        f"{part.OWNER} must",
    )


@line(BIZ, "failed", "it was edited after the confirmation", mutation=412)
@line(BIZ, "failed", "its panels stand in another order than those that were confirmed", mutation=420)
@pytest.mark.parametrize("how", ["another query", "another order"])
async def test_another_version_than_the_confirmed_one_fails(world: World, around: Around, how: str) -> None:
    def change(model: dict[str, Any]) -> None:
        if how == "another query":
            asks(model, ORDERS, 'sum by (side) (rate(depot_http_requests_total{route="/documents"}[1m]))')
        else:
            model["panels"] = model["panels"][::-1]

    around.edit("business", change)
    claim = await around.seen(world.scene).judge(BIZ)
    words = f"{part.OWNER} confirmed another version, sha256 {part.CONFIRMED}"
    told = (
        f"'{ORDERS}': targets.expr was changed" if how == "another query" else "panels stand in another order"
    )
    fails(
        claim,
        world.scene.plan,
        "sha256 [0-9a-f]{64}",
        words,
        f"since the version that was confirmed: .*{told}",
    )


@line(BIZ, "failed", "somebody else than its owner has confirmed it", mutation=413)
async def test_the_word_of_another_does_not_count(world: World, around: Around) -> None:
    around.confirm({"sha256": part.CONFIRMED, "by": "Ivo Kern", "text": "as I built it"})
    claim = await around.seen(world.scene).judge(BIZ)
    fails(
        claim,
        world.scene.plan,
        f"Ivo Kern has confirmed this version, and the word of {part.OWNER} is needed",
    )


@line(BIZ, "failed", "the word was given in the owner's name by another", mutation=414)
async def test_a_word_that_another_signed_in_the_owners_name_does_not_count(
    world: World, around: Around
) -> None:
    around.confirm({"sha256": part.CONFIRMED, "by": part.OWNER, "text": "as I built it"}, key="Ivo Kern")
    claim = await around.seen(world.scene).judge(BIZ)
    words = f"the word of {part.OWNER} does not count: it is signed with the key of Ivo Kern"
    fails(claim, world.scene.plan, words, f"{part.OWNER} must say it: tminus confirm")


async def test_a_word_that_nobody_signed_does_not_count(world: World, around: Around) -> None:
    around.unsign()
    claim = await around.seen(world.scene).judge(BIZ)
    fails(claim, world.scene.plan, f"the word of {part.OWNER} does not count: nobody has signed it")


@line(BIZ, "inconclusive", "this machine trusts nobody's key")
async def test_without_a_trust_root_nobody_can_tell_whose_word_it_is(world: World, around: Around) -> None:
    around.trust.unlink()
    claim = await around.seen(world.scene).judge(BIZ)
    shows(claim, Verdict.INCONCLUSIVE, "whose word it is cannot be told: .*trust.json is not there")


async def test_a_confirmation_without_a_text_does_not_count(world: World, around: Around) -> None:
    around.confirm({"sha256": part.CONFIRMED, "by": part.OWNER})
    claim = await around.seen(world.scene).judge(BIZ)
    fails(claim, world.scene.plan, f"the word of {part.OWNER} is without a text, so it does not count")


@line(BIZ, "failed", "a column was renamed, and the panel's SQL fails", mutation=415)
@line(BIZ, "failed", "the data source's user may no longer read the table", mutation=419)
@pytest.mark.parametrize("error", ['column "total" does not exist', "permission denied for table orders"])
async def test_an_error_of_the_database_fails(world: World, around: Around, error: str) -> None:
    around.source("sales", "postgres", told={"error": f"pq: {error}", "status": 400})

    def ask(model: dict[str, Any]) -> None:
        for one in model["panels"]:
            one["datasource"] = {"type": "postgres", "uid": "sales"}
            one["targets"] = [{"refId": "A", "rawSql": "SELECT total FROM orders", "format": "table"}]

    around.edit("business", ask)
    claim = await around.seen(world.scene).judge(BIZ)
    fails(claim, world.scene.plan, f"the panel '{ORDERS}' fails: A: pq: {error}")


@line(BIZ, "failed", "nothing of the last 15 minutes is there", mutation=417)
async def test_data_that_stopped_an_hour_ago_fails(world: World, tmp_path: Path) -> None:
    measured = {series: until(points, 1800) for series, points in healthy().items()}
    async with prometheus(tmp_path / "measured", measured) as address, grafana(tmp_path, address) as around:
        claim = await around.seen(world.scene).judge(BIZ)
    fails(
        claim,
        world.scene.plan,
        "0 of 5 panels show data",
        f"'{ORDERS}' is empty",
        "last value came (29|30|31) min ago",
    )


@line(BIZ, "failed", "the variable's default is a shop that was closed", mutation=418)
async def test_a_shop_that_was_closed_is_named(world: World, around: Around) -> None:
    def selects(model: dict[str, Any]) -> None:
        shops = {"name": "shop", "type": "custom", "query": "north,south", "current": {"value": "north"}}
        model["templating"]["list"] = [shops]
        for title in (ORDERS, "Files uploaded"):
            asks(model, title, 'sum(rate(depot_http_requests_total{shop="$shop"}[1m]))')

    around.edit("business", selects)
    claim = await around.seen(world.scene).judge(BIZ)
    fails(claim, world.scene.plan, f"'{ORDERS}' is empty", r"\$shop is 'north'", "'Files uploaded' is empty")


@line(BIZ, "passed", "(warned) it asks anew once an hour", mutation=421)
async def test_once_an_hour_is_warned_of(world: World, around: Around) -> None:
    around.edit("business", lambda model: model.update(refresh="1h"))
    around.keep("business")
    sha = await _sha(around, world)
    around.confirm({"sha256": sha, "by": part.OWNER, "text": "as before"})
    shows(await around.seen(world.scene).judge(BIZ), Verdict.WARNED, "only every 1h", "5m or less")


async def _sha(around: Around, world: World) -> str:
    scene, check = around.seen(world.scene), world.scene.plan.check(BIZ)
    found: Any = (await scene.systems().observe(check, check.arguments or {})).seen
    return str(found["dashboards"]["Business"]["sha256"])


@line(BIZ, "inconclusive", "the record of confirmations cannot be read", mutation=422)
@pytest.mark.parametrize("content", [None, "- [unclosed", "just words"])
async def test_a_record_that_cannot_be_read_shows_nothing(
    world: World, around: Around, content: str | None
) -> None:
    path = around.folder / "confirmed.yaml"
    path.unlink()
    if content is not None:
        path.write_text(content)
    claim = await around.seen(world.scene).judge(BIZ)
    shows(claim, Verdict.INCONCLUSIVE, "confirmed.yaml (cannot be read|are no YAML|holds no list)")
