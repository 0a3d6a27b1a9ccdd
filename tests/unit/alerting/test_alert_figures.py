"""Counters added up as they were scraped."""

import math

import pytest

from tminus.alerting.figures import Names, grown, histogram
from tminus.alerting.prometheus import Series
from tminus.errors import InconclusiveError


def series(*values: float, **labels: str) -> Series:
    return Series(labels, tuple((float(at), value) for at, value in enumerate(values)))


def test_a_counter_grows_from_what_it_was_before_the_window() -> None:
    assert grown(series(12, 15, 20), 10) == 10


def test_a_counter_that_is_born_in_the_window_counts_from_nothing() -> None:
    """Prometheus' own `increase` would say 0 for the first burst of errors."""
    assert grown(series(7, 7, 7), 0) == 7


def test_a_counter_that_restarts_is_not_taken_for_a_loss() -> None:
    assert grown(series(100, 3, 5), 90) == 15


def test_buckets_of_all_series_are_added_up() -> None:
    found = histogram(
        [(series(le="0.1"), 3.0), (series(le="+Inf"), 5.0), (series(le="0.1"), 2.0), (series(le="+Inf"), 2.0)]
    )
    assert found.buckets == ((0.1, 5.0), (math.inf, 7.0))


def test_buckets_without_an_end_prove_nothing() -> None:
    with pytest.raises(InconclusiveError, match="no bucket"):
        histogram([(series(le="0.1"), 3.0)])


def test_failed_requests_are_selected_beside_the_counter_s_own_matchers() -> None:
    assert Names("x_total", 'code="500"').failed_counter == 'x_total{code="500"}'
    assert Names('x_total{a="b"}', 'code="500"').failed_counter == 'x_total{code="500",a="b"}'
    assert "depot_http_requests_total{status" in Names.given().failed_counter
