"""A dashboard of Grafana, as it is exported or answered."""

import json
import re
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from tminus import files
from tminus.domain import dashboard, drift, panelkinds
from tminus.domain.canonical import JsonValue
from tminus.domain.dashboard import ROW, Dashboard, Panel, Query
from tminus.domain.shown import slow_refresh
from tminus.errors import UsageError
from tminus.grafana import restricting
from tminus.readers import Sight

_SIGNS = re.compile(
    rb'"(?:schemaVersion|panels|__inputs|__requires|templating|gridPos|editable|annotations)"\s*:'
)
"""Keys of which a dashboard's beginning holds two at least."""
_NAMED = re.compile(rb'"(?:title|uid|panels)"\s*:')
"""Keys of which the beginning of the smallest dashboard holds each; other documents have some of them."""
_MOST_TOLD = 10


def likely(path: Path, head: bytes) -> bool:
    """See `Reader.likely`."""
    keys = {found.group() for found in _SIGNS.finditer(head)}
    named = {found.group() for found in _NAMED.finditer(head)}
    return (
        path.suffix.lower() == ".json" and head.lstrip()[:1] == b"{" and (len(keys) >= 2 or len(named) >= 3)
    )


def see(path: Path) -> Sight:
    """Its panels, what they ask and are about, and its variables."""
    try:
        content = files.regular(path, dashboard.LARGEST_BYTES + 1)
        if len(content) > dashboard.LARGEST_BYTES:
            most = dashboard.LARGEST_BYTES // 1024 // 1024
            raise UsageError(f"{path} is longer than {most} MB", hint="see whether it is the right file")
        document = json.loads(content)
        read, sha256 = dashboard.read(document), drift.fingerprint(document)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", hint="check the path") from error
    except (ValueError, RecursionError) as error:
        why = "nested too deep" if isinstance(error, RecursionError) else str(error)
        raise UsageError(f"{path} is no dashboard: {why}", hint="export it from Grafana as JSON") from error
    details: dict[str, JsonValue] = {
        "uid": read.uid,
        "title": read.title,
        "version": read.version,
        "schema": read.schema,
        "refresh": read.refresh,
        "sha256": sha256,
        "inputs": [*read.inputs],
        "variables": [_variable(one) for one in map(asdict, read.variables)],
        "panels": [_panel(panel) for panel in read.panels],
    }
    return Sight(_counts(read), details, tuple(_remarks(read)))


def _counts(read: Dashboard) -> dict[str, int]:
    asked = read.queries
    about = Counter(meaning for panel in read.shown for meaning in panelkinds.about(panel))
    return {
        "panels": len(read.panels),
        "rows": sum(panel.kind == ROW for panel in read.panels),
        "legacy_rows": read.legacy_rows,
        "panels_that_ask": len(read.shown),
        "queries": len(asked),
        "queries_with_an_expression": sum(bool(query.expression) for query in asked),
        "hidden_queries": sum(query.hidden for query in asked),
        "library_panels": len(dashboard.libraries(read)),
        "variables": len(read.variables),
        "inputs": len(read.inputs),
        **{f"about_{meaning}": number for meaning, number in sorted(about.items())},
    }


def _panel(panel: Panel) -> JsonValue:
    return {
        "id": panel.number,
        "title": panel.title,
        "type": panel.kind,
        "about": [*sorted(panelkinds.about(panel))],
        "library": panel.library,
        "queries": [
            {
                "ref": query.ref,
                "source": query.source.uid,
                "hidden": query.hidden,
                "asks": query.text,
                "unread": _unread(query),
            }
            for query in panel.queries
        ],
    }


def _variable(found: dict[str, JsonValue]) -> JsonValue:
    current = found["current"]
    return {"name": found["name"], "type": found["kind"], "query": found["query"], "current": current}


def _remarks(read: Dashboard) -> list[str]:
    found = [slow] if (slow := slow_refresh(read.refresh)) else []
    odd = [
        f"the query {query.ref} of the panel {panel.title!r} cannot be read as PromQL: {why}"
        for panel in read.panels
        for query in panel.queries
        if (why := _unread(query))
    ]
    more = [f"{len(odd)} queries cannot be read as PromQL in all"] if len(odd) > _MOST_TOLD else []
    return [*found, *odd[:_MOST_TOLD], *more]


def _unread(query: Query) -> str:
    """Why what a query asks is no PromQL; empty where it is, and where variables are to be filled in first."""
    if not query.expression or "$" in query.expression:
        return ""
    try:
        restricting.parsed(query.expression)
    except ValueError as error:
        return str(error)
    return ""
