"""What follows from how the common database stands."""

from dataclasses import replace

import pytest

from tminus.domain.course import Course, Hold
from tminus.domain.diagnosis import Pulse, duration, findings
from tminus.domain.health import Finding, Grade, Heart, OpenLaunch, Schema, Survey, Waiting
from tminus.domain.rollout import State

NOW = 1_800_000_000.0
PULSE = Pulse(beat=1.0, ttl=4.0)
RIGHT = Schema("r3", ("r1", "r2", "r3"), "r3")
ALIVE = Heart("w1", 0.4, ahead=0.01)
COUNTING = Course(State.COUNTING, NOW + 3600, NOW + 3600, 1.0, NOW - 86_400)
RUN = OpenLaunch("a", COUNTING, (-7200.0, -600.0), "PENDING", "w1")
REACHED = replace(COUNTING, reached=frozenset({"T-02:00:00"}))
HEALTHY = Survey(
    NOW, 0.002, 0.001, RIGHT, (ALIVE,), (replace(RUN, course=REACHED),), {}, Waiting(0), 10 * 1024**3
)


def about(subject: str, survey: Survey) -> list[Finding]:
    return [found for found in findings(survey, PULSE) if found.subject == subject]


def only(subject: str, survey: Survey) -> Finding:
    (found,) = about(subject, survey)
    return found


def test_a_healthy_database_is_told_in_seven_findings_of_which_nothing_is_to_be_done() -> None:
    found = findings(HEALTHY, PULSE)
    assert [one.subject for one in found] == [
        "schema", "workers", "launches", "queues", "outbox", "clocks", "disk",
    ]  # fmt: skip
    assert {(one.grade, one.do) for one in found} == {(Grade.OK, "")}


@pytest.mark.parametrize(
    ("schema", "grade", "words"),
    [
        (Schema(None, ("r1",), "r1"), Grade.FAILED, "no tables"),
        (Schema("r2", ("r1", "r2", "r3"), "r3"), Grade.FAILED, "behind r3"),
        (Schema("r9", ("r1", "r2", "r3"), "r3"), Grade.FAILED, "newer one"),
        (Schema("r2", ("r1", "r2", "r3"), "r2"), Grade.WARNING, "r3 waits until no earlier tminus runs"),
        (Schema("r3", ("r1", "r2", "r3"), "r2"), Grade.OK, "no migration waits"),
    ],
)
def test_the_revision_of_the_tables_is_behind_ahead_right_or_waits_for_its_second_half(
    schema: Schema, grade: Grade, words: str
) -> None:
    found = only("schema", replace(HEALTHY, schema=schema))
    assert found.grade is grade
    assert words in found.says
    assert bool(found.do) == (grade is not Grade.OK)


def test_behind_tables_of_another_revision_nothing_is_taken_for_good() -> None:
    blind = Survey(NOW, 0.0, 0.0, Schema("r9", ("r1",), "r1"), free=10 * 1024**3)
    for subject in ("workers", "launches", "queues", "outbox"):
        assert only(subject, blind).grade is Grade.UNKNOWN


def test_hearts_are_alive_late_or_dead_by_their_age() -> None:
    hearts = (
        ALIVE,
        Heart("w2", 2.5, ahead=0.0),
        Heart("w3", 9.0, ahead=0.0),
        Heart("w4", 600.0, buried=True),
    )
    alive, late, dead = about("workers", replace(HEALTHY, hearts=hearts))
    assert (alive.grade, alive.says) == (Grade.OK, "2 alive: w1 0.4 s ago, w2 2.5 s ago; 1 ended")
    assert (late.grade, "w2 2.5 s ago" in late.says) == (Grade.WARNING, True)
    assert (dead.grade, "w3 9.0 s ago" in dead.says) == (Grade.WARNING, True)


def test_without_a_living_worker_open_launches_are_a_failure_and_none_a_warning() -> None:
    assert about("workers", replace(HEALTHY, hearts=()))[0].grade is Grade.FAILED
    assert only("workers", replace(HEALTHY, hearts=(), launches=())).grade is Grade.WARNING


def test_a_milestone_past_its_due_with_nobody_running_it_has_failed_by_so_much() -> None:
    left = replace(RUN, executor="dead")
    found = only("launches", replace(HEALTHY, launches=(left,)))
    assert found.grade is Grade.FAILED
    assert found.says == "a: T-02:00:00 is late by 60 min and nobody runs it"


def test_a_late_milestone_that_somebody_runs_is_a_warning_but_not_within_the_first_seconds() -> None:
    assert only("launches", replace(HEALTHY, launches=(RUN,))).grade is Grade.WARNING
    just = replace(RUN, course=replace(COUNTING, t0=NOW + 7195.0))
    assert only("launches", replace(HEALTHY, launches=(just,))).grade is Grade.OK


def test_a_launch_that_waits_to_be_taken_is_no_failure_while_a_worker_lives() -> None:
    waits = replace(RUN, course=REACHED, state="ENQUEUED", executor="")
    assert only("launches", replace(HEALTHY, launches=(waits,))).grade is Grade.OK
    alone = replace(HEALTHY, launches=(waits,), hearts=())
    found = only("launches", alone)
    assert (found.grade, found.says) == (Grade.WARNING, "nobody runs a; T-00:10:00 is due in 50 min")


@pytest.mark.parametrize(
    "course",
    [
        replace(COUNTING, held=Hold(NOW - 9000, "Lena", "looks")),
        replace(COUNTING, phase=State.POSTPONED, t0=None),
        replace(COUNTING, speed=60.0),
    ],
    ids=["held", "without a date", "with shortened waits"],
)
def test_nothing_is_late_that_waits_for_people_or_cannot_be_told(course: Course) -> None:
    launch = replace(RUN, course=course)
    assert launch.late(NOW) is None
    assert only("launches", replace(HEALTHY, launches=(launch,))).grade is Grade.OK
    found = only("launches", replace(HEALTHY, launches=(replace(launch, executor="dead"),)))
    assert (found.grade, "cannot be told" in found.says) == (Grade.WARNING, True)


def test_after_the_last_milestone_t_0_itself_is_due_until_the_poll_has_opened() -> None:
    last = replace(COUNTING, t0=NOW - 60, reached=frozenset({"T-02:00:00", "T-00:10:00"}))
    assert replace(RUN, course=last).late(NOW) == ("T+00:00:00", 60.0)
    assert replace(RUN, course=replace(last, phase=State.POLLING)).late(NOW) is None


@pytest.mark.parametrize("phase", [State.GO, State.LAUNCHING, State.SOAKING])
def test_a_launch_after_go_that_nobody_runs_has_failed(phase: State) -> None:
    left = replace(RUN, course=replace(COUNTING, phase=phase), executor="dead")
    found = only("launches", replace(HEALTHY, launches=(left,)))
    assert (found.grade, "nobody judges its traffic" in found.says) == (Grade.FAILED, True)


def test_a_launch_that_broke_or_whose_record_cannot_be_followed_has_failed() -> None:
    for launch, words in (
        (replace(RUN, state="ERROR"), "by an error of its own"),
        (replace(RUN, course=None), "cannot be followed"),
    ):
        found = only("launches", replace(HEALTHY, launches=(launch,)))
        assert found.grade is Grade.FAILED
        assert words in found.says


def test_failures_of_launches_come_before_their_warnings() -> None:
    warned, failed = RUN, replace(RUN, id="b", executor="dead")
    grades = [one.grade for one in about("launches", replace(HEALTHY, launches=(warned, failed)))]
    assert grades == [Grade.FAILED, Grade.WARNING]


@pytest.mark.parametrize(
    ("waiting", "hearts", "grade"),
    [
        (Waiting(3, 2.0), (ALIVE,), Grade.OK),
        (Waiting(3, 45.0), (ALIVE,), Grade.WARNING),
        (Waiting(3, 45.0), (), Grade.FAILED),
    ],
)
def test_a_queue_is_judged_by_the_oldest_that_waits(
    waiting: Waiting, hearts: tuple[Heart, ...], grade: Grade
) -> None:
    found = only("queues", replace(HEALTHY, queues={"timeline": waiting}, hearts=hearts))
    assert found.grade is grade
    assert found.says.startswith("timeline: 3 for ")


def test_without_tables_of_the_engine_queue_and_outbox_are_unknown() -> None:
    bare = replace(HEALTHY, queues=None, outbox=None)
    assert only("queues", bare).grade is Grade.UNKNOWN
    assert only("outbox", bare).grade is Grade.UNKNOWN


def test_an_order_that_nobody_hears_is_a_warning() -> None:
    assert only("outbox", replace(HEALTHY, outbox=Waiting(1, 5.0))).grade is Grade.OK
    assert only("outbox", replace(HEALTHY, outbox=Waiting(1, 90.0))).grade is Grade.WARNING


@pytest.mark.parametrize(
    ("ahead", "doubt", "grade"),
    [
        (0.9, 0.0, Grade.OK),
        (-3.0, 0.0, Grade.WARNING),
        (3.0, 2.5, Grade.OK),
        (-40.0, 0.1, Grade.FAILED),
    ],
)
def test_clocks_apart_are_judged_by_what_is_certain(ahead: float, doubt: float, grade: Grade) -> None:
    found = only("clocks", replace(HEALTHY, ahead=ahead, doubt=doubt))
    assert found.grade is grade
    assert ("ahead of" if ahead > 0 else "behind") in found.says


def test_a_worker_s_clock_is_told_where_it_is_apart_or_unknown() -> None:
    hearts = (ALIVE, Heart("w2", 0.5, ahead=-7.0), Heart("w3", 0.5), Heart("w4", 900.0, buried=True))
    mine, apart, silent = about("clocks", replace(HEALTHY, hearts=hearts))
    assert mine.grade is Grade.OK
    assert (apart.grade, apart.says.startswith("w2 is 7.0 s behind")) == (Grade.WARNING, True)
    assert (silent.grade, "w3" in silent.says) == (Grade.UNKNOWN, True)


@pytest.mark.parametrize(
    ("free", "grade"),
    [(2 * 1024**3, Grade.OK), (500 * 1024**2, Grade.WARNING), (1024**2, Grade.FAILED), (None, Grade.UNKNOWN)],
)
def test_the_disk_is_judged_by_what_is_left(free: int | None, grade: Grade) -> None:
    assert only("disk", replace(HEALTHY, free=free)).grade is grade


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.44, "0.4 s"),
        (9.99, "10 s"),
        (99.0, "99 s"),
        (100.0, "2 min"),
        (5999.0, "1 h 40 min"),
        (90000.0, "25 h 0 min"),
        (300000.0, "3 d 11 h"),
    ],
)
def test_durations_are_written_as_people_read_them(seconds: float, words: str) -> None:
    assert duration(seconds) == words
