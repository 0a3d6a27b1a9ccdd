"""Who is on call at the stand-in for PagerDuty: people, their numbers and rules, and how a page to them goes.

One simulated person is. Whoever holds the reader's token can put others in that person's place, and say how the
messages to them end (`PUT /behaviour` of the pager).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

PERSON = {
    "id": "PSTANDIN3",
    "name": "Noor Haddad (stand-in)",
    "email": "noor@depot.example",
    "level": 1,
    "contact_methods": [
        {
            "id": "PSTANDIN4",
            "type": "sms_contact_method",
            "label": "Mobile",
            "country_code": 44,
            # Ofcom keeps 07700 900000 to 900999 for stories: nobody is called by it.
            "address": "7700900142",
            "enabled": True,
            "blacklisted": False,
        }
    ],
    "rules": [{"id": "PSTANDIN5", "contact": "PSTANDIN4", "urgency": "high", "delay": 0}],
}
"""Whoever is on call as long as nobody says otherwise."""
URGENCY = {"type": "constant", "urgency": "severity_based"}
"""How urgent what is paged about is: by its severity, as the pager's incidents are."""
SENDING_SECONDS = 0.2
"""From the time that a rule sets to the entry that tells of the message."""
ANSWERING_SECONDS = 0.6
"""From the message to the person's answer."""
STATUSES = ("success", "failed", "in_progress", "none")
"""How a message ends; `none` leaves no entry at all."""
_CONTACTS = {
    "sms_contact_method": "sms",
    "phone_contact_method": "phone",
    "email_contact_method": "email",
    "push_notification_contact_method": "push",
}
_SERVICE = ("active", "warning", "critical", "maintenance", "disabled")


class BehaviourError(ValueError):
    """What is asked for cannot be done."""


@dataclass(slots=True)
class Behaviour:
    """How the pager answers from now on."""

    people: Sequence[Mapping[str, Any]] = field(default_factory=lambda: [PERSON])
    """Everybody that it knows; whoever has a `level` is on call."""
    sms: str = "success"
    """How messages by telephone end, one of `STATUSES`."""
    answers: bool = True
    """Whether whoever is told acknowledges."""
    answered_by: str = ""
    """Who acknowledges in the place of whoever is told; empty where that person does."""
    service: str = "active"
    urgency: Mapping[str, Any] = field(default_factory=lambda: dict(URGENCY))
    """The service's `incident_urgency_rule`."""
    status: int = 200
    """What everything is answered with: 401, 429, …"""
    page: int = 100
    """Entries of one answer at most, whatever is asked for."""

    @classmethod
    def of(cls, told: Any) -> "Behaviour":
        """As somebody tells it; raises `BehaviourError` for what there is not."""
        if not isinstance(told, dict) or set(told) - set(asdict(cls())):
            raise BehaviourError(f"say some of {', '.join(asdict(cls()))}")
        found = cls(**told)
        if found.sms not in STATUSES or found.service not in _SERVICE:
            raise BehaviourError(f"sms is one of {', '.join(STATUSES)}, service of {', '.join(_SERVICE)}")
        return found

    def person(self, identifier: str) -> Mapping[str, Any] | None:
        """Somebody by id."""
        return next((one for one in self.people if one["id"] == identifier), None)

    def known(self, email: str) -> Mapping[str, Any] | None:
        """Somebody by mail address."""
        return next((one for one in self.people if one["email"] == email), None)


def reference(person: Mapping[str, Any]) -> dict[str, Any]:
    """Somebody as other things refer to them."""
    return {
        "id": person["id"],
        "type": "user_reference",
        "summary": person["name"],
        "self": None,
        "html_url": None,
    }


def oncalls(behaviour: Behaviour, policy: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Everybody who is on call, without an end."""
    return [
        {
            "escalation_policy": policy,
            "escalation_level": one["level"],
            "schedule": None,
            "user": reference(one),
            "start": None,
            "end": None,
        }
        for one in behaviour.people
        if one.get("level")
    ]


def methods(person: Mapping[str, Any]) -> list[dict[str, Any]]:
    """How somebody can be told."""
    return [
        {"summary": one["label"], "self": None, "html_url": None, **one} for one in person["contact_methods"]
    ]


def rules(person: Mapping[str, Any], urgency: str) -> list[dict[str, Any]]:
    """When somebody is told how."""
    kinds = {one["id"]: one["type"] for one in person["contact_methods"]}
    return [
        {
            "id": one["id"],
            "type": "assignment_notification_rule",
            "summary": f"{one['delay']} minutes",
            "self": None,
            "html_url": None,
            "start_delay_in_minutes": one["delay"],
            "contact_method": {
                "id": one["contact"],
                "type": f"{kinds.get(one['contact'], 'sms_contact_method')}_reference",
                "summary": "Mobile",
                "self": None,
                "html_url": None,
            },
            "urgency": one["urgency"],
        }
        for one in person["rules"]
        if urgency in {one["urgency"], "all"}
    ]


@dataclass(frozen=True, slots=True)
class Notification:
    """One message to somebody about an incident."""

    at: float
    person: Mapping[str, Any]
    way: str
    address: str
    status: str


def notifications(
    behaviour: Behaviour, person: Mapping[str, Any], urgency: str, at: float
) -> Iterator[Notification]:
    """The messages to somebody about an incident that was assigned at this instant, also those that are to come."""
    known = {one["id"]: one for one in person["contact_methods"]}
    for rule in person["rules"]:
        if rule["urgency"] != urgency or not (method := known.get(rule["contact"])):
            continue
        way = _CONTACTS[method["type"]]
        phone = way in {"sms", "phone"}
        status = behaviour.sms if phone else "success"
        if status == "none" or (phone and not method.get("enabled", True)):
            continue
        address = f"+{method['country_code']} {method['address']}" if phone else method["address"]
        yield Notification(at + rule["delay"] * 60 + SENDING_SECONDS, person, way, address, status)
