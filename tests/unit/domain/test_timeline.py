"""The launch clock, the milestones, and when anything is due next."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from tests.unit.courses import HOUR, PLAN, T0, Launched, claim
else:
    from courses import HOUR, PLAN, T0, Launched, claim

from tminus.domain.evidence import Verdict
from tminus.domain.notices import notices
from tminus.domain.offsets import clock
from tminus.domain.orders import Act
from tminus.domain.plan import Kind
from tminus.domain.rollout import State
from tminus.domain.timeline import (
    LaunchClock,
    in_attempt,
    milestones,
    next_wake,
    poll_expires,
)

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


def test_milestones_say_when_they_are_and_what_they_wait_for() -> None:
    launch = Launched(now=T0 - 2 * HOUR)
    launch.add("milestone.reached", milestone="T-04:00:00")
    claims = {
        "team.ready": claim("team.ready", launch.now),
        "site.up": claim("site.up", launch.now),
        "cfg.maps": claim("cfg.maps", launch.now, Verdict.FAILED),
    }
    found = milestones(PLAN, launch.course, claims, launch.now)

    assert [(one.name, one.at, one.reached, one.lines) for one in found] == [
        ("T-04:00:00", T0 - 4 * HOUR, True, 1),
        ("T-02:00:00", T0 - 2 * HOUR, False, 3),
        ("T+00:00:00", T0, False, 1),
        ("T+01:00:00", T0 + HOUR, False, 2),
    ]
    assert [[(line.check, line.owner, line.standing) for line in one.waiting] for one in found[:3]] == [
        [],
        [("cfg.maps", "devops", "failed"), ("vendor.word", "devops", "pending")],
        [("sign.devops", "devops", "pending")],
    ]
    assert found[2].waiting[0].person == "Dario Voss"


def test_a_signature_that_was_given_is_waited_for_no_longer_unless_it_says_no_go() -> None:
    for word, standings in (("go", []), ("no-go", ["no-go"])):
        launch = Launched(now=T0).up_to("polling")
        launch.add("signoff.given", role="devops", decision=word)
        found = milestones(PLAN, launch.course, {}, launch.now)
        assert [line.standing for line in found[2].waiting] == standings


def test_a_hold_that_goes_on_has_moved_the_milestones_as_far_as_it_has_lasted() -> None:
    launch = Launched(now=T0 - 3 * HOUR)
    launch.order(Act.HOLD)
    found = milestones(PLAN, launch.course, {}, launch.now + HOUR)

    assert [one.at for one in found] == [T0 + offset + HOUR for offset in PLAN.milestones]


def test_without_a_date_milestones_have_no_instant_and_nothing_is_due() -> None:
    launch = Launched()
    launch.no_go()

    assert {one.at for one in milestones(PLAN, launch.course, {}, launch.now)} == {None}
    assert next_wake(PLAN, launch.course, {}, launch.now) is None


def test_the_poll_opens_with_the_decision_s_time_and_never_before_the_last_milestone() -> None:
    assert PLAN.poll_opens == -900
    assert replace(PLAN, milestones=(-60.0, 0.0)).poll_opens == -60
    assert replace(PLAN, milestones=(0.0,), decision_seconds=30.0).poll_opens == -30


def test_a_launch_wakes_for_everything_that_is_due_and_for_nothing_else() -> None:
    launch = Launched(now=T0 - 24 * HOUR)
    launch.plan = replace(PLAN, checks=tuple(c for c in PLAN.checks if c.kind is Kind.PERSON and c.due < 0))
    woken = []
    while (at := next_wake(launch.plan, launch.course, {}, launch.now)) is not None:
        assert at >= launch.now
        launch.now = at
        woken.append(at - T0)
        act(launch)

    hours = [-5, -4, -3.75, -3.5, -3, -2, -1.75, -1.5, -0.25, 0, 0.25]
    assert woken == [hour * HOUR for hour in hours]
    assert launch.course.phase is State.POSTPONED


def act(launch: Launched) -> None:
    """Do what is due, as a launch does."""
    course, t = launch.course, launch.now - T0
    for offset in launch.plan.milestones:
        if offset <= t and offset < 0 and clock(offset) not in course.reached:
            launch.add("milestone.reached", milestone=clock(offset))
    for notice in notices(launch.plan, launch.course, {}, launch.now):
        launch.add("notice.raised", **notice.data())
    if t >= launch.plan.poll_opens and course.phase is State.COUNTING:
        launch.add("poll.opened")
    if t >= poll_expires(launch.plan):
        launch.no_go()


def test_what_is_overdue_is_due_now() -> None:
    launch = Launched(now=T0 - HOUR)

    assert next_wake(PLAN, launch.course, {}, launch.now) == launch.now


def test_a_held_launch_wakes_only_to_look() -> None:
    launch = Launched(now=T0 - 6 * HOUR)
    launch.order(Act.HOLD)
    seen = {"cfg.maps": claim("cfg.maps", launch.now)}

    assert next_wake(PLAN, launch.course, seen, launch.now) == launch.now + 900
    assert next_wake(replace(PLAN, checks=()), launch.course, {}, launch.now) is None


def test_in_the_soak_the_milestones_after_t0_are_due_and_after_the_end_nothing() -> None:
    launch = Launched(now=T0 + 60).up_to("soaking")
    assert next_wake(PLAN, launch.course, {}, launch.now) == T0 + 60  # feedback was due soon at T-0
    for notice in notices(PLAN, launch.course, {}, launch.now):
        launch.add("notice.raised", **notice.data())
    assert next_wake(PLAN, launch.course, {}, launch.now) == T0 + HOUR
    launch.up_to("landed")

    assert next_wake(PLAN, launch.course, {}, launch.now) is None


def test_a_launch_on_its_way_back_is_not_woken() -> None:
    launch = Launched(now=T0 + 60).up_to("soaking")
    launch.order(Act.ROLLBACK)

    assert next_wake(PLAN, launch.course, {}, launch.now) is None


def test_what_was_seen_for_the_old_date_lies_farther_from_the_new_one() -> None:
    launch = Launched(now=T0 - 2 * HOUR)
    old = claim("vendor.word", T0 - 3 * HOUR, t=-3 * HOUR)
    assert in_attempt(launch.course, {"vendor.word": old}) == {"vendor.word": old}
    launch.order(Act.RESCHEDULE, new_t0=T0 + 24 * HOUR)
    new = claim("site.up", T0, t=-24 * HOUR)

    seen = in_attempt(launch.course, {"vendor.word": old, "site.up": new})
    assert (seen["vendor.word"].t, seen["site.up"]) == (-27 * HOUR, new)
