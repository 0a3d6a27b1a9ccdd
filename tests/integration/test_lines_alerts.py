"""Lines about alerts: the real Prometheus with the stage's ten rules, and with worse ones."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tminus.domain.evidence import Verdict
from tminus.probes import prometheus

if TYPE_CHECKING:
    from tests.integration.alert_world import LINES, NOBODY, Rules, busy, ruled, threshold
    from tests.integration.line_register import line
    from tests.integration.line_world import World, answering, fails, shows
else:
    from alert_world import LINES, NOBODY, Rules, busy, ruled, threshold
    from line_register import line
    from line_world import World, answering, fails, shows

CRITICAL = [name for name in LINES if name.startswith("alert.crit.")]
WARNING = [name for name in LINES if name.startswith("alert.warn.")]


class TestLoaded:
    @line("alert.crit.down", "passed", "the rule of the stage: from outside, for a minute")
    @line("alert.crit.err", "passed", "the rule of the stage, with users to count")
    @line("alert.crit.p95", "passed", "the rule of the stage, with users to time")
    @line("alert.crit.dbconn", "passed", "the rule of the stage: of PostgreSQL's own maximum")
    @line("alert.crit.mem", "passed", "the rule of the stage: of the machine's memory")
    @line("alert.crit.disk", "passed", "the rule of the stage: every file system")
    @line("alert.warn.err", "passed", "the rule of the stage, below the critical one")
    @line("alert.warn.p95", "passed", "the rule of the stage, below the critical one")
    @line("alert.warn.cache", "passed", "the rule of the stage, with lookups in Redis")
    @line("alert.warn.queue", "passed", "the rule of the stage, with a queue that is empty")
    async def test_the_stage_s_own_rules_pass(self, world: World) -> None:
        async with busy(world):
            claims = await world.scene.judged(*LINES, "alert.crit", "alert.warn")
        for claim in claims.values():
            shows(claim, Verdict.PASSED)
        assert len(claims) == 12

    async def test_a_stricter_limit_passes_and_is_noted(self, world: World) -> None:
        def change(rules: Rules) -> None:
            threshold(rules["alert.crit.mem"], "> 0.85", "> 0.7")

        async with ruled(world, change):
            handle = prometheus.System(world.scene.site.supporting["TMINUS_DEMO_PROMETHEUS"])
            found = await prometheus.alert.run(handle, measure="memory", above="85%")
        assert found.value == []
        assert found.seen["stricter"] == "MemoryCritical fires at > 70%, stricter than > 85%"

    async def test_a_rule_is_found_by_its_name_too(self, world: World) -> None:
        handle = prometheus.System(world.scene.site.supporting["TMINUS_DEMO_PROMETHEUS"])
        found = await prometheus.alert.run(handle, measure="disk", above="80%", name="DiskCritical")
        assert found.value == []
        other = await prometheus.alert.run(handle, measure="disk", above="80%", name="ApiDown")
        assert "ApiDown does not measure disk" in str(other.value)
        missing = await prometheus.alert.run(handle, measure="disk", above="80%", name="NoSuchRule")
        assert "no rule is called NoSuchRule; there are ApiDown" in str(missing.value)

    async def test_a_runbook_that_cannot_be_opened_is_warned_of(self, world: World) -> None:
        def change(rules: Rules) -> None:
            rules["alert.crit.disk"]["annotations"]["runbook_url"] += "-gone"
            del rules["alert.crit.mem"]["annotations"]["runbook_url"]

        async with ruled(world, change):
            claims = await world.scene.judged("alert.crit.disk", "alert.crit.mem")
        shows(claims["alert.crit.disk"], Verdict.WARNED, "the runbook of DiskCritical answers 404")
        shows(claims["alert.crit.mem"], Verdict.WARNED, "MemoryCritical names no runbook; write one")


class TestLooser:
    @line("alert.crit.down", "failed", "the rule waits five minutes", mutation=202)
    @line("alert.crit.err", "failed", "the limit is 5 %", mutation=203)
    @line("alert.crit.p95", "failed", "the limit is 2 s", mutation=205)
    @line("alert.crit.dbconn", "failed", "the limit is 95 %", mutation=209)
    @line("alert.crit.mem", "failed", "the limit is 95 %", mutation=211)
    @line("alert.crit.disk", "failed", "the limit is 95 %", mutation=212)
    @line("alert.warn.cache", "failed", "the limit is 50 %", mutation=219)
    @line("alert.warn.queue", "failed", "the limit is 10,000", mutation=221)
    async def test_a_looser_or_later_rule_fails_with_both_limits(self, world: World) -> None:
        def change(rules: Rules) -> None:
            rules["alert.crit.down"]["for"] = "5m"
            for name, old, new in (
                ("alert.crit.err", "> 0.01", "> 0.05"),
                ("alert.crit.p95", "> 0.5", "> 2"),
                ("alert.crit.dbconn", "> 0.8", "> 0.95"),
                ("alert.crit.mem", "> 0.85", "> 0.95"),
                ("alert.crit.disk", "> 0.8", "> 0.95"),
                ("alert.warn.cache", "< 0.9", "< 0.5"),
                ("alert.warn.queue", "> 1000", "> 10000"),
            ):
                threshold(rules[name], old, new)

        async with ruled(world, change), busy(world):
            claims = await world.scene.judged(*(name for name in LINES if name not in WARNING[:2]))
        said = {
            "alert.crit.down": "ApiDown waits 300 s before it fires, longer than 60 s",
            "alert.crit.err": "fires at > 5%, which is looser than > 1%",
            "alert.crit.p95": "fires at > 2000 ms, which is looser than > 500 ms",
            "alert.crit.dbconn": "fires at > 95%, which is looser than > 80%",
            "alert.crit.mem": "fires at > 95%, which is looser than > 85%",
            "alert.crit.disk": "fires at > 95%, which is looser than > 80%",
            "alert.warn.cache": "fires at < 50%, which is looser than < 90%",
            "alert.warn.queue": "fires at > 1e[+]04, which is looser than > 1000",
        }
        for name, words in said.items():
            fails(claims[name], world.scene.plan, words)

    @line("alert.warn.err", "failed", "the limit is that of the critical alert", mutation=214)
    @line("alert.warn.p95", "failed", "the limit is that of the critical alert", mutation=216)
    @line("alert.crit.disk", "failed", "the rule waits ten minutes", mutation=213)
    async def test_a_warning_that_comes_no_sooner_than_the_page_fails(self, world: World) -> None:
        def change(rules: Rules) -> None:
            threshold(rules["alert.warn.err"], "> 0.005", "> 0.01")
            threshold(rules["alert.warn.p95"], "> 0.3", "> 0.5")
            rules["alert.crit.disk"]["for"] = "10m"

        async with ruled(world, change), busy(world):
            claims = await world.scene.judged("alert.warn.err", "alert.warn.p95", "alert.crit.disk")
        fails(
            claims["alert.warn.err"],
            world.scene.plan,
            "> 1%, which is looser than > 0.5%",
            "ErrorRateWarning warns no sooner than ErrorRateCritical pages",
        )
        fails(claims["alert.warn.p95"], world.scene.plan, "warns no sooner than AnswersSlowCritical pages")
        fails(claims["alert.crit.disk"], world.scene.plan, "DiskCritical waits 600 s before it fires")


def _mean(rule: dict[str, Any]) -> None:
    seconds = "sum(rate(depot_http_request_seconds_sum[10s]))"
    rule["expr"] = f"{seconds} / sum(rate(depot_http_request_seconds_count[10s])) > 0.5"


class TestBlind:
    @line("alert.crit.down", "failed", "the rule is not loaded", mutation=201)
    @line("alert.crit.err", "failed", "the rule asks for a metric that was renamed", mutation=204)
    @line("alert.crit.p95", "failed", "the rule measures the mean", mutation=206)
    @line("alert.crit.mem", "failed", "the rule selects a job that does not exist", mutation=210)
    @line("alert.warn.err", "failed", "the rule has severity critical", mutation=215)
    @line("alert.warn.p95", "failed", "the expression cannot be evaluated", mutation=217)
    @line("alert.warn.cache", "failed", "the rule fires above its limit", mutation=218)
    @line("alert.warn.queue", "failed", "the rule selects a queue that does not exist", mutation=220)
    async def test_a_rule_that_would_not_fire_fails_and_says_why(self, world: World) -> None:
        def change(rules: Rules) -> None:
            del rules["alert.crit.down"]
            threshold(rules["alert.crit.err"], "http_responses_total", "answers_total")
            _mean(rules["alert.crit.p95"])
            threshold(rules["alert.crit.mem"], "MemAvailable_bytes", 'MemAvailable_bytes{job="nodes"}')
            rules["alert.warn.err"]["labels"]["severity"] = "page"
            threshold(rules["alert.warn.p95"], " > 0.3", " * on () up > 0.3")
            threshold(rules["alert.warn.cache"], "< 0.9", "> 0.9")
            threshold(rules["alert.warn.queue"], 'job="depot"', 'job="depot",kind="letters"')

        wanted = [name for name in LINES if name not in {"alert.crit.dbconn", "alert.crit.disk"}]
        async with ruled(world, change), busy(world):
            claims = await world.scene.judged(*wanted)
        said = {
            "alert.crit.down": "none of 10 rules alerts on downtime with severity critical",
            "alert.crit.err": 'can never fire: there is no series haproxy_frontend_answers_total{proxy="public"',
            "alert.crit.p95": "none of 10 rules alerts on p95 with severity critical; AnswersSlowWarning",
            "alert.crit.mem": 'there is no series node_memory_MemAvailable_bytes{job="nodes"}',
            "alert.warn.err": r"severity warning; ErrorRateCritical \(critical\), ErrorRateWarning \(page\)",
            "alert.warn.p95": "AnswersSlowWarning cannot be evaluated: found duplicate series for the match group",
            "alert.warn.cache": "CacheHitRateWarning fires above its limit and must fire below it",
            "alert.warn.queue": 'there is no series depot_backlog{job="depot",kind="letters"}',
        }
        for name, words in said.items():
            fails(claims[name], world.scene.plan, words)

    @line("alert.crit.p95", "failed", "the histogram's largest bucket ends below the limit", mutation=207)
    async def test_a_percentile_that_cannot_reach_the_limit_fails(self, world: World) -> None:
        def change(rules: Rules) -> None:
            threshold(rules["alert.crit.p95"], "seconds_bucket{", r'seconds_bucket{le=~"0.1|0.3|\\+Inf",')

        async with ruled(world, change), busy(world):
            claim = await world.scene.judge("alert.crit.p95")
        fails(claim, world.scene.plan, "AnswersSlowCritical can never fire: the largest bucket of")

    @line("alert.crit.dbconn", "failed", "the rule compares an absolute number", mutation=208)
    async def test_a_number_without_a_maximum_fails(self, world: World) -> None:
        def change(rules: Rules) -> None:
            rules["alert.crit.dbconn"]["expr"] = "sum(pg_stat_activity_count) > 80"

        async with ruled(world, change):
            claim = await world.scene.judge("alert.crit.dbconn")
        fails(claim, world.scene.plan, "its limit cannot be compared")


class TestNothingToSee:
    @line("alert.crit.down", "inconclusive", "Prometheus has not evaluated the rule yet")
    @line("alert.crit.err", "inconclusive", "Prometheus has not evaluated the rule yet")
    @line("alert.crit.p95", "inconclusive", "Prometheus has not evaluated the rule yet")
    @line("alert.crit.dbconn", "inconclusive", "Prometheus has not evaluated the rule yet")
    @line("alert.crit.mem", "inconclusive", "Prometheus has not evaluated the rule yet")
    @line("alert.crit.disk", "inconclusive", "Prometheus has not evaluated the rule yet")
    @line("alert.warn.err", "inconclusive", "Prometheus has not evaluated the rule yet")
    @line("alert.warn.p95", "inconclusive", "Prometheus has not evaluated the rule yet")
    @line("alert.warn.cache", "inconclusive", "Prometheus has not evaluated the rule yet")
    @line("alert.warn.queue", "inconclusive", "Prometheus has not evaluated the rule yet")
    async def test_rules_that_were_never_evaluated_prove_nothing(self, world: World) -> None:
        async with ruled(world, lambda _: None, interval="10h", judged=False):
            claims = await world.scene.judged(*LINES)
        for claim in claims.values():
            shows(claim, Verdict.INCONCLUSIVE, "was not evaluated yet", "wait 36000 s")

    async def test_an_answer_that_is_no_answer_of_prometheus_proves_nothing(self, world: World) -> None:
        async with answering(200, '{"status": "success"}') as address:
            scene = replace(world.scene, handles={"prometheus": prometheus.System(address)})
            shows(await scene.judge("alert.crit.err"), Verdict.INCONCLUSIVE, "holds no data")
        async with answering(404, "no such page") as address:
            scene = replace(world.scene, handles={"prometheus": prometheus.System(address)})
            shows(await scene.judge("alert.crit.err"), Verdict.INCONCLUSIVE, "has no Prometheus interface")

    @line("alert.crit.down", "error", "Prometheus does not answer")
    @line("alert.crit.err", "error", "Prometheus does not answer")
    @line("alert.crit.p95", "error", "Prometheus does not answer")
    @line("alert.crit.dbconn", "error", "Prometheus does not answer")
    @line("alert.crit.mem", "error", "Prometheus does not answer")
    @line("alert.crit.disk", "error", "Prometheus does not answer")
    @line("alert.warn.err", "error", "Prometheus does not answer")
    @line("alert.warn.p95", "error", "Prometheus does not answer")
    @line("alert.warn.cache", "error", "Prometheus does not answer")
    @line("alert.warn.queue", "error", "Prometheus does not answer")
    async def test_a_prometheus_that_is_away_is_an_error(self, world: World) -> None:
        scene = replace(world.scene, handles={"prometheus": prometheus.System(NOBODY)})
        for claim in (await scene.judged(*LINES)).values():
            shows(claim, Verdict.ERROR, "is something listening")

    async def test_a_refused_login_is_an_error_that_says_so(self, world: World) -> None:
        async with answering(401, "who are you?") as address:
            scene = replace(world.scene, handles={"prometheus": prometheus.System(address)})
            shows(await scene.judge("alert.crit.err"), Verdict.ERROR, "refuses us", "write the login")
