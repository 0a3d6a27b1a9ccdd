"""By when people have to have spoken."""

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.unit.courses import HOUR, PLAN, T0, Launched, line
else:
    from courses import HOUR, PLAN, T0, Launched, line

import pytest

from tminus.domain.canonical import timestamp
from tminus.domain.overdue import late
from tminus.domain.plan import Kind
from tminus.domain.record import Entry

LOOKED = line("dash.seen", Kind.PERSON, HOUR, until=1.5 * HOUR)


def gone(launch: Launched, t0: float) -> None:
    """A GO, and the first steps at this T-0."""
    launch.add("poll.opened")
    launch.add("decision.made", decision="go", by="Lena Ortiz")
    launch.now = t0
    for step in ("initiate", "promote"):
        launch.add("step.started", step=step)
        launch.add("step.done", step=step)


def test_nobody_is_late_before_the_milestone_was_reached() -> None:
    launch = Launched(replace(PLAN, checks=(*PLAN.checks, LOOKED)))
    gone(launch, T0)
    assert late(LOOKED, launch.events, T0 + 9 * HOUR) == 0
    launch.now = T0 + HOUR
    launch.add("milestone.reached", milestone="T+01:00:00")
    assert late(LOOKED, launch.events, T0 + 1.4 * HOUR) == 0
    assert late(LOOKED, launch.events, T0 + 2 * HOUR) == pytest.approx(HOUR / 2)


def test_a_launch_whose_first_go_ran_out_counts_from_its_last_date() -> None:
    launch = Launched(replace(PLAN, checks=(*PLAN.checks, LOOKED)))
    launch.add("poll.opened")
    launch.add("decision.made", decision="go", by="Lena Ortiz")
    launch.add("decision.proposed", reasons=["GO has expired"])
    second = T0 + 24 * HOUR
    launch.add(
        "launch.rescheduled", schedule={"t0": timestamp(second), "speed": 1}, void={"attestations": []}
    )
    gone(launch, second)
    at, t_ms = timestamp(second + HOUR), int(HOUR * 1000)
    launch.record(Entry("milestone.reached", "reached", {"milestone": "T+01:00:00"}, at, t_ms))
    assert late(LOOKED, launch.events, second + 1.2 * HOUR) == 0
    assert late(LOOKED, launch.events, second + 2 * HOUR) == pytest.approx(HOUR / 2)
