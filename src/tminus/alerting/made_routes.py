"""Alertmanager's routing tree as checklists want it: critical alerts page, tell the channel and send a mail.

Warnings tell the channel alone, and so does what no route knows: an alert that nobody hears of is worse than a wrong
address. `nonce` marks an alert that was made to see whether it arrives; each is told by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tminus.alerting.made_rules import CRITICAL, WARNING, WATCHDOG

PAGED, TOLD, NOBODY = "on-call", "channel", "nobody"
"""The receivers; nobody is told of the alert that always fires."""

_WHAT = '{{ .CommonLabels.alertname }}: {{ or .CommonAnnotations.summary "no summary" }}'
_FACTS = "{{ range .CommonLabels.SortedPairs }}{{ .Name }}={{ .Value }} {{ end }}"
_RUNBOOK = "{{ .CommonAnnotations.runbook_url }}"


@dataclass(frozen=True, slots=True)
class Ways:
    """Where alerts end; each with Alertmanager's own fields for what opens it."""

    pager: Mapping[str, Any] = field(repr=False)
    """PagerDuty's: `routing_key_file`, or `routing_key`; `url` where it is not the usual one."""
    chat: Mapping[str, Any] = field(repr=False)
    """Slack's: `api_url_file`, or `api_url`."""
    channel: str
    mail: Mapping[str, Any] = field(repr=False)
    """How mail is sent, as the `global` block has it."""
    mail_to: str


@dataclass(frozen=True, slots=True)
class Pace:
    """When Alertmanager tells of a group of alerts, in its own words."""

    wait: str = "5s"
    interval: str = "1m"
    repeat: str = "4h"


def config(ways: Ways, pace: Pace, *, watched: bool) -> dict[str, Any]:
    """The configuration; `watched` keeps the alert that always fires from telling anybody."""
    routes = [
        {"matchers": [f'severity="{CRITICAL}"'], "receiver": PAGED},
        {"matchers": [f'severity="{WARNING}"'], "receiver": TOLD},
    ]
    receivers: list[dict[str, Any]] = [
        {
            "name": PAGED,
            "pagerduty_configs": [_page(ways)],
            "slack_configs": [_message(ways)],
            "email_configs": [_mail(ways)],
        },
        {"name": TOLD, "slack_configs": [_message(ways)]},
    ]
    if watched:
        routes.append({"matchers": [f'alertname="{WATCHDOG["alert"]}"'], "receiver": NOBODY})
        receivers.append({"name": NOBODY})
    return {
        "global": {"resolve_timeout": "1m", **ways.mail},
        "route": {
            "receiver": TOLD,
            "group_by": ["alertname", "nonce"],
            "group_wait": pace.wait,
            "group_interval": pace.interval,
            "repeat_interval": pace.repeat,
            "routes": routes,
        },
        "receivers": receivers,
    }


def _page(ways: Ways) -> dict[str, Any]:
    return {
        **ways.pager,
        "send_resolved": True,
        "description": _WHAT,
        "severity": '{{ or .CommonLabels.severity "error" }}',
        "class": "{{ .CommonLabels.alertname }}",
        "details": {"facts": _FACTS, "runbook": _RUNBOOK, "nonce": "{{ .CommonLabels.nonce }}"},
    }


def _message(ways: Ways) -> dict[str, Any]:
    return {
        **ways.chat,
        "channel": ways.channel,
        "send_resolved": True,
        "title": "[{{ .Status | toUpper }}] " + _WHAT,
        "title_link": _RUNBOOK,
        "text": _FACTS + _RUNBOOK,
    }


def _mail(ways: Ways) -> dict[str, Any]:
    return {
        "to": ways.mail_to,
        "send_resolved": True,
        "headers": {"Subject": "[{{ .Status | toUpper }}] " + _WHAT},
        "html": "",
        "text": f"{_WHAT}\n{_FACTS}\n{_RUNBOOK}\n",
    }
