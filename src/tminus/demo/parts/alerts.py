"""The ten alerts of the checklist as Prometheus rules, and what is done first when one of them fires.

Thresholds are the checklist's own. Shares of requests are taken over 5 s, so that a fault pages within seconds.
Quantiles are taken over 30 s: over 10 s a machine that stands still for one second makes a p95 above 500 ms. All are
silent where there is next to no traffic and a share says nothing; probers alone are none. Only the downtime waits,
because the checklist gives it a minute; and it looks at the public name, from outside, so that a side that is down on
purpose pages nobody.
"""

from dataclasses import dataclass
from typing import Any

CRITICAL, WARNING = "critical", "warning"

_FEWEST = 5
"""Answers in a second from which a share of errors is judged; the two who ask whether anybody answers make two."""
_ANSWERS = 'haproxy_frontend_http_responses_total{proxy="public"'
_SERVED = 'job="depot",route!~"/health|/metrics"'
_LOOKUPS = "redis_keyspace_hits_total{job='redis'}", "redis_keyspace_misses_total{job='redis'}"


def _error_share(limit: str) -> str:
    failed, all_of_them = f'sum(rate({_ANSWERS},code="5xx"}}[5s]))', f"sum(rate({_ANSWERS}}}[5s]))"
    return f"{failed} / {all_of_them} > {limit} and {all_of_them} > {_FEWEST}"


def _slowness(limit: str) -> str:
    buckets = f"sum by (le) (rate(depot_http_request_seconds_bucket{{{_SERVED}}}[30s]))"
    served = f"sum(rate(depot_http_request_seconds_count{{{_SERVED}}}[30s]))"
    return f"histogram_quantile(0.95, {buckets}) > {limit} and {served} > 1"


def _hit_share(limit: str) -> str:
    hits, misses = (f"sum(rate({lookups}[10s]))" for lookups in _LOOKUPS)
    return f"{hits} / ({hits} + {misses}) < {limit} and ({hits} + {misses}) > 1"


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert."""

    line: str
    """The checklist's line that asks for it."""
    name: str
    severity: str
    expression: str
    summary: str
    first: str
    """What is done first."""
    hold: str = ""
    """For how long the expression must hold before it fires."""

    def rule(self, runbooks: str) -> dict[str, Any]:
        """As Prometheus reads it."""
        return {
            "alert": self.name,
            "expr": self.expression,
            **({"for": self.hold} if self.hold else {}),
            "labels": {"severity": self.severity, "line": self.line},
            "annotations": {"summary": self.summary, "runbook_url": f"{runbooks}/{self.line}"},
        }

    @property
    def runbook(self) -> str:
        """The page that its `runbook_url` leads to."""
        return f"{self.name} ({self.severity}): {self.summary}\n\nFirst: {self.first}\n"


_SHIFT = "see whether a launch is under way; if green took traffic lately, roll back, then look for the cause"

ALERTS = (
    Alert(
        "alert.crit.down",
        "ApiDown",
        CRITICAL,
        'probe_success{job="public"} == 0',
        "The public name has given no good answer for a minute",
        "ask the public name by hand; then HAProxy's `show servers state`, then blue's log",
        "1m",
    ),
    Alert(
        "alert.crit.err",
        "ErrorRateCritical",
        CRITICAL,
        _error_share("0.01"),
        "More than 1 % of answers are server errors",
        _SHIFT,
    ),
    Alert(
        "alert.crit.p95",
        "AnswersSlowCritical",
        CRITICAL,
        _slowness("0.5"),
        "One answer in twenty takes more than 500 ms",
        _SHIFT,
    ),
    Alert(
        "alert.crit.dbconn",
        "DatabaseConnectionsCritical",
        CRITICAL,
        "sum(pg_stat_activity_count) / max(pg_settings_max_connections) > 0.8",
        "More than 80 % of PostgreSQL's connections are taken",
        "see in pg_stat_activity whose they are; a side that leaks is restarted or rolled back",
    ),
    Alert(
        "alert.crit.mem",
        "MemoryCritical",
        CRITICAL,
        "1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes > 0.85",
        "More than 85 % of the machine's memory is in use",
        "see which process grew; a release that leaks is rolled back",
    ),
    Alert(
        "alert.crit.disk",
        "DiskCritical",
        CRITICAL,
        # As `df` counts: what is kept back for root is neither used nor available.
        "1 - node_filesystem_avail_bytes / (node_filesystem_size_bytes - node_filesystem_free_bytes"
        " + node_filesystem_avail_bytes) > 0.8",
        "More than 80 % of a disk is in use",
        "find what grew with `du`; old backups and logs go first",
    ),
    Alert(
        "alert.warn.err",
        "ErrorRateWarning",
        WARNING,
        _error_share("0.005"),
        "More than 0.5 % of answers are server errors",
        "look at the errors by side and route before they become more",
    ),
    Alert(
        "alert.warn.p95",
        "AnswersSlowWarning",
        WARNING,
        _slowness("0.3"),
        "One answer in twenty takes more than 300 ms",
        "compare both sides; then look at PostgreSQL's longest queries",
    ),
    Alert(
        "alert.warn.cache",
        "CacheHitRateWarning",
        WARNING,
        _hit_share("0.9"),
        "Fewer than 90 % of lookups in Redis find something",
        "see whether Redis was started anew or evicts; both warm up by themselves",
    ),
    Alert(
        "alert.warn.queue",
        "QueueDepthWarning",
        WARNING,
        'max by (kind) (depot_backlog{job="depot"}) > 1000',
        "More than 1,000 jobs or events of one kind wait",
        "see whether the worker runs, and how old the oldest is",
    ),
)


WATCHDOG = {
    "alert": "Watchdog",
    "expr": "vector(1)",
    "labels": {"severity": "none"},
    "annotations": {"summary": "This always fires: when it is gone, alerting is dead"},
}
"""An alert that never ends. Whoever does not see it knows that silence means nothing."""


def rules(runbooks: str) -> dict[str, Any]:
    """The rule file; `runbooks` is the address that the runbooks lie below."""
    groups = {CRITICAL: "critical", WARNING: "warning"}
    return {
        "groups": [
            {
                "name": name,
                "interval": "1s",
                "rules": [alert.rule(runbooks) for alert in ALERTS if alert.severity == severity],
            }
            for severity, name in groups.items()
        ]
        + [{"name": "watchdog", "interval": "1s", "rules": [WATCHDOG]}]
    }


def runbooks() -> dict[str, str]:
    """The text of each runbook, by the line that it is about."""
    return {alert.line: alert.runbook for alert in ALERTS}
