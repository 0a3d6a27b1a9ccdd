"""When a poll and its GO hold: as long around T-0 as the plan says, and outside of it not."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.courses import HOUR, PLAN, T0, Launched
else:
    from courses import HOUR, PLAN, T0, Launched

from tminus.domain.agenda import Due, agenda
from tminus.domain.clearance import clearance
from tminus.domain.orders import Act
from tminus.domain.rollout import State
from tminus.domain.validity import closed, expired
from tminus.errors import OutOfSequenceError

MINUTE = 60.0


def test_go_can_be_decided_as_long_before_and_after_t_0_as_the_plan_says() -> None:
    assert [closed(PLAN, minutes * MINUTE) for minutes in (-15, -1, 0, 15)] == ["", "", "", ""]
    assert closed(PLAN, None) == "", "without a date there is nothing to be near"
    early, late = closed(PLAN, -16 * MINUTE), closed(PLAN, 16 * MINUTE)
    assert early == "it is T-00:16:00, and GO may be decided from T-00:15:00 on"
    assert late.startswith("it is T+00:16:00, and the poll ended at T+00:15:00; a new poll is needed")
    assert "tminus reschedule" in late
    assert closed(replace(PLAN, decision_seconds=HOUR), 16 * MINUTE) == ""


def decided(at: float = T0 - 10 * MINUTE) -> Launched:
    launch = Launched(now=at).up_to("polling")
    launch.add("decision.made", decision="go", by="Lena Ortiz", reason="all is well")
    return launch


def due(launch: Launched) -> Due:
    return agenda(launch.plan, launch.course, {}, launch.now).due


def test_a_go_is_acted_upon_at_t_0_and_as_long_after_as_it_holds() -> None:
    launch = decided()
    assert due(launch) is Due.NOTHING
    launch.now = T0
    assert due(launch) is Due.GONE
    launch.now = T0 + 15 * MINUTE
    assert due(launch) is Due.GONE


def test_a_go_that_nobody_acted_upon_in_time_expires() -> None:
    launch = decided()
    launch.now = T0 + 16 * MINUTE
    assert due(launch) is Due.EXPIRED
    why = expired(launch.plan, launch.course, launch.now)
    assert why.startswith("the GO of 2027-01-15T07:50:00.000Z has expired: it is T+00:16:00")
    launch.add("decision.proposed", decision="no-go", reasons=[why])
    assert (launch.course.phase, launch.course.t0, launch.course.decided) == (State.POSTPONED, None, None)
    assert due(launch) is Due.NOTHING
    launch.order(Act.RESCHEDULE, new_t0=T0 + 5 * HOUR)
    assert launch.course.phase is State.COUNTING


def test_a_hold_that_moves_t_0_away_from_its_go_has_it_expire_when_the_clock_runs_again() -> None:
    launch = decided()
    launch.now += MINUTE
    launch.order(Act.HOLD)
    launch.now += 2 * HOUR
    assert due(launch) is Due.NOTHING, "while it is held nobody knows how long"
    launch.order(Act.RESUME)
    assert due(launch) is Due.EXPIRED
    assert "by now that is T-02:10:00" in expired(launch.plan, launch.course, launch.now)


def test_a_short_hold_leaves_the_go_as_it_is() -> None:
    launch = decided()
    launch.order(Act.HOLD)
    launch.now += 4 * MINUTE
    launch.order(Act.RESUME)
    assert due(launch) is Due.NOTHING


def test_nothing_expires_once_the_launch_acts_or_is_ordered_back_or_where_waits_are_shortened() -> None:
    launch = decided()
    launch.order(Act.ABORT)
    launch.now = T0 + HOUR
    assert due(launch) is Due.GONE
    launch = decided()
    launch.add("step.started", step="initiate")
    launch.now = T0 + HOUR
    assert due(launch) is Due.GONE
    launch = decided()
    assert not expired(launch.plan, replace(launch.course, speed=60.0), T0 + HOUR)


def test_no_clearance_is_given_for_a_go_that_a_hold_has_moved_away_from() -> None:
    launch = decided()
    launch.order(Act.HOLD)
    launch.now += 2 * HOUR
    launch.order(Act.RESUME)
    launch.now += HOUR
    with pytest.raises(OutOfSequenceError, match="its GO was decided at T-02:10:00"):
        clearance(launch.events, launch.now)
