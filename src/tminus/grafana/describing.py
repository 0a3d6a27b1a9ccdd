"""Dashboards made of a short description: a title, panels in order, and what each asks.

The JSON is Grafana's classic model (schema version 39, read by Grafana 10 and later). It holds nothing that changes
from one making to the next, so that two makings are the same file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

SCHEMA = 39
WIDTH, HEIGHT = 12, 8
"""Of a panel, in Grafana's grid of 24 columns."""
REFRESH = "30s"
SHOWN = "now-1h"


@dataclass(frozen=True, slots=True)
class Line:
    """One query of a panel."""

    expression: str
    legend: str = ""
    """What a series is called: Grafana puts the labels in, `{{side}}`."""


@dataclass(frozen=True, slots=True)
class Sketch:
    """One panel."""

    shows: str
    """What it is about, by the words of `domain.panelkinds`; empty for what no line asks for."""
    title: str
    about: str
    """One sentence: what is seen, and what to think of it."""
    unit: str
    """Grafana's name of a unit: `reqps`, `percentunit`, `s`, `bytes`, `short`."""
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """One dashboard."""

    kind: str
    title: str
    panels: tuple[Sketch, ...]

    @property
    def uid(self) -> str:
        """Its uid, the same in every Grafana."""
        return f"tminus-{self.kind}"

    def without(self, meanings: Sequence[str]) -> "Board":
        """The same without the panels about these."""
        return Board(self.kind, self.title, tuple(one for one in self.panels if one.shows not in meanings))

    def model(self, source: str) -> dict[str, Any]:
        """Its JSON, for a Grafana whose Prometheus has this uid."""
        asked = {"type": "prometheus", "uid": source}
        return {
            "id": None,
            "uid": self.uid,
            "title": self.title,
            "tags": ["tminus", self.kind],
            "editable": True,
            "graphTooltip": 1,
            "refresh": REFRESH,
            "schemaVersion": SCHEMA,
            "style": "dark",
            "time": {"from": SHOWN, "to": "now"},
            "timezone": "browser",
            "annotations": {"list": []},
            "links": [],
            "templating": {"list": []},
            "panels": [_panel(one, number, asked) for number, one in enumerate(self.panels)],
        }


def _panel(sketch: Sketch, number: int, source: dict[str, str]) -> dict[str, Any]:
    place = {"h": HEIGHT, "w": WIDTH, "x": WIDTH * (number % 2), "y": HEIGHT * (number // 2)}
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": sketch.title,
        "description": sketch.about,
        "datasource": source,
        "gridPos": place,
        "fieldConfig": {
            "defaults": {"unit": sketch.unit, "min": 0, "custom": {"fillOpacity": 10}},
            "overrides": [],
        },
        "options": {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        "targets": [
            {
                "refId": chr(ord("A") + place),
                "datasource": source,
                "editorMode": "code",
                "expr": line.expression,
                "legendFormat": line.legend or "__auto",
                "range": True,
                "instant": False,
            }
            for place, line in enumerate(sketch.lines)
        ],
    }
