"""What panels show by what Grafana answers: constants, calm, sums, sides, and what nobody could see."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tminus.domain.dashboard import Dashboard, read
from tminus.domain.shown import Shown
from tminus.errors import InconclusiveError
from tminus.grafana import variables
from tminus.grafana.api import DataSource, Health, Result, Series
from tminus.grafana.asked import Narrow
from tminus.grafana.showing import Showing

PROM = {"type": "prometheus", "uid": "prom"}
FULL = Result((Series({}, (1.0,), 1_700_000_000_000.0),), rows=1)
NOTHING = Result()
GREEN = Narrow("side", "green")
Answers = Callable[[str], Result]
FAILED = 'sum(rate(x_requests_total{code=~"5.."}[5m]))'


@dataclass
class Api:
    """A Grafana that answers each query by its text."""

    answers: Answers
    ill: str = ""
    labels: Mapping[str, list[str]] = field(default_factory=dict)
    asked: list[dict[str, Any]] = field(default_factory=list)

    async def query(self, queries: Sequence[Mapping[str, Any]], _minutes: float) -> dict[str, Result]:
        self.asked += [dict(one) for one in queries]
        return {one["refId"]: self.answers(str(one.get("expr") or one.get("expression"))) for one in queries}

    async def sources(self) -> list[DataSource]:
        return [DataSource("prom", "Prom", "prometheus", default=True)]

    async def health(self, _uid: str) -> Health:
        return Health(self.ill)

    async def labelled(
        self, _uid: str, label: str, _of: str, _shown: tuple[float, float]
    ) -> list[str] | None:
        return self.labels.get(label)

    @property
    def texts(self) -> list[str]:
        return [str(one.get("expr") or one.get("expression")) for one in self.asked]


def board(*targets: dict[str, Any], variables: Sequence[Any] = (), **panel: Any) -> Dashboard:
    """A dashboard of one panel."""
    each = [{"refId": chr(65 + number), "datasource": PROM, **one} for number, one in enumerate(targets)]
    one = {"id": 1, "type": "timeseries", "title": "P", "targets": each, **panel}
    return read({"title": "T", "panels": [one], "templating": {"list": [*variables]}})


async def shown(api: Any, dashboard: Dashboard, narrow: Narrow | None = None) -> Shown:
    (found,) = await Showing(api, dashboard, 15, narrow, end=1_700_000_900.0).panels()
    return found


def holding(*words: str) -> Answers:
    """Something for a query with one of these words, nothing for every other."""
    return lambda text: FULL if any(word in text for word in words) else NOTHING


@pytest.mark.parametrize("text", ["vector(42)", "1", "time()"])
async def test_a_constant_alone_is_no_data_and_nobody_is_asked_for_more(text: str) -> None:
    api = Api(lambda _: FULL)
    found = await shown(api, board({"expr": text}))
    assert (found.rows, found.note) == (0, "it would show a constant, and nothing is measured")
    assert api.texts == [text]


async def test_what_a_fallback_stands_for_is_looked_for_without_how_it_ended() -> None:
    api = Api(lambda text: NOTHING if 'code=~"5' in text and "vector" not in text else FULL)
    assert (await shown(api, board({"expr": f"{FAILED} or vector(0)"}))).rows == 1
    assert api.texts[-1] == "group(last_over_time(x_requests_total[15m]))"
    nothing = Api(holding("vector"))
    assert (await shown(nothing, board({"expr": f"{FAILED} or vector(0)"}))).rows == 0


async def test_no_errors_while_requests_are_measured_are_zero() -> None:
    calm = await shown(Api(holding("group(last_over_time(x_requests_total[15m]))")), board({"expr": FAILED}))
    assert (calm.rows, calm.calm, calm.lacking) == (0, True, "")
    gone = await shown(Api(lambda _: NOTHING), board({"expr": FAILED}))
    assert (gone.calm, "is empty" in gone.lacking) == (False, True)


async def test_no_denials_are_no_zero_and_an_empty_rate_is_none_either() -> None:
    for text in ('rate(x_requests_total{status="403"}[5m])', "rate(x_requests_total[5m])"):
        assert not (await shown(Api(holding("group(last_over_time")), board({"expr": text}))).calm


async def test_zero_needs_all_that_is_selected() -> None:
    api = Api(holding("x_requests_total[15m]"))
    await shown(api, board({"expr": f"{FAILED} / sum(rate(gone_total[5m]))"}))
    wanted = "group(last_over_time(x_requests_total[15m])) and group(last_over_time(gone_total[15m]))"
    assert wanted in api.texts


@pytest.mark.parametrize("text", [f"{FAILED} or vector(0)", FAILED])
async def test_a_look_that_failed_is_no_finding(text: str) -> None:
    def answers(asked: str) -> Result:
        return Result(error="timed out") if "group(" in asked else FULL if "vector" in asked else NOTHING

    with pytest.raises(InconclusiveError, match="'P' shows what is measured could not be seen: timed out"):
        await shown(Api(answers), board({"expr": text}))


async def test_a_last_value_that_could_not_be_seen_is_not_told() -> None:
    api = Api(lambda text: Result(error="timed out") if "max_over_time" in text else NOTHING)
    found = await shown(api, board({"expr": "up"}))
    assert found.last == "when there was a last value could not be seen"
    assert "[1d:5m]" in api.texts[-1], "as seldom as Prometheus would notice"
    assert (await shown(Api(lambda _: NOTHING), board({"expr": 'up{a="b"}'}))).last == (
        "there was no value of up within 1d"
    )


SUMS = (
    {"expr": "x_requests_total", "hide": True},
    {
        "datasource": {"type": "__expr__", "uid": "__expr__"},
        "type": "reduce",
        "expression": "A",
        "hide": True,
    },
    {"datasource": {"type": "__expr__", "uid": "__expr__"}, "type": "math", "expression": "$B / 2"},
)


async def test_sums_are_asked_for_with_all_they_are_made_of_and_nothing_hidden() -> None:
    api = Api(lambda _: FULL)
    found = await shown(api, board(*SUMS))
    assert (found.rows, found.error) == (1, "")
    assert not any("hide" in one for one in api.asked)
    constant = Api(lambda _: FULL)
    assert (await shown(constant, board({"expr": "vector(1)", "hide": True}, *SUMS[1:]))).rows == 0


async def test_a_sum_over_a_sides_own_is_the_sides_own() -> None:
    assert (await shown(Api(lambda _: FULL), board(*SUMS), GREEN)).own == 1
    assert (await shown(Api(lambda text: NOTHING if "side" in text else FULL), board(*SUMS), GREEN)).own == 0


async def test_another_systems_series_of_one_name_are_not_narrowed() -> None:
    api = Api(lambda text: NOTHING if 'job="redis",side' in text else FULL)
    two = board({"expr": 'memory_bytes{job="redis"}'}, {"expr": 'memory_bytes{job=~"shop.*"}'})
    found = await shown(api, two, GREEN)
    assert 'memory_bytes{job="redis"}' in api.texts
    assert 'memory_bytes{job=~"shop.*",side="green"}' in api.texts
    assert (found.rows, found.own) == (2, 1)


async def test_where_nobody_can_see_the_label_nothing_is_said_of_a_side() -> None:
    def answers(asked: str) -> Result:
        return Result(error="query timed out") if 'side!=""' in asked else FULL

    with pytest.raises(InconclusiveError, match="have the label side could not be seen: query timed out"):
        await shown(Api(answers), board({"expr": "up"}), GREEN)
    assert (await shown(Api(answers, ill="no route"), board({"expr": "up"}), GREEN)).own == 0


async def test_what_the_page_does_not_send_is_not_sent() -> None:
    api = Api(lambda _: FULL)
    assert (await shown(api, board({"expr": "up"}, {"legendFormat": "x"}))).rows == 1
    assert api.texts == ["up"]
    assert await Showing(api, board({"legendFormat": "x"}), 15).panels() == []  # type: ignore[arg-type] # a Grafana


@pytest.mark.parametrize(
    ("interval", "wanted"), [("", None), ("1m", 60_000), (">30s", 30_000), ("$i", 120_000)]
)
async def test_the_least_interval_is_the_panels_or_left_to_the_data_source(
    interval: str, wanted: int | None
) -> None:
    api = Api(lambda _: FULL)
    listed = [{"name": "i", "type": "custom", "query": "2m", "current": {"value": "2m"}}]
    await shown(api, board({"expr": "up"}, interval=interval, variables=listed))
    assert api.asked[0].get("intervalMs") == wanted


async def test_words_of_another_language_are_no_variables_and_times_are_put_in() -> None:
    api = Api(lambda _: FULL)
    source = {"type": "influxdb", "uid": "flux"}
    text = "SELECT v FROM m WHERE $timeFilter AND at > ${__from}"
    found = await shown(api, board({"datasource": source, "query": text}))
    assert found.error == ""
    assert api.asked[0]["query"] == "SELECT v FROM m WHERE $timeFilter AND at > 1700000000000"
    lost = [{"name": "host", "type": "query", "query": "SHOW"}]
    found = await shown(api, board({"datasource": source, "query": "SELECT $host"}, variables=lost))
    assert found.error == "A: nothing is known for the variable $host"


def listed(**more: Any) -> list[dict[str, Any]]:
    about = {"name": "v", "type": "query", "query": "label_values(up, job)", "refresh": 1, "current": {}}
    return [
        {"name": "env", "type": "custom", "query": "prod", "current": {"value": "prod"}},
        {**about, **more},
    ]


async def chosen(api: Api, **more: Any) -> tuple[str, ...]:
    sources: Any = variables.Sources(api)  # type: ignore[arg-type] # a Grafana
    model = board({"expr": "up"}, variables=[{**one, "datasource": PROM} for one in listed(**more)])
    return (await variables.chosen(sources, model, 15, 1_700_000_900.0))["v"].chosen


async def test_a_label_is_asked_for_by_its_own_path_and_no_series_are_read() -> None:
    api = Api(lambda _: FULL, labels={"job": ["b", "a"], "__name__": ["shop_x", "go_y"]})
    assert await chosen(api) == ("a",)
    assert await chosen(api, query="label_values(job)") == ("a",)
    assert await chosen(api, query="metrics(^shop)") == ("shop_x",)
    assert api.asked == []


async def test_a_pattern_has_variables_and_flags_and_may_be_one_that_the_page_alone_can_read() -> None:
    api = Api(lambda _: FULL, labels={"job": ["test-a", "PROD-b", "prod-c"]})
    assert await chosen(api, regex="/^$env-.*/") == ("prod-c",)
    assert await chosen(api, regex="/^$env-.*/i") == ("PROD-b",)
    assert await chosen(api, regex="/(?<!a+)c/", current={"value": "prod-c"}) == ("prod-c",)


async def test_a_result_is_written_with_value_and_time() -> None:
    series = Series({"__name__": "up", "job": "shop"}, (1.0,), 1_700_000_000_000.0)
    api = Api(lambda _: replace(FULL, series=(series,)))
    assert await chosen(api, query="query_result(up)") == ('up{job="shop"} 1 1700000000000',)
    assert await chosen(api, query="query_result(up)", regex="/{} (.*) .*/") == ("",)
    assert await chosen(api, query="query_result(up)", regex="/.* (.*) .*/") == ("1",)


async def test_many_values_are_cut_where_they_are_told() -> None:
    names = [f"shop-{number:04}" for number in range(2000)]
    api = Api(lambda _: NOTHING, labels={"pod": names})
    one = {**listed(query="label_values(pod)")[1], "datasource": PROM, "includeAll": True, "multi": True}
    text = 'up{pod=~"$v"}'
    found = await shown(api, board({"expr": text}, variables=[{**one, "current": {"value": "$__all"}}]))
    assert re.search(r"1997 more'", found.lacking)
    assert len(found.lacking) < 500
    assert text in found.remark
    assert "shop-" not in found.remark
