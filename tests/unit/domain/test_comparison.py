"""Green against blue: the formulas by enumeration, what b2 learns, counts and says."""

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tminus.domain.comparison import Comparison, Dispersion, RelativeTest, SlownessTest, share_of
from tminus.domain.sequential import LateStarts, RateEvidence, RateTest

NEVER = 1e300
SOON = LateStarts(share=0.3, every=2.0, most=5)


@given(
    launches=st.lists(
        st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=8, max_size=8),
        min_size=1,
        max_size=4,
    )
)
@settings(max_examples=60)
def test_many_launches_at_once_have_the_rate_evidence_of_each_alone(
    launches: list[list[tuple[int, int]]],
) -> None:
    """Each second of each launch has this many failed requests and this many served ones."""
    together = RateEvidence(0.05, SOON, (len(launches),))
    alone = [RateTest(0.05, NEVER, SOON) for _ in launches]
    failed = np.zeros(len(launches), dtype=np.int64)
    requests = np.zeros(len(launches), dtype=np.int64)
    for second in range(8):
        for index, seconds in enumerate(launches):
            bad, good = seconds[second]
            for outcome in [True] * bad + [False] * good:
                alone[index].observe(failed=outcome)
            alone[index].tick(float(second))
            failed[index] += bad
            requests[index] += bad + good
        together.tick(float(second), failed, requests)
        expected = [test.evidence() for test in alone]
        assert together.of(failed, requests) == pytest.approx(expected, rel=1e-12)
        some = np.arange(0, len(launches), 2)
        assert together.of(failed[some], requests[some], some) == pytest.approx(expected[::2], rel=1e-12)


@given(
    launches=st.lists(
        st.lists(
            st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(0, 3), st.integers(0, 3)),
            min_size=8,
            max_size=8,
        ),
        min_size=1,
        max_size=4,
    ),
    routed=st.sampled_from([None, 0.1, 0.5]),
)
@settings(max_examples=60)
def test_many_launches_at_once_have_the_comparison_of_each_alone(
    launches: list[list[tuple[int, int, int, int]]], routed: float | None
) -> None:
    """Each second of each launch has requests on blue and on green, and errors of green and of blue."""
    together = Comparison(1.5, SOON, (len(launches),))
    alone = [RelativeTest(1.5, NEVER, SOON, few=10) for _ in launches]
    for second in range(8):
        rows = np.array([seconds[second] for seconds in launches])
        blue, green = rows[:, 0], rows[:, 1]
        green_errors, blue_errors = np.minimum(rows[:, 2], green), np.minimum(rows[:, 3], blue)
        for index, test in enumerate(alone):
            for side, count, errors in (
                (True, green[index], green_errors[index]),
                (False, blue[index], blue_errors[index]),
            ):
                for number in range(count):
                    test.observe(green=side, failed=bool(number < errors), client="")
            test.tick(float(second), routed)
        share = share_of(blue, green, math.nan if routed is None else routed, 10)
        together.tick(float(second), busy=blue + green > 0)
        together.weigh(share, green=green_errors, blue=blue_errors)
        assert together.evidence() == pytest.approx([test.evidence() for test in alone], rel=1e-9)


def expected_evidence(rates: tuple[float, float], requests: tuple[int, int], tolerance: float) -> float:
    """The expectation of the e-value over every way in which one second of so many requests can end."""
    (blue, green), total = requests, 0.0
    for bad_blue, bad_green in itertools.product(range(blue + 1), range(green + 1)):
        chance = 1.0
        for bad, count, rate in ((bad_blue, blue, rates[0]), (bad_green, green, rates[1])):
            chance *= math.comb(count, bad) * rate**bad * (1 - rate) ** (count - bad)
        test = Comparison(tolerance, LateStarts(share=0.0))
        test.weigh(green / (green + blue), green=bad_green, blue=bad_blue)
        total += chance * float(test.evidence())
    return total


@given(
    requests=st.tuples(st.integers(1, 9), st.integers(1, 6)),
    rate=st.floats(0, 1),
    part=st.floats(0, 1),
    tolerance=st.sampled_from([1.0, 1.5]),
)
@settings(max_examples=100, deadline=None)
def test_a_green_that_is_no_worse_has_evidence_of_one_at_most_in_the_mean(
    requests: tuple[int, int], rate: float, part: float, tolerance: float
) -> None:
    """By enumeration: every pair of rates within the tolerance, also the high ones that only latency has."""
    green = min(part * tolerance * rate, 1.0)
    assert expected_evidence((rate, green), requests, tolerance) <= 1 + 1e-9


def test_a_green_that_is_worse_has_more_evidence_than_one_in_the_mean() -> None:
    assert expected_evidence((0.1, 0.6), (9, 6), 1.5) > 1.5


@given(failures=st.lists(st.booleans(), max_size=12), rate=st.floats(0, 0.05))
@settings(max_examples=60)
def test_one_more_request_of_a_healthy_green_never_raises_the_expected_evidence(
    failures: Sequence[bool], rate: float
) -> None:
    """The supermartingale itself: from any history, the next request does not raise the evidence in the mean."""
    failed = np.array([sum(failures), sum(failures), sum(failures) + 1])
    requests = len(failures) + np.array([0, 1, 1])
    test = RateEvidence(0.05, SOON)
    for second in range(len(failures)):
        test.tick(float(second), sum(failures[:second]), second)
    now, kept, lost = (float(test.of(f, n)) for f, n in zip(failed, requests, strict=True))
    assert (1 - rate) * kept + rate * lost <= now * (1 + 1e-9)


@pytest.mark.parametrize(
    ("blue", "green", "routed", "share"),
    [
        (8, 2, 0.5, 0.2),
        (3, 2, 0.1, 0.1),
        (0, 20, 0.5, None),
        (20, 0, 0.5, None),
        (3, 2, math.nan, None),
        (0, 0, 0.5, None),
    ],
)
def test_the_share_of_a_second(blue: int, green: int, routed: float, share: float | None) -> None:
    found = float(share_of(blue, green, routed, 10))
    assert math.isnan(found) if share is None else found == pytest.approx(share)


def slowness(latencies: Sequence[float], threshold: float = NEVER, floor: float = 0.0) -> SlownessTest:
    test = SlownessTest(1.5, threshold, LateStarts(), few=10)
    test.freeze(latencies, floor)
    return test


def run(
    test: SlownessTest, dice: np.random.Generator, slower: float, seconds: int, share: float = 0.1
) -> int:
    """The second at whose end b2 crosses, at 50 requests each; 0 when it does not."""
    for second in range(1, seconds + 1):
        green = dice.random(50) < share
        ms = 100 * np.exp(0.5 * dice.standard_normal(50)) * np.where(green, slower, 1.0)
        for side, took in zip(green.tolist(), ms.tolist(), strict=True):
            test.observe(green=side, ms=took, client="")
        test.tick(float(second), share)
        if test.crossed:
            return second
    return 0


def usual(seed: int = 0, count: int = 2000) -> NDArray[np.float64]:
    return 100 * np.exp(0.5 * np.random.default_rng(seed).standard_normal(count))


def test_a_green_that_takes_twice_as_long_is_seen_within_twenty_seconds() -> None:
    taken = [
        run(slowness(usual().tolist(), 1000), np.random.default_rng(seed), 2.0, 60) for seed in range(30)
    ]
    assert 0 not in taken
    assert 5 < np.median(taken) < 20


@pytest.mark.parametrize("edges", [[100.0], [1.0, 2.0, 3.0], usual(1, 50).tolist(), [60.0, 90.0, 1000.0]])
def test_equal_sides_are_rarely_accused_wherever_the_baseline_cuts(edges: list[float]) -> None:
    crossed = sum(
        run(slowness(edges, 20), np.random.default_rng(seed), 1.0, 60, 0.5) > 0 for seed in range(60)
    )
    assert crossed / 60 <= 0.05


def test_a_green_at_the_tolerance_is_rarely_accused() -> None:
    """Green exceeds blue's median, and every other cut, one and a half times as often as blue."""
    crossed = 0
    for seed in range(80):
        dice = np.random.default_rng(seed)
        test = slowness([10.0, 20.0, 30.0, 40.0], 20)
        for second in range(1, 61):
            green = dice.random(50) < 0.3
            slow = dice.random(50) < np.where(green, 0.75, 0.5)
            for side, bad in zip(green.tolist(), slow.tolist(), strict=True):
                test.observe(green=side, ms=100.0 if bad else 1.0, client="")
            test.tick(float(second), 0.3)
        crossed += test.crossed
    assert crossed / 80 <= 0.05


def test_blue_s_quantiles_are_where_b2_cuts_and_the_floor_raises_them() -> None:
    assert slowness([float(n) for n in range(1, 101)]).edges == (51.0, 91.0, 96.0, 100.0)
    assert slowness([float(n) for n in range(1, 101)], floor=93.0).edges == (93.0, 96.0, 100.0)
    assert slowness([1.0, 2.0, 3.0], floor=50.0).edges == (50.0,)


def test_answers_below_the_floor_are_no_evidence_however_much_slower_they_are() -> None:
    test = slowness([2.0] * 100, floor=50.0)
    for second in range(1, 121):
        for number in range(50):
            test.observe(green=number < 5, ms=40.0 if number < 5 else 2.0, client="")
        test.tick(float(second), 0.1)
    assert test.evidence() == pytest.approx(1)


def test_the_first_answers_of_a_green_that_warms_up_are_not_compared() -> None:
    test = slowness([10.0])
    test.freeze([10.0], 0.0, warm=5)
    for number in range(60):
        test.observe(green=number % 5 == 0, ms=100.0 if number % 5 == 0 and number < 25 else 1.0, client="")
    test.tick(1.0, 0.2)
    found = test.strongest()
    assert found is not None
    assert (found.green, found.green_requests, found.blue_requests) == (0, 7, 32)


def test_slow_answers_of_one_client_in_one_second_are_one() -> None:
    known, unknown = slowness([10.0]), slowness([10.0])
    for test, client in ((known, "one"), (unknown, "")):
        for number in range(50):
            test.observe(green=number < 10, ms=100.0 if number < 10 else 1.0, client=client)
        test.tick(1.0, 0.2)
    assert known.strongest() is not None
    assert (known.strongest() or unknown).green == 1  # type: ignore[union-attr] # it was just seen to be there
    assert known.evidence() < unknown.evidence()


def test_the_strongest_latency_is_told_with_both_sides_counts() -> None:
    test = slowness([float(n) for n in range(1, 101)])
    for number in range(100):
        test.observe(green=number < 20, ms=98.0 if number < 20 else 10.0, client="")
    test.tick(1.0, 0.2)
    found = test.strongest()
    assert found is not None
    assert (found.green, found.green_requests, found.blue, found.blue_requests) == (20, 20, 0, 80)
    assert found.name in {"p50", "p90", "p95"}


def test_independent_errors_have_an_overdispersion_of_one_and_bursts_of_more() -> None:
    dice = np.random.default_rng(4)
    even, bursty = Dispersion(), Dispersion()
    for count in dice.poisson(0.5, 5000).tolist():
        even.add(count)
        bursty.add(8 * count)
    assert even.index == pytest.approx(1, abs=0.1)
    assert bursty.index == pytest.approx(8, abs=0.8)
    assert Dispersion(29, 5, 5).index is None
    assert Dispersion(300, 1, 1).index is None
