"""Lines about where alerts go: the real Alertmanager, with its own routes and with worse ones, and what arrives."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tminus import processes
from tminus.alerting import alertmanager as api_kit
from tminus.alerting import prometheus as prometheus_kit
from tminus.domain.evidence import Verdict
from tminus.http import connect
from tminus.probes import alertmanager
from tminus.wiring import SystemClock

if TYPE_CHECKING:
    from tests.integration.alert_world import NOBODY, Rules, address, routed, ruled, silenced, threshold
    from tests.integration.line_register import line
    from tests.integration.line_world import Scene, World, answering, fails, shows
else:
    from alert_world import NOBODY, Rules, address, routed, ruled, silenced, threshold
    from line_register import line
    from line_world import Scene, World, answering, fails, shows

LINES = ("route.all", "route.pd", "route.slack", "route.email", "t1.alerts", "ok.noalerts")
DRILLS = LINES[1:5]


@pytest.fixture(autouse=True)
async def watched(world: World) -> None:
    """The always firing alert has arrived."""

    async def fires() -> bool:
        async with api_kit.asking(address(world.scene, "ALERTMANAGER")) as api:
            return bool(await api.alerts('alertname="Watchdog"'))

    await processes.wait_until(fires, 20, "the always firing alert")


def in_a_hurry(scene: Scene, *names: str, seconds: int = 2) -> Scene:
    """The scene with drills that wait less long for what will not come."""
    checks = tuple(
        replace(check, arguments={**(check.arguments or {}), "seconds": seconds})
        if check.id in names
        else check
        for check in scene.plan.checks
    )
    return replace(scene, plan=replace(scene.plan, checks=checks))


def receiver(config: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in config["receivers"] if one["name"] == name)
    return found


class TestWell:
    @line("route.all", "passed", "the stage's routes and its ten rules")
    @line("route.pd", "passed", "a marked alert opened an incident at the stand-in")
    @line("route.slack", "passed", "a marked warning stood in the stand-in's channel, and paged nobody")
    @line("route.email", "passed", "a marked mail lay in the stand-in's mailbox")
    @line("t1.alerts", "passed", "a marked critical alert about green arrived at all three")
    @line("ok.noalerts", "passed", "nothing fires but the alert that always does")
    async def test_every_line_passes(self, world: World) -> None:
        scene = world.scene
        await _quiet(scene)
        for claim in (await scene.judged(*LINES)).values():
            shows(claim, Verdict.PASSED)

    async def test_a_drill_leaves_nothing_behind(self, world: World) -> None:
        await world.scene.judged(*DRILLS)
        async with api_kit.asking(address(world.scene, "ALERTMANAGER")) as api:
            assert await api.alerts('tminus="drill"') == []
        base = address(world.scene, "PAGER")
        token = base.partition("reader:")[2].partition("@")[0]

        async def over() -> bool:
            async with connect(base.replace(f"reader:{token}@", "")) as http:
                reply = await http.ask(
                    "GET", "/incidents?limit=100", headers={"Authorization": f"Token token={token}"}
                )
            mine = [one for one in reply.json()["incidents"] if "TminusDrill" in one["title"]]
            return bool(mine) and {one["status"] for one in mine} == {"resolved"}

        await processes.wait_until(over, 20, "the drills' incidents to be resolved")


class TestRoutes:
    @line("route.all", "failed", "the route of critical alerts is gone", mutation=222)
    async def test_a_critical_rule_that_pages_nobody_fails(self, world: World) -> None:
        async with routed(world, lambda config: config["route"]["routes"].pop(0)):
            claim = await world.scene.judge("route.all")
        fails(claim, world.scene.plan, "ApiDown is critical and pages nobody: it goes to channel")

    @line("route.all", "failed", "a route that takes everything stands before the critical one", mutation=223)
    async def test_a_route_that_nothing_reaches_fails(self, world: World) -> None:
        def change(config: dict[str, Any]) -> None:
            everything = {"matchers": ['severity=~".*"'], "receiver": "channel"}
            config["route"]["routes"].insert(0, everything)

        async with routed(world, change):
            claim = await world.scene.judge("route.all")
        fails(claim, world.scene.plan, "ApiDown is critical and pages nobody")
        seen = await _routes(world.scene)
        assert seen == []

    @line("route.all", "failed", "the receiver of warnings has no integration", mutation=224)
    async def test_a_receiver_that_tells_nobody_fails(self, world: World) -> None:
        async with routed(world, lambda config: receiver(config, "channel").pop("slack_configs")):
            claim = await world.scene.judge("route.all")
        fails(claim, world.scene.plan, "ErrorRateWarning tells nobody: channel has no integration")

    @line("route.all", "failed", "warnings go to the receiver that pages", mutation=225)
    async def test_a_warning_that_pages_fails(self, world: World) -> None:
        def change(config: dict[str, Any]) -> None:
            config["route"]["routes"][1]["receiver"] = "on-call"

        async with routed(world, change):
            claim = await world.scene.judge("route.all")
        fails(claim, world.scene.plan, "ErrorRateWarning is a warning and pages: it goes to on-call")

    @line("route.all", "inconclusive", "Prometheus has loaded no rule with a severity")
    async def test_no_rules_prove_nothing(self, world: World) -> None:
        def change(rules: Rules) -> None:
            for name in [name for name in rules if name != "watchdog"]:
                del rules[name]

        async with ruled(world, change):
            shows(await world.scene.judge("route.all"), Verdict.INCONCLUSIVE, "no rule with severity")


async def _routes(scene: Scene) -> list[str]:
    """The routes of the loaded tree that nothing reaches."""
    async with api_kit.asking(address(scene, "ALERTMANAGER")) as api:
        return [str(one) for one in (await api.tree()).unreachable]


class TestDrills:
    @line("route.pd", "failed", "PagerDuty refuses the events: the key was changed", mutation=226)
    async def test_a_pager_that_refuses_fails(self, world: World) -> None:
        def change(config: dict[str, Any]) -> None:
            receiver(config, "on-call")["pagerduty_configs"][0]["routing_key"] = "revoked"

        scene = in_a_hurry(world.scene, "route.pd")
        async with routed(world, change):
            claim = await scene.judge("route.pd")
        fails(claim, scene.plan, "it did not arrive at pager within 2 s")

    @line("route.slack", "failed", "Slack refuses the messages: the webhook was revoked", mutation=228)
    async def test_a_channel_that_refuses_fails(self, world: World) -> None:
        def change(config: dict[str, Any]) -> None:
            for name in ("on-call", "channel"):
                receiver(config, name)["slack_configs"][0]["api_url"] += "-revoked"

        scene = in_a_hurry(world.scene, "route.slack")
        async with routed(world, change):
            claim = await scene.judge("route.slack")
        fails(claim, scene.plan, "it did not arrive at chat within 2 s")

    @line("route.slack", "failed", "warnings page as well", mutation=229)
    async def test_a_warning_that_pages_as_well_fails(self, world: World) -> None:
        def change(config: dict[str, Any]) -> None:
            config["route"]["routes"][1]["receiver"] = "on-call"

        async with routed(world, change):
            claim = await world.scene.judge("route.slack")
        fails(claim, world.scene.plan, "it is a warning, and pager was paged")

    @line("route.email", "failed", "the mail server does not listen", mutation=230)
    async def test_a_mail_server_that_is_away_fails(self, world: World) -> None:
        def change(config: dict[str, Any]) -> None:
            config["global"]["smtp_smarthost"] = "127.0.0.1:1"

        scene = in_a_hurry(world.scene, "route.email")
        async with routed(world, change):
            claim = await scene.judge("route.email")
        fails(claim, scene.plan, "it did not arrive at mail within 2 s")

    @line("route.email", "failed", "mail was taken out of the receiver", mutation=231)
    async def test_a_receiver_without_mail_fails(self, world: World) -> None:
        scene = in_a_hurry(world.scene, "route.email")
        async with routed(world, lambda config: receiver(config, "on-call").pop("email_configs")):
            claim = await scene.judge("route.email")
        fails(claim, scene.plan, "it did not arrive at mail within 2 s")

    @line("route.pd", "failed", "a silence covers critical alerts", mutation=227)
    async def test_a_silence_fails_and_is_named(self, world: World) -> None:
        async with silenced(world.scene, "severity", "critical"):
            claim = await world.scene.judge("route.pd")
        fails(claim, world.scene.plan, "is silenced by dario: we are moving house")

    @line("t1.alerts", "failed", "critical alerts are inhibited by another one", mutation=234)
    async def test_an_inhibition_fails(self, world: World) -> None:
        def change(config: dict[str, Any]) -> None:
            rule = {"source_matchers": ['alertname="Watchdog"'], "target_matchers": ['severity="critical"']}
            config["inhibit_rules"] = [rule]

        async with routed(world, change):
            claim = await world.scene.judge("t1.alerts")
        fails(claim, world.scene.plan, "is inhibited by another alert")

    @line("t1.alerts", "failed", "the always firing alert is gone", mutation=232)
    @line("ok.noalerts", "inconclusive", "the always firing alert does not arrive", mutation=237)
    async def test_a_dead_man_who_is_gone_is_told(self, world: World) -> None:
        def change(rules: Rules) -> None:
            threshold(rules["watchdog"], "vector(1)", "vector(1) > 1")

        async with ruled(world, change):
            await _gone(world.scene, "Watchdog")
            claims = await world.scene.judged("t1.alerts", "ok.noalerts")
        fails(claims["t1.alerts"], world.scene.plan, "the always firing Watchdog is gone")
        shows(claims["ok.noalerts"], Verdict.INCONCLUSIVE, "so silence means nothing")

    @line("t1.alerts", "failed", "a rule looks at blue only", mutation=233)
    async def test_rules_that_do_not_look_at_green_fail(self, world: World) -> None:
        def change(rules: Rules) -> None:
            rule = rules["alert.crit.p95"]
            rule["expr"] = rule["expr"].replace('job="depot"', 'job="depot",side="blue"')

        async with ruled(world, change):
            claim = await world.scene.judge("t1.alerts")
        fails(claim, world.scene.plan, "AnswersSlowCritical looks at blue and not at green")

    @line("route.pd", "inconclusive", "what answers in the pager's place lists no incidents")
    @line("route.slack", "inconclusive", "what answers in the channel's place lists no messages")
    @line("route.email", "inconclusive", "what answers in the mailbox's place lists no mail")
    @line("t1.alerts", "inconclusive", "what answers in the receivers' place lists nothing")
    async def test_receivers_that_say_nothing_prove_nothing(self, world: World) -> None:
        async with answering(200, "{}") as nothing:
            scene = world.scene.on(
                supporting={
                    **world.scene.site.supporting,
                    "TMINUS_DEMO_PAGER": nothing,
                    "TMINUS_DEMO_CHAT": f"{nothing}?channel=C1",
                    "TMINUS_DEMO_MAIL": nothing,
                }
            )
            claims = await scene.judged(*DRILLS)
        for claim in claims.values():
            shows(claim, Verdict.INCONCLUSIVE, "gives no (incidents|messages)", "see what stands at")

    async def test_a_revoked_token_is_an_error_that_says_so(self, world: World) -> None:
        supporting = world.scene.site.supporting
        token = supporting["TMINUS_DEMO_PAGER"].partition("reader:")[2].partition("@")[0]
        changed = {name: text.replace(token, "revoked") for name, text in supporting.items()}
        for claim in (await world.scene.on(supporting=changed).judged(*DRILLS)).values():
            shows(claim, Verdict.ERROR, "does not let us read what arrived", "renew the token")
            assert token not in claim.why


class TestFiring:
    @line("ok.noalerts", "failed", "a critical alert fires", mutation=235)
    @line("ok.noalerts", "failed", "it fired within the window and is over", mutation=238)
    async def test_an_alert_that_fires_or_did_fails(self, world: World) -> None:
        def change(rules: Rules) -> None:
            threshold(rules["alert.crit.mem"], "> 0.85", "> 0.0001")

        async with ruled(world, change):
            await _held(world.scene, "MemoryCritical")
            fails(await world.scene.judge("ok.noalerts"), world.scene.plan, "MemoryCritical on .* is firing")
        await _gone(world.scene, "MemoryCritical")
        claim = await world.scene.judge("ok.noalerts")
        fails(claim, world.scene.plan, "MemoryCritical fired within the last 15 s")
        await _quiet(world.scene)

    @line("ok.noalerts", "passed", "(warned) a critical alert fires and was silenced", mutation=236)
    async def test_a_silenced_alert_is_warned_of_and_named(self, world: World) -> None:
        def change(rules: Rules) -> None:
            threshold(rules["alert.crit.mem"], "> 0.85", "> 0.0001")

        async with silenced(world.scene, "alertname", "MemoryCritical"), ruled(world, change):
            await _held(world.scene, "MemoryCritical")
            claim = await world.scene.judge("ok.noalerts")
        shows(claim, Verdict.WARNED, "MemoryCritical on .* is silenced by dario: we are moving house")
        await _quiet(world.scene)

    @line("ok.noalerts", "failed", "Alertmanager has not heard of what fires in Prometheus", mutation=239)
    async def test_an_alert_that_never_arrived_fails(self, world: World) -> None:
        def change(rules: Rules) -> None:
            threshold(rules["alert.crit.mem"], "> 0.85", "> 0.0001")

        await _quiet(world.scene)
        config = world.stage.folder / "prometheus" / "prometheus.yml"
        before = config.read_text()
        relabelled = before.replace(
            "alerting:\n",
            "alerting:\n  alert_relabel_configs:\n"
            "  - {source_labels: [alertname], regex: MemoryCritical, action: drop}\n",
        )
        assert relabelled != before
        config.write_text(relabelled)
        try:
            async with ruled(world, change):
                await _fires(world.scene, "MemoryCritical")
                claim = await world.scene.judge("ok.noalerts")
        finally:
            config.write_text(before)
            async with ruled(world, lambda _: None):
                pass
        fails(
            claim,
            world.scene.plan,
            "MemoryCritical fires in Prometheus, and Alertmanager does not know it",
        )
        await _quiet(world.scene)

    async def test_without_prometheus_beside_it_silence_is_warned_of(self, world: World) -> None:
        alone = alertmanager.System(address(world.scene, "ALERTMANAGER"), SystemClock().now)
        await _quiet(world.scene)
        claim = await replace(world.scene, handles={"alertmanager": alone}).judge("ok.noalerts")
        shows(claim, Verdict.WARNED, "only Alertmanager was asked")

    @line("route.all", "error", "Alertmanager does not answer")
    @line("route.pd", "error", "Alertmanager does not answer")
    @line("route.slack", "error", "Alertmanager does not answer")
    @line("route.email", "error", "Alertmanager does not answer")
    @line("t1.alerts", "error", "Alertmanager does not answer")
    @line("ok.noalerts", "error", "Alertmanager does not answer")
    async def test_an_alertmanager_that_is_away_is_an_error(self, world: World) -> None:
        supporting = {**world.scene.site.supporting, "TMINUS_DEMO_ALERTMANAGER": NOBODY}
        for claim in (await world.scene.on(supporting=supporting).judged(*LINES)).values():
            shows(claim, Verdict.ERROR, "is something listening")


async def _held(scene: Scene, name: str) -> None:
    await _wait(scene, name, there=True)


async def _gone(scene: Scene, name: str) -> None:
    await _wait(scene, name, there=False)


async def _wait(scene: Scene, name: str, *, there: bool) -> None:
    async def so() -> bool:
        async with api_kit.asking(address(scene, "ALERTMANAGER")) as api:
            return bool(await api.alerts(f'alertname="{name}"')) is there

    await processes.wait_until(so, 90, f"{name} to be {'there' if there else 'gone'}")


async def _fires(scene: Scene, name: str) -> None:
    async def so() -> bool:
        async with prometheus_kit.asking(address(scene, "PROMETHEUS")) as api:
            return bool(await api.query(f'ALERTS{{alertname="{name}",alertstate="firing"}}'))

    await processes.wait_until(so, 20, f"{name} to fire")


async def _quiet(scene: Scene) -> None:
    """Nothing critical fires, nothing did within the line's window, and Alertmanager knows it."""

    async def so() -> bool:
        async with api_kit.asking(address(scene, "ALERTMANAGER")) as api:
            held = await api.alerts('severity="critical"')
        async with prometheus_kit.asking(address(scene, "PROMETHEUS")) as judge:
            window = 'max_over_time(ALERTS{alertstate="firing",severity="critical"}[16s])'
            return not held and not await judge.query(window)

    await processes.wait_until(so, 60, "the critical alerts to be over")
