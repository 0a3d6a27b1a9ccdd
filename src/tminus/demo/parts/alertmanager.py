"""Alertmanager: who hears of which alert.

Critical ones page, tell the channel and send a mail; warnings tell the channel.
"""

from dataclasses import dataclass, field
from typing import Any

from tminus.demo.parts.alerts import CRITICAL, WARNING
from tminus.demo.parts.place import HOST, Place, as_yaml
from tminus.demo.supervisor import AGAIN, Part

PAGED, TOLD = "on-call", "channel"
"""The two receivers."""
ON_CALL_MAIL = "on-call@depot.example"
CHANNEL = "#production-deployment"


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
    """The configuration file.

    What no route knows goes to the channel: an alert that nobody hears of is worse than a wrong address. `nonce` marks
    an alert that was made to see whether it arrives; each is told by itself.
    """
    return as_yaml(
        {
            "global": {
                "resolve_timeout": "1m",
                "smtp_smarthost": f"{HOST}:{sinks.mail_port}",
                "smtp_from": "alertmanager@depot.example",
                "smtp_hello": "localhost",
                "smtp_require_tls": False,
            },
            "route": {
                "receiver": TOLD,
                "group_by": ["alertname", "nonce"],
                "group_wait": "0s",
                "group_interval": "1s",
                "repeat_interval": "4h",
                "routes": [
                    {"matchers": [f'severity="{CRITICAL}"'], "receiver": PAGED},
                    {"matchers": [f'severity="{WARNING}"'], "receiver": TOLD},
                ],
            },
            "receivers": [
                {
                    "name": PAGED,
                    "pagerduty_configs": [_page(sinks)],
                    "slack_configs": [_message(sinks)],
                    "email_configs": [_mail()],
                },
                {"name": TOLD, "slack_configs": [_message(sinks)]},
            ],
        }
    )


_WHAT = '{{ .CommonLabels.alertname }}: {{ or .CommonAnnotations.summary "no summary" }}'
_FACTS = "{{ range .CommonLabels.SortedPairs }}{{ .Name }}={{ .Value }} {{ end }}"
_RUNBOOK = "{{ .CommonAnnotations.runbook_url }}"


def _page(sinks: Sinks) -> dict[str, Any]:
    return {
        "url": f"{sinks.pager}/v2/enqueue",
        "routing_key": sinks.routing_key,
        "send_resolved": True,
        "description": _WHAT,
        "severity": '{{ or .CommonLabels.severity "error" }}',
        "class": "{{ .CommonLabels.alertname }}",
        "details": {"facts": _FACTS, "runbook": _RUNBOOK, "nonce": "{{ .CommonLabels.nonce }}"},
    }


def _message(sinks: Sinks) -> dict[str, Any]:
    return {
        "api_url": sinks.chat,
        "channel": CHANNEL,
        "send_resolved": True,
        "title": "[{{ .Status | toUpper }}] " + _WHAT,
        "title_link": _RUNBOOK,
        "text": _FACTS + _RUNBOOK,
    }


def _mail() -> dict[str, Any]:
    return {
        "to": ON_CALL_MAIL,
        "send_resolved": True,
        "headers": {"Subject": "[{{ .Status | toUpper }}] " + _WHAT},
        "html": "",
        "text": f"{_WHAT}\n{_FACTS}\n{_RUNBOOK}\n",
    }


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
