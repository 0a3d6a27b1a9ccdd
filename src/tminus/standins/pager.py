"""A stand-in for PagerDuty: events in (Events API v2), incidents in and out (REST API v2).

An incident is opened by a `trigger`, and each further one with its `dedup_key` belongs to it until it is resolved. One
that is opened by REST may be assigned to people, who are told by their rules and may answer.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from .clock import written
from .oncall import ANSWERING_SECONDS, Behaviour, Notification, notifications, reference

SERVICE = {
    "id": "PSTANDIN1",
    "type": "service_reference",
    "summary": "depot (stand-in)",
    "self": None,
    "html_url": None,
}
POLICY = {
    "id": "PSTANDIN2",
    "type": "escalation_policy_reference",
    "summary": "depot on-call (stand-in)",
    "self": None,
    "html_url": None,
}
STATUSES = {"trigger": "triggered", "acknowledge": "acknowledged", "resolve": "resolved"}
SEVERITIES = ("critical", "error", "warning", "info")
_LONGEST_KEY = 255
_LONGEST_SUMMARY = 1024
_TEXTS = ("timestamp", "component", "group", "class")


def problems(event: Any, routing_key: str) -> list[str]:
    """Why PagerDuty would refuse this event; nothing when it would take it."""
    if not isinstance(event, dict):
        return ["the body is no JSON object"]
    found = []
    if event.get("routing_key") != routing_key:
        found.append("'routing_key' is not the key of an integration here")
    action = event.get("event_action")
    if action not in STATUSES:
        found.append(f"'event_action' is not one of {', '.join(STATUSES)}")
    key = event.get("dedup_key")
    if key is None and action in {"acknowledge", "resolve"}:
        found.append(f"'dedup_key' is missing, and {action} needs it")
    if key is not None and not (isinstance(key, str) and 0 < len(key) <= _LONGEST_KEY):
        found.append(f"'dedup_key' is no text of 1 to {_LONGEST_KEY} characters")
    found += [f"'{name}' is no list" for name in ("links", "images") if not _is(event, name, list)]
    found += [f"'{name}' is no text" for name in ("client", "client_url") if not _is(event, name, str)]
    return found + (_payload_problems(event.get("payload")) if action == "trigger" else [])


def _payload_problems(payload: Any) -> list[str]:
    if not isinstance(payload, dict):
        return ["'payload' is missing or no object"]
    found = []
    summary = payload.get("summary")
    if not (isinstance(summary, str) and 0 < len(summary) <= _LONGEST_SUMMARY):
        found.append(f"'payload.summary' is no text of 1 to {_LONGEST_SUMMARY} characters")
    if not (isinstance(payload.get("source"), str) and payload["source"]):
        found.append("'payload.source' is missing or no text")
    if payload.get("severity") not in SEVERITIES:
        found.append(f"'payload.severity' is not one of {', '.join(SEVERITIES)}")
    return found + [f"'payload.{name}' is no text" for name in _TEXTS if not _is(payload, name, str)]


def _is(body: dict[str, Any], name: str, kind: type) -> bool:
    return body.get(name) is None or isinstance(body[name], kind)


@dataclass(slots=True)
class Incident:
    """What a person would be woken for."""

    number: int
    key: str
    payload: dict[str, Any]
    created: float
    changed: float
    status: str = "triggered"
    triggers: int = 1
    """How many events were grouped into it."""
    assigned: Sequence[dict[str, Any]] = ()
    """Who was told of it, as they were known then."""
    sender: dict[str, Any] = field(default_factory=dict)
    """Who opened it by REST."""
    behaviour: Behaviour = field(default_factory=Behaviour)
    """How the pager behaved when it was opened."""
    ended: float | None = None
    """When it was resolved by REST."""

    @property
    def id(self) -> str:
        """Its name in addresses."""
        return "Q" + sha256(f"{self.number}:{self.key}".encode()).hexdigest()[:13].upper()

    def shown(self) -> dict[str, Any]:
        """As PagerDuty's REST API shows it."""
        resolved = self.status == "resolved"
        return {
            "id": self.id,
            "type": "incident",
            "summary": f"[#{self.number}] {self.payload['summary']}",
            "self": None,
            "html_url": None,
            "incident_number": self.number,
            "title": self.payload["summary"],
            "created_at": written(self.created),
            "updated_at": written(self.changed),
            "status": self.status,
            "incident_key": self.key,
            "service": SERVICE,
            "assignments": [
                {"at": written(self.created), "assignee": reference(one)} for one in self.assigned
            ],
            "assigned_via": "direct_assignment" if self.assigned else "escalation_policy",
            "last_status_change_at": written(self.changed),
            **({"resolved_at": written(self.changed)} if resolved else {}),
            "alert_counts": {"all": 1, "triggered": int(not resolved), "resolved": int(resolved)},
            "is_mergeable": True,
            "escalation_policy": POLICY,
            "teams": [],
            "pending_actions": [],
            "acknowledgements": [],
            "urgency": self.urgency,
        }

    @property
    def urgency(self) -> str:
        """How loud it is."""
        return "high" if self.payload["severity"] == "critical" else "low"

    def messages(self) -> list[Notification]:
        """Every message about it, also those that are to come."""
        return [
            sent
            for one in self.assigned
            for sent in notifications(self.behaviour, one, self.urgency, self.created)
        ]

    def answers(self) -> list[tuple[float, dict[str, Any]]]:
        """When who acknowledges it, also those who will."""
        if not self.behaviour.answers:
            return []
        told = {one.person["id"]: one.at for one in self.messages() if one.status == "success"}
        people = [one for one in self.assigned if one["id"] in told]
        return [(told[one["id"]] + ANSWERING_SECONDS, dict(self._instead(one))) for one in people]

    def _instead(self, person: Mapping[str, Any]) -> Mapping[str, Any]:
        return self.behaviour.person(self.behaviour.answered_by) or person

    def go_on(self, now: float) -> None:
        """Be acknowledged, where somebody has answered by now."""
        at = min((at for at, _ in self.answers() if at <= now), default=None)
        if at is not None and self.status == "triggered":
            self.status, self.changed = "acknowledged", at

    def entries(self, now: float) -> list[dict[str, Any]]:
        """Its log up to now, the newest first, as PagerDuty shows it."""
        service = {key: SERVICE[key] for key in ("id", "type", "summary")}
        agent = reference(self.sender) if self.sender else service
        told: list[tuple[str, float, dict[str, Any]]] = [
            ("trigger_log_entry", self.created, {"agent": agent, "channel": {"type": "api"}})
        ]
        if self.assigned:
            assignees = [reference(one) for one in self.assigned]
            assign = {"agent": agent, "channel": {"type": "auto"}, "assignees": assignees}
            told.append(("assign_log_entry", self.created, assign))
        told += [("notify_log_entry", one.at, _told(one, agent)) for one in self.messages()]
        told += [
            ("acknowledge_log_entry", at, {"agent": reference(one), "channel": {"type": "sms"}})
            for at, one in self.answers()
            if self.ended is None or at <= self.ended
        ]
        if self.ended is not None:
            told.append(("resolve_log_entry", self.ended, {"agent": agent, "channel": {"type": "api"}}))
        found = [self._entry(number, *one) for number, one in enumerate(told) if one[1] <= now]
        return sorted(found, key=lambda one: str(one["created_at"]), reverse=True)

    def _entry(self, number: int, kind: str, at: float, more: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": f"R{self.id[1:]}{number}",
            "type": kind,
            "summary": kind.removesuffix("_log_entry"),
            "self": None,
            "html_url": None,
            "created_at": written(at),
            "service": SERVICE,
            "incident": {"id": self.id, "type": "incident_reference"},
            "teams": [],
            "contexts": [],
            "event_details": {},
            **more,
        }

    def alert(self) -> dict[str, Any]:
        """The one alert behind it, with what the sender told."""
        return {
            "id": f"A{self.id[1:]}",
            "type": "alert",
            "summary": self.payload["summary"],
            "self": None,
            "html_url": None,
            "created_at": written(self.created),
            "status": "resolved" if self.status == "resolved" else "triggered",
            "alert_key": self.key,
            "service": SERVICE,
            "incident": {"id": self.id, "type": "incident_reference"},
            "suppressed": False,
            "severity": self.payload["severity"],
            "body": {
                "type": "alert_body",
                "contexts": [],
                "details": self.payload.get("custom_details") or {},
            },
        }


def _told(sent: Notification, agent: Mapping[str, Any]) -> dict[str, Any]:
    """What is particular to the entry about a message."""
    notification = {"type": f"{sent.way}_notification", "address": sent.address, "status": sent.status}
    user = reference(sent.person)
    return {"agent": agent, "user": user, "channel": {"type": "auto", "notification": notification}}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which incidents are asked for; empty means all."""

    since: float | None = None
    until: float | None = None
    statuses: Sequence[str] = ()
    services: Sequence[str] = ()
    urgencies: Sequence[str] = ()
    key: str | None = None

    def takes(self, incident: Incident) -> bool:
        """Whether this one is asked for."""
        return (
            (self.since is None or incident.created >= self.since)
            and (self.until is None or incident.created < self.until)
            and (not self.statuses or incident.status in self.statuses)
            and (not self.services or SERVICE["id"] in self.services)
            and (not self.urgencies or incident.urgency in self.urgencies)
            and (self.key is None or incident.key == self.key)
        )


@dataclass(slots=True)
class Pager:
    """Every incident of this stage."""

    incidents: list[Incident] = field(default_factory=list)

    def take(self, event: dict[str, Any], at: float) -> str:
        """Act on an event that has no problems; its `dedup_key`, made here when it had none."""
        key = str(event.setdefault("dedup_key", uuid.uuid4().hex))
        action = event["event_action"]
        known = next(
            (one for one in reversed(self.incidents) if one.key == key and one.status != "resolved"), None
        )
        if action == "trigger" and known is None:
            self.incidents.append(Incident(len(self.incidents) + 1, key, event["payload"], at, at))
        elif action == "trigger" and known is not None:
            known.triggers += 1
        elif known is not None:
            known.status, known.changed = STATUSES[action], at
        return key

    def open(self, data: dict[str, Any], at: float) -> Incident:
        """Open an incident by REST that has no problems."""
        told = data["incident"]
        severity = "critical" if told.get("urgency", "high") == "high" else "warning"
        details = {"details": (told.get("body") or {}).get("details", "")}
        incident = Incident(
            len(self.incidents) + 1,
            str(told.setdefault("incident_key", uuid.uuid4().hex)),
            {"summary": told["title"], "severity": severity, "custom_details": details},
            at,
            at,
            assigned=data["people"],
            sender=data["sender"],
            behaviour=Behaviour(**data["behaviour"]),
        )
        self.incidents.append(incident)
        return incident

    def change(self, data: dict[str, Any], at: float) -> Incident:
        """Bring an incident into another state, by REST."""
        incident = self.find(data["id"])
        assert incident is not None  # noqa: S101 - whoever asked was told before that there is one
        incident.status, incident.changed = data["status"], at
        incident.ended = at if data["status"] == "resolved" else None
        return incident

    def wanted(self, wanted: Wanted) -> list[Incident]:
        """The incidents asked for, oldest first."""
        return [incident for incident in self.incidents if wanted.takes(incident)]

    def find(self, identifier: str) -> Incident | None:
        """The incident of this name."""
        return next((incident for incident in self.incidents if incident.id == identifier), None)
