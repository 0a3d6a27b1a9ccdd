"""Grafana, and the dashboards that the lines of a plan name."""

from collections.abc import Callable, Mapping
from pathlib import Path

from tminus.domain.canonical import JsonValue
from tminus.domain.plan import Plan
from tminus.grafana.confirming import Vouch
from tminus.grafana.finding import Wanted
from tminus.probes import grafana

_SYSTEM = "grafana"
"""The system of a line that names none."""
_PROBE = "grafana.dashboard"
_NAMES = ("kind", "uid", "title", "copy")
"""The arguments by which a line names a dashboard."""


def maker(
    plan: Plan, addresses: Mapping[str, str], vouch: Vouch, folder: Path | None = None
) -> Callable[[str], grafana.System]:
    """How a Grafana of this plan is made from its address; copies lie below the folder, or where tminus is started.

    `addresses` are those of the plan's systems by their names: a line that names a dashboard means its own Grafana's.
    `vouch` says whether a confirmation is somebody's word.
    """
    named: dict[str, dict[Wanted, None]] = {}
    for check in plan.checks:
        said = check.arguments or {}
        if _names_one(check.probe, said):
            address = addresses.get(str(said.get("system") or _SYSTEM), "")
            named.setdefault(address, {})[_wanted(said)] = None
    return lambda address: grafana.System(address, tuple(named.get(address, ())), folder or Path(), vouch)


def _names_one(probe: str, arguments: Mapping[str, JsonValue] | None) -> bool:
    return probe == _PROBE and any((arguments or {}).get(name) for name in _NAMES)


def _wanted(arguments: Mapping[str, JsonValue]) -> Wanted:
    panels = arguments.get("panels")
    said = {name: str(arguments.get(name) or "") for name in (*_NAMES, "confirmed", "owner")}
    return Wanted(panels=tuple(map(str, panels)) if isinstance(panels, list) else (), **said)
