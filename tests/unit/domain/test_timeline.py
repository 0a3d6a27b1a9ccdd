"""The launch clock."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tminus.domain.timeline import LaunchClock

EPOCHS = st.floats(1.6e9, 2.2e9)
SPEEDS = st.floats(1, 1e5)


@given(EPOCHS, SPEEDS, st.lists(st.tuples(st.floats(0, 1e5), st.floats(-1e5, 1e5)), max_size=20))
def test_the_launch_clock_never_runs_backwards(
    t0: float, speed: float, steps: list[tuple[float, float]]
) -> None:
    launch = LaunchClock(t0, speed)
    now = t0 - 1e5
    last = launch.read(now)
    for passing, until in steps:
        now += passing
        launch.ahead = launch.skipped(now, until)
        assert launch.read(now) >= last
        last = launch.read(now)


@given(EPOCHS, SPEEDS, st.floats(-1e5, 1e5), st.floats(0, 1e5))
def test_after_a_wait_the_launch_clock_reads_what_was_waited_for(
    t0: float, speed: float, until: float, early: float
) -> None:
    launch = LaunchClock(t0, speed)
    now = t0 + until - early
    wait = launch.wait(now, until)
    assert wait == pytest.approx(early / speed, abs=1e-5)
    launch.ahead = launch.skipped(now + wait, until)
    assert launch.read(now + wait) == pytest.approx(until, abs=1e-4)
    assert launch.wait(now + wait, until) == pytest.approx(0, abs=1e-4)


@given(EPOCHS, st.floats(0, 1e5), st.floats(0, 1))
def test_a_wait_repeated_after_a_crash_waits_only_the_rest(t0: float, away: float, waited: float) -> None:
    launch = LaunchClock(t0, 1.0)
    now = t0 - away
    rest = launch.wait(now + waited * away, 0.0)
    assert rest == pytest.approx(away * (1 - waited), abs=1e-4)


def test_a_milestone_that_is_over_is_not_waited_for() -> None:
    launch = LaunchClock(1000.0, 10.0)
    assert launch.wait(2000.0, 0.0) == 0
    assert launch.skipped(2000.0, 0.0) == 0
