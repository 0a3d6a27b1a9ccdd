"""Text messages at the stand-in for Twilio, held against the published description, and what it refuses."""

from base64 import b64encode
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

if TYPE_CHECKING:
    from tests.unit.standins.shapes import problems, published
else:
    from shapes import problems, published

from tminus.standins.sms import ACCOUNT, NUMBER, Texts

TOKEN = "hush"
LOGIN = {"Authorization": f"Basic {b64encode(f'{ACCOUNT}:{TOKEN}'.encode()).decode()}"}
BEARER = {"Authorization": f"Bearer {TOKEN}"}
PATH = f"/2010-04-01/Accounts/{ACCOUNT}/Messages"
GOOD = {"To": "+447700900142", "From": NUMBER, "Body": "the code is 123456"}

Client = TestClient[Any, Any]


class Clock:
    """Time that passes when somebody says so."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def client(clock: Clock) -> AsyncIterator[Client]:
    async with TestClient(TestServer(Texts(clock, TOKEN).application())) as client:
        yield client


async def sent(client: Client, **changed: str) -> tuple[int, Any]:
    form = {name: value for name, value in {**GOOD, **changed}.items() if value}
    async with client.post(f"{PATH}.json", data=form, headers=LOGIN) as answer:
        return answer.status, await answer.json()


async def listed(client: Client, query: dict[str, str]) -> Any:
    async with client.get(f"{PATH}.json", params=query, headers=LOGIN) as answer:
        return await answer.json()


async def test_a_message_is_delivered_and_answered_in_the_published_shape(
    client: Client, clock: Clock
) -> None:
    whole = published("twilio/twilio_api_v2010.json")
    described = whole["paths"]["/2010-04-01/Accounts/{AccountSid}/Messages.json"]
    form = described["post"]["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
    assert problems(whole, form, GOOD) == []
    code, made = await sent(client)
    assert (code, made["status"]) == (201, "queued")
    clock.now += 5
    async with client.get(f"{PATH}/{made['sid']}.json", headers=LOGIN) as answer:
        after = await answer.json()
    assert after["status"] == "delivered"
    page = await listed(client, {"From": GOOD["To"], "To": NUMBER, "DateSent>": "2027-01-01"})
    assert [(one["direction"], one["body"]) for one in page["messages"]] == [("inbound", "123456")]
    message = {"$ref": "#/components/schemas/api.v2010.account.message"}
    for one in (made, after, *page["messages"]):
        assert problems(whole, message, one) == []
    listing = described["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert problems(whole, listing, page) == []
    known = {one["name"] for one in described["get"]["parameters"]}
    assert {"From", "To", "DateSent>", "PageSize"} <= known


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"To": "07700 900142"}, 21211),
        ({"To": ""}, 21211),
        ({"From": "+15005550006"}, 21606),
        ({"Body": ""}, 21602),
        ({"Text": "x"}, 20001),
    ],
)
async def test_a_message_that_twilio_would_refuse_is_refused(
    client: Client, changed: dict[str, str], code: int
) -> None:
    status, body = await sent(client, **changed)
    assert (status, body["code"], body["status"]) == (400, code, 400)
    assert (await listed(client, {}))["messages"] == []


async def test_messages_are_listed_by_number_and_day_the_newest_first(client: Client, clock: Clock) -> None:
    await sent(client, Body="first")
    clock.now += 60
    await sent(client, Body="second")
    clock.now += 60
    assert [one["body"] for one in (await listed(client, {"To": GOOD["To"]}))["messages"]] == [
        "second",
        "first",
    ]
    assert (await listed(client, {"DateSent<": "2020-01-01"}))["messages"] == []
    assert len((await listed(client, {"PageSize": "1"}))["messages"]) == 1
    for wrong in ({"PageSize": "0"}, {"DateSent>": "yesterday"}, {"Status": "sent"}):
        assert (await listed(client, wrong))["status"] == 400


async def test_a_stranger_gets_nothing(client: Client) -> None:
    for headers in ({}, BEARER):
        async with client.get(f"{PATH}.json", headers=headers) as answer:
            assert (answer.status, (await answer.json())["code"]) == (401, 20003)
    async with client.get(f"/2010-04-01/Accounts/AC{'0' * 32}/Messages.json", headers=LOGIN) as answer:
        assert answer.status == 404
    async with client.put("/behaviour", json={}, headers=LOGIN) as answer:
        assert answer.status == 401


async def test_how_messages_end_can_be_told(client: Client, clock: Clock) -> None:
    for wrong in ({"status": "lost"}, {"weather": 1}):
        async with client.put("/behaviour", json=wrong, headers=BEARER) as answer:
            assert answer.status == 400
    await client.put("/behaviour", json={"status": "undelivered", "error_code": 30003}, headers=BEARER)
    _, made = await sent(client)
    clock.now += 5
    async with client.get(f"{PATH}/{made['sid']}.json", headers=LOGIN) as answer:
        told = await answer.json()
    assert (told["status"], told["error_code"]) == ("undelivered", 30003)
