"""A dashboard of Grafana, as it is exported or answered."""

import json
import re
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from tminus import files
from tminus.domain import dashboard, drift, panelkinds
from tminus.domain.canonical import JsonValue
from tminus.domain.dashboard import ROW, Dashboard, Panel
from tminus.domain.shown import slow_refresh
from tminus.errors import UsageError
from tminus.grafana import restricting
from tminus.readers import Sight

_SIGNS = re.compile(
    rb'"(?:schemaVersion|panels|__inputs|__requires|templating|gridPos|editable|annotations)"\s*:'
)
"""Keys of which a dashboard's beginning holds two at least."""


def likely(path: Path, head: bytes) -> bool:
    """See `Reader.likely`."""
    keys = {found.group() for found in _SIGNS.finditer(head)}
    return path.suffix.lower() == ".json" and head.lstrip()[:1] == b"{" and len(keys) >= 2


def see(path: Path) -> Sight:
    """Its panels, what they ask and are about, and its variables."""
    try:
        document = json.loads(files.regular(path, dashboard.LARGEST_BYTES))
        read, sha256 = dashboard.read(document), drift.fingerprint(document)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", hint="check the path") from error
    except ValueError as error:
        raise UsageError(f"{path} is no dashboard: {error}", hint="export it from Grafana as JSON") from error
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
            {"ref": query.ref, "source": query.source.uid, "hidden": query.hidden, "asks": query.text}
            for query in panel.queries
        ],
    }


def _variable(found: dict[str, JsonValue]) -> JsonValue:
    current = found["current"]
    return {"name": found["name"], "type": found["kind"], "query": found["query"], "current": current}


def _remarks(read: Dashboard) -> list[str]:
    found = [slow] if (slow := slow_refresh(read.refresh)) else []
    odd = [
        query
        for query in read.queries
        if query.expression and "$" not in query.expression and not _reads(query.expression)
    ]
    if odd:
        found.append(f"{len(odd)} queries cannot be read as PromQL")
    return found


def _reads(expression: str) -> bool:
    try:
        restricting.parsed(expression)
    except ValueError:
        return False
    return True
