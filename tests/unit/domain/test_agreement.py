"""Two sources about the same requests."""

import math

import pytest

from tminus.domain.agreement import Counted, Histogram, percentile, shares_disagree, times_disagree

FAST = Histogram(((0.1, 990.0), (0.3, 995.0), (0.5, 1000.0), (math.inf, 1000.0)))


def spread(*parts: tuple[float, int]) -> list[float]:
    return [seconds for seconds, count in parts for _ in range(count)]


class TestShares:
    def test_the_same_counts_agree(self) -> None:
        assert shares_disagree(Counted(1000, 20), Counted(1000, 20)) == ""

    def test_windows_that_lie_a_little_apart_agree(self) -> None:
        assert shares_disagree(Counted(1000, 20), Counted(930, 15)) == ""

    def test_failures_that_only_the_metrics_count_disagree_with_both_numbers(self) -> None:
        said = shares_disagree(Counted(1000, 0), Counted(1000, 50))
        assert said == "the proxy's log says 0.00% of 1000, the metrics 5.00% of 1000"

    def test_failures_that_only_the_log_counts_disagree(self) -> None:
        assert shares_disagree(Counted(1000, 50), Counted(1000, 0)) != ""

    def test_what_the_proxy_answered_alone_need_not_stand_in_the_metrics(self) -> None:
        assert shares_disagree(Counted(1000, 50, unanswered=50), Counted(950, 0)) == ""

    def test_metrics_of_few_of_the_requests_disagree(self) -> None:
        said = shares_disagree(Counted(1000, 0), Counted(12, 0))
        assert said == "the proxy's log has 1000 requests, the metrics 12"
        assert shares_disagree(Counted(1000, 0), Counted(2001, 0)) != ""


class TestTimes:
    def test_a_time_in_the_bucket_agrees(self) -> None:
        assert times_disagree(spread((0.05, 990), (0.4, 10)), FAST) == ""

    def test_a_time_in_another_bucket_disagrees_with_both(self) -> None:
        slow = spread((0.05, 500), (0.7, 500))
        assert times_disagree(slow, FAST) == "the proxy's log says 700 ms, the metrics 0 to 100 ms"

    def test_a_wait_before_the_service_agrees_and_a_longer_one_disagrees(self) -> None:
        assert times_disagree(spread((0.19, 1000)), FAST) == ""
        assert times_disagree(spread((0.21, 1000)), FAST) != ""

    def test_a_percentile_beside_a_step_agrees(self) -> None:
        """4.5 % or 5.5 % slow ones put the percentile into other buckets; that is no disagreement."""
        edge = Histogram(((0.1, 945.0), (0.5, 945.0), (1.0, 1000.0), (math.inf, 1000.0)))
        assert times_disagree(spread((0.05, 955), (0.7, 45)), edge) == ""

    def test_beyond_the_last_bucket_the_words_say_so(self) -> None:
        late = Histogram(((0.5, 10.0), (math.inf, 1000.0)))
        assert (
            times_disagree(spread((0.05, 1000)), late)
            == "the proxy's log says 50 ms, the metrics above 500 ms"
        )


class TestHistogram:
    def test_a_quantile_is_read_straight_within_its_bucket(self) -> None:
        even = Histogram(((1.0, 0.0), (2.0, 100.0), (math.inf, 100.0)))
        assert even.quantile(0.5) == pytest.approx(1.5)
        assert even.bucket(0.5) == (1.0, 2.0)

    def test_a_quantile_beyond_every_bound_is_the_highest(self) -> None:
        assert Histogram(((1.0, 1.0), (math.inf, 100.0))).quantile(0.95) == 1.0

    def test_nothing_has_no_requests(self) -> None:
        assert Histogram(()).requests == 0


def test_a_percentile_is_one_of_the_values() -> None:
    assert percentile([3, 1, 2], 0.5) == 2
    assert percentile([1, 2], 0.95) == 2
    assert percentile([1], 0.0) == 1
