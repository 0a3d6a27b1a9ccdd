"""Where a launch stands, as its record says it."""

from itertools import groupby
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.unit.courses import HOUR, T0, Launched
    from tests.unit.launch_world import PLAN, World
else:
    from courses import HOUR, T0, Launched
    from launch_world import PLAN, World

from tminus.domain.attempts import in_force
from tminus.domain.course import MOVING, course_of, follow
from tminus.domain.orders import Act, may
from tminus.domain.record import OPENED
from tminus.domain.rollout import State
from tminus.errors import RecordError


def test_a_launch_that_was_opened_counts_towards_its_t0() -> None:
    course = Launched().course

    assert (course.phase, course.t0, course.planned) == (State.COUNTING, T0, T0)
    assert (course.attempt, course.sequence, course.held) == (1, 0, None)
    assert course.clock(T0 - 60) == -60


@pytest.mark.parametrize("phase", ["polling", "go", "launching", "soaking", "landed"])
def test_a_launch_that_goes_well_passes_every_phase(phase: str) -> None:
    course = Launched().up_to(phase).course

    assert course.phase == phase
    assert course.over is (phase == "landed")


@pytest.mark.parametrize(
    ("first", "type_", "data", "told"),
    [
        ("counting", "decision.made", {"decision": "go"}, "counting cannot be go"),
        ("polling", "step.started", {"step": "initiate"}, "polling cannot be launching"),
        ("counting", "launch.ended", {"outcome": "landed"}, "counting cannot be landed"),
        (
            "go",
            "launch.rescheduled",
            {"schedule": {"t0": "2027-01-15T08:00:00.000Z"}},
            "go cannot be counting",
        ),
        ("counting", "clock.resumed", {"t0": "2027-01-15T08:00:00.000Z"}, "was not held"),
        ("counting", "launch.ended", {"outcome": "counting"}, "is no end"),
        ("counting", "clock.held", {"by": "Lena", "reason": "slow"}, "`since` must be a text"),
    ],
)
def test_a_record_that_contradicts_itself_is_refused_with_its_line(
    first: str, type_: str, data: dict[str, Any], told: str
) -> None:
    launch = Launched().up_to(first)
    launch.add(type_, **data)

    with pytest.raises(RecordError, match=rf"line {len(launch.events)} \({type_}\): .*{told}"):
        course_of(launch.events)


def test_a_clock_cannot_be_held_twice_nor_brought_forward() -> None:
    launch = Launched()
    launch.order(Act.HOLD)
    course = launch.course
    launch.add("clock.held", since="2027-01-15T08:00:00.000Z", by="Lena", reason="slow")
    with pytest.raises(RecordError, match="does not run"):
        follow(course, launch.events[-1])
    launch.add("clock.resumed", t0="2027-01-15T07:59:59.000Z")
    with pytest.raises(RecordError, match="forward"):
        follow(course, launch.events[-1])


def test_a_record_that_does_not_open_is_refused() -> None:
    with pytest.raises(RecordError, match="empty"):
        course_of([])
    with pytest.raises(RecordError, match=r"does not begin with launch\.opened"):
        course_of(Launched().up_to("polling").events[1:])


def test_a_new_poll_voids_the_sign_offs_of_the_one_before() -> None:
    launch = Launched().up_to("polling")
    launch.add("signoff.given", role="devops", decision="go")
    assert launch.course.signed == {"devops": "go"}
    launch.add("poll.opened")

    assert launch.course.signed == {}


def test_a_decision_against_a_date_that_ends_the_launch_is_a_no_go() -> None:
    launch = Launched().up_to("polling")
    launch.add("decision.made", decision="no-go")
    launch.add("launch.ended", outcome="no-go")

    assert launch.course.phase is State.NO_GO


def test_a_date_that_nobody_decided_on_leaves_the_launch_without_one_until_it_is_given_another() -> None:
    launch = Launched().up_to("polling")
    launch.add("decision.proposed", decision="no-go", reasons=["QA Lead said nothing"])

    course = launch.course
    assert (course.phase, course.t0, course.held) == (State.POSTPONED, None, None)
    assert set(may(course)) == {Act.RESCHEDULE, Act.SCRUB}


def test_nobody_s_decision_is_proposed_of_a_launch_that_has_gone() -> None:
    launch = Launched().up_to("launching")
    launch.add("decision.proposed", decision="no-go", reasons=[])
    with pytest.raises(RecordError, match="launching cannot be postponed"):
        course_of(launch.events)


def test_a_line_that_a_probe_sees_later_no_longer_rests_on_a_person_s_word() -> None:
    launch = Launched()
    launch.attest("site.up")
    assert launch.course.attested == {"site.up"}
    launch.add("check.observed", check="site.up", source="probe")

    assert launch.course.attested == frozenset()


def test_what_was_said_for_the_old_date_is_not_in_force_and_what_was_seen_is() -> None:
    launch = Launched(now=T0 - HOUR)
    launch.attest("team.ready")
    launch.add("check.observed", check="site.up", source="probe")
    launch.add("poll.opened")
    launch.add("signoff.given", role="devops", decision="go")
    assert in_force(launch.events) == launch.events
    launch.order(Act.RESCHEDULE, new_t0=T0 + HOUR)
    launch.attest("team.ready")

    kept = [(event.type, event.data.get("check")) for event in in_force(launch.events)]
    assert kept == [
        ("launch.opened", None),
        ("check.observed", "site.up"),
        ("launch.rescheduled", None),
        ("check.attested", "team.ready"),
    ]


def test_what_happens_once_in_each_attempt_has_a_key_of_its_own() -> None:
    launch = Launched()
    assert launch.course.key("milestone:T-02:00:00") == "milestone:T-02:00:00"
    launch.order(Act.RESCHEDULE, new_t0=T0 + HOUR)

    assert launch.course.key("milestone:T-02:00:00") == "milestone:T-02:00:00#2"


@pytest.mark.parametrize(
    ("release", "phases"),
    [
        ("good", ["counting", "polling", "go", "launching", "soaking", "landed"]),
        ("errors", ["counting", "polling", "go", "launching", "rolled-back"]),
    ],
)
async def test_the_record_of_a_whole_launch_is_followed_event_by_event(
    release: str, phases: list[str]
) -> None:
    world = World(release=release)
    await world.launch()
    courses = [follow(None, world.chain[0])]
    for event in world.chain[1:]:
        courses.append(follow(courses[-1], event))

    assert [phase for phase, _ in groupby(course.phase.value for course in courses)] == phases
    assert courses[-1] == course_of(world.chain)
    assert courses[-1].t0 == world.t0
    assert courses[-1].signed.keys() == {role.id for role in PLAN.roles if role.signs}


@pytest.mark.parametrize("phase", ["counting", "polling", "go", "launching", "soaking"])
def test_what_moves_a_launch_tells_alone_where_it_is_and_what_it_has_reached(phase: str) -> None:
    launched = Launched().up_to(phase)
    moved = [event for event in launched.events if event.type in {OPENED, *MOVING}]
    whole, alone = launched.course, course_of(moved)

    assert (alone.phase, alone.t0, alone.held, alone.reached) == (
        whole.phase,
        whole.t0,
        whole.held,
        whole.reached,
    )
    assert "check.observed" not in MOVING
