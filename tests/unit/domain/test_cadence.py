"""When a line is observed again."""

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from tests.unit.courses import HOUR, PLAN, T0, Launched, claim, line
else:
    from courses import HOUR, PLAN, T0, Launched, claim, line

from tminus.domain.cadence import cadence, next_look, pace
from tminus.domain.evidence import Freshness, Verdict
from tminus.domain.orders import Act
from tminus.domain.plan import Check, Kind

MINUTE = 60.0


def probed(kind: str, seconds: float = 0.0, **more: float) -> Check:
    return line("site.up", Kind.PROBE, -2 * HOUR, fresh=Freshness(kind, seconds, **more))


FP = probed("fingerprint")


@pytest.mark.parametrize(
    ("t", "every"),
    [
        (-30 * HOUR, None),
        (-24 * HOUR, 15 * MINUTE),
        (-4 * HOUR - 1, 15 * MINUTE),
        (-4 * HOUR, 5 * MINUTE),
        (-30 * MINUTE - 1, 5 * MINUTE),
        (-30 * MINUTE, MINUTE),
        (0.0, MINUTE),
    ],
)
def test_looks_quicken_towards_t0(t: float, every: float | None) -> None:
    assert pace(t) == every
    assert cadence(PLAN, FP, claim("site.up", T0), t) == every


@pytest.mark.parametrize(
    ("seconds", "t", "every"),
    [
        (300.0, -20 * HOUR, 15 * MINUTE),
        (300.0, -1 * HOUR, 5 * MINUTE),
        (300.0, -20 * MINUTE, 150.0),
        (60.0, -20 * MINUTE, MINUTE),
        (60.0, -15 * MINUTE, 30.0),
        (1.0, -5 * MINUTE, 1.0),
        (60.0, -30 * HOUR, None),
    ],
)
def test_a_live_line_is_never_looked_at_more_often_than_twice_in_its_time(
    seconds: float, t: float, every: float | None
) -> None:
    assert cadence(PLAN, probed("live", seconds), claim("site.up", T0), t) == every


@pytest.mark.parametrize("kind", ["launch", "digest"])
def test_what_counts_for_the_launch_is_looked_at_again_only_while_it_is_not_green(kind: str) -> None:
    check = probed(kind)

    assert cadence(PLAN, check, claim("site.up", T0), -HOUR) is None
    assert cadence(PLAN, check, claim("site.up", T0, Verdict.FAILED), -HOUR) == 5 * MINUTE


def test_a_drill_is_done_again_only_when_its_time_is_over() -> None:
    check = probed("drill", 7 * 86400.0)

    for verdict in (Verdict.PASSED, Verdict.FAILED):
        seen = claim("site.up", T0 - 24 * HOUR, verdict)
        assert next_look(PLAN, Launched().course, check, seen, T0 - HOUR) == seen.at + 7 * 86400


def test_an_act_is_looked_for_in_its_window_until_it_is_seen_there() -> None:
    check = probed("event", earliest=-2 * HOUR, latest=-HOUR)
    early, within = claim("site.up", T0, t=-3 * HOUR), claim("site.up", T0, t=-1.5 * HOUR)

    assert cadence(PLAN, check, early, -2.5 * HOUR) is None
    assert cadence(PLAN, check, early, -1.5 * HOUR) == 5 * MINUTE
    assert cadence(PLAN, check, within, -1.5 * HOUR) is None
    assert cadence(PLAN, check, early, -0.5 * HOUR) is None
    before = claim("site.up", T0 - 3 * HOUR, t=-3 * HOUR)
    assert next_look(PLAN, Launched().course, check, before, T0 - 2.5 * HOUR) == T0 - 2 * HOUR


def test_a_line_is_first_looked_at_a_day_before_t0_or_when_it_is_due() -> None:
    course = Launched().course

    assert next_look(PLAN, course, FP, None, T0 - 30 * HOUR) == T0 - 24 * HOUR
    assert next_look(PLAN, course, probed("live", 60.0), None, T0 - 30 * HOUR) == T0 - 2 * HOUR
    acted = line("bk.db", Kind.PROBE, -2 * HOUR, fresh=Freshness("fingerprint"), act="back up")
    assert next_look(PLAN, course, acted, None, T0 - 30 * HOUR) == T0 - 2 * HOUR


@pytest.mark.parametrize("kind", [Kind.PERSON, Kind.STEP, Kind.SIGNATURE, Kind.NOT_APPLICABLE])
def test_what_no_probe_sees_is_not_looked_at(kind: Kind) -> None:
    assert next_look(PLAN, Launched().course, line("one", kind, -HOUR), None, T0 - HOUR) is None


def test_after_go_and_without_a_date_nothing_is_looked_at_again() -> None:
    seen = claim("site.up", T0 - HOUR)
    postponed = Launched()
    postponed.no_go()

    assert next_look(PLAN, Launched().up_to("go").course, FP, seen, T0) is None
    assert next_look(PLAN, postponed.course, FP, seen, T0) is None


def test_while_the_clock_is_held_looks_go_on_at_the_pace_at_which_it_stands() -> None:
    launch = Launched(now=T0 - 31 * MINUTE)
    launch.order(Act.HOLD)
    seen = claim("site.up", T0)

    assert next_look(PLAN, launch.course, FP, seen, T0 + HOUR) == T0 + 5 * MINUTE
    live = probed("live", 60.0)
    assert next_look(PLAN, launch.course, live, None, T0 + HOUR) == T0 - 2 * HOUR
    early = Launched()
    early.order(Act.HOLD)
    assert next_look(PLAN, early.course, live, None, T0 + HOUR) is None


@settings(deadline=None)
@given(st.floats(4.0, 7200.0), st.floats(0.0, 24 * HOUR), st.floats(0.0, 1.0))
def test_at_the_decision_a_live_line_is_never_older_than_its_time(
    seconds: float, before: float, probing: float
) -> None:
    check, course = probed("live", seconds), Launched().course
    now = T0 - 2 * HOUR - before
    seen = claim("site.up", now)
    while True:
        at = next_look(PLAN, course, check, seen, now)
        assert at is not None
        now = max(now, at) + probing
        if now > T0 + PLAN.decision_seconds:
            return
        if seen.at >= T0 - PLAN.decision_seconds:
            assert now - seen.at <= seconds
        seen = claim("site.up", now)


@settings(deadline=None)
@given(st.floats(-26 * HOUR, 0.0))
def test_a_look_comes_no_later_than_the_quicker_pace_that_begins_meanwhile(t: float) -> None:
    now = T0 + t
    at = next_look(PLAN, Launched().course, FP, claim("site.up", now), now)

    assert at is not None
    for begins, every in ((-24 * HOUR, 900.0), (-4 * HOUR, 300.0), (-1800.0, 60.0)):
        assert at <= max(T0 + begins, now + every)
    assert at > now
