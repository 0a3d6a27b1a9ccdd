"""What an alert's expression compares and selects, and what it measures."""

import pytest

from tminus.alerting.expression import Selector, one_line, parse
from tminus.alerting.measures import meanings

RATIO = 'sum(rate(http_total{code=~"5.."}[5m])) / sum(rate(http_total[5m]))'


class TestExpression:
    def test_a_comparison_has_its_number_on_the_right(self) -> None:
        found = parse("0.9 > hits").comparisons
        assert [(one.left, one.operator, one.limit) for one in found] == [("hits", "<", 0.9)]

    def test_brackets_and_signs_are_read(self) -> None:
        assert parse("(temperature) < (-(3))").comparisons[0].limit == -3

    def test_two_measured_things_are_no_comparison_with_a_number(self) -> None:
        assert parse("a > b").comparisons == []

    def test_another_limit_is_written_into_the_right_place(self) -> None:
        expression = parse(f"{RATIO} > 0.01 and sum(rate(http_total[5m])) > 1")
        moved = expression.with_limit(expression.comparisons[0], 0.25)
        assert "> 0.25 and sum(rate(http_total[5m])) > 1" in moved
        assert one_line(parse(moved).tree) == moved, "Prometheus can read it"

    def test_a_limit_below_nothing_can_be_written(self) -> None:
        expression = parse("errors > 0.01")
        assert expression.with_limit(expression.comparisons[0], -1e-9) == "(errors) > -0.000000001"

    def test_what_must_hold_beside_a_comparison_is_the_other_side_of_and(self) -> None:
        expression = parse("a > 1 and b > 2 and on () c == 3")
        a = next(one for one in expression.comparisons if one.left == "a")
        assert set(expression.beside(a)) == {"b > 2", "c == 3"}
        assert parse("a > 1 or b > 2").beside(parse("a > 1 or b > 2").comparisons[0]) == []

    def test_selectors_are_told_once_with_their_matchers(self) -> None:
        found = parse('rate(a{job="x",code=~"5.."}[1m]) / rate(a[1m]) / rate(a[1m])').selectors
        assert [one.text for one in found] == ['a{code=~"5..",job="x"}', "a"]
        assert found[0].exact == Selector("a", (("job", "=", "x"),))

    def test_a_metric_may_be_named_as_a_label(self) -> None:
        assert parse('{__name__="a",b!="c"}').selectors[0].text == 'a{b!="c"}'

    def test_quotes_in_a_value_survive(self) -> None:
        selector = Selector("a", (("b", "=", 'c"\\'),))
        assert parse(selector.text).selectors == [selector]

    @pytest.mark.parametrize("text", ["a >", "", "sum(", "a{b}"])
    def test_what_prometheus_cannot_read_is_refused(self, text: str) -> None:
        with pytest.raises(ValueError):  # noqa: PT011 - the library's own words
            parse(text)


class TestMeanings:
    @pytest.mark.parametrize(
        ("expression", "measure", "above", "limit"),
        [
            (f"{RATIO} > 0.01", "errors", True, 0.01),
            (f"{RATIO} * 100 > 1", "errors", True, 0.01),
            (
                "sum(rate(api_errors_total[5m])) / sum(rate(api_requests_total[5m])) > 0.05",
                "errors",
                True,
                0.05,
            ),
            ("histogram_quantile(0.95, sum by (le) (rate(x_seconds_bucket[1m]))) > 0.5", "p95", True, 0.5),
            ("histogram_quantile(0.95, sum by (le) (rate(x_ms_bucket[1m]))) > 500", "p95", True, 0.5),
            ("histogram_quantile(0.95, sum by (le) (rate(x_bucket[1m]))) * 1000 > 500", "p95", True, 0.5),
            ('http_duration_seconds{quantile="0.95"} > 0.3', "p95", True, 0.3),
            ("pg_stat_activity_count / pg_settings_max_connections > 0.8", "connections", True, 0.8),
            ("1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes > 0.85", "memory", True, 0.85),
            ("node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes * 100 < 15", "memory", True, 0.85),
            (
                "container_memory_working_set_bytes / container_spec_memory_limit_bytes > 0.85",
                "memory",
                True,
                0.85,
            ),
            ("1 - node_filesystem_avail_bytes / node_filesystem_size_bytes > 0.8", "disk", True, 0.8),
            ("(node_filesystem_avail_bytes * 100) / node_filesystem_size_bytes < 20", "disk", True, 0.8),
            ("100 - (node_filesystem_free_bytes / node_filesystem_size_bytes * 100) > 80", "disk", True, 0.8),
            (
                "kubelet_volume_stats_used_bytes / kubelet_volume_stats_capacity_bytes > 0.8",
                "disk",
                True,
                0.8,
            ),
            ("app_hits_total / (app_hits_total + app_misses_total) < 0.9", "cache hits", False, 0.9),
            ("cache_misses_total / cache_lookups_total > 0.1", "cache hits", False, 0.9),
            ("max by (queue) (rabbitmq_queue_messages_ready) > 1000", "queue", True, 1000),
            ("up == 0", "downtime", False, None),
            ('probe_success{job="x"} < 1', "downtime", False, None),
            ('absent(up{job="x"})', "downtime", False, None),
        ],
    )
    def test_a_rule_is_understood_whatever_its_name(
        self, expression: str, measure: str, *, above: bool, limit: float | None
    ) -> None:
        found = meanings(parse(expression))
        assert [(one.measure, one.above) for one in found] == [(measure, above)]
        assert found[0].limit == (None if limit is None else pytest.approx(limit))

    def test_a_numerator_that_may_be_empty_is_still_a_share_of_errors(self) -> None:
        guarded = RATIO.replace("sum(rate(http_total{", "(sum(rate(http_total{", 1).replace(
            ")) / sum", ")) or vector(0)) / sum", 1
        )
        assert [one.measure for one in meanings(parse(f"{guarded} > 0.01"))] == ["errors"]

    @pytest.mark.parametrize(
        "expression",
        [
            "histogram_quantile(0.99, sum by (le) (rate(x_bucket[1m]))) > 0.5",
            "rate(x_seconds_sum[5m]) / rate(x_seconds_count[5m]) > 0.5",
            "vector(1)",
            "node_load1 > 4",
        ],
    )
    def test_what_no_checklist_asks_for_measures_nothing(self, expression: str) -> None:
        assert meanings(parse(expression)) == []

    @pytest.mark.parametrize(
        ("expression", "words"),
        [
            ('sum(rate(http_total{code="500"}[1m])) > 5', "counts failures and not their share"),
            ("shop_up == 0", "the service's own figure"),
        ],
    )
    def test_what_is_coarse_is_remarked_upon(self, expression: str, words: str) -> None:
        found = meanings(parse(expression))
        assert words in found[0].remarks[0]
        assert found[0].limit is None
