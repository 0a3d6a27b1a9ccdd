"""Is the service worse than before? Only what counts show is a finding, and only beyond what is tolerated."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tminus.domain.worsening import ALPHA, GAMMA, shares, times

TOLERATED = {"ratio": 1.2, "margin": 0.001}


class TestShares:
    def test_fifteen_seconds_of_noise_show_nothing(self) -> None:
        assert not shares((2, 4000), (2, 1000), **TOLERATED).worse, (
            "four times the share, by one or two requests"
        )

    def test_what_the_counts_show_beyond_the_tolerance_is_worse(self) -> None:
        found = shares((2, 4000), (15, 1000), **TOLERATED)
        assert found.worse
        assert (found.hits, found.requests) == (15, 1000)
        assert found.p <= ALPHA
        assert 0.0016 < found.limit < 0.015, (
            "between what is tolerated of the observed share and what was seen"
        )

    def test_a_difference_that_is_tolerated_is_not_worse_however_many_requests_show_it(self) -> None:
        assert not shares((10_000, 1_000_000), (12_500, 1_000_000), **TOLERATED).worse

    def test_the_same_ratio_beyond_the_tolerance_is_worse_once_enough_requests_show_it(self) -> None:
        assert not shares((10, 1000), (15, 1000), **TOLERATED).worse
        assert shares((10_000, 1_000_000), (15_000, 1_000_000), **TOLERATED).worse

    def test_a_service_that_failed_always_cannot_become_worse(self) -> None:
        assert not shares((50, 50), (1000, 1000), **TOLERATED).worse

    def test_nothing_that_failed_is_not_worse(self) -> None:
        assert shares((0, 1000), (0, 1000), **TOLERATED).p == 1.0

    def test_the_formula_against_another_source(self) -> None:
        found = shares((3, 2000), (11, 900), **TOLERATED)
        highest = stats.beta.ppf(1 - GAMMA, 4, 1997)
        assert found.limit == pytest.approx(1.2 * highest + 0.001)
        assert found.p == pytest.approx(stats.binom.sf(10, 900, found.limit) + GAMMA)

    @pytest.mark.parametrize("before", [0.0, 0.0005, 0.005, 0.05])
    def test_a_service_as_tolerated_is_called_worse_once_in_a_hundred_at_most(self, before: float) -> None:
        rng = np.random.default_rng(7)
        then = rng.binomial(3000, before, 4000)
        now = rng.binomial(1000, 1.2 * before + 0.001, 4000)
        wrong = sum(
            shares((int(a), 3000), (int(b), 1000), **TOLERATED).worse for a, b in zip(then, now, strict=True)
        )
        assert stats.binom.sf(wrong - 1, 4000, ALPHA) > 0.001, "not more often than its own line allows"

    @given(st.integers(1, 5000), st.integers(1, 5000), st.data())
    def test_one_more_failure_never_makes_it_less_worse(self, n: int, m: int, data: st.DataObject) -> None:
        before, now = data.draw(st.integers(0, n)), data.draw(st.integers(0, m - 1))
        found = shares((before, n), (now, m), **TOLERATED)
        more = shares((before, n), (now + 1, m), **TOLERATED)
        assert more.p <= found.p + 1e-9
        assert 0.0 < found.p <= 1.0
        assert found.worse is (found.p <= ALPHA)


class TestTimes:
    FAST = tuple(float(ms) for ms in range(1, 101)) * 20

    def test_the_same_times_are_not_worse(self) -> None:
        assert not times(self.FAST, self.FAST[:1000], ratio=1.1).worse

    def test_a_tenth_more_that_few_requests_show_is_nothing(self) -> None:
        assert not times(self.FAST, [ms * 1.15 for ms in self.FAST[:200]], ratio=1.1).worse

    def test_twice_the_time_is_worse(self) -> None:
        found = times(self.FAST, [ms * 2 for ms in self.FAST[:1000]], ratio=1.1)
        assert found.worse
        assert found.limit >= 1.1 * 95
        assert found.hits > 0.05 * found.requests

    def test_a_margin_is_tolerated_on_top(self) -> None:
        assert not times(self.FAST, [ms + 60 for ms in self.FAST[:1000]], ratio=1.1, margin_ms=60.0).worse

    def test_too_few_times_before_to_bound_their_percentile_show_nothing(self) -> None:
        found = times([1.0] * 100, [1000.0] * 1000, ratio=1.1)
        assert not found.worse
        assert found.limit == float("inf")
        assert times([1.0] * 135, [1000.0] * 1000, ratio=1.1).worse, (
            "0.95 to the 135th is below the part spent on it"
        )
        assert not times([], [1000.0] * 1000).worse

    def test_a_service_as_tolerated_is_called_worse_once_in_a_hundred_at_most(self) -> None:
        rng = np.random.default_rng(11)
        wrong = sum(
            times(
                rng.lognormal(3, 1, 800).tolist(), (1.1 * rng.lognormal(3, 1, 600)).tolist(), ratio=1.1
            ).worse
            for _ in range(2000)
        )
        assert stats.binom.sf(wrong - 1, 2000, ALPHA) > 0.001

    @given(st.lists(st.floats(0, 1e5), min_size=1, max_size=400), st.floats(1.0, 3.0))
    def test_what_only_became_faster_is_never_worse(self, before: list[float], faster: float) -> None:
        assert not times(before, [ms / faster for ms in before], ratio=1.1).worse
