"""What a launch cost its users."""

from collections.abc import Sequence

from tminus.domain.cost import Toll, cost
from tminus.domain.traffic import Outcome, Side


def answered(at: float, side: Side | None, status: int, ms: float) -> Outcome:
    return Outcome(at, side, status, ms)


TRAFFIC = [
    answered(1.0, Side.BLUE, 200, 5.0),
    answered(2.0, Side.BLUE, 500, 5.0),
    answered(3.0, Side.GREEN, 200, 2000.0),
    answered(5.0, Side.GREEN, 0, 9000.0),
    answered(4.0, Side.GREEN, 200, 2000.1),
    answered(6.0, None, 503, 0.1),
    answered(7.0, None, 404, 3000.0),
]


def test_what_failed_and_what_came_late_is_counted_by_side_and_nothing_twice() -> None:
    assert cost(TRAFFIC, 2000.0) == {
        "requests": 7,
        "failed": 3,
        "failed_on_blue": 1,
        "failed_on_green": 1,
        "failed_on_neither": 1,
        "slow_ms": 2000.0,
        "slow": 2,
        "slow_on_blue": 0,
        "slow_on_green": 1,
        "slow_on_neither": 1,
    }


def test_green_s_first_bad_answer_is_the_earliest_that_failed_or_came_late() -> None:
    assert first_bad(TRAFFIC, 2000.0) == 4.0
    assert first_bad(TRAFFIC, 3000.0) == 5.0
    assert first_bad(TRAFFIC[:3], 2000.0) is None


def first_bad(outcomes: Sequence[Outcome], slow_ms: float) -> float | None:
    toll = Toll(slow_ms)
    for outcome in outcomes:
        toll.add(outcome)
    return toll.first_bad
