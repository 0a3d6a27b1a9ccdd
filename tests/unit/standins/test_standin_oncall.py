"""Who is on call at the stand-in for PagerDuty, and what is asked of it, held against the published description."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

if TYPE_CHECKING:
    from tests.unit.standins.shapes import problems, published
else:
    from shapes import problems, published

from tminus.probes import pagerduty
from tminus.standins.oncall import PERSON
from tminus.standins.pager import SERVICE
from tminus.standins.pager_api import ACCEPT
from tminus.standins.server import Secrets, Standins
from tminus.wiring import SystemClock

SECRETS = Secrets(routing_key="k" * 32, hook="T/B/hush", token="t" * 32)
REST = {"Authorization": f"Token token={SECRETS.token}", "Accept": ACCEPT}
FROM = {**REST, "From": str(PERSON["email"])}
BEARER = {"Authorization": f"Bearer {SECRETS.token}"}
REFERENCE = {"id": SERVICE["id"], "type": "service_reference"}
INCIDENT = {"type": "incident", "title": "a test", "service": REFERENCE, "urgency": "high"}
ASSIGNED = {**INCIDENT, "assignments": [{"assignee": {"id": PERSON["id"], "type": "user_reference"}}]}

Client = TestClient[Any, Any]


@dataclass
class Spoken:
    """One request to the pager and its answer."""

    method: str
    path: str
    query: list[str]
    headers: dict[str, str]
    body: Any
    status: int
    answer: Any


@dataclass
class Heard:
    """Everything that was said to the stand-ins."""

    all: list[Spoken] = field(default_factory=list)

    @web.middleware
    async def middleware(self, request: web.Request, handler: Any) -> web.StreamResponse:
        response: web.Response = await handler(request)
        body = await request.json() if request.can_read_body or request.body_exists else None
        self.all.append(
            Spoken(
                request.method,
                request.path.removeprefix("/pager"),
                [*request.query],
                dict(request.headers),
                body,
                response.status,
                json.loads(response.text or "null"),
            )
        )
        return response


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with TestClient(TestServer(Standins(tmp_path, SECRETS, {}).application())) as client:
        yield client


async def asked(
    client: Client, method: str, path: str, headers: dict[str, str], **more: Any
) -> tuple[int, Any]:
    async with client.request(method, f"/pager{path}", headers=headers, **more) as answer:
        return answer.status, await answer.json()


def described() -> dict[str, Any]:
    """PagerDuty's description, without what contradicts itself.

    A channel is to be exactly one of eight shapes which allow everything, and so fits all of them; an acknowledgement
    is to have two names at once.
    """
    whole = published("pagerduty/rest-openapiv3.json")
    schemas = whole["components"]["schemas"]
    del schemas["Channel"]["oneOf"]
    schemas["AcknowledgeLogEntry"] = schemas["LogEntry"]
    return whole


def operation(whole: dict[str, Any], spoken: Spoken) -> dict[str, Any]:
    """What the description says of a request."""
    for template, found in whole["paths"].items():
        if (
            re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), spoken.path)
            and spoken.method.lower() in found
        ):
            operation: dict[str, Any] = found[spoken.method.lower()]
            return operation
    raise AssertionError(f"{spoken.method} {spoken.path} is not described")


def resolved(whole: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        found: Any = whole
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part.replace("~1", "/")]
        schema = found
    return schema


async def test_what_the_probe_says_and_hears_is_what_the_description_has(tmp_path: Path) -> None:
    whole, heard = described(), Heard()
    standins = Standins(tmp_path, SECRETS, {}).application()
    standins.middlewares.append(heard.middleware)
    async with TestServer(standins) as server:
        address = str(server.make_url("/pager")).replace("http://", f"http://reader:{SECRETS.token}@")
        system = pagerduty.System(address, SystemClock().now)
        await pagerduty.sms.run(system, service=SERVICE["id"], sender=PERSON["email"], seconds=5)
    assert {spoken.method for spoken in heard.all} == {"GET", "POST", "PUT"}
    for spoken in heard.all:
        told = operation(whole, spoken)
        known = {resolved(whole, one)["name"]: resolved(whole, one) for one in told["parameters"]}
        assert set(spoken.query) <= set(known), spoken
        needed = {name for name, one in known.items() if one["in"] == "header" and one.get("required")}
        given = {name.title() for name in spoken.headers}
        assert needed - ({"Content-Type"} if spoken.body is None else set()) <= given, spoken
        if spoken.body is not None:
            schema = told["requestBody"]["content"]["application/json"]["schema"]
            assert problems(whole, schema, spoken.body) == []
        answer = resolved(whole, told["responses"][str(spoken.status)])["content"]["application/json"][
            "schema"
        ]
        if spoken.path.endswith("/log_entries"):
            each = {"$ref": "#/components/schemas/LogEntry"}
            assert [why for one in spoken.answer["log_entries"] for why in problems(whole, each, one)] == []
        elif spoken.path.endswith("/contact_methods"):
            each = {"$ref": "#/components/schemas/PhoneContactMethod"}
            assert [
                why for one in spoken.answer["contact_methods"] for why in problems(whole, each, one)
            ] == []
        elif spoken.path != "/oncalls":
            assert problems(whole, answer, spoken.answer) == [], spoken.path
        else:
            each = {
                key: one for key, one in whole["components"]["schemas"]["Oncall"].items() if key != "example"
            }
            for one in spoken.answer["oncalls"]:
                permanent = {key: value for key, value in one.items() if value is not None}
                assert problems(whole, each, permanent) == []


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/oncalls", {"Authorization": REST["Authorization"]}, 400),
        ("/oncalls", {**REST, "Authorization": "Token token=x"}, 401),
        ("/oncalls?escalation_policy=P1", REST, 400),
        ("/oncalls?limit=500", REST, 400),
        ("/users/PNONE/contact_methods", REST, 404),
        ("/users/PSTANDIN3/notification_rules?urgency=loud", REST, 400),
        ("/services/PNONE", REST, 404),
        ("/incidents/PNONE/log_entries", REST, 404),
    ],
)
async def test_what_the_description_does_not_have_is_refused(
    client: Client, path: str, headers: dict[str, str], status: int
) -> None:
    code, body = await asked(client, "GET", path, headers)
    assert code == status
    assert body["error"]["errors"]


@pytest.mark.parametrize(
    "changed",
    [
        {"type": "alert"},
        {"title": ""},
        {"service": {"id": "PNONE", "type": "service_reference"}},
        {"urgency": "loud"},
        {"assignments": [{"assignee": {"id": "PNONE", "type": "user_reference"}}]},
        {"assignments": "Noor"},
        {"escalation_policy": {"id": "PSTANDIN2", "type": "escalation_policy_reference"}},
    ],
)
async def test_an_incident_that_pagerduty_would_refuse_is_refused(
    client: Client, changed: dict[str, Any]
) -> None:
    code, _ = await asked(client, "POST", "/incidents", FROM, json={"incident": {**ASSIGNED, **changed}})
    assert code == 400
    assert (await asked(client, "POST", "/incidents", REST, json={"incident": ASSIGNED}))[0] == 400
    assert (await asked(client, "GET", "/incidents", REST))[1]["incidents"] == []


async def test_an_incident_is_opened_once_by_its_key_and_resolved(client: Client) -> None:
    body = {"incident": {**ASSIGNED, "incident_key": "k1"}}
    code, made = await asked(client, "POST", "/incidents", FROM, json=body)
    assert (code, made["incident"]["assigned_via"]) == (201, "direct_assignment")
    assert (await asked(client, "POST", "/incidents", FROM, json=body))[0] == 400
    path = f"/incidents/{made['incident']['id']}"
    change = {"incident": {"type": "incident_reference", "status": "resolved"}}
    assert (await asked(client, "PUT", path, FROM, json={"incident": {"status": "resolved"}}))[0] == 400
    assert (await asked(client, "PUT", path, FROM, json=change))[1]["incident"]["status"] == "resolved"
    assert (await asked(client, "POST", "/incidents", FROM, json=body))[0] == 201


async def test_how_the_pager_behaves_is_told_by_the_reader_alone_and_in_known_words(client: Client) -> None:
    assert (await asked(client, "PUT", "/behaviour", REST, json={}))[0] == 401
    refused: tuple[Any, ...] = ({"sms": "lost"}, {"weather": "fine"}, {"service": "gone"}, [])
    for wrong in refused:
        assert (await asked(client, "PUT", "/behaviour", BEARER, json=wrong))[0] == 400
    assert (await asked(client, "PUT", "/behaviour", BEARER, json={"status": 429}))[0] == 200
    async with client.get("/pager/oncalls", headers=REST) as answer:
        assert answer.status == 429


async def test_what_was_opened_is_known_to_the_next_process(tmp_path: Path) -> None:
    def running() -> Client:
        return TestClient(TestServer(Standins(tmp_path, SECRETS, {}).application()))

    async with running() as client:
        _, made = await asked(client, "POST", "/incidents", FROM, json={"incident": ASSIGNED})
        path = f"/incidents/{made['incident']['id']}"
        change = {"incident": {"type": "incident_reference", "status": "resolved"}}
        await asked(client, "PUT", path, FROM, json=change)
        before = await asked(client, "GET", f"{path}/log_entries", REST)
    async with running() as again:
        assert (await asked(again, "GET", path, REST))[1]["incident"]["status"] == "resolved"
        kinds = [
            one["type"] for one in (await asked(again, "GET", f"{path}/log_entries", REST))[1]["log_entries"]
        ]
        assert kinds[: len(before[1]["log_entries"])] != []
