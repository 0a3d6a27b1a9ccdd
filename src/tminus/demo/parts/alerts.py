"""The ten alerts of the checklist as Prometheus rules, and what is done first when one of them fires.

Thresholds are the checklist's own. Shares of requests are taken over 5 s, so that a fault pages within seconds.
Quantiles are taken over 30 s: over 10 s a machine that stands still for one second makes a p95 above 500 ms. All are
silent where there is next to no traffic and a share says nothing; probers alone are none. Only the downtime waits,
because the checklist gives it a minute; and it looks at the public name, from outside, so that a side that is down on
purpose pages nobody.
"""

from dataclasses import dataclass
from typing import Any

from tminus.alerting.made_rules import CRITICAL, WARNING, WATCHDOG, Shape, expression

__all__ = ["ALERTS", "CRITICAL", "WARNING", "WATCHDOG", "Alert", "rules", "runbooks"]

_ERRORS = Shape(window="5s", fewest=5)
"""From five answers in a second on; the two who ask whether anybody answers make two."""
_TIMES = Shape(window="30s", fewest=1)
_LOOKUPS = Shape(window="10s", fewest=1)
_NOW = Shape()
"""For what is no rate."""


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
        expression("downtime", "", "", _NOW),
        "The public name has given no good answer for a minute",
        "ask the public name by hand; then HAProxy's `show servers state`, then blue's log",
        "1m",
    ),
    Alert(
        "alert.crit.err",
        "ErrorRateCritical",
        CRITICAL,
        expression("errors", ">", "0.01", _ERRORS),
        "More than 1 % of answers are server errors",
        _SHIFT,
    ),
    Alert(
        "alert.crit.p95",
        "AnswersSlowCritical",
        CRITICAL,
        expression("p95", ">", "0.5", _TIMES),
        "One answer in twenty takes more than 500 ms",
        _SHIFT,
    ),
    Alert(
        "alert.crit.dbconn",
        "DatabaseConnectionsCritical",
        CRITICAL,
        expression("connections", ">", "0.8", _NOW),
        "More than 80 % of PostgreSQL's connections are taken",
        "see in pg_stat_activity whose they are; a side that leaks is restarted or rolled back",
    ),
    Alert(
        "alert.crit.mem",
        "MemoryCritical",
        CRITICAL,
        expression("memory", ">", "0.85", _NOW),
        "More than 85 % of the machine's memory is in use",
        "see which process grew; a release that leaks is rolled back",
    ),
    Alert(
        "alert.crit.disk",
        "DiskCritical",
        CRITICAL,
        expression("disk", ">", "0.8", _NOW),
        "More than 80 % of a disk is in use",
        "find what grew with `du`; old backups and logs go first",
    ),
    Alert(
        "alert.warn.err",
        "ErrorRateWarning",
        WARNING,
        expression("errors", ">", "0.005", _ERRORS),
        "More than 0.5 % of answers are server errors",
        "look at the errors by side and route before they become more",
    ),
    Alert(
        "alert.warn.p95",
        "AnswersSlowWarning",
        WARNING,
        expression("p95", ">", "0.3", _TIMES),
        "One answer in twenty takes more than 300 ms",
        "compare both sides; then look at PostgreSQL's longest queries",
    ),
    Alert(
        "alert.warn.cache",
        "CacheHitRateWarning",
        WARNING,
        expression("cache hits", "<", "0.9", _LOOKUPS),
        "Fewer than 90 % of lookups in Redis find something",
        "see whether Redis was started anew or evicts; both warm up by themselves",
    ),
    Alert(
        "alert.warn.queue",
        "QueueDepthWarning",
        WARNING,
        expression("queue", ">", "1000", _NOW),
        "More than 1,000 jobs or events of one kind wait",
        "see whether the worker runs, and how old the oldest is",
    ),
)


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
        + [{"name": "watchdog", "interval": "1s", "rules": [dict(WATCHDOG)]}]
    }


def runbooks() -> dict[str, str]:
    """The text of each runbook, by the line that it is about."""
    return {alert.line: alert.runbook for alert in ALERTS}
