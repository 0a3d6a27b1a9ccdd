"""Weights seen in traffic, and the states of a launch."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from tminus.domain.rollout import ENDS, MOVES, State, binomial_interval, served_by, share, since
from tminus.domain.traffic import Outcome, Side, WeightChange


def outcomes(blue: int, green: int) -> list[Outcome]:
    sides = [Side.BLUE] * blue + [Side.GREEN] * green
    return [Outcome(100.0 + i, side, 200, 20.0) for i, side in enumerate(sides)]


@given(st.integers(1, 3000), st.integers(1, 99))
def test_the_interval_is_that_of_the_binomial_distribution(n: int, percent: int) -> None:
    p = percent / 100
    low, high = (round(end * n) for end in binomial_interval(n, p))
    # Either end may differ by one where a quantile falls on a step of the distribution to the last digit.
    assert binom.cdf(low, n, p) >= 0.005 * (1 - 1e-6)
    assert binom.cdf(low - 1, n, p) < 0.005 * (1 + 1e-6)
    assert binom.sf(high - 1, n, p) >= 0.005 * (1 - 1e-6)
    assert binom.sf(high, n, p) < 0.005 * (1 + 1e-6)
    assert abs(low - binom.ppf(0.005, n, p)) <= 1
    assert abs(high - binom.ppf(0.995, n, p)) <= 1


@given(st.integers(1, 500), st.floats(0.01, 0.99), st.floats(0.001, 0.2))
def test_the_interval_lies_around_its_probability(n: int, p: float, tail: float) -> None:
    low, high = binomial_interval(n, p, tail)
    assert 0 <= low <= high <= 1
    assert low <= p + 1 / n
    assert high >= p - 1 / n


def test_of_no_requests_nothing_is_known() -> None:
    assert binomial_interval(0, 0.5) == (0.0, 1.0)
    assert not share([], 50).explained


@pytest.mark.parametrize(
    ("percent", "blue", "green", "explained"),
    [
        (0, 10, 0, True),
        (0, 9, 1, False),
        (100, 0, 10, True),
        (100, 1, 9, False),
        (10, 900, 100, True),
        (10, 800, 200, False),
        (50, 500, 500, True),
    ],
)
def test_a_weight_explains_the_share_that_was_seen_or_not(
    percent: int,
    blue: int,
    green: int,
    explained: bool,  # noqa: FBT001 - a column of the table
) -> None:
    seen = share(outcomes(blue, green), percent)
    assert seen.explained is explained
    assert seen.observed == green / (blue + green)
    assert (seen.green, seen.total, seen.percent) == (green, blue + green, percent)


def test_only_requests_accepted_after_a_weight_were_routed_by_it() -> None:
    long = Outcome(at=101.0, side=Side.BLUE, status=200, ms=1001.0)
    short = Outcome(at=101.0, side=Side.GREEN, status=200, ms=1000.0)
    assert since([long, short], WeightChange(100.0, 50)) == [short]


def test_a_side_s_requests_are_counted() -> None:
    assert served_by(outcomes(3, 2), Side.GREEN) == 2


def test_every_state_leads_to_an_end() -> None:
    stopped = {State.NO_GO, State.SCRUBBED, State.ABORTED, State.ABANDONED}
    assert stopped | {State.LANDED, State.ROLLED_BACK} == ENDS
    for state, following in MOVES.items():
        assert following & ENDS, state
        assert state not in following
    reached = {state for following in MOVES.values() for state in following}
    assert reached | {State.COUNTING} == set(State)


def test_requests_of_neither_side_do_not_change_the_share() -> None:
    sides = [Side.GREEN, Side.BLUE, None, None]
    seen = share([Outcome(1.0, side, 503, 1.0) for side in sides], 50)
    assert (seen.green, seen.total) == (1, 2)
