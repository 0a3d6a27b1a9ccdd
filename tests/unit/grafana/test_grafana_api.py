"""Grafana's answers as values, and its refusals as errors that say what to do."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tminus.errors import DeniedError, InconclusiveError, RefusedError, UnreachableError
from tminus.grafana.api import Grafana, asking

QUERY = {"refId": "A", "datasource": {"uid": "p"}, "expr": "up"}
V1 = "/apis/dashboard.grafana.app/v1/namespaces/default/dashboards/u"
Answers = dict[str, tuple[int, Any]]


@asynccontextmanager
async def answering(answers: Answers) -> AsyncIterator[Grafana]:
    """A server with one answer for each path, 404 for every other."""

    async def give(request: web.Request) -> web.Response:
        status, body = answers.get(request.path, (404, {"message": "Not found"}))
        text = body if isinstance(body, str) else json.dumps(body)
        return web.Response(status=status, text=text, content_type="application/json")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", give)
    async with TestServer(app) as server, asking(f"http://:tok%20en@{server.host}:{server.port}/") as api:
        yield api


async def test_the_token_is_sent_as_a_bearers_and_stands_in_no_error() -> None:
    given: list[str] = []

    async def give(request: web.Request) -> web.Response:
        given.append(request.headers.get("Authorization", ""))
        return web.json_response({"message": "no"}, status=401)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", give)
    async with TestServer(app) as server, asking(f"http://:tok%20en@{server.host}:{server.port}") as api:
        with pytest.raises(DeniedError, match=r"refuses us: 401 for GET /api/search, no") as caught:
            await api.search("x")
    assert given == ["Bearer tok en"]
    assert "tok" not in f"{caught.value} {caught.value.hint.replace('TOKEN', '').replace('token', '')}"


async def test_a_dashboard_is_found_under_either_structure() -> None:
    meta = {"version": 4, "url": "/d/u/t", "folderUid": "f1"}
    legacy = {"dashboard": {"title": "T", "version": 1}, "meta": meta}
    async with answering({"/api/dashboards/uid/u": (200, legacy)}) as api:
        found = await api.dashboard("u")
        assert found is not None
        assert (found.model["title"], found.version, found.path, found.folder) == ("T", 4, "/d/u/t", "f1")
    notes = {"grafana.app/folder": "f1"}
    newer = {"metadata": {"name": "u", "generation": 7, "annotations": notes}, "spec": {"title": "T"}}
    async with answering({V1: (200, newer)}) as api:
        found = await api.dashboard("u")
        assert found is not None
        assert (found.model, found.version, found.folder) == ({"title": "T", "uid": "u"}, 7, "f1")
    async with answering({}) as api:
        assert await api.dashboard("u") is None


@pytest.mark.parametrize("body", ["<html>", [], {"dashboard": 5}, {}])
async def test_what_is_no_dashboards_answer_shows_nothing(body: Any) -> None:
    async with answering({"/api/dashboards/uid/u": (200, body)}) as api:
        with pytest.raises(InconclusiveError):
            await api.dashboard("u")


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [(200, {"database": "failing"}, UnreachableError), (503, {"database": "failing"}, UnreachableError),
     (200, "no json", InconclusiveError), (404, {}, InconclusiveError), (502, "", UnreachableError)],
)  # fmt: skip
async def test_a_grafana_that_is_ill_or_none_is_told(status: int, body: Any, error: type[Exception]) -> None:
    async with answering({"/api/health": (status, body)}) as api:
        with pytest.raises(error):
            await api.server()


async def test_a_health_is_the_plugins_word() -> None:
    path = "/api/datasources/uid/p"
    for answers, problem, unseen in (
        ({f"{path}/health": (200, {"status": "OK"})}, "", ""),
        ({f"{path}/health": (400, {"status": "ERROR", "message": "no route"})}, "no route", ""),
        ({f"{path}/health": (200, {"status": "UNKNOWN"})}, "UNKNOWN", ""),
        ({path: (200, {"uid": "p"})}, "", "its plugin has no health check"),
        (
            {f"{path}/health": (501, {"message": "Not implemented"}), path: (200, {"uid": "p"})},
            "",
            "its plugin has no health check",
        ),
        ({}, "it is not there; panels still name it", ""),
    ):
        async with answering(answers) as api:
            found = await api.health("p")
            assert (found.problem, found.unseen) == (problem, unseen)


def frame(fields: list[dict[str, Any]], values: list[list[Any]]) -> dict[str, Any]:
    return {"schema": {"fields": fields}, "data": {"values": values}}


TIME = {"type": "time"}


@pytest.mark.parametrize(
    ("frames", "rows", "hollow"),
    [
        ([], 0, False),
        (None, 0, False),
        ([frame([], [])], 0, False),
        ([frame([TIME, {"type": "number"}], [[], []])], 0, False),
        ([frame([TIME, {"type": "number"}], [[1, 2], [None, None]])], 0, True),
        ([frame([TIME, {"type": "number"}], [[1, 2], [None, 5]])], 1, False),
        ([frame([TIME, {"type": "string"}], [[1, 2], ["line", ""]])], 1, False),
        ([frame([TIME], [[1, 2]])], 0, False),
        (
            [frame([TIME, {"type": "number"}], [[1], [3]]), frame([TIME, {"type": "number"}], [[1], [4]])],
            2,
            False,
        ),
    ],
)
async def test_a_row_counts_when_it_holds_a_value_beside_its_time(
    frames: Any, rows: int, *, hollow: bool
) -> None:
    async with answering({"/api/ds/query": (200, {"results": {"A": {"frames": frames}}})}) as api:
        found = (await api.query([QUERY], 15))["A"]
    assert (found.rows, found.hollow, found.error) == (rows, hollow, "")


async def test_the_figures_of_a_series_come_with_its_labels() -> None:
    value = {"type": "number", "labels": {"side": "green"}}
    answer = {"results": {"A": {"frames": [frame([TIME, value], [[1, 2, 3], [1, None, 2.5]])]}}}
    async with answering({"/api/ds/query": (200, answer)}) as api:
        (series,) = (await api.query([QUERY], 15))["A"].series
    assert (series.labels, series.figures, series.newest_ms) == ({"side": "green"}, (1.0, 2.5), 3.0)


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (400, {"results": {"A": {"error": "parse error"}}}, "parse error"),
        (200, {"results": {"A": {"error": "parse error"}}}, "parse error"),
        (404, {"message": "Data source not found"}, "Data source not found"),
        (500, {"message": "internal"}, "internal"),
        (400, {"results": {}}, "says nothing"),
    ],
)
async def test_a_query_that_fails_says_why(status: int, body: Any, said: str) -> None:
    async with answering({"/api/ds/query": (status, body)}) as api:
        assert said in (await api.query([QUERY], 15))["A"].error


@pytest.mark.parametrize("body", [{}, {"results": {}}, {"results": {"B": {}}}])
async def test_a_good_answer_that_leaves_a_query_out_shows_nothing(body: Any) -> None:
    async with answering({"/api/ds/query": (200, body)}) as api:
        with pytest.raises(InconclusiveError):
            await api.query([QUERY], 15)


async def test_a_dashboard_that_somebody_changed_is_not_written_over() -> None:
    refusal = {"message": "The dashboard has been changed by someone else", "status": "version-mismatch"}
    async with answering({"/api/dashboards/db": (412, refusal)}) as api:
        with pytest.raises(RefusedError, match="another version of 'T'") as caught:
            await api.save({"title": "T"}, "m", overwrite=False)
    assert "--force" in caught.value.hint
    async with answering({"/api/dashboards/db": (400, {"message": "bad request data"})}) as api:
        with pytest.raises(InconclusiveError, match="does not take 'T': bad request data"):
            await api.save({"title": "T"}, "m", overwrite=True)


async def test_a_list_that_is_none_shows_nothing() -> None:
    async with answering({"/api/search": (200, {"hits": []})}) as api:
        with pytest.raises(InconclusiveError, match="no list"):
            await api.search("x")


async def test_a_library_panel_that_is_gone_is_none() -> None:
    kept = {"result": {"model": {"title": "L"}}}
    async with answering({"/api/library-elements/l": (200, kept)}) as api:
        assert await api.library("l") == {"title": "L"}
        assert await api.library("m") is None


async def test_an_address_that_leads_on_is_named_and_no_query_is_made_a_get_of() -> None:
    async def moved(request: web.Request) -> web.Response:
        return web.Response(status=301, headers={"Location": f"https://grafana.example{request.path}?key=x"})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", moved)
    async with TestServer(app) as server, asking(f"http://:t@{server.host}:{server.port}") as api:
        for call in (api.server(), api.query([QUERY], 15)):
            with pytest.raises(
                InconclusiveError, match=r"leads on to https://grafana\.example/api/"
            ) as caught:
                await call
            assert "key" not in str(caught.value)


async def test_a_grafana_says_its_own_time() -> None:
    async with answering({"/api/health": (200, {"database": "ok", "version": "12.0.0"})}) as api:
        found = await api.server()
    assert found.version == "12.0.0"
    assert found.now > 1_700_000_000


async def test_a_dashboard_stays_in_its_folder() -> None:
    given: list[Any] = []

    async def keep(request: web.Request) -> web.Response:
        given.append(await request.json())
        return web.json_response({"url": "/d/u"})

    app = web.Application()
    app.router.add_post("/api/dashboards/db", keep)
    async with TestServer(app) as server, asking(f"http://:t@{server.host}:{server.port}") as api:
        await api.save({"title": "T"}, "m", overwrite=True, folder="f1")
        await api.save({"title": "T"}, "m", overwrite=True)
    assert [one.get("folderUid") for one in given] == ["f1", None]


async def test_the_values_of_a_label_are_asked_for_as_the_page_does() -> None:
    path = "/api/datasources/uid/p/resources/api/v1/label/job/values"
    async with answering({path: (200, {"status": "success", "data": ["a", "b"]})}) as api:
        assert await api.labelled("p", "job", "up", (1.0, 2.0)) == ["a", "b"]
        assert await api.labelled("q", "job", "", (1.0, 2.0)) is None
