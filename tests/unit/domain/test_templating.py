"""Variables put into queries: Grafana's forms, what is chosen when a dashboard is opened, and what is not known."""

from typing import Any

import pytest

from tminus.domain import templating
from tminus.domain.dashboard import Variable, read
from tminus.domain.templating import Asking, Values, default, interpolated

CHOSEN = {
    "job": Values(("shop",)),
    "hosts": Values(("a.b:9", "c"), several=True),
    "all": Values((".*",), several=True, ready=True),
    "none": Values(("",)),
}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('up{job="$job"}', 'up{job="shop"}'),
        ('up{job="${job}"}', 'up{job="shop"}'),
        ('up{job="[[job]]"}', 'up{job="shop"}'),
        ('up{job="${job:raw}"}', 'up{job="shop"}'),
        ('up{x=~"$hosts"}', 'up{x=~"(a\\\\.b:9|c)"}'),
        ("${hosts:regex}", "(a\\.b:9|c)"),
        ("${hosts:csv} ${hosts:pipe} ${hosts:glob}", "a.b:9,c a.b:9|c {a.b:9,c}"),
        ("${hosts:json} ${hosts:doublequote}", '["a.b:9", "c"] "a.b:9","c"'),
        ("${hosts:nobody}", "(a\\\\.b:9|c)"),
        ('up{x=~"$all"}', 'up{x=~".*"}'),
        ("a$none b", "a b"),
        ("rate(x[$__rate_interval]) $unknown ${job.text}", "rate(x[$__rate_interval]) $unknown shop"),
        ('label_replace(x, "a", "$1", "b", "(.*)$")', 'label_replace(x, "a", "$1", "b", "(.*)$")'),
    ],
)
def test_a_value_is_written_as_grafana_writes_it(text: str, wanted: str) -> None:
    assert interpolated(text, CHOSEN) == wanted


def test_a_backslash_is_escaped_once_as_a_pattern_and_once_as_a_text() -> None:
    assert interpolated("$v", {"v": Values(("a\\b",), several=True)}) == "a\\\\\\\\b"


def test_every_text_of_a_query_is_filled() -> None:
    model: Any = {"rawSql": "SELECT '$job'", "tags": [{"value": "$job"}], "limit": 5}
    assert templating.filled(model, CHOSEN) == {
        "rawSql": "SELECT 'shop'",
        "tags": [{"value": "shop"}],
        "limit": 5,
    }


def test_names_that_nobody_knows_are_told_and_grafanas_own_are_none_of_them() -> None:
    text = 'x{a="$job", b="$gone"}[$__interval] "$1" ${other:csv}'
    assert templating.open_names(text, CHOSEN) == ["gone", "other"]
    assert templating.used(text, CHOSEN) == {"job": "shop"}


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("label_values(job)", Asking("", "job")),
        (' label_values(up{a="b", c=~"x,y"}, job)', Asking('up{a="b", c=~"x,y"}', "job")),
        ("metrics(shop_.*)", Asking("", "__name__", "shop_.*")),
        ("query_result(sum(up) by (job))", Asking("sum(up) by (job)", "")),
        ("label_names()", None),
        ("SELECT 1", None),
    ],
)
def test_what_a_variable_asks_is_known(query: str, wanted: Asking | None) -> None:
    assert templating.asking(query) == wanted


def test_a_pattern_takes_a_part_of_each_value() -> None:
    values = ['up{job="b"} 1', 'up{job="a"} 1', "other"]
    assert templating.taken(values, '/job="([^"]+)"/') == ["a", "b"]
    assert templating.taken(values, '/job="(?<value>[^"]+)"/') == ["a", "b"]
    assert templating.taken(['job="a"', 'my job="a"'], 'job="([^"]+)"') == ["a"], "the whole value must fit"
    assert templating.taken(["Prod-1", "test-1"], "/^prod-.*/i") == ["Prod-1"]
    assert templating.taken(["b", "a", "b"], "") == ["a", "b"]
    for pattern in ("(", "/(?<!a+)b/"):
        with pytest.raises(ValueError, match="is no pattern"):
            templating.taken([], pattern)


def variable(kind: str = "query", **more: object) -> Variable:
    said: dict[str, object] = {"name": "v", "kind": kind, "query": "", "current": (), **more}
    return Variable(**said)  # type: ignore[arg-type] # the fields that a test names


def test_a_saved_choice_stays_while_it_can_be_chosen_and_gives_way_to_the_first() -> None:
    assert default(variable(current=("b",)), ["a", "b"]) == Values(("b",))
    assert default(variable(current=("gone",)), ["a", "b"]) == Values(("a",))
    assert default(variable(current=("kept",))) == Values(("kept",))
    assert default(variable(), []) == Values(("",))
    assert default(variable()) is None


def test_all_is_each_value_or_what_the_dashboard_writes_for_it() -> None:
    chosen = variable(current=("$__all",), has_all=True, several=True)
    assert default(chosen, ["a", "b"]) == Values(("a", "b"), several=True)
    assert default(chosen) == Values((".*",), several=True, ready=True)
    own = variable(current=("$__all",), has_all=True, several=True, all_value=".+")
    assert default(own, ["a"]) == Values((".+",), several=True, ready=True)
    assert default(variable(has_all=True, several=True), ["a"]) == Values(("a",), several=True)


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (variable("custom", query="one : 1, two : 2"), "1"),
        (variable("custom", query="blue,green", current=("green",)), "green"),
        (variable("custom", query="blue,green", current=("red",)), "blue"),
        (variable("constant", query="fixed"), "fixed"),
        (variable("textbox", query="0.99", current=("0.9",)), "0.9"),
        (variable("interval", query="1m,5m", current=("5m",)), "5m"),
        (variable("interval", query="1m,5m"), "1m"),
        (variable("interval", query="1m,5m", current=("$__auto_interval_v",)), "30s"),
        (variable("query", options=("a", "b"), lasting=True), "a"),
    ],
)
def test_other_kinds_have_their_own_first_choice(found: Variable, wanted: str) -> None:
    values = default(found)
    assert values is not None
    assert values.chosen == (wanted,)


def test_filters_that_a_person_adds_are_no_text() -> None:
    assert default(variable("adhoc")) is None


def test_a_variable_comes_after_those_that_it_names() -> None:
    listed: list[Any] = [
        {"name": "node", "type": "query", "query": 'label_values(up{job="$job"}, node)'},
        {"name": "job", "type": "query", "query": "label_values(up, job)", "datasource": {"uid": "${ds}"}},
        {"name": "ds", "type": "datasource", "query": "prometheus"},
        {"name": "loop", "type": "query", "query": "label_values($other, x)"},
        {"name": "other", "type": "query", "query": "label_values($loop, x)"},
    ]
    found = templating.order(read({"title": "x", "panels": [], "templating": {"list": listed}}))
    names = [one.name for one in found]
    assert sorted(names) == ["ds", "job", "loop", "node", "other"]
    assert names.index("ds") < names.index("job") < names.index("node")


def test_the_time_that_is_shown_is_put_in_as_the_page_does() -> None:
    chosen = templating.shown_time(1_700_000_000.25, 1_700_000_900.0)
    text = "$__from ${__to} ${__to:date:seconds} ${__from:date:iso} ${__to:date}"
    assert interpolated(text, chosen) == (
        "1700000000250 1700000900000 1700000900 2023-11-14T22:13:20.250Z 2023-11-14T22:28:20.000Z"
    )
    assert templating.used(text, chosen) == {}


def test_the_first_of_many_values_are_told() -> None:
    many = {"pod": Values(tuple(f"shop-{number}" for number in range(2000)), several=True)}
    assert templating.used("$pod", many) == {"pod": "shop-0 + shop-1 + shop-2 + 1997 more"}


def test_values_in_a_pattern_are_written_as_one() -> None:
    chosen = {"env": Values(("a.b", "c"), several=True)}
    assert interpolated("/^$env-.*/", chosen, "regex") == "/^(a\\.b|c)-.*/"
