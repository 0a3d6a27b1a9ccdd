"""The stand-in for Loki: what it takes, what it gives by which query, and what it refuses in Loki's words."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given
from hypothesis import strategies as st

from tminus.standins import logql
from tminus.standins.loki import NANO, Loki
from tminus.standins.shipper import Shipper

NOW = 1_800_000_000
TOKEN = {"Authorization": "Bearer hush"}
GREEN, BLUE = {"app": "depot", "side": "green"}, {"app": "depot", "side": "blue"}

Client = TestClient[Any, Any]


@pytest.fixture
def loki() -> Loki:
    return Loki(lambda: float(NOW), "hush")


@pytest.fixture
async def client(loki: Loki) -> AsyncIterator[Client]:
    async with TestClient(TestServer(loki.application())) as client:
        yield client


async def push(
    client: Client, *streams: tuple[dict[str, str], list[Any]], body: Any = None
) -> tuple[int, str]:
    told = body or {"streams": [{"stream": labels, "values": values} for labels, values in streams]}
    async with client.post("/loki/api/v1/push", json=told, headers=TOKEN) as answer:
        return answer.status, await answer.text()


def at(seconds: float, line: str) -> list[str]:
    return [str(int((NOW + seconds) * NANO)), line]


async def asked(client: Client, path: str = "query_range", **query: str) -> tuple[int, str]:
    async with client.get(f"/loki/api/v1/{path}", params=query, headers=TOKEN) as answer:
        return answer.status, await answer.text()


async def found(client: Client, query: str, **more: str) -> list[str]:
    status, text = await asked(client, query=query, **more)
    assert status == 200, text
    data = json.loads(text)["data"]
    assert data["resultType"] == "streams"
    return [line for stream in data["result"] for _, line in stream["values"]]


@pytest.fixture
async def filled(client: Client) -> Client:
    pushed = await push(
        client,
        (GREEN, [at(-3, "one answered"), at(-2, "two refused"), at(-1, "three answered")]),
        (BLUE, [at(-2.5, "four answered")]),
    )
    assert pushed == (204, "")
    return client


async def test_lines_come_newest_first_by_labels_and_filters(filled: Client) -> None:
    assert await found(filled, '{side="green"}') == ["three answered", "two refused", "one answered"]
    assert await found(filled, '{app="depot", side!="green"}') == ["four answered"]
    assert await found(filled, '{side=~"gre.*"} |= "answered" != "one"') == ["three answered"]
    assert await found(filled, '{app=`depot`} |~ `^(one|four) ` !~ "refused"', direction="forward") == [
        "one answered",
        "four answered",
    ]
    assert await found(filled, '{app="depot"}', limit="1") == ["three answered"]
    assert await found(filled, '{app="depot"}', limit="1", direction="FORWARD") == ["one answered"]
    assert await found(filled, '{app="none"}') == []


async def test_a_range_has_its_beginning_and_not_its_end(filled: Client) -> None:
    begin, end = str((NOW - 3) * NANO), str((NOW - 1) * NANO)
    assert await found(filled, '{side="green"}', start=begin, end=end) == ["two refused", "one answered"]
    assert await found(filled, '{side="green"}', start=str(NOW - 2)) == ["three answered", "two refused"]
    assert await found(filled, '{side="green"}', since="1500ms") == ["three answered"]
    assert (
        await found(filled, '{side="green"}', start="2020-01-01T00:00:00Z", end="2020-01-02T00:00:00Z") == []
    )


async def test_labels_and_their_values_are_those_of_streams_with_lines_in_this_time(filled: Client) -> None:
    assert json.loads((await asked(filled, "labels"))[1])["data"] == ["app", "side"]
    assert json.loads((await asked(filled, "label/side/values"))[1])["data"] == ["blue", "green"]
    _, text = await asked(filled, "label/side/values", query='{side!="blue",app="depot"}')
    assert json.loads(text)["data"] == ["green"]
    assert json.loads((await asked(filled, "label/side/values", since="1s"))[1])["data"] == ["green"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({}, "unexpected $end"),
        ({"query": "depot"}, "parse error at line 1, col 1: syntax error: unexpected IDENTIFIER"),
        ({"query": '{app="depot"'}, "unexpected $end"),
        ({"query": "{app=depot}"}, "col 6: syntax error: unexpected IDENTIFIER, expecting STRING"),
        ({"query": '{app="depot"} | json'}, "col 15: syntax error: unexpected |"),
        ({"query": '{app=~".*"}'}, "at least one regexp or equality matcher"),
        ({"query": '{app=~"("}'}, "parse error"),
        ({"query": '{a="b"}', "limit": "5001"}, "max_entries_limit_per_query (5001 > 5000)"),
        ({"query": '{a="b"}', "limit": "0"}, "limit must be a positive value"),
        ({"query": '{a="b"}', "limit": "many"}, "strconv.Atoi"),
        ({"query": '{a="b"}', "direction": "up"}, "invalid direction"),
        ({"query": '{a="b"}', "start": "tomorrow"}, "could not parse"),
        ({"query": '{a="b"}', "start": "1800000010"}, "end timestamp must not be before or equal to start"),
        ({"query": '{a="b"}', "since": "60d"}, "query time range exceeds the limit"),
        ({"query": '{a="b"}', "since": "soon"}, "not a valid duration"),
        ({"query": '{a="b"}', "colour": "red"}, "no such parameter"),
    ],
)
async def test_a_query_that_loki_would_refuse_is_refused_in_its_words(
    filled: Client, query: dict[str, str], words: str
) -> None:
    status, text = await asked(filled, **query)
    assert status == 400
    assert words in text


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"streams": [{"stream": GREEN, "values": [[NOW * NANO, "a number"]]}]}, "text of nanoseconds"),
        ({"streams": [{"stream": {}, "values": []}]}, "at least one label pair"),
        ({"streams": [{"stream": {"a-b": "x"}, "values": []}]}, "is no label"),
        ({"streams": [{"stream": {f"l{n}": "x" for n in range(16)}, "values": []}]}, "limit 15"),
        ({"streams": [{"stream": GREEN, "values": [[str((NOW - 8 * 86400) * NANO), "x"]]}]}, "too old"),
        ({"streams": [{"stream": GREEN, "values": [[str((NOW + 601) * NANO), "x"]]}]}, "too new"),
        ({"streams": [{"stream": GREEN, "values": [[str(NOW * NANO), "x" * 300_000]]}]}, "Max entry size"),
        ({"lines": []}, "PushRequest"),
        ([1], "PushRequest"),
    ],
)
async def test_a_push_that_loki_would_refuse_is_refused_whole(client: Client, body: Any, words: str) -> None:
    status, text = await push(client, body=body)
    assert status == 400
    assert words in text
    assert json.loads((await asked(client, "labels"))[1])["data"] == []


async def test_the_same_line_at_the_same_instant_is_there_once(client: Client) -> None:
    for _ in range(2):
        await push(client, (GREEN, [at(-1, "one"), at(-1, "two")]))
    assert sorted(await found(client, '{app="depot"}')) == ["one", "two"]


async def test_it_can_be_told_to_be_late_to_drop_and_to_ask_for_a_tenant(client: Client, loki: Loki) -> None:
    async def behave(**told: Any) -> int:
        async with client.put("/behaviour", json=told, headers=TOKEN) as answer:
            return answer.status

    assert await behave(delay=60) == 200
    await push(client, (GREEN, [at(-1, "late")]))
    assert await found(client, '{app="depot"}') == []
    loki.now = lambda: NOW + 61.0
    assert await found(client, '{app="depot"}') == ["late"]
    await behave(push=429)
    assert (await push(client, (GREEN, [at(0, "dropped")])))[0] == 429
    await behave(tenant="shop")
    assert await asked(client, query='{app="depot"}') == (401, "no org id")
    assert await behave(colour="red") == 400


async def test_nobody_reads_or_pushes_without_the_token(client: Client) -> None:
    for method, path in (("GET", "query_range"), ("GET", "labels"), ("POST", "push")):
        async with client.request(method, f"/loki/api/v1/{path}", json={}) as answer:
            assert answer.status == 401
    async with client.get("/ready") as answer:
        assert (answer.status, await answer.text()) == (200, "ready\n")


@given(st.text(alphabet='{}="~!|,` \\ab.*(0', max_size=30))
def test_any_text_is_a_query_or_is_refused(text: str) -> None:
    def understood() -> bool:
        return bool(logql.parse(text).matchers)

    try:
        assert understood()
    except logql.QueryError:
        with pytest.raises(logql.QueryError, match="parse error"):
            understood()


async def test_the_shipper_follows_files_and_goes_on_where_it_was(
    client: Client, loki: Loki, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tminus.standins.shipper.wall_clock", lambda: float(NOW))
    log, url = tmp_path / "green" / "log", str(client.make_url("/loki/api/v1/push"))
    log.parent.mkdir()

    def shipper() -> Shipper:
        found = Shipper("depot", [log, tmp_path / "blue" / "log"], tmp_path)
        found.begin()
        return found

    async with aiohttp.ClientSession(headers=TOKEN) as session:
        one = shipper()
        await one.round(session, url)
        log.write_text('{"instance": "host:1", "release": "2.0.0", "event": "first"}\nplain\nnot yet wh')
        await one.round(session, url)
        assert set(map(len, loki.streams)) == {2, 4}
        with log.open("a") as file:
            file.write("ole\n")
        other = shipper()
        loki.behaviour.push = 429
        await other.round(session, url)
        assert other.refused.startswith("429")
        loki.behaviour.push = 204
        await other.round(session, url)
        await other.round(session, url)
    lines = await found(client, '{side="green"}', end=str(NOW + 1), direction="forward")
    assert sorted(lines) == [
        "not yet whole",
        "plain",
        '{"instance": "host:1", "release": "2.0.0", "event": "first"}',
    ]
