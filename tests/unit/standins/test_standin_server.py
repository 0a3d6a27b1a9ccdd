"""The process of the stand-ins as senders and readers meet it."""

import json
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from tminus.standins import STAND_IN
from tminus.standins.chat import CHANNEL
from tminus.standins.server import Secrets, Standins

SECRETS = Secrets(routing_key="k" * 32, hook="T/B/hush", token="t" * 32)
PAGER = {"Authorization": f"Token token={SECRETS.token}"}
BEARER = {"Authorization": f"Bearer {SECRETS.token}"}

Client = TestClient[Any, Any]


def standins(folder: Path) -> Standins:
    return Standins(folder, SECRETS, {"alert.crit.down": "what is done first"})


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with TestClient(TestServer(standins(tmp_path).application())) as client:
        yield client


async def page(client: Client, action: str = "trigger", key: str = "k1", severity: str = "critical") -> int:
    payload = {"summary": f"about {key}", "source": "depot", "severity": severity}
    body = {"routing_key": SECRETS.routing_key, "event_action": action, "dedup_key": key, "payload": payload}
    async with client.post("/pager/v2/enqueue", json=body) as answer:
        return answer.status


async def incidents(client: Client, query: str = "") -> list[dict[str, Any]]:
    async with client.get(f"/pager/incidents{query}", headers=PAGER) as answer:
        found: list[dict[str, Any]] = (await answer.json())["incidents"]
        return found


async def history(client: Client, query: str = "") -> dict[str, Any]:
    url = f"/chat/api/conversations.history?channel={CHANNEL}{query}"
    async with client.get(url, headers=BEARER) as answer:
        body: dict[str, Any] = await answer.json()
        return body


async def test_one_dedup_key_is_one_incident_until_it_is_resolved_and_then_another(client: Client) -> None:
    for action in ("trigger", "trigger", "resolve", "trigger"):
        assert await page(client, action) == 202
    first, second = await incidents(client)
    assert (first["status"], second["status"]) == ("resolved", "triggered")
    assert first["id"] != second["id"]
    assert await page(client, "resolve", "never triggered") == 202
    assert len(await incidents(client)) == 2


async def test_incidents_are_found_by_status_urgency_key_and_time_page_by_page(client: Client) -> None:
    await page(client, key="a")
    await page(client, key="b", severity="warning")
    await page(client, "acknowledge", "b", "warning")
    assert [one["incident_key"] for one in await incidents(client, "?statuses[]=acknowledged")] == ["b"]
    assert [one["incident_key"] for one in await incidents(client, "?urgencies[]=high")] == ["a"]
    assert [one["incident_key"] for one in await incidents(client, "?incident_key=b")] == ["b"]
    assert [one["incident_key"] for one in await incidents(client, "?limit=1&offset=1")] == ["b"]
    assert await incidents(client, "?since=2999-01-01T00:00:00Z") == []
    assert await incidents(client, "?until=2001-01-01T00:00:00Z") == []
    assert await incidents(client, "?service_ids[]=PANOTHER") == []
    for wrong in ("?since=yesterday", "?limit=0", "?offset=-1"):
        async with client.get(f"/pager/incidents{wrong}", headers=PAGER) as answer:
            assert answer.status == 400, wrong


async def test_an_event_that_pagerduty_would_refuse_is_refused_with_every_reason(client: Client) -> None:
    body = {"routing_key": "another", "event_action": "resolve"}
    async with client.post("/pager/v2/enqueue", json=body) as answer:
        assert answer.status == 400
        assert len((await answer.json())["errors"]) == 2
    async with client.post("/pager/v2/enqueue", data=b"{") as answer:
        assert answer.status == 400
    assert await incidents(client) == []


async def test_messages_come_newest_first_and_can_be_asked_for_by_time(client: Client) -> None:
    for text in ("one", "two", "three"):
        async with client.post(f"/chat/services/{SECRETS.hook}", json={"text": text}) as answer:
            assert (answer.status, await answer.text()) == (200, "ok")
    told = await history(client)
    assert [message["text"] for message in told["messages"]] == ["three", "two", "one"]
    middle = told["messages"][1]["ts"]
    assert [message["text"] for message in (await history(client, f"&oldest={middle}"))["messages"]] == [
        "three"
    ]
    assert [message["text"] for message in (await history(client, f"&latest={middle}"))["messages"]] == [
        "one"
    ]
    assert (await history(client, "&limit=1"))["has_more"]
    assert (await history(client, "&limit=none"))["error"] == "invalid_arguments"


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        ({}, 400, "no_text"),
        ([], 400, "invalid_payload"),
        ({"text": 7}, 400, "invalid_payload"),
        ({"attachments": ["text"]}, 400, "invalid_attachments"),
        ({"text": "x", "channel": "#elsewhere"}, 404, "channel_not_found"),
    ],
)
async def test_a_message_that_slack_would_refuse_is_refused_with_its_word(
    client: Client, body: Any, status: int, word: str
) -> None:
    async with client.post(f"/chat/services/{SECRETS.hook}", json=body) as answer:
        assert (answer.status, await answer.text()) == (status, word)
    assert (await history(client))["messages"] == []


async def test_nobody_reads_or_sends_without_the_secret(client: Client) -> None:
    for path in ("/pager/incidents", "/pager/incidents/Q1", "/mail/messages"):
        async with client.get(path, headers={"Authorization": "Bearer x"}) as answer:
            assert answer.status == 401, path
    async with client.get(f"/chat/api/conversations.info?channel={CHANNEL}") as answer:
        assert await answer.json() == {"ok": False, "error": "not_authed"}
    async with client.post("/chat/services/T/B/other", json={"text": "x"}) as answer:
        assert (answer.status, await answer.text()) == (404, "no_service")
    async with client.get("/chat/api/conversations.info?channel=CX", headers=BEARER) as answer:
        assert await answer.json() == {"ok": False, "error": "channel_not_found"}


async def test_every_answer_says_that_it_is_of_a_stand_in(client: Client) -> None:
    for path in ("/health", "/pager/incidents", "/runbooks/alert.crit.down", "/runbooks/none", "/nowhere"):
        async with client.get(path) as answer:
            assert answer.headers["X-Stand-In"] == STAND_IN, path


async def test_a_runbook_is_shown_by_its_name(client: Client) -> None:
    async with client.get("/runbooks/alert.crit.down") as answer:
        assert await answer.text() == "what is done first"


def mail(subject: str, text: str) -> dict[str, Any]:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, "a@depot.example", "b@depot.example"
    message.set_content(text)
    return {"sender": "a@depot.example", "recipients": ["b@depot.example"], "source": message.as_string()}


async def test_a_mail_is_found_by_what_it_holds(tmp_path: Path) -> None:
    kept = standins(tmp_path)
    kept.deliver(mail("Grüße", "the nonce is n-1"))
    kept.deliver(mail("other", "nothing"))
    async with TestClient(TestServer(kept.application())) as client:
        async with client.get("/mail/messages?holding=n-1", headers=BEARER) as answer:
            (found,) = (await answer.json())["messages"]
        assert (found["subject"], found["recipients"]) == ("Grüße", ["b@depot.example"])
        async with client.get("/mail/messages", headers=BEARER) as answer:
            assert len((await answer.json())["messages"]) == 2


async def test_what_arrived_is_kept_line_by_line_and_known_to_the_next_process(
    tmp_path: Path, client: Client
) -> None:
    await page(client)
    await client.post(f"/chat/services/{SECRETS.hook}", json={"text": "hello"})
    journal = tmp_path / "arrived.jsonl"
    assert SECRETS.routing_key not in journal.read_text()
    assert [json.loads(line)["stand_in"] for line in journal.read_text().splitlines()] == [STAND_IN] * 2
    with journal.open("a") as file:
        file.write('{"kind": "page", "cut o')
    before = await incidents(client), await history(client)
    async with TestClient(TestServer(standins(tmp_path).application())) as again:
        assert (await incidents(again), await history(again)) == before
    assert len(journal.read_text().splitlines()) == 2, "a line that was cut off was never answered"


def test_secrets_are_not_shown() -> None:
    assert "hush" not in repr(SECRETS)
