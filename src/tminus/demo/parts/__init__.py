"""The supporting parts of a stage: what measures, alerts, caches and is paged. One file about each.

They are descriptions for `tminus.demo.supervisor`; nothing here starts anything.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tminus.control.ports import Json
from tminus.demo.parts import (
    alertmanager,
    blackbox,
    exporters,
    grafana,
    partner,
    prometheus,
    redis,
    shipper,
    sinks,
)
from tminus.demo.parts.place import HOST, Place
from tminus.demo.parts.prometheus import Scraped
from tminus.demo.supervisor import Part
from tminus.domain.traffic import Side

SUPPORTING = (
    "grafana",
    "prometheus",
    "alertmanager",
    "shipper",
    "sinks",
    "blackbox",
    "node-exporter",
    "postgres-exporter",
    "redis-exporter",
    "partner",
    "redis",
)
"""In the order in which they are stopped: who watches before what is watched, so that no end of a stage pages."""

_PROGRAMS = {
    "prometheus": "prometheus",
    "alertmanager": "alertmanager",
    "blackbox": "blackbox_exporter",
    "node-exporter": "node_exporter",
    "postgres-exporter": "postgres_exporter",
    "redis-exporter": "redis_exporter",
    "redis": "redis_server",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """What the supporting parts have to know of the stage around them."""

    folder: Path
    """The stage folder."""
    binaries: Mapping[str, str]
    """The stage's programs, by name."""
    ports: Mapping[str, int]
    """By the names of `registry.SUPPORT_PORTS`."""
    secrets: Mapping[str, str] = field(repr=False)
    """By the names that `registry.new_secrets` gives."""
    environment: Mapping[str, str] = field(repr=False)
    public: str
    """The service's public address."""
    sides: Mapping[Side, int]
    monitor: str = field(repr=False)
    """The address of PostgreSQL for who watches it, with the password."""
    confirm: Callable[[str, str, str], Json]
    """Has a version of a dashboard, its owner and what they say of it signed, see `grafana.part`."""

    def place(self, name: str) -> Place:
        """Where one of them stands."""
        program = Path(self.binaries[_PROGRAMS[name]] if name in _PROGRAMS else sys.executable)
        return Place(self.folder, name, program, self.ports[name], self.environment)


def supporting(setting: Setting) -> dict[str, Part]:
    """Every supporting part, by name; they may be started in any order and all at once."""
    ports, secrets, place = setting.ports, setting.secrets, setting.place
    runbooks = f"http://{HOST}:{ports['sinks']}/runbooks"
    jobs = {
        "proxy": ports["proxy-metrics"],
        "node": ports["node-exporter"],
        "postgres": ports["postgres-exporter"],
        "redis": ports["redis-exporter"],
        "prometheus": ports["prometheus"],
        "alertmanager": ports["alertmanager"],
    }
    scraped = Scraped(setting.sides, setting.public, ports["blackbox"], jobs, ports["alertmanager"], runbooks)
    where = sinks.addresses(ports["sinks"], ports["mail"], secrets)
    parts = (
        grafana.part(place("grafana"), place("prometheus").url, secrets["grafana"], setting.confirm),
        prometheus.part(place("prometheus"), scraped),
        alertmanager.part(place("alertmanager"), where),
        shipper.part(place("shipper"), sinks.gathering(ports["sinks"]), secrets["reader"]),
        sinks.part(place("sinks"), ports["mail"], secrets),
        blackbox.part(place("blackbox")),
        exporters.node(place("node-exporter")),
        exporters.postgres(place("postgres-exporter"), setting.monitor),
        exporters.redis(place("redis-exporter"), ports["redis"], secrets["redis"]),
        partner.part(place("partner"), secrets["partner"]),
        redis.part(place("redis"), secrets["redis"]),
    )
    return {part.name: part for part in parts}


def addresses(setting: Setting) -> dict[str, str]:
    """Where each of them answers, by the name that a plan refers to it with; some hold a password or a token."""
    read = sinks.reading(setting.ports["sinks"], setting.secrets["reader"])
    return {
        "TMINUS_DEMO_PROMETHEUS": setting.place("prometheus").url,
        "TMINUS_DEMO_GRAFANA": grafana.address(setting.ports["grafana"], setting.secrets["grafana"]),
        "TMINUS_DEMO_ALERTMANAGER": setting.place("alertmanager").url,
        "TMINUS_DEMO_REDIS": redis.address(setting.ports["redis"], setting.secrets["redis"]),
        "TMINUS_DEMO_PAGER": read["pager"],
        "TMINUS_DEMO_ONCALL": sinks.paging(setting.ports["sinks"], setting.secrets["routing-key"]),
        "TMINUS_DEMO_CHAT": read["chat"],
        "TMINUS_DEMO_MAIL": read["mail"],
        "TMINUS_DEMO_LOGS": sinks.gathered(setting.ports["sinks"], setting.secrets["reader"]),
        "TMINUS_DEMO_OSV": sinks.advisories(setting.ports["sinks"]),
        "TMINUS_DEMO_BLACKBOX": setting.place("blackbox").url,
    }
