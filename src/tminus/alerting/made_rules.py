"""Alert rules made of a plan's own lines, so that a rule's limit and the line that judges it never differ.

Shares and percentiles are taken over a window, and are silent where there is next to no traffic and a share says
nothing. Only the downtime waits: its limit is a time.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tminus.alerting.rules import Rule, Wanted, beside, meant
from tminus.errors import InconclusiveError, UsageError

_BUCKETS = re.compile(r"\s*([\w:]+)_bucket(\s*(?:\{.*\})?\s*)", re.DOTALL)
"""The selector of a histogram's buckets: what its name ends with, and what follows the name."""

CRITICAL, WARNING = "critical", "warning"

SERIES: Mapping[str, str] = {
    "up": 'probe_success{job="public"}',
    "requests": 'haproxy_frontend_http_responses_total{proxy="public"}',
    "failed": 'haproxy_frontend_http_responses_total{proxy="public",code="5xx"}',
    "buckets": 'depot_http_request_seconds_bucket{job="depot",route!~"/health|/metrics"}',
    "connections": "sum by (instance) (pg_stat_activity_count)",
    "most-connections": "max by (instance) (pg_settings_max_connections)",
    "memory-available": "node_memory_MemAvailable_bytes",
    "memory": "node_memory_MemTotal_bytes",
    "disk-available": "node_filesystem_avail_bytes",
    "disk-free": "node_filesystem_free_bytes",
    "disk": "node_filesystem_size_bytes",
    "hits": "redis_keyspace_hits_total{job='redis'}",
    "misses": "redis_keyspace_misses_total{job='redis'}",
    "queue": 'max by (kind) (depot_backlog{job="depot"})',
}
"""What is measured, by name: the usual exporters' names, and where there are none the reference service's."""

OWN = tuple(name for name, selector in SERIES.items() if "{" in selector)
"""Those with the reference setup's own names or labels, which another one calls otherwise."""

WATCHDOG: Mapping[str, Any] = {
    "alert": "Watchdog",
    "expr": "vector(1)",
    "labels": {"severity": "none"},
    "annotations": {"summary": "This always fires: when it is gone, alerting is dead"},
}
"""An alert that never ends. Whoever does not see it knows that silence means nothing."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How an expression is written."""

    series: Mapping[str, str] = field(default_factory=lambda: SERIES)
    window: str = "1m"
    """Over which rates are taken; four scrapes at the least."""
    fewest: float = 0.1
    """Requests or lookups a second below which a share says nothing."""


@dataclass(frozen=True, slots=True)
class Line:
    """A plan's line about an alert."""

    id: str
    wanted: Wanted
    name: str = ""
    """What its rule is to be called, where the plan says so."""


def expression(measure: str, sign: str, limit: str, shape: Shape) -> str:
    """The expression that fires beyond this limit."""
    return _EXPRESSIONS[measure](shape, f"{sign} {limit}")


def rule(line: Line, shape: Shape, runbooks: str) -> dict[str, Any]:
    """The rule for a line, as Prometheus reads it; raises `UsageError` for one that its line would not pass."""
    asked = line.wanted
    base, summary = _WORDS[asked.measure]
    down = asked.measure == "downtime"
    text = expression(asked.measure, ">" if asked.above else "<", f"{asked.limit:.12g}", shape)
    made = {
        "alert": line.name or (base if down else f"{base}{asked.severity.title()}"),
        "expr": text,
        "for": _seconds(asked.limit if down else 0.0),
        "labels": {"severity": asked.severity, "line": line.id},
        "annotations": {
            "summary": summary.format(limit=asked.text.removeprefix("> ").removeprefix("< ")),
            "runbook_url": f"{runbooks.rstrip('/')}/{line.id}",
        },
    }
    _held(made, asked, asked.limit if down else 0.0)
    return made


def rules(lines: Sequence[Line], shape: Shape, runbooks: str, interval: str = "") -> dict[str, Any]:
    """The rules for these lines and the watchdog, as Prometheus reads a file of them.

    `runbooks` is the address that the runbooks lie below; `interval` is how often they are evaluated, if not as often
    as all others.
    """
    paced = {"interval": interval} if interval else {}
    groups = {
        severity: [rule(line, shape, runbooks) for line in lines if line.wanted.severity == severity]
        for severity in (CRITICAL, WARNING)
    }
    made = [{"name": name, **paced, "rules": found} for name, found in groups.items() if found]
    return {"groups": [*made, {"name": "watchdog", **paced, "rules": [dict(WATCHDOG)]}]}


def as_object(groups: Mapping[str, Any], name: str, labels: Mapping[str, str]) -> dict[str, Any]:
    """The same as an object for Prometheus' operator, which takes those with its labels."""
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": name, **({"labels": dict(labels)} if labels else {})},
        "spec": dict(groups),
    }


def _held(made: Mapping[str, Any], asked: Wanted, hold: float) -> None:
    """Refuse a rule that the line it is made for would not pass."""
    loaded = Rule(
        made["alert"],
        made["expr"],
        hold,
        made["labels"],
        made["annotations"],
        "ok",
        "",
        evaluated_at=1.0,
        interval=1.0,
    )
    about = f"the rule {loaded.name} for {made['labels']['line']}"
    hint = "see what the series given with --select are: selectors, or expressions that give one number"
    try:
        loaded.parsed()
    except InconclusiveError as error:
        raise UsageError(f"{about} cannot be read: {loaded.expression}", hint=hint) from error
    judged = [beside(loaded, meaning, asked).problems for _, meaning in meant([loaded], asked.measure)]
    if not judged:
        raise UsageError(
            f"{about} would not pass it: {loaded.expression} is not seen to measure {asked.measure}",
            hint=hint,
        )
    # Its guard against silence may compare the same series; the line passes by whichever comparison is right.
    if all(judged):
        raise UsageError(f"{about} would not pass it: {'; '.join(map(str, judged[0]))}", hint=hint)


def _seconds(length: float) -> str:
    """A length of time as Prometheus writes it."""
    for unit, size in (("h", 3600), ("m", 60), ("s", 1)):
        if length and length % size == 0:
            return f"{length / size:.0f}{unit}"
    return f"{length * 1000:.0f}ms" if length else "0s"


def counted(selector: str) -> str:
    """How many a histogram has counted, by the selector of its buckets; raises `UsageError` for what is none."""
    if not (found := _BUCKETS.fullmatch(selector)):
        raise UsageError(f"{selector} is no histogram", hint="name the series that ends with _bucket")
    return f"{found[1]}_count{found[2]}"


def _errors(shape: Shape, beyond: str) -> str:
    failed, every = (f"sum(rate({shape.series[name]}[{shape.window}]))" for name in ("failed", "requests"))
    return f"{failed} / {every} {beyond} and {every} > {shape.fewest:g}"


def _p95(shape: Shape, beyond: str) -> str:
    selector = shape.series["buckets"]
    served = counted(selector)
    buckets = f"sum by (le) (rate({selector}[{shape.window}]))"
    return f"histogram_quantile(0.95, {buckets}) {beyond} and sum(rate({served}[{shape.window}])) > {shape.fewest:g}"


def _hits(shape: Shape, beyond: str) -> str:
    hits, misses = (f"sum(rate({shape.series[name]}[{shape.window}]))" for name in ("hits", "misses"))
    return f"{hits} / ({hits} + {misses}) {beyond} and ({hits} + {misses}) > {shape.fewest:g}"


def _disk(shape: Shape, beyond: str) -> str:
    # As `df` counts: what is kept back for root is neither used nor available.
    available, free, size = (shape.series[name] for name in ("disk-available", "disk-free", "disk"))
    return f"1 - {available} / ({size} - {free} + {available}) {beyond}"


_EXPRESSIONS: Mapping[str, Callable[[Shape, str], str]] = {
    "downtime": lambda shape, _: f"{shape.series['up']} == 0",
    "errors": _errors,
    "p95": _p95,
    "connections": lambda shape, beyond: (
        f"{shape.series['connections']} / {shape.series['most-connections']} {beyond}"
    ),
    "memory": lambda shape, beyond: (
        f"1 - {shape.series['memory-available']} / {shape.series['memory']} {beyond}"
    ),
    "disk": _disk,
    "cache hits": _hits,
    "queue": lambda shape, beyond: f"{shape.series['queue']} {beyond}",
}

_WORDS: Mapping[str, tuple[str, str]] = {
    "downtime": ("ApiDown", "The public name has given no good answer for {limit}"),
    "errors": ("ErrorRate", "More than {limit} of answers are server errors"),
    "p95": ("AnswersSlow", "One answer in twenty takes more than {limit}"),
    "connections": ("DatabaseConnections", "More than {limit} of the database's connections are taken"),
    "memory": ("Memory", "More than {limit} of a machine's memory is in use"),
    "disk": ("Disk", "More than {limit} of a disk is in use"),
    "cache hits": ("CacheHitRate", "Fewer than {limit} of lookups in the cache find something"),
    "queue": ("QueueDepth", "More than {limit} jobs or events of one kind wait"),
}
"""By measure: how its rule is called, and what its alert says."""
