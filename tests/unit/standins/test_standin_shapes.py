"""What the stand-ins take and answer, held against the services' published descriptions."""

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.unit.standins.shapes import problems, published
else:
    from shapes import problems, published

from tminus.standins import pager
from tminus.standins.chat import Chat
from tminus.standins.pager import Pager

KEY = "0123456789abcdef0123456789abcdef"


def event(**changed: Any) -> dict[str, Any]:
    payload = {
        "summary": "disk full",
        "source": "depot",
        "severity": "critical",
        "custom_details": {"free": "1 %"},
    }
    return {
        "routing_key": KEY,
        "event_action": "trigger",
        "dedup_key": "k",
        "client": "Alertmanager",
        "links": [],
        "payload": payload,
        **changed,
    }


def payload(**changed: Any) -> dict[str, Any]:
    return event(payload={**event()["payload"], **changed})


BAD = {
    "no key": event(routing_key=None),
    "an action that there is not": event(event_action="shout"),
    "a key that is a number": event(dedup_key=7),
    "links that are none": event(links="http://example.com"),
    "a client that is a number": event(client=7),
    "a severity that there is not": payload(severity="awful"),
    "no summary": payload(summary=None),
    "a source that is a number": payload(source=7),
    "a class that is a number": payload(**{"class": 7}),
}


@pytest.fixture
def taken() -> dict[str, Any]:
    """PagerDuty's events."""
    whole = published("pagerduty/events-v2-openapiv3.json")
    body = whole["paths"]["/enqueue"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    return {"whole": whole, "schema": body}


@pytest.mark.parametrize("name", BAD)
def test_what_pagerduty_s_description_forbids_is_refused(name: str, taken: dict[str, Any]) -> None:
    assert problems(**taken, value=BAD[name]), "the description forbids it"
    assert pager.problems(BAD[name], KEY)


@pytest.mark.parametrize("action", ["trigger", "acknowledge", "resolve"])
def test_what_the_description_allows_is_taken(action: str, taken: dict[str, Any]) -> None:
    assert problems(**taken, value=event(event_action=action)) == []
    assert pager.problems(event(event_action=action), KEY) == []


@pytest.mark.parametrize("action", ["trigger", "acknowledge", "resolve"])
def test_incidents_and_alerts_have_pagerduty_s_shape(action: str) -> None:
    whole = published("pagerduty/rest-openapiv3.json")
    incidents = Pager()
    incidents.take(event(), 100.0)
    incidents.take(event(event_action=action), 101.0)
    (incident,) = incidents.incidents
    assert problems(whole, {"$ref": "#/components/schemas/Incident"}, incident.shown()) == []
    assert problems(whole, {"$ref": "#/components/schemas/Alert"}, incident.alert()) == []
    assert problems(
        whole, {"$ref": "#/components/schemas/Incident"}, {**incident.shown(), "status": "on fire"}
    )


def test_the_channel_s_history_has_slack_s_shape() -> None:
    whole = published("slack/slack_web_openapi_v2.json")
    schema = whole["paths"]["/conversations.history"]["get"]["responses"]["200"]["schema"]
    channel = Chat()
    channel.take({"text": "hello", "username": "alertmanager"}, 1.8e9)
    channel.take({"attachments": [{"fallback": "an alert"}]}, 1.8e9)
    history = channel.history(0.0, None, 10)
    assert problems(whole, schema, history) == []
    assert problems(whole, schema, {**history, "ok": False})
