"""How the stand-in for Grafana answers queries: frames of a Prometheus, intervals, failures, and what it refuses."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.unit.standins.grafana_shapes import (
        QUERY,
        VIEWER,
        LabelPrometheus,
        Prometheus,
        ask,
        grafana,
        store,
    )
else:
    from grafana_shapes import QUERY, VIEWER, LabelPrometheus, Prometheus, ask, grafana, store

ASKED = {"queries": [QUERY], "from": "now-15m", "to": "now"}
PATH = "/api/ds/query"


def matrix(*series: tuple[dict[str, str], list[tuple[float, str]]]) -> dict[str, Any]:
    found = [{"metric": labels, "values": [[at, value] for at, value in points]} for labels, points in series]
    return {"status": "success", "data": {"resultType": "matrix", "result": found}}


async def told(
    folder: Path, prometheus: Prometheus, body: Any = None, **source: Any
) -> tuple[int, Any, list[tuple[str, dict[str, str]]]]:
    kept = store(folder)
    async with prometheus.up() as url, grafana(kept) as client:
        about = {"uid": "prom", "name": "P", "type": "prometheus", "url": url, **source}
        kept.add_source(about)
        status, found = await ask(client, "POST", PATH, body if body is not None else ASKED, token=VIEWER)
    return status, found, prometheus.asked


async def test_a_series_is_a_frame_of_time_and_value_with_its_labels(tmp_path: Path) -> None:
    answer = matrix(({"job": "a"}, [(10, "1"), (25, "NaN")]), ({"job": "b"}, [(10, "+Inf")]))
    status, found, asked = await told(tmp_path, Prometheus(answer))
    first, second = found["results"]["A"]["frames"]
    assert status == 200
    assert first["data"]["values"] == [[10_000, 25_000], [1.0, None]]
    assert first["data"]["entities"] == [None, {"NaN": [1]}]
    assert first["schema"]["fields"][1]["labels"] == {"job": "a"}
    assert second["data"]["entities"] == [None, {"Inf": [0]}]
    assert asked[0][0] == "query_range"


async def test_where_there_is_nothing_a_frame_without_fields_comes(tmp_path: Path) -> None:
    _, found, _ = await told(tmp_path, Prometheus())
    (frame,) = found["results"]["A"]["frames"]
    assert (frame["schema"]["fields"], frame["data"]["values"]) == ([], [])


async def test_an_instant_query_asks_for_the_end_alone(tmp_path: Path) -> None:
    one: dict[str, Any] = {"status": "success", "data": {"resultType": "scalar", "result": [10, "5"]}}
    body = {**ASKED, "queries": [{**QUERY, "instant": True, "range": False}]}
    _, found, asked = await told(tmp_path, Prometheus(one), body)
    assert found["results"]["A"]["frames"][0]["data"]["values"] == [[10_000], [5.0]]
    assert [what for what, _ in asked] == ["query"]


@pytest.mark.parametrize(
    ("query", "source", "step", "rate"),
    [
        ({}, {}, "15", "60000ms"),
        ({"intervalMs": 5_000, "maxDataPoints": 180}, {"jsonData": {"timeInterval": "1s"}}, "5", "6000ms"),
        ({"interval": "1m"}, {}, "60", "240000ms"),
        ({"maxDataPoints": 10}, {}, "90", "105000ms"),
    ],
)
async def test_its_own_intervals_are_those_that_grafana_reckons(
    tmp_path: Path, query: dict[str, Any], source: dict[str, Any], step: str, rate: str
) -> None:
    body = {**ASKED, "queries": [{**QUERY, **query, "expr": "x[$__rate_interval] $__range_s ${__interval}"}]}
    _, _, asked = await told(tmp_path, Prometheus(), body, **source)
    (_, given), *_ = asked
    assert (given["step"], given["query"]) == (step, f"x[{rate}] 900 {step}000ms")


async def test_a_query_that_fails_makes_the_whole_answer_400_with_each_result(tmp_path: Path) -> None:
    refusal = {"status": "error", "errorType": "bad_data", "error": "parse error"}
    status, found, _ = await told(tmp_path, Prometheus(refusal, 400))
    assert status == 400
    assert found["results"]["A"]["error"] == "bad_data: parse error"


async def test_a_source_that_is_no_prometheus_says_what_it_was_told(tmp_path: Path) -> None:
    body = {**ASKED, "queries": [{"refId": "A", "datasource": {"uid": "prom"}, "rawSql": "SELECT 1"}]}
    status, found, _ = await told(
        tmp_path, Prometheus(), body, type="postgres", told={"error": "pq: no", "status": 400}
    )
    assert (status, found["results"]["A"]["error"]) == (400, "pq: no")


@pytest.mark.parametrize(
    "change",
    [
        {"nobody": 1},
        {"queries": []},
        {"queries": [5]},
        {"queries": [{**QUERY, "datasource": "prom"}]},
        {"queries": [{**QUERY, "datasource": {"uid": "prom", "id": 5}}]},
        {"queries": [{**QUERY, "nobody": 1}]},
        {"queries": [{**QUERY, "expr": 5}]},
        {"queries": [{**QUERY, "expr": ""}]},
        {"queries": [{**QUERY, "instant": "yes"}]},
        {"queries": [{**QUERY, "maxDataPoints": True}]},
        {"queries": [{**QUERY, "datasource": {"uid": "prom", "type": "loki"}}]},
        {"queries": [QUERY, QUERY]},
        {"from": "yesterday"},
        {"from": "now", "to": "now-5m"},
    ],
)
async def test_what_grafana_has_no_name_for_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    status, found, asked = await told(tmp_path, Prometheus(), {**ASKED, **change})
    assert status == 400
    assert found["message"]
    assert asked == []


async def test_a_data_source_that_is_not_there_is_404(tmp_path: Path) -> None:
    body = {**ASKED, "queries": [{**QUERY, "datasource": {"uid": "gone"}}]}
    status, found, _ = await told(tmp_path, Prometheus(), body)
    assert (status, found) == (404, {"message": "Data source not found"})


async def test_health_is_asked_of_prometheus_and_told_of_others(tmp_path: Path) -> None:
    kept = store(tmp_path)
    async with Prometheus().up() as url, Prometheus({}, 500).up() as ill, grafana(kept) as client:
        for uid, about in (
            ("well", {"type": "prometheus", "url": url}),
            ("ill", {"type": "prometheus", "url": ill}),
            ("away", {"type": "prometheus", "url": "http://127.0.0.1:1"}),
            ("logs", {"type": "loki"}),
            ("told", {"type": "loki", "told": {"health": "no way"}}),
            ("mute", {"type": "loki", "told": {"no_health_check": True}}),
        ):
            kept.add_source({"uid": uid, "name": uid, **about})
        found = {uid: await ask(client, "GET", f"/api/datasources/uid/{uid}/health") for uid in kept.sources}
        assert {uid: status for uid, (status, _) in found.items()} == {
            "well": 200, "ill": 400, "away": 400, "logs": 200, "told": 400, "mute": 501,
        }  # fmt: skip
        assert found["told"][1] == {"status": "ERROR", "message": "no way"}
        assert (await ask(client, "GET", "/api/datasources/uid/gone/health"))[0] == 404


def one(value: str) -> dict[str, Any]:
    found = [{"metric": {"a": "b"}, "value": [10, value]}]
    return {"status": "success", "data": {"resultType": "vector", "result": found}}


def over(ref: str, kind: str, expression: str, **more: Any) -> dict[str, Any]:
    about = {"uid": "__expr__", "type": "__expr__"}
    return {"refId": ref, "datasource": about, "type": kind, "expression": expression, **more}


LIMIT = [{"evaluator": {"type": "gt", "params": [4]}}]


async def test_sums_are_reckoned_and_what_is_hidden_is_left_out(tmp_path: Path) -> None:
    queries = [
        {**QUERY, "instant": True, "range": False, "hide": True},
        over("B", "reduce", "A", reducer="last", hide=True),
        over("C", "math", "$B / ${A} * 5"),
        over("D", "threshold", "C", conditions=LIMIT),
    ]
    status, found, _ = await told(tmp_path, Prometheus(one("8")), {**ASKED, "queries": queries})
    assert status == 200
    assert [*found["results"]] == ["C", "D"]
    figures = {ref: result["frames"][0]["data"]["values"][-1] for ref, result in found["results"].items()}
    assert figures == {"C": [5.0], "D": [1.0]}
    assert found["results"]["C"]["frames"][0]["schema"]["fields"][-1]["labels"] == {"a": "b"}


@pytest.mark.parametrize(
    ("expression", "said"),
    [("$Z + 1", "could not find dependent node"), ("$A +", "failed to parse"), ("f($A)", "failed to parse")],
)
async def test_a_sum_that_cannot_be_made_fails(tmp_path: Path, expression: str, said: str) -> None:
    body = {**ASKED, "queries": [QUERY, over("B", "math", expression)]}
    status, found, _ = await told(tmp_path, Prometheus(one("8")), body)
    assert status == 400
    assert said in found["results"]["B"]["error"]


async def test_a_sum_over_what_failed_fails_and_without_sums_nothing_is_hidden(tmp_path: Path) -> None:
    refusal = Prometheus({"status": "error", "errorType": "bad_data", "error": "no"}, 400)
    body = {**ASKED, "queries": [QUERY, over("B", "math", "$A")]}
    _, found, _ = await told(tmp_path, refusal, body)
    assert "sse.dependencyError" in found["results"]["B"]["error"]
    body = {**ASKED, "queries": [{**QUERY, "hide": True}]}
    (tmp_path / "again").mkdir()
    _, found, _ = await told(tmp_path / "again", Prometheus(), body)
    assert [*found["results"]] == ["A"]


async def test_the_values_of_a_label_are_prometheus_own(tmp_path: Path) -> None:
    kept = store(tmp_path)
    prometheus = LabelPrometheus()
    async with prometheus.up() as url, grafana(kept) as client:
        kept.add_source({"uid": "prom", "name": "P", "type": "prometheus", "url": url})
        kept.add_source({"uid": "logs", "name": "L", "type": "loki"})
        path = "/resources/api/v1/label/job/values?match[]=up"
        status, found = await ask(client, "GET", f"/api/datasources/uid/prom{path}", token=VIEWER)
        assert (status, found["data"]) == (200, ["shop"])
        assert prometheus.asked == [("job", {"match[]": "up"})]
        assert (await ask(client, "GET", f"/api/datasources/uid/logs{path}"))[0] == 404
