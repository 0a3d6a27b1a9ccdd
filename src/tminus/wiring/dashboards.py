"""Grafana, and the dashboards that the lines of a plan name."""

from collections.abc import Callable, Mapping
from pathlib import Path

from tminus.domain.canonical import JsonValue
from tminus.domain.plan import Plan
from tminus.grafana.finding import Wanted
from tminus.probes import grafana

_PROBE = "grafana.dashboard"
_NAMES = ("kind", "uid", "title", "copy")
"""The arguments by which a line names a dashboard."""


def maker(plan: Plan, folder: Path | None = None) -> Callable[[str], grafana.System]:
    """How a Grafana of this plan is made from its address; copies lie below the folder, or where tminus is started."""
    named = tuple(
        dict.fromkeys(
            _wanted(check.arguments or {})
            for check in plan.checks
            if _names_one(check.probe, check.arguments)
        )
    )
    return lambda address: grafana.System(address, named, folder or Path())


def _names_one(probe: str, arguments: Mapping[str, JsonValue] | None) -> bool:
    return probe == _PROBE and any((arguments or {}).get(name) for name in _NAMES)


def _wanted(arguments: Mapping[str, JsonValue]) -> Wanted:
    panels = arguments.get("panels")
    said = {name: str(arguments.get(name) or "") for name in (*_NAMES, "confirmed", "owner")}
    return Wanted(panels=tuple(map(str, panels)) if isinstance(panels, list) else (), **said)
