"""Alertmanager: who hears of which alert.

Critical ones page, tell the channel and send a mail; warnings tell the channel.
"""

from dataclasses import dataclass, field

from tminus.alerting import made_routes
from tminus.demo.parts.place import HOST, Place, as_yaml
from tminus.demo.supervisor import AGAIN, Part

ON_CALL_MAIL = "on-call@depot.example"
CHANNEL = "#production-deployment"
_PACE = made_routes.Pace(wait="0s", interval="1s", repeat="4h")
"""A fault tells somebody within seconds."""


@dataclass(frozen=True, slots=True)
class Sinks:
    """Where alerts end, and what is sent along so that they are taken."""

    pager: str
    """The base address of PagerDuty's events."""
    chat: str = field(repr=False)
    """Slack's webhook, whose end is a secret."""
    mail_port: int
    routing_key: str = field(repr=False)


def render(sinks: Sinks) -> str:
    """The configuration file: the tree that `tminus make routes` makes, told at once."""
    mail = {
        "smtp_smarthost": f"{HOST}:{sinks.mail_port}",
        "smtp_from": "alertmanager@depot.example",
        "smtp_hello": "localhost",
        "smtp_require_tls": False,
    }
    ways = made_routes.Ways(
        {"url": f"{sinks.pager}/v2/enqueue", "routing_key": sinks.routing_key},
        {"api_url": sinks.chat},
        CHANNEL,
        mail,
        ON_CALL_MAIL,
    )
    return as_yaml(made_routes.config(ways, _PACE, watched=False))


def part(place: Place, sinks: Sinks) -> Part:
    """How it is started; alone, without the gossip port of a cluster."""

    async def prepare() -> None:
        place.write("alertmanager.yml", render(sinks))

    async def ready() -> bool:
        return await place.answers("/-/ready")

    command = [
        str(place.program),
        "--config.file=alertmanager.yml",
        "--storage.path=data",
        f"--web.listen-address={place.listen}",
        f"--web.external-url={place.url}",
        "--cluster.listen-address=",
        "--log.level=warn",
    ]
    return Part(place.name, command, place.environment, answers=ready, prepare=prepare, restarts=AGAIN)
