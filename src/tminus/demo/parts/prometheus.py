"""Prometheus: scrapes every second what the stage says of itself, and judges the alerts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tminus.demo.parts.alerts import rules
from tminus.demo.parts.place import HOST, LOOK_SECONDS, Place, as_yaml
from tminus.demo.supervisor import AGAIN, Part
from tminus.domain.traffic import Side
from tminus.errors import UnreachableError
from tminus.http import connect

_NEVER = "0001-"
"""How Prometheus writes that a target was not asked yet: the first instant of Go's time."""
INTERVAL = "1s"
"""Between two scrapes, and between two judgements of a rule: a fault pages within seconds."""


@dataclass(frozen=True, slots=True)
class Scraped:
    """Where everything that is scraped listens."""

    sides: Mapping[Side, int]
    """Blue and green; green is there during a launch only, and its absence is no alert."""
    public: str
    """The public name, looked at through the blackbox exporter."""
    blackbox: int
    jobs: Mapping[str, int]
    """By job, what needs no labels."""
    alertmanager: int
    runbooks: str


def render(scraped: Scraped) -> str:
    """The configuration file."""
    look = {"module": ["public"], "target": [f"{scraped.public}/health"]}
    public = [
        {"target_label": "instance", "replacement": scraped.public},
        {"target_label": "__address__", "replacement": f"{HOST}:{scraped.blackbox}"},
    ]
    sides = [
        {"targets": [f"{HOST}:{port}"], "labels": {"side": side.value}}
        for side, port in scraped.sides.items()
    ]
    jobs = [_job(name, port) for name, port in scraped.jobs.items()]
    address = {"static_configs": [{"targets": [f"{HOST}:{scraped.alertmanager}"]}]}
    return as_yaml(
        {
            "global": {
                "scrape_interval": INTERVAL,
                "scrape_timeout": INTERVAL,
                "evaluation_interval": INTERVAL,
            },
            "alerting": {"alertmanagers": [address]},
            "rule_files": ["alerts.yml"],
            "scrape_configs": [
                {"job_name": "depot", "static_configs": sides},
                {
                    **_job("public", scraped.blackbox),
                    "metrics_path": "/probe",
                    "params": look,
                    "relabel_configs": public,
                },
                *jobs,
            ],
        }
    )


def _job(name: str, port: int) -> dict[str, Any]:
    return {"job_name": name, "static_configs": [{"targets": [f"{HOST}:{port}"]}]}


async def _scrapes(place: Place) -> bool:
    """Whether every target has been asked once since this start, with whatever outcome.

    Prometheus begins five seconds after it says that it is ready: so long it waits before it reads its list of targets.
    """
    try:
        async with connect(place.url, seconds=LOOK_SECONDS) as http:
            answer = (await http.get("/api/v1/targets?state=active")).json()
    except UnreachableError:
        return False
    targets = answer["data"]["activeTargets"]
    return bool(targets) and not any(target["lastScrape"].startswith(_NEVER) for target in targets)


def part(place: Place, scraped: Scraped) -> Part:
    """How it is started; what it had measured survives a kill, in its folder."""

    async def prepare() -> None:
        place.write("prometheus.yml", render(scraped))
        place.write("alerts.yml", as_yaml(rules(scraped.runbooks)))

    async def ready() -> bool:
        return await place.answers("/-/ready") and await _scrapes(place)

    command = [
        str(place.program),
        "--config.file=prometheus.yml",
        "--storage.tsdb.path=data",
        "--storage.tsdb.retention.time=1d",
        "--rules.alert.resend-delay=5s",  # what fired before Alertmanager was known is lost until then
        f"--web.listen-address={place.listen}",
        f"--web.external-url={place.url}",
        "--log.level=warn",
    ]
    return Part(place.name, command, place.environment, answers=ready, prepare=prepare, restarts=AGAIN)
