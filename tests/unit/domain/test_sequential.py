"""The formulas of the sequential tests, each against a computation of its own."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate

from tminus.domain.comparison import RelativeTest
from tminus.domain.sequential import (
    LateStarts,
    RateTest,
    log_evidence_above,
    log_evidence_below,
)

LIMITS = st.sampled_from([0.01, 0.05])


def integral(failed: int, requests: int, low: float, high: float, limit: float) -> float:
    """The average likelihood ratio by numerical integration, scaled by its largest value."""

    def log_ratio(p: float) -> float:
        kept = requests - failed
        return (
            failed * math.log(p / limit) + kept * math.log((1 - p) / (1 - limit)) if 0 < p < 1 else -math.inf
        )

    best = min(max(failed / requests, low), high) if requests else limit
    top = log_ratio(min(max(best, 1e-12), 1 - 1e-12))
    width = math.sqrt(max(best * (1 - best), 1 / (requests + 1)) / (requests + 1))
    slope = abs(failed / best - (requests - failed) / (1 - best)) if 0 < best < 1 else 0.0
    width = min(width, 1 / slope) if slope else width
    edges = (
        [low]
        + [best + k * width for k in (-30, -6, -2, 0, 2, 6, 30) if low < best + k * width < high]
        + [high]
    )
    parts = [
        integrate.quad(lambda p: math.exp(log_ratio(p) - top), a, b, limit=200)[0] for a, b in pairwise(edges)
    ]
    return top + math.log(sum(parts) / (high - low))


@pytest.mark.parametrize("limit", [0.01, 0.05])
@pytest.mark.parametrize(
    ("failed", "requests"),
    [
        *((0, 1), (1, 1), (0, 50), (3, 20), (20, 50), (0, 1000), (40, 1000), (900, 1000), (7, 100_000)),
        *((0, 10**7), (10**6, 10**7), (450_000, 10**7), (500_000, 10**7), (99_000, 10**7), (10**7, 10**7)),
    ],
)
def test_evidence_equals_the_integral_it_stands_for(failed: int, requests: int, limit: float) -> None:
    above = float(log_evidence_above(failed, requests, limit))
    assert above == pytest.approx(integral(failed, requests, limit, 1, limit), rel=1e-6, abs=1e-5)
    below = float(log_evidence_below(failed, requests, limit))
    assert below == pytest.approx(integral(failed, requests, 0, limit, limit), rel=1e-6, abs=1e-5)


def test_evidence_without_requests_is_one() -> None:
    assert float(log_evidence_above(0, 0, 0.05)) == pytest.approx(0, abs=1e-12)


def test_whole_arrays_give_what_single_counts_give() -> None:
    failed, requests = np.array([0, 3, 0, 500]), np.array([10, 10, 10**6, 1000])
    singles = [float(log_evidence_above(s, n, 0.05)) for s, n in zip(failed, requests, strict=True)]
    assert log_evidence_above(failed, requests, 0.05).tolist() == singles


def test_both_ways_of_computing_agree_where_they_meet() -> None:
    requests = np.arange(1, 20_000)
    exact = -np.log(requests + 1)
    assert np.allclose(log_evidence_above(0, requests, 0.05), exact, atol=1e-9)


@pytest.mark.parametrize(("failed", "requests"), [(2, 1), (-1, 5)])
def test_impossible_counts_are_refused(failed: int, requests: int) -> None:
    with pytest.raises(ValueError, match="part of all"):
        log_evidence_above(failed, requests, 0.05)


@given(requests=st.integers(1, 12), limit=LIMITS, share=st.floats(0, 1))
def test_evidence_of_more_is_expected_to_be_at_most_one_while_healthy(
    requests: int, limit: float, share: float
) -> None:
    rate = share * limit
    failed = np.arange(requests + 1)
    chances = np.array([math.comb(requests, s) * rate**s * (1 - rate) ** (requests - s) for s in failed])
    assert float(chances @ np.exp(log_evidence_above(failed, requests, limit))) <= 1 + 1e-9


@given(requests=st.integers(1, 12), limit=LIMITS, share=st.floats(0, 1))
def test_evidence_of_less_is_expected_to_be_at_most_one_while_the_limit_is_broken(
    requests: int, limit: float, share: float
) -> None:
    rate = limit + share * (1 - limit)
    failed = np.arange(requests + 1)
    chances = np.array([math.comb(requests, s) * rate**s * (1 - rate) ** (requests - s) for s in failed])
    assert float(chances @ np.exp(log_evidence_below(failed, requests, limit))) <= 1 + 1e-9


@given(requests=st.integers(1, 10**7), failed=st.integers(0, 10**7), limit=LIMITS)
@settings(max_examples=200)
def test_one_more_failure_is_never_less_evidence(requests: int, failed: int, limit: float) -> None:
    failed %= requests
    fewer, more = log_evidence_above([failed, failed + 1], requests, limit)
    assert math.isfinite(fewer)
    assert more > fewer


def test_evidence_for_one_known_rate_is_the_classic_probability_ratio() -> None:
    test = RelativeTest(1.0, 1e9, LateStarts(share=0.0), few=1)
    comparison = test._comparison
    comparison._ratios, comparison._log_ratios = np.array([4.0]), np.log([4.0])
    comparison._wagers.late = np.array([1.0])
    for green in (True, False, True, True):
        test.observe(green=True, failed=green, client="")
        test.observe(green=False, failed=not green, client="")
        test.tick(1.0, None)
    # Half of the requests are green: an error is a green one with 4/5 instead of 1/2.
    assert test.evidence() == pytest.approx((0.8 / 0.5) ** 3 * (0.2 / 0.5))


def late_free(limit: float, threshold: float) -> RateTest:
    return RateTest(limit, threshold, LateStarts(share=0.0))


def test_a_rate_test_holds_the_evidence_of_its_counts() -> None:
    test = late_free(0.05, 1000)
    for failed in (True, False, False, True, False):
        test.observe(failed=failed)
    assert math.log(test.evidence()) == pytest.approx(float(log_evidence_above(2, 5, 0.05)))


def test_a_rate_test_stops_counting_once_it_has_crossed() -> None:
    test = late_free(0.05, 100)
    for _ in range(50):
        test.observe(failed=True)
    assert test.crossed
    assert test.requests < 10
    assert test.evidence() >= 100


def requests_until_crossed(rate: float, healthy: int, seed: int) -> int:
    rng = np.random.default_rng(seed)
    test = RateTest(0.05, 1000, LateStarts())
    for index in range(200_000):
        test.observe(failed=bool(rng.random() < (rate if index >= healthy else 0.001)))
        if test.crossed:
            return index + 1 - healthy
        if index % 5 == 4:
            test.tick((index + 1) / 5)
    raise AssertionError("never crossed")


def test_twenty_percent_errors_cross_after_about_sixty_requests() -> None:
    rng = np.random.default_rng(7)
    failed = np.cumsum(rng.random((600, 800)) < 0.2, axis=1)
    crossed = log_evidence_above(failed, np.arange(1, 801), 0.05) >= math.log(1000)
    assert 58 < np.mean(np.argmax(crossed, axis=1) + 1) < 70
    assert np.mean([requests_until_crossed(0.2, 0, seed) for seed in range(40)]) < 80


def test_a_fault_after_an_hour_is_seen_nearly_as_fast_as_an_early_one() -> None:
    delays = [requests_until_crossed(0.2, 18_000, seed) for seed in range(6)]
    assert np.mean(delays) < 200


def test_late_starts_get_their_share_in_all_and_most_of_it_soon() -> None:
    starts = LateStarts()
    parts = starts.parts()
    assert parts.size == starts.most
    assert parts.sum() == pytest.approx(starts.share)
    assert np.all(np.diff(parts) < 0)
    even = starts.share / starts.most
    assert (parts[252], parts[253]) == (pytest.approx(even, rel=0.01), pytest.approx(even, rel=0.01))
    assert math.log(even / parts[-1]) == pytest.approx(1.7, abs=0.05)


def test_late_starts_keep_the_promise_about_false_alarms() -> None:
    alarms = 0
    for seed in range(150):
        rng = np.random.default_rng(seed)
        test = RateTest(0.05, 20, LateStarts(share=0.5, every=1, most=60))
        for index, failed in enumerate(rng.random(600) < 0.05):
            test.observe(failed=bool(failed))
            if index % 10 == 9:
                test.tick(index / 10)
        alarms += test.crossed
    assert alarms / 150 <= 0.05


def relative(
    rates: tuple[float, float], weight: float, seed: int, seconds: int, threshold: float = 1000
) -> int:
    """Seconds at 50 requests each until a2 crosses; 0 when it never does."""
    rng = np.random.default_rng(seed)
    test = RelativeTest(1.5, threshold, LateStarts(), few=10)
    for second in range(1, seconds + 1):
        green = rng.random(50) < weight
        failed = rng.random(50) < np.where(green, rates[1], rates[0])
        for side, bad in zip(green.tolist(), failed.tolist(), strict=True):
            test.observe(green=side, failed=bad, client="")
        test.tick(float(second), weight)
        if test.crossed:
            return second
    return 0


def test_a_green_much_worse_than_blue_is_seen_in_about_five_seconds() -> None:
    times = [relative((0.001, 0.2), 0.1, seed, 60) for seed in range(150)]
    assert 0 not in times
    assert 4 < np.mean(times) < 6


@pytest.mark.parametrize(("blue", "green"), [(0.01, 0.01), (0.02, 0.03), (0.3, 0.45)])
def test_a_green_within_the_tolerance_is_rarely_accused(blue: float, green: float) -> None:
    alarms = sum(relative((blue, green), 0.1, seed, 60, threshold=20) > 0 for seed in range(60))
    assert alarms / 60 <= 0.05


def one_second(test: RelativeTest, requests: list[tuple[bool, bool, str]], routed: float | None) -> float:
    for green, failed, client in requests:
        test.observe(green=green, failed=failed, client=client)
    test.tick(1.0, routed)
    return test.evidence()


def fresh() -> RelativeTest:
    return RelativeTest(1.5, 1e9, LateStarts(), few=10)


def test_errors_of_one_client_in_one_second_are_one_error() -> None:
    served = [(False, False, "")] * 20
    storm = [(True, True, "one")] * 8
    known = one_second(fresh(), [*served, *storm], 0.1)
    once = one_second(fresh(), [*served, (True, True, "one"), *[(True, False, "one")] * 7], 0.1)
    unknown = one_second(fresh(), [*served, *[(True, True, "")] * 8], 0.1)
    assert known == once < unknown


def test_a_client_that_fails_on_both_sides_is_no_evidence_against_either() -> None:
    both = [(False, True, "one"), (True, True, "one"), *[(False, False, "")] * 18]
    first_only = [(False, True, "one"), (True, False, "one"), *[(False, False, "")] * 18]
    assert one_second(fresh(), both, 0.1) == one_second(fresh(), first_only, 0.1)


def test_with_few_requests_the_routed_share_stands_for_the_measured_one() -> None:
    requests = [(True, True, "")]
    assert one_second(fresh(), requests, 0.1) > one_second(fresh(), requests, 0.5) > 1
    assert one_second(fresh(), requests, None) == pytest.approx(1)


@pytest.mark.parametrize("routed", [0.0, 1.0])
def test_a_second_on_one_side_only_is_no_evidence(routed: float) -> None:
    assert one_second(fresh(), [(True, True, "")] * 5, routed) == pytest.approx(1)
    assert one_second(fresh(), [(True, True, "")] * 50, 0.1) == pytest.approx(1)


def test_a_small_share_of_a_small_second_is_expected_to_be_at_most_one() -> None:
    """All ways in which two errors can fall on ten requests of which two are green."""
    total = 0.0
    for first in range(10):
        for second in set(range(10)) - {first}:
            test = RelativeTest(1.0, 1e9, LateStarts(), few=10)
            for index in range(10):
                test.observe(green=index < 2, failed=index in {first, second}, client="")
            test.tick(1.0, None)
            total += test.evidence()
    assert total / 90 <= 1 + 1e-12
