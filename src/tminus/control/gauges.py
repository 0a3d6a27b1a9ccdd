"""How far the guard of a launch has come, as the record and people's views take it."""

from typing import cast

from tminus.control.ports import Json, Traffic
from tminus.domain.canonical import JsonValue
from tminus.domain.guard import Guard


def gauges(guard: Guard, traffic: Traffic, now: float) -> Json:
    """Every test and trigger at `now` (seconds of the epoch), both sides' counts, and the lines of the proxy's log."""
    shown = guard.gauges(now)
    tests: list[JsonValue] = [
        {
            "rule": t.rule,
            "evidence": t.evidence,
            "threshold": t.threshold,
            "hits": t.hits,
            "requests": t.requests,
        }
        for t in shown.tests
    ]
    triggers: list[JsonValue] = [
        {
            "trigger": t.trigger.id,
            "state": t.state.value,
            "breached_seconds": t.breached_seconds,
            "for_seconds": t.trigger.for_seconds,
        }
        for t in shown.triggers
    ]
    counts = cast("JsonValue", guard.counts.as_dict())
    lines: JsonValue = {
        "received": traffic.received(),
        "lost": traffic.lost(),
        "refused": traffic.refused(),
    }
    return {"tests": tests, "triggers": triggers, "counts": counts, "lines": lines}
