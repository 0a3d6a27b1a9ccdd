"""What is wrong with what panels show: required meanings, rare events, shares, sides."""

import pytest

from tminus.domain.dashboard import Dashboard, Panel, Query, Source
from tminus.domain.shown import Demand, Shown, judged, slow_refresh

ASKED = {
    "rate": "rate(http_requests_total[5m])",
    "errors": 'rate(http_requests_total{status=~"5.."}[5m])',
    "denied": 'rate(http_requests_total{status="403"}[5m])',
    "": "shop:thing",
}


def panel(title: str, meaning: str = "", *, hidden: bool = False) -> Panel:
    return Panel(1, title, "timeseries", (Query("A", Source(), hidden, {"expr": ASKED[meaning]}),))


def board(*shown: Shown, more: tuple[Panel, ...] = ()) -> Dashboard:
    return Dashboard("u", "T", 1, "30s", 39, (*(one.panel for one in shown), *more), ())


def judge(
    *shown: Shown, required: tuple[str, ...] = (), filled: float = 0.95, side: str = ""
) -> tuple[list[str], list[str]]:
    found = judged(board(*shown), shown, Demand(required, filled, side))
    return [*found.problems], [*found.remarks]


FULL = Shown(panel("Requests", "rate"), rows=5)


def test_nothing_is_wrong_where_each_panel_shows_data() -> None:
    assert judge(FULL, Shown(panel("Errors", "errors"), rows=1), required=("rate", "errors")) == ([], [])


def test_a_meaning_that_no_panel_shows_is_missed() -> None:
    assert judge(FULL, required=("rate", "errors"))[0] == ["no panel shows errors"]


def test_one_panel_of_a_meaning_is_enough() -> None:
    empty = Shown(panel("Requests by route", "rate"), asked="q of blue-1", written="q")
    problems, remarks = judge(FULL, empty, required=("rate",), filled=0.5)
    assert problems == []
    assert remarks == ["the panel 'Requests by route' is empty (it asks nobody: q)"]


def test_a_meaning_whose_panels_are_all_empty_fails_with_what_was_asked() -> None:
    empty = Shown(
        panel("Requests", "rate"),
        asked="rate(x)",
        source="prom",
        variables={"job": "old"},
        last="the last value came 20 min ago",
    )
    problems, _ = judge(empty, Shown(panel("More"), rows=1), required=("rate",), filled=0.5)
    told = "it asks prom: rate(x); $job is 'old'; the last value came 20 min ago"
    assert problems == [f"nothing shows rate: the panel 'Requests' is empty ({told})"]


def test_an_empty_panel_of_rare_events_is_remarked_upon_and_does_not_count() -> None:
    calm = Shown(panel("Denied", "denied"), asked="q", written="q", source="p", variables={"pod": "a"})
    problems, remarks = judge(FULL, calm, required=("denied",))
    assert problems == []
    assert remarks == ["the panel 'Denied' is empty (it asks p: q); see whether anything would fill it"]


def test_a_failing_panel_of_rare_events_fails() -> None:
    ill = Shown(panel("Denied", "denied"), error="A: parse error")
    assert judge(FULL, ill, required=("denied",), filled=0.5)[0] == [
        "the panel 'Denied' fails: A: parse error"
    ]


def test_when_all_is_empty_it_is_no_calm() -> None:
    assert (
        "no panel shows any data, and that is no calm"
        in judge(Shown(panel("Denied", "denied")), required=("denied",))[0]
    )


@pytest.mark.parametrize(("empty", "fails"), [(1, False), (2, True)])
def test_the_share_of_panels_decides_about_the_others(empty: int, *, fails: bool) -> None:
    shown = [Shown(panel(f"P{number}"), rows=int(number >= empty)) for number in range(20)]
    problems, remarks = judge(*shown)
    assert bool(problems) is fails
    if fails:
        assert problems[0] == "18 of 20 panels show data, and 95% must"
        assert len(problems) == 3
    else:
        assert remarks == ["the panel 'P0' is empty"]


def test_data_that_is_nobodys_is_not_a_sides_own() -> None:
    problems, _ = judge(FULL, required=("rate",), side="green")
    assert problems == [
        "nothing shows rate of green: the panel 'Requests' shows data, and none of it can be told to be green's"
    ]
    own = Shown(panel("Requests", "rate"), rows=5, own=2)
    assert judge(own, required=("rate",), side="green")[0] == []
    assert judge(Shown(panel("Denied", "denied"), rows=1), required=("denied",), side="green")[0] == []


def test_a_panel_that_is_switched_off_is_named_where_it_is_missed() -> None:
    off = panel("Errors", "errors", hidden=True)
    found = judged(board(FULL, more=(off,)), [FULL], Demand(("errors",), 0.95))
    assert found.problems == ("no panel shows errors; the panel 'Errors' asks nothing",)


def test_a_long_query_is_cut() -> None:
    assert Shown(panel("A"), asked="x" * 500).lacking.endswith("x…)")


@pytest.mark.parametrize("well", ["30s", "5m", "300s", "1000ms", "auto"])
def test_a_quick_refresh_is_well(well: str) -> None:
    assert slow_refresh(well) == ""


@pytest.mark.parametrize(
    ("slow", "said"), [("", "never"), ("15m", "every 15m"), ("1h", "every 1h"), ("soon", "no time")]
)
def test_a_slow_refresh_is_remarked_upon(slow: str, said: str) -> None:
    assert said in slow_refresh(slow)


def test_a_panel_that_is_also_about_something_else_is_no_calm() -> None:
    queries = tuple(query for meaning in ("rate", "denied") for query in panel("", meaning).queries)
    mixed = Shown(Panel(1, "Requests and denials", "timeseries", queries))
    problems, remarks = judge(FULL, mixed, required=("denied",), filled=0.5)
    assert problems == ["nothing shows denied: the panel 'Requests and denials' is empty"]
    assert remarks == []


def test_errors_that_did_not_happen_are_zero_and_no_missing_data() -> None:
    calm = Shown(panel("Errors", "errors"), calm=True, own=1)
    assert judge(FULL, calm, required=("errors",)) == ([], [])
    assert judge(calm, required=("errors",), side="green") == ([], [])


def test_the_panels_that_show_a_side_are_counted() -> None:
    shown = [FULL, Shown(panel("Errors", "errors"), rows=3, own=3)]
    assert judged(board(*shown), shown, Demand((), 0.95, "green")).own == 1


def test_a_remark_stays_the_same_when_a_machine_gets_another_name() -> None:
    one, other = (
        Shown(panel("A"), asked=f'up{{pod="{pod}"}}', written='up{pod="$pod"}', variables={"pod": pod})
        for pod in ("shop-xyz", "shop-abc")
    )
    assert one.lacking != other.lacking
    assert one.remark == other.remark
    assert "$pod" in one.remark
