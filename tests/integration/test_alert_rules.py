"""The alerts as Prometheus's own tools see them: well-formed, firing above, silent below, silent without traffic."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tminus import processes
from tminus.demo.parts import alertmanager, prometheus
from tminus.demo.parts.alertmanager import Sinks
from tminus.demo.parts.alerts import ALERTS, CRITICAL, WARNING, WATCHDOG, Alert, rules, runbooks
from tminus.demo.parts.place import as_yaml
from tminus.demo.parts.prometheus import Scraped
from tminus.domain.traffic import Side

if TYPE_CHECKING:
    from tests.integration.parts_world import FOUND, needs_parts
else:
    from parts_world import FOUND, needs_parts

pytestmark = needs_parts

RUNBOOKS = "http://127.0.0.1:1/runbooks"
SEED_LINES = {
    "alert.crit.down": (CRITICAL, "==", 0.0),
    "alert.crit.err": (CRITICAL, ">", 0.01),
    "alert.crit.p95": (CRITICAL, ">", 0.5),
    "alert.crit.dbconn": (CRITICAL, ">", 0.8),
    "alert.crit.mem": (CRITICAL, ">", 0.85),
    "alert.crit.disk": (CRITICAL, ">", 0.8),
    "alert.warn.err": (WARNING, ">", 0.005),
    "alert.warn.p95": (WARNING, ">", 0.3),
    "alert.warn.cache": (WARNING, "<", 0.9),
    "alert.warn.queue": (WARNING, ">", 1000.0),
}
"""What the checklist says of each: how bad it is, and at which figure it begins."""


@dataclass(frozen=True)
class Case:
    """Series, second by second, and whether the alert fires at their end."""

    name: str
    series: dict[str, str]
    fires: bool


def steady(per_second: float) -> str:
    return f"0+{per_second}x90"


def answers(good: float, failed: float) -> dict[str, str]:
    metric = 'haproxy_frontend_http_responses_total{{proxy="public",code="{}"}}'
    return {metric.format("2xx"): steady(good), metric.format("5xx"): steady(failed)}


def served(fast: float, slow: float, bound: str) -> dict[str, str]:
    """So many a second that end within this bucket, and so many that end after it."""
    bounds = ("0.1", "0.3", "0.5", "1.0", "2.0", "+Inf")
    labels = 'job="depot",route="/documents",side="blue"'
    series = {
        f'depot_http_request_seconds_bucket{{{labels},le="{one}"}}': steady(
            fast if float(one) <= float(bound) else fast + slow
        )
        for one in bounds
    }
    return {**series, f"depot_http_request_seconds_count{{{labels}}}": steady(fast + slow)}


def ratio(used: str, limit: str, value: float) -> dict[str, str]:
    return {used: f"{value}+0x90", limit: "100+0x90"}


def disk(used: float) -> dict[str, str]:
    """Of 110, 10 are kept back for root: `df` shows used / (used + available)."""
    name = 'node_filesystem_{}_bytes{{mountpoint="/"}}'
    return {
        name.format("size"): "110+0x90",
        name.format("free"): f"{110 - used}+0x90",
        name.format("avail"): f"{100 - used}+0x90",
    }


def lookups(hits: float, misses: float) -> dict[str, str]:
    name = 'redis_keyspace_{}_total{{job="redis"}}'
    return {name.format("hits"): steady(hits), name.format("misses"): steady(misses)}


def connections(taken: float) -> dict[str, str]:
    return ratio('pg_stat_activity_count{datname="depot"}', "pg_settings_max_connections", taken)


def memory(used: float) -> dict[str, str]:
    return ratio("node_memory_MemAvailable_bytes", "node_memory_MemTotal_bytes", 100 - used)


def waiting(jobs: int) -> dict[str, str]:
    """The other kind is short: each is judged by itself."""
    return {
        'depot_backlog{job="depot",kind="jobs",side="blue"}': f"{jobs}+0x90",
        'depot_backlog{job="depot",kind="events",side="blue"}': "3+0x90",
    }


LOOK = 'probe_success{job="public"}'
CASES = {
    "alert.crit.down": [
        Case("a minute of silence", {LOOK: "0+0x90"}, fires=True),
        Case("forty seconds of silence", {LOOK: "1+0x50 0+0x40"}, fires=False),
        Case(
            "a side that is not scraped",
            {LOOK: "1+0x90", 'up{job="depot",side="green"}': "0+0x90"},
            fires=False,
        ),
        Case("nobody looks", {}, fires=False),
    ],
    "alert.crit.err": [
        Case("above", answers(98, 2), fires=True),
        Case("below", answers(99.1, 0.9), fires=False),
        Case("no traffic", answers(0, 0), fires=False),
        Case("two probers alone", answers(0, 2), fires=False),
        Case("no proxy", {}, fires=False),
    ],
    "alert.crit.p95": [
        Case("above", served(90, 10, "0.5"), fires=True),
        Case("below", served(97, 3, "0.5"), fires=False),
        Case("no traffic", served(0, 0, "0.5"), fires=False),
        Case("no service", {}, fires=False),
    ],
    "alert.crit.dbconn": [
        Case("above", connections(81), fires=True),
        Case("below", connections(80), fires=False),
        Case("no database", {}, fires=False),
    ],
    "alert.crit.mem": [
        Case("above", memory(86), fires=True),
        Case("below", memory(84), fires=False),
        Case("nobody measures", {}, fires=False),
    ],
    "alert.crit.disk": [
        Case("above", disk(81), fires=True),
        Case("below", disk(79), fires=False),
        Case("nobody measures", {}, fires=False),
    ],
    "alert.warn.err": [
        Case("above", answers(99.3, 0.7), fires=True),
        Case("below", answers(99.6, 0.4), fires=False),
        Case("no traffic", answers(0, 0), fires=False),
    ],
    "alert.warn.p95": [
        Case("above", served(90, 10, "0.3"), fires=True),
        Case("below", served(97, 3, "0.3"), fires=False),
        Case("no traffic", served(0, 0, "0.3"), fires=False),
    ],
    "alert.warn.cache": [
        Case("too few", lookups(80, 20), fires=True),
        Case("enough", lookups(95, 5), fires=False),
        Case("no lookups", lookups(0, 0), fires=False),
        Case("a lookup in five seconds", lookups(0, 0.2), fires=False),
        Case("no cache", {}, fires=False),
    ],
    "alert.warn.queue": [
        Case("above", waiting(1001), fires=True),
        Case("below", waiting(1000), fires=False),
        Case("no queue", {}, fires=False),
    ],
}


OF_THE_SERIES = {
    "alert.crit.down": {"job": "public"},
    "alert.crit.disk": {"mountpoint": "/"},
    "alert.warn.queue": {"kind": "jobs"},
}
"""What an alert keeps of the labels of what it is about; the others are about everything together."""


def as_test(alert: Alert, case: Case) -> dict[str, Any]:
    """One case as `promtool test rules` reads it."""
    of_the_series = OF_THE_SERIES.get(alert.line, {})
    fired = {
        "exp_labels": {"severity": alert.severity, "line": alert.line, **of_the_series},
        "exp_annotations": {"summary": alert.summary, "runbook_url": f"{RUNBOOKS}/{alert.line}"},
    }
    return {
        "name": f"{alert.line}: {case.name}",
        "interval": "1s",
        "input_series": [{"series": name, "values": values} for name, values in case.series.items()],
        "alert_rule_test": [
            {"eval_time": "90s", "alertname": alert.name, "exp_alerts": [fired] if case.fires else []}
        ],
    }


async def run(folder: Path, *words: str) -> processes.Ended:
    assert FOUND is not None
    program = str(getattr(FOUND, words[0]))
    return await processes.run([program, *words[1:]], env={}, folder=folder)


async def test_every_alert_fires_above_its_threshold_and_is_silent_below_and_without_traffic(
    tmp_path: Path,
) -> None:
    (tmp_path / "alerts.yml").write_text(as_yaml(rules(RUNBOOKS)))
    checked = await run(tmp_path, "promtool", "check", "rules", "--lint-fatal", "alerts.yml")
    assert checked.code == 0, checked.said
    assert "SUCCESS: 11 rules found" in checked.said, "the ten, and the Watchdog"
    by_line = {alert.line: alert for alert in ALERTS}
    tests = [as_test(by_line[line], case) for line, cases in CASES.items() for case in cases]
    whole = {"rule_files": ["alerts.yml"], "evaluation_interval": "1s", "tests": tests}
    (tmp_path / "tests.yml").write_text(as_yaml(whole))
    tested = await run(tmp_path, "promtool", "test", "rules", "tests.yml")
    assert tested.code == 0, tested.said


async def test_the_unit_tests_of_the_rules_can_fail(tmp_path: Path) -> None:
    (tmp_path / "alerts.yml").write_text(as_yaml(rules(RUNBOOKS)).replace("> 0.01 ", "> 0.03 "))
    alert = next(alert for alert in ALERTS if alert.line == "alert.crit.err")
    tests = [as_test(alert, case) for case in CASES["alert.crit.err"]]
    whole = {"rule_files": ["alerts.yml"], "evaluation_interval": "1s", "tests": tests}
    (tmp_path / "tests.yml").write_text(as_yaml(whole))
    tested = await run(tmp_path, "promtool", "test", "rules", "tests.yml")
    assert tested.code == 1
    assert "alert.crit.err: above" in tested.said


def test_there_is_one_alert_for_each_line_of_the_checklist_with_its_own_figure() -> None:
    assert set(CASES) == set(SEED_LINES) == {alert.line for alert in ALERTS}
    for alert in ALERTS:
        severity, sign, figure = SEED_LINES[alert.line]
        assert alert.severity == severity, alert.line
        compared = re.search(r" (==|>|<) ([\d.]+)", alert.expression)
        assert compared is not None, alert.line
        assert (compared[1], float(compared[2])) == (sign, figure), alert.line
    assert [alert.line for alert in ALERTS if alert.hold] == ["alert.crit.down"]


def test_each_alert_leads_to_a_page_that_says_what_is_done_first() -> None:
    written = runbooks()
    for group in rules(RUNBOOKS)["groups"]:
        for rule in (rule for rule in group["rules"] if rule != WATCHDOG):
            page = written[rule["annotations"]["runbook_url"].removeprefix(f"{RUNBOOKS}/")]
            assert rule["annotations"]["summary"] in page
            assert "First: " in page


@pytest.fixture
def sinks() -> Sinks:
    return Sinks("http://127.0.0.1:1/pager", "http://127.0.0.1:1/chat/services/s", 2, "0" * 32)


async def test_amtool_takes_the_routes_and_sends_critical_ones_everywhere_and_warnings_to_the_channel(
    tmp_path: Path, sinks: Sinks
) -> None:
    (tmp_path / "am.yml").write_text(alertmanager.render(sinks))
    checked = await run(tmp_path, "amtool", "check-config", "am.yml")
    assert checked.code == 0, checked.said
    routed = {}
    for severity in ("critical", "warning", "unknown"):
        words = ("config", "routes", "test", "--config.file=am.yml", f"severity={severity}", "alertname=X")
        routed[severity] = (await run(tmp_path, "amtool", *words)).said.splitlines()[-1]
    assert routed == {"critical": "on-call", "warning": "channel", "unknown": "channel"}
    receivers = {
        one["name"]: set(one) - {"name"} for one in yaml.safe_load(alertmanager.render(sinks))["receivers"]
    }
    assert receivers["on-call"] == {"pagerduty_configs", "slack_configs", "email_configs"}
    assert receivers["channel"] == {"slack_configs"}


async def test_promtool_takes_the_scrape_configuration(tmp_path: Path) -> None:
    jobs = {"proxy": 5, "node": 6}
    scraped = Scraped({Side.BLUE: 1, Side.GREEN: 2}, "http://127.0.0.1:3", 4, jobs, 7, RUNBOOKS)
    (tmp_path / "prometheus.yml").write_text(prometheus.render(scraped))
    (tmp_path / "alerts.yml").write_text(as_yaml(rules(RUNBOOKS)))
    checked = await run(tmp_path, "promtool", "check", "config", "prometheus.yml")
    assert checked.code == 0, checked.said
    loaded = json.loads(json.dumps(yaml.safe_load(prometheus.render(scraped))))
    assert {job["job_name"] for job in loaded["scrape_configs"]} == {"depot", "public", "proxy", "node"}
