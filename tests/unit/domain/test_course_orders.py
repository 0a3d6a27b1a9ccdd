"""What people may order of a launch: what it makes, and with which words it is refused."""

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.unit.courses import FREEZE, HOUR, PLAN, T0, Launched
else:
    from courses import FREEZE, HOUR, PLAN, T0, Launched

from tminus.domain.canonical import timestamp
from tminus.domain.freezes import Override, Span
from tminus.domain.orders import MAY, Act, Category, Order, may, ordered, taken
from tminus.domain.rollout import ENDS, MOVES, State
from tminus.errors import OutOfSequenceError, RefusedError


def test_a_hold_stops_the_clock_and_moves_t0_by_the_time_it_stood() -> None:
    launch = Launched(now=T0 - 3 * HOUR)
    launch.order(Act.HOLD, reason="the database is slow")
    launch.now += HOUR

    assert launch.course.clock(launch.now) == -3 * HOUR
    assert launch.course.t0 == T0
    (resumed,) = launch.order(Act.RESUME)

    assert launch.course.t0 == T0 + HOUR
    assert launch.course.planned == T0
    assert launch.course.clock(launch.now) == -3 * HOUR
    assert launch.course.sequence == 1
    assert resumed.data["stood_ms"] == 3_600_000
    assert resumed.data["sequence"] == 1
    assert resumed.t_ms == -3 * 3_600_000
    assert resumed.data["tell"] == ["devops", "lead"]


def test_a_hold_of_no_time_moves_nothing() -> None:
    launch = Launched()
    launch.order(Act.HOLD)
    launch.order(Act.RESUME)

    assert (launch.course.t0, launch.course.sequence) == (T0, 0)


def test_a_clock_that_was_set_back_while_held_does_not_bring_t0_forward() -> None:
    launch = Launched()
    launch.order(Act.HOLD)
    launch.now -= HOUR
    launch.order(Act.RESUME)

    assert launch.course.t0 == T0


def test_what_nobody_has_said_yet_is_not_voided() -> None:
    launch = Launched()
    for check, verdict in (("team.ready", "inconclusive"), ("team.fed", "passed")):
        launch.add("check.observed", check=check, source="person", verdict=verdict)
    assert launch.course.attested == {"team.fed"}


def test_a_reschedule_begins_a_new_attempt_and_says_what_is_void_and_whom_to_tell() -> None:
    launch = Launched(now=T0 - HOUR)
    launch.attest("team.ready")
    launch.attest("vendor.word")
    launch.add("milestone.reached", milestone="T-02:00:00")
    launch.add("gate.judged", milestone="T-02:00:00")
    launch.add("notice.told", notice="late", to="stand-in", checks=["site.up"])
    launch.add("poll.opened")
    launch.add("signoff.given", role="devops", decision="go")
    (entry,) = launch.order(Act.RESCHEDULE, new_t0=T0 + 24 * HOUR)

    assert entry.data["void"] == {
        "poll": True,
        "signoffs": ["devops"],
        "gates": ["T-02:00:00"],
        "attestations": ["team.ready"],
        "notices": ["late:stand-in:site.up"],
    }
    assert entry.data["tell"] == ["devops", "lead", "stand-in"]
    assert entry.data["schedule"] == {"t0": timestamp(T0 + 24 * HOUR), "speed": 1.0}
    course = launch.course
    assert (course.phase, course.t0, course.planned) == (State.COUNTING, T0 + 24 * HOUR, T0 + 24 * HOUR)
    assert (course.attempt, course.sequence) == (2, 1)
    assert not course.reached | course.judged | course.raised | course.attested
    assert not course.signed
    assert course.audience == {"stand-in"}


def test_a_reschedule_ends_a_hold() -> None:
    launch = Launched()
    launch.order(Act.HOLD)
    launch.order(Act.RESCHEDULE, new_t0=T0 + HOUR)

    assert launch.course.held is None
    assert launch.course.clock(T0) == -HOUR


def test_a_no_go_without_a_date_waits_for_one_or_for_a_scrub() -> None:
    launch = Launched().up_to("polling")
    (decision,) = launch.no_go(category=Category.PEOPLE)

    assert decision.data["category"] == "people"
    assert decision.data["new_t0"] is None
    assert launch.course.phase is State.POSTPONED
    assert launch.course.clock(launch.now) is None
    assert may(launch.course) == (Act.RESCHEDULE, Act.SCRUB)


def test_a_no_go_with_a_date_is_a_decision_and_a_reschedule_together() -> None:
    launch = Launched().up_to("polling")
    decision, moved = launch.no_go(unscheduled=False, new_t0=T0 + HOUR)

    assert (decision.type, moved.type) == ("decision.made", "launch.rescheduled")
    assert decision.data["new_t0"] == timestamp(T0 + HOUR)
    assert (launch.course.phase, launch.course.attempt) == (State.COUNTING, 2)


def test_a_scrub_ends_the_launch() -> None:
    launch = Launched()
    launch.order(Act.SCRUB)

    assert launch.course.phase is State.SCRUBBED
    assert launch.course.over
    with pytest.raises(OutOfSequenceError, match="the launch has ended: scrubbed") as refused:
        launch.order(Act.HOLD)
    assert refused.value.hint == "open a new launch"


@pytest.mark.parametrize(("act", "end"), [(Act.ABORT, State.ABORTED), (Act.ROLLBACK, State.ROLLED_BACK)])
def test_after_an_order_to_go_back_nothing_else_is_taken(act: Act, end: State) -> None:
    launch = Launched().up_to("launching")
    launch.order(act)

    assert launch.course.leaving is end
    assert may(launch.course) == ()
    with pytest.raises(OutOfSequenceError, match=f"on its way to be {end}"):
        launch.order(Act.HOLD)


def test_a_rollback_that_the_guard_began_takes_no_orders() -> None:
    launch = Launched().up_to("launching")
    launch.add("traffic.seen", action="rollback")

    with pytest.raises(OutOfSequenceError, match="on its way to be rolled-back"):
        launch.order(Act.ABORT)


def test_resume_ends_the_clock_s_hold_first_and_then_the_guard_s() -> None:
    launch = Launched().up_to("launching")
    launch.add("launch.held", where="10 %", rule="a1", text="too many errors")
    launch.order(Act.HOLD)

    assert launch.order(Act.RESUME)[0].type == "clock.resumed"
    assert launch.course.guard == "too many errors"
    assert launch.order(Act.RESUME)[0].type == "order.taken"
    assert launch.course.guard == ""
    with pytest.raises(OutOfSequenceError, match="nothing is held"):
        launch.order(Act.RESUME)


def test_the_guard_s_hold_ends_by_itself_when_it_sees_again() -> None:
    launch = Launched().up_to("launching")
    launch.add("launch.held", where="10 %", rule="hold.blind", text="no log")
    launch.add("traffic.seen", action="continue")

    assert launch.course.guard == ""


def test_a_refusal_says_where_the_launch_stands_and_what_may_be_ordered_instead() -> None:
    launch = Launched()
    launch.order(Act.HOLD, reason="a vendor is down")
    with pytest.raises(OutOfSequenceError) as refused:
        launch.order(Act.HOLD)

    assert "is counting, held by Lena Ortiz since 2027-01-14T08:00:00.000Z: a vendor is down" in str(
        refused.value
    )
    assert refused.value.hint == "what may be ordered now: resume, reschedule, scrub, no-go"


@pytest.mark.parametrize(
    ("act", "more", "told"),
    [
        (Act.HOLD, {"reason": " "}, "hold needs a reason"),
        (Act.HOLD, {"by": "\u200b"}, "hold needs a person"),
        (Act.HOLD, {"id": ""}, "hold needs an id"),
        (Act.HOLD, {"new_t0": T0}, "hold takes no new T-0"),
        (Act.RESCHEDULE, {}, "reschedule needs a new T-0"),
        (Act.RESCHEDULE, {"new_t0": T0 - 25 * HOUR}, "is past"),
        (Act.RESCHEDULE, {"new_t0": T0 - 24 * HOUR}, "is past"),
        (Act.RESCHEDULE, {"new_t0": T0 + 4e8}, "more than ten years"),
        (Act.RESCHEDULE, {"new_t0": T0}, "already"),
        (Act.RESCHEDULE, {"new_t0": T0 + 10 * HOUR}, "in a freeze, Year end"),
        (Act.NO_GO, {"unscheduled": True}, "no-go needs a category"),
        (Act.NO_GO, {"category": Category.RELEASE}, "the word that there is none yet"),
        (Act.NO_GO, {"category": Category.RELEASE, "new_t0": T0 + 1, "unscheduled": True}, "none yet"),
    ],
)
def test_an_order_that_lacks_something_is_refused(act: Act, more: dict[str, Any], told: str) -> None:
    launch = Launched()
    with pytest.raises(RefusedError, match=told):
        launch.order(act, **more)
    assert len(launch.events) == 1


def test_a_freeze_is_overridden_by_a_second_person_with_a_reason() -> None:
    launch = Launched()
    into = {"new_t0": T0 + 12 * HOUR}
    for override, told in (
        (Override("LENA  ortiz", "urgent"), "cannot override .* of their own"),
        (Override("Dario Voss", " "), "has no reason"),
        (Override("Mickey Mouse", "urgent"), "Mickey Mouse is nobody of this plan"),
        (Override(" ", "urgent"), "has no person"),
    ):
        with pytest.raises(RefusedError, match=told):
            launch.order(Act.RESCHEDULE, **into, override=override)
    (entry,) = launch.order(Act.RESCHEDULE, **into, override=Override("Dario Voss", "a security fix"))

    assert entry.data["freeze"] == "Year end"
    assert entry.data["override"] == {"by": "Dario Voss", "reason": "a security fix"}


def test_a_hold_that_would_move_t0_into_a_freeze_is_resumed_only_with_an_override() -> None:
    launch = Launched()
    launch.order(Act.HOLD)
    launch.now += 11 * HOUR
    with pytest.raises(RefusedError, match="in a freeze, Year end"):
        launch.order(Act.RESUME)
    launch.order(Act.RESUME, override=Override("Dario Voss", "it must be today"))

    assert launch.course.t0 == T0 + 11 * HOUR


def test_a_freeze_counts_between_go_and_t_0_too() -> None:
    launch = Launched().up_to("go")
    launch.order(Act.HOLD)
    launch.now += 11 * HOUR
    with pytest.raises(RefusedError, match="in a freeze, Year end"):
        launch.order(Act.RESUME)


def test_once_a_launch_acts_a_freeze_keeps_nobody_from_resuming() -> None:
    assert isinstance(FREEZE.when, Span)
    launch = Launched(now=T0).up_to("launching")
    launch.order(Act.HOLD)
    launch.now += 11 * HOUR
    launch.order(Act.RESUME)

    assert launch.course.t0 == FREEZE.when.begins + HOUR


def test_an_order_that_is_delivered_again_is_known() -> None:
    launch = Launched()
    order = Order("o1", Act.HOLD, "Lena Ortiz", "slow")
    assert not taken(launch.events, order)
    for entry in ordered(launch.course, order, launch.now, PLAN):
        launch.record(entry)

    assert taken(launch.events, order)


def test_every_act_makes_sense_somewhere_and_none_after_an_end() -> None:
    assert set(MAY) == set(Act)
    for act, phases in MAY.items():
        assert phases, act
        assert not phases & ENDS


def test_acts_move_only_as_the_table_of_moves_allows() -> None:
    for act, end in (
        (Act.SCRUB, State.SCRUBBED),
        (Act.NO_GO, State.POSTPONED),
        (Act.ABORT, State.ABORTED),
        (Act.ROLLBACK, State.ROLLED_BACK),
    ):
        assert all(end in MOVES[phase] for phase in MAY[act])
    assert all(phase is State.COUNTING or State.COUNTING in MOVES[phase] for phase in MAY[Act.RESCHEDULE])


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("\u200b", "needs a reason"),
        ("\x01 \x02", "needs a reason"),
        ("x" * 2001, "more than 2000 characters"),
        ("bad\udcff", "is no text"),
    ],
)
def test_a_reason_is_words_that_people_can_read(reason: str, told: str) -> None:
    launch = Launched()
    with pytest.raises(RefusedError, match=told):
        launch.order(Act.HOLD, reason=reason)


@pytest.mark.parametrize(("t0", "told"), [(1e13, "more than ten years away"), (-1e11, "is past")])
def test_a_date_beyond_every_calendar_is_refused(t0: float, told: str) -> None:
    with pytest.raises(RefusedError, match=told):
        Launched().order(Act.RESCHEDULE, new_t0=t0)


def test_a_launch_that_is_held_since_its_record_proves_nothing_goes_on_only_by_a_person_s_word() -> None:
    launch = Launched().up_to("launching")
    launch.add("launch.held", where="green", rule="hold.record", text="a stranger signed this")
    launch.add("traffic.seen", action="continue")
    launch.add("step.done", step="green")

    assert launch.course.unproven
    launch.order(Act.RESUME)
    assert (launch.course.unproven, launch.course.guard) == (False, "")


def test_a_launch_that_proves_nothing_may_be_called_off_before_its_first_step() -> None:
    launch = Launched().up_to("go")
    launch.add("launch.held", where="GO", rule="hold.record", text="a stranger signed this")
    launch.order(Act.ABORT)

    assert launch.course.leaving == "aborted"
