"""Green for as long as the plan asks: one look that is not begins it anew, and so does one that came too late."""

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.unit.courses import HOUR, PLAN, T0
    from tests.unit.polls import Polled
else:
    from courses import HOUR, PLAN, T0
    from polls import Polled

import pytest

from tminus.domain.evidence import Source, Verdict
from tminus.domain.poll import refusals

STEADY = replace(PLAN, steady_seconds=300.0)


@pytest.fixture
def launch() -> Polled:
    """Everything was seen an hour before T-0, and again ten minutes later."""
    launch = Polled(STEADY, T0 - HOUR)
    for _ in range(2):
        for check in ("cfg.maps", "vendor.word"):
            launch.observe(check, Verdict.PASSED)
        launch.observe("team.ready", Verdict.PASSED, source=Source.PERSON)
        launch.now += 600
    return launch


def unsteady(launch: Polled) -> list[str]:
    said = refusals(launch.plan, launch.events, launch.seen, launch.now, 0.0)
    return [line for line in said if "the plan asks for" in line]


def test_what_has_been_green_for_long_enough_is_steady(launch: Polled) -> None:
    launch.observe("cfg.maps", Verdict.WARNED)
    assert unsteady(launch) == [], "a warning opens the gate too"


def test_one_look_that_is_not_green_begins_it_anew(launch: Polled) -> None:
    launch.observe("cfg.maps", Verdict.FAILED)
    launch.now += 60
    launch.observe("cfg.maps", Verdict.PASSED)
    launch.now += 240
    assert unsteady(launch) == [
        "cfg.maps is green since 2027-01-15T07:21:00.000Z, for 240 s; the plan asks for 300 s"
    ]
    launch.now += 60
    assert unsteady(launch) == []


def test_a_look_that_came_too_late_begins_it_anew(launch: Polled) -> None:
    launch.observe("site.up", Verdict.PASSED)
    launch.now += 299
    launch.observe("site.up", Verdict.PASSED)
    assert len(unsteady(launch)) == 1, "it counts for five minutes, and the plan asks for as many"
    launch.now += 1
    assert unsteady(launch) == []
    launch.now += 301
    launch.observe("site.up", Verdict.PASSED)
    assert len(unsteady(launch)) == 1


def test_a_person_s_word_cannot_waver_and_a_waived_line_need_not_be_green(launch: Polled) -> None:
    launch.observe("team.ready", Verdict.FAILED, source=Source.PERSON)
    launch.observe("team.ready", Verdict.PASSED, source=Source.PERSON)
    assert unsteady(launch) == []


def test_a_plan_that_asks_for_nothing_gets_what_it_asks_for(launch: Polled) -> None:
    launch.plan = PLAN
    launch.observe("cfg.maps", Verdict.FAILED)
    launch.observe("cfg.maps", Verdict.PASSED)
    assert unsteady(launch) == []
