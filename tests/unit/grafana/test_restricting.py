"""PromQL narrowed to one side, with Grafana's own intervals as they were."""

import pytest

from tminus.grafana import restricting


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("up", 'up{side="green"}'),
        ('rate(x{a="b"}[$__rate_interval])', 'rate(x{a="b",side="green"}[$__rate_interval])'),
        ("x[${__interval}] offset 1m", 'x{side="green"}[$__interval] offset 1m'),
        (
            'sum(x) / on (a) group_left () y{side="blue"}',
            'sum(x{side="green"}) / on (a) group_left () y{side="blue",side="green"}',
        ),
        ("increase(x[$__range]) / $__range_s", 'increase(x{side="green"}[$__range]) / $__range_s'),
        (
            "max_over_time(rate(x[1m])[1h:$__interval])",
            'max_over_time(rate(x{side="green"}[1m])[1h:$__interval])',
        ),
        ('a{b="c}d"} offset 1d', 'a{b="c}d",side="green"} offset 1d'),
        ("x + x", 'x{side="green"} + x{side="green"}'),
        ('{__name__=~"x.*"}', '{__name__=~"x.*",side="green"}'),
    ],
)
def test_each_selector_gets_one_matcher_more(text: str, wanted: str) -> None:
    assert restricting.restricted(text, "side", "green", restricting.selectors(text)) == wanted


def test_selectors_that_do_not_tell_sides_apart_stay_as_they_are() -> None:
    text = "sum(rate(x[5m])) / sum(rate(y[5m]))"
    (x,) = [one for one in restricting.selectors(text) if one.metric == "x"]
    assert (
        restricting.restricted(text, "side", "green", [x])
        == 'sum(rate(x{side="green"}[5m])) / sum(rate(y[5m]))'
    )


@pytest.mark.parametrize("text", ["x or vector(0)", "absent(up)", "vector(1)", "1"])
def test_what_shows_something_without_a_measurement_is_known(text: str) -> None:
    assert restricting.constant(text)


@pytest.mark.parametrize("text", ["x", "x or 0 * y", "time() - x"])
def test_what_needs_a_measurement_is_known(text: str) -> None:
    assert not restricting.constant(text)


def test_what_prometheus_could_not_read_is_refused() -> None:
    with pytest.raises(ValueError, match="parenthesis"):
        restricting.parsed("sum(rate(x[5m])")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('x{code=~"5..",job="a"}', 'x{job="a"}'),
        ('x{status="500"}', "x"),
        ('x{grpc_code!="OK",route=~"/a.*"}', 'x{route=~"/a.*"}'),
        ('x{country_code="DE"}', 'x{country_code="DE"}'),
        ('{status="500"}', '{status="500"}'),
    ],
)
def test_how_something_ended_says_nothing_of_what_is_measured(text: str, wanted: str) -> None:
    (found,) = restricting.selectors(text)
    assert restricting.plain(found).text == wanted
