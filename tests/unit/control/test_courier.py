"""A courier: told is what a system took; the rest is tried again, given up, or overtaken, and nobody waits for it."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.unit.courses import HOUR, PLAN, T0, Launched
else:
    from courses import HOUR, PLAN, T0, Launched

from tminus.control.courier import LAST_TRIES, Courier, Post
from tminus.control.launchtime import LaunchTime
from tminus.domain.canonical import timestamp
from tminus.domain.orders import Act
from tminus.domain.paging import PATIENCE
from tminus.domain.plan import Notify, Plan
from tminus.domain.reach import Channel
from tminus.domain.telling import TRIES
from tminus.domain.timeline import LaunchClock
from tminus.engine.memory import MemoryEngine
from tminus.errors import PlanError, UndeliveredError
from tminus.testing import Crash, FakeClock, FakeNotifier, Fate, MemoryRecord

LEAD, DEVOPS = PLAN.roles
OURS = replace(
    PLAN,
    roles=(replace(LEAD, email="lena@shop.example"), replace(DEVOPS, email="dario@shop.example")),
    notify=Notify("env:MAIL", "launches@shop.example", "env:ROOM"),
)
ROOM = replace(PLAN, notify=Notify(slack="env:ROOM"))
AWAY = UndeliveredError("chat (env:ROOM) answered 503", hint="nothing; it is tried again")


class Office:
    """One launch, its record, and its courier with two fakes to send by."""

    def __init__(self, plan: Plan = ROOM, launch: Launched | None = None, fate: Fate | None = None) -> None:
        self.launch = launch or Launched(plan)
        self.clock = FakeClock(self.launch.now, patience=100_000)
        self.mail, self.chat = FakeNotifier(fate), FakeNotifier(fate)
        self.said: list[str] = []
        time = LaunchTime(self.clock, LaunchClock(T0, 1.0))
        self.record = MemoryRecord(time, self.launch.events)
        self.pager = FakeNotifier(fate)
        by = {Channel.MAIL: self.mail, Channel.SLACK: self.chat, Channel.PAGER: self.pager}
        self.courier = Courier(Post("prod-1", "prod", plan, by, self.said.append), self.record, self.clock)

    def written(self, type_: str) -> list[dict[str, Any]]:
        return [dict(event.data) for event in self.launch.events if event.type == type_]


def raised(launch: Launched, to: str, *checks: str, kind: str = "late") -> None:
    launch.add("notice.raised", notice=kind, to=to, checks=list(checks))


async def test_a_launch_rests_when_nothing_is_being_sent_and_only_until_the_next_try() -> None:
    office = Office()
    raised(office.launch, "lead", "team.ready")
    office.chat.errors = [AWAY]
    until = office.clock.now() + 40 * HOUR
    assert await office.courier.settle(until) == until, "nobody has been heard yet"
    office.courier.hear(office.launch.events)
    rests = await office.courier.settle(until)
    (undelivered,) = office.written("notice.undelivered")
    assert timestamp(rests) == undelivered["again"]
    await office.courier.close()


async def test_what_a_system_took_is_told_with_its_channel_and_receipt_and_only_once() -> None:
    office = Office(OURS)
    await office.courier.run()
    await office.courier.run()
    told = office.written("notice.told")
    assert [(one["channel"], one["address"], one["roles"], one["receipt"]) for one in told] == [
        ("mail", "lena@shop.example", ["lead"], "taken as number 1"),
        ("slack", "env:ROOM", ["lead", "devops"], "taken as number 1"),
        ("mail", "dario@shop.example", ["devops"], "taken as number 2"),
    ]
    assert [one.names for one in office.mail.taken] == [("Lena Ortiz",), ("Dario Voss",)]
    assert office.written("notice.undelivered") == []


async def test_what_no_system_took_is_not_told_and_says_why_and_when_it_is_tried_again() -> None:
    office = Office()
    office.chat.errors = [AWAY, UndeliveredError("429", hint="wait", after=95.0)]
    begun = office.clock.now()
    await office.courier.run()
    first, second = office.written("notice.undelivered")
    assert (first["why"], first["hint"], first["try"], second["try"]) == (str(AWAY), AWAY.hint, 1, 2)
    assert first["again"] < second["again"]
    assert office.clock.now() == begun + 10 + 95
    assert [one["receipt"] for one in office.written("notice.told")] == ["taken as number 1"]


async def test_what_is_never_taken_is_given_up_after_the_last_try() -> None:
    office = Office()
    office.chat.errors = [AWAY] * 20
    await office.courier.run()
    tries = office.written("notice.undelivered")
    assert len(tries) == len(TRIES) + 1
    assert [one["again"] is None for one in tries] == [False] * len(TRIES) + [True]
    assert office.written("notice.told") == []


async def test_where_a_later_try_cannot_succeed_there_is_none() -> None:
    office = Office()
    office.chat.errors = [UndeliveredError("404 no_service", hint="mend it", after=None)]
    await office.courier.run()
    (only,) = office.written("notice.undelivered")
    assert only["again"] is None
    assert office.chat.taken == []


async def test_a_reference_that_leads_nowhere_is_mended_by_a_person_and_tried_again() -> None:
    office = Office()
    office.chat.errors = [PlanError("the environment variable ROOM is not set", hint="set ROOM")]
    await office.courier.run()
    (failed,) = office.written("notice.undelivered")
    assert failed["why"] == "the environment variable ROOM is not set"
    assert len(office.chat.taken) == 1


async def test_one_address_that_fails_keeps_no_other_waiting() -> None:
    office = Office(OURS)
    office.chat.errors = [UndeliveredError("404", hint="mend it", after=None)]
    await office.courier.run()
    assert [one["channel"] for one in office.written("notice.told")] == ["mail", "mail"]


async def test_a_message_that_was_sent_before_a_crash_comes_again_under_the_same_name() -> None:
    fate = Fate(dies_at=0)
    office = Office(fate=fate)
    with pytest.raises(Crash):
        await office.courier.run()
    assert office.written("notice.told") == []
    again = Office(launch=office.launch)
    await again.courier.run()
    assert [one.key for one in again.chat.taken] == [one.key for one in office.chat.taken]
    assert len(again.written("notice.told")) == 1


async def test_a_notice_whose_date_was_overtaken_while_it_waited_for_its_next_try_is_not_sent() -> None:
    launch = Launched(ROOM, now=T0 - 4 * HOUR)
    office = Office(launch=launch)
    await office.courier.run()
    raised(launch, "lead", "team.ready")
    office.chat.errors = [AWAY]

    def moved() -> None:
        launch.now = office.clock.now()
        launch.order(Act.RESCHEDULE, new_t0=T0 + 30 * HOUR)

    office.clock.later(5, moved)
    await office.courier.run()
    assert [subject.partition("prod: ")[2][:18] for subject in office.chat.subjects] == [
        "a launch is opened",
        "T-0 moved by Lena ",
    ]


async def test_who_cannot_be_told_is_written_down_once_and_not_for_the_opening_alone() -> None:
    launch = Launched(now=T0 - 4 * HOUR)
    office = Office(PLAN, launch)
    await office.courier.run()
    assert office.written("notice.unaddressed") == []
    raised(launch, "lead", "team.ready")
    raised(launch, "devops", "vendor.word")
    await office.courier.run()
    await office.courier.run()
    (once,) = office.written("notice.unaddressed")
    assert [(row["role"], row["why"]) for row in once["roles"]] == [
        ("lead", "the plan names neither a mail server nor a chat"),
        ("devops", "the plan names neither a mail server nor a chat"),
    ]


async def test_simulated_people_get_no_message() -> None:
    plan = replace(OURS, roles=tuple(replace(role, simulated=True) for role in OURS.roles))
    office = Office(plan, Launched(plan, now=T0 - 4 * HOUR))
    raised(office.launch, "lead", "team.ready")
    await office.courier.run()
    assert (office.mail.taken, office.chat.taken) == ([], [])
    (once,) = office.written("notice.unaddressed")
    assert once["roles"][0]["why"] == "simulated: nobody is there to be told"


async def test_a_courier_works_when_it_hears_of_something_and_rests_while_there_is_nothing() -> None:
    office = Office()
    office.courier.hear(office.launch.events)
    assert office.courier._task is not None
    await office.courier._task
    assert len(office.chat.taken) == 1
    resting = office.courier._task
    office.launch.add("milestone.reached", milestone="T-04:00:00")
    office.courier.hear(office.launch.events[-1:])
    assert office.courier._task is resting
    office.launch.order(Act.HOLD)
    office.courier.hear(office.launch.events[-1:])
    await office.courier._task
    assert office.chat.subjects[-1] == "[tminus] prod: clock held by Lena Ortiz"
    await office.courier.close()


async def test_after_a_start_only_a_launch_with_something_to_tell_has_a_courier_at_work() -> None:
    office = Office()
    await office.courier.run()
    again = Office(launch=office.launch)
    again.courier.hear(again.launch.events)
    assert again.courier._task is None
    await again.courier.close()


async def test_a_fault_of_our_own_is_said_and_the_next_event_begins_anew() -> None:
    office = Office()
    office.chat.errors = [RuntimeError("a bug")]  # type: ignore[list-item] # no error that tminus raises on purpose
    office.courier.hear(office.launch.events)
    assert office.courier._task is not None
    with pytest.raises(RuntimeError):
        await office.courier._task
    assert office.said == ["nobody is told anything until the next event: RuntimeError: a bug"]
    office.courier.hear(office.launch.events)
    await office.courier._task
    assert len(office.chat.taken) == 1


async def test_the_end_is_told_by_steps_of_the_engine_since_the_record_is_closed() -> None:
    office = Office(OURS)
    office.launch.order(Act.SCRUB)
    before = len(office.launch.events)
    engine = MemoryEngine({}, office.clock, Fate())
    for _ in range(2):
        await engine.passing(office.courier.tell_of_the_end(engine.steps("prod-1")))
    assert office.mail.subjects == ["[tminus] prod: the launch has ended: scrubbed"] * 2
    assert len(office.chat.taken) == 1
    assert len(office.launch.events) == before
    assert office.said[0] == "the end is told to Lena Ortiz, by mail: taken as number 1"


async def test_an_end_that_cannot_be_told_is_given_up_and_said() -> None:
    office = Office()
    office.launch.order(Act.SCRUB)
    office.chat.errors = [AWAY] * 20
    engine = MemoryEngine({}, office.clock, Fate())
    await engine.passing(office.courier.tell_of_the_end(engine.steps("prod-1")))
    assert len(office.said) == len(LAST_TRIES) + 1
    assert office.said[-1].endswith("it is given up")
    assert office.chat.taken == []


async def test_a_clock_that_goes_on_between_two_readings_keeps_nothing_from_being_sent() -> None:
    office = Office()
    read = office.clock.now

    def later() -> float:
        office.clock._now += 0.001
        return read()

    office.clock.now = later  # type: ignore[method-assign] # real clocks stand at no reading
    await office.courier.round()
    assert len(office.chat.taken) == 1


def delegated(launch: Launched, to: str, **more: str) -> None:
    launch.add("role.delegated", role="devops", by="Dario Voss", to=to, because="on leave", **more)


async def test_after_a_delegation_who_holds_the_role_now_is_told_and_the_former_holder_is_not() -> None:
    office = Office(replace(OURS, notify=replace(OURS.notify, slack="")))
    await office.courier.run()
    delegated(office.launch, "Ada Stone", email="ada@shop.example")
    office.courier.hear(office.launch.events[-1:])
    assert office.courier._task is not None
    await office.courier._task
    assert (office.mail.taken[-1].address, office.mail.taken[-1].names) == (
        "ada@shop.example",
        ("Ada Stone",),
    )
    assert "a launch is opened" in office.mail.subjects[-1], "she was told of nothing yet"
    raised(office.launch, "devops", "vendor.word")
    await office.courier.run()
    assert [one.address for one in office.mail.taken].count("dario@shop.example") == 1, "before she held it"
    assert office.mail.taken[-1].address == "ada@shop.example"
    delegated(office.launch, "Dario Voss")
    await office.courier.run()
    assert office.mail.taken[-1].address == "dario@shop.example"


async def test_who_holds_a_role_now_and_has_no_address_is_named_at_once_and_nobody_is_told_instead() -> None:
    office = Office(replace(OURS, notify=replace(OURS.notify, slack="")))
    await office.courier.run()
    before = len(office.mail.taken)
    delegated(office.launch, "Ada Stone")
    raised(office.launch, "devops", "vendor.word")
    await office.courier.run()
    await office.courier.run()
    assert len(office.mail.taken) == before
    (named,) = office.written("notice.unaddressed")
    assert named["roles"] == [
        {
            "role": "devops",
            "person": "Ada Stone",
            "why": "Ada Stone acts for this role, and the delegation says no mail address",
        }
    ]
    delegated(office.launch, "Bo Lind")
    await office.courier.run()
    assert [row["person"] for one in office.written("notice.unaddressed") for row in one["roles"]] == [
        "Ada Stone",
        "Bo Lind",
    ]


async def test_who_holds_a_role_now_is_told_in_the_common_room_by_name() -> None:
    office = Office()
    delegated(office.launch, "Ada Stone")
    await office.courier.run()
    assert office.written("notice.unaddressed") == []
    assert office.chat.taken[-1].names == ("Lena Ortiz", "Ada Stone")


async def test_where_the_plan_reaches_nobody_an_address_of_a_delegation_is_used() -> None:
    office = Office(replace(PLAN, notify=Notify("env:MAIL", "launches@shop.example")))
    raised(office.launch, "lead", "team.ready")
    await office.courier.run()
    assert len(office.written("notice.unaddressed")) == 1
    delegated(office.launch, "Ada Stone", email="ada@shop.example")
    office.courier.hear(office.launch.events)
    assert office.courier._task is not None
    await office.courier._task
    assert [one.address for one in office.mail.taken] == ["ada@shop.example"]


async def test_the_end_is_told_to_who_holds_the_role_then() -> None:
    office = Office(replace(OURS, notify=replace(OURS.notify, slack="")))
    delegated(office.launch, "Ada Stone", email="ada@shop.example")
    office.launch.order(Act.SCRUB)
    engine = MemoryEngine({}, office.clock, Fate())
    await engine.passing(office.courier.tell_of_the_end(engine.steps("prod-1")))
    assert [one.address for one in office.mail.taken] == ["lena@shop.example", "ada@shop.example"]


ON_CALL = replace(
    PLAN,
    roles=(replace(LEAD, simulated=True), replace(DEVOPS, simulated=True)),
    notify=Notify(pager="env:ONCALL"),
)


async def heard(office: Office, type_: str, **data: Any) -> None:
    office.launch.now = office.clock.now()
    office.launch.add(type_, **data)
    office.courier.hear(office.launch.events[-1:])
    if (task := office.courier._task) is not None:
        await task


async def test_those_on_call_are_woken_by_a_hold_that_lasts_and_told_when_it_is_over() -> None:
    office = Office(ON_CALL, Launched(ON_CALL).up_to("launching"))
    began = office.clock.now()
    await heard(office, "launch.held", rule="hold.blind", text="the log has ended")
    (page,) = office.pager.taken
    assert "held by hold.blind" in page.subject
    assert office.clock.now() - began == PATIENCE, "no sooner"
    await heard(office, "traffic.seen", action="hold", proven=True)
    assert len(office.pager.taken) == 1, "once for each hold"
    await heard(office, "traffic.seen", action="continue", proven=True)
    over = office.pager.taken[-1]
    assert over.resolves
    assert over.incident == page.incident
    assert [one["notice"] for one in office.written("notice.told")] == ["hold.blind", "goes-on"]
    assert office.written("notice.unaddressed") == [], "a pager alone reaches whom it is to reach"
    await office.courier.close()


async def test_a_pager_that_does_not_take_a_page_is_tried_again() -> None:
    office = Office(ON_CALL, Launched(ON_CALL).up_to("launching"))
    office.pager.errors = [AWAY]
    await heard(office, "launch.held", rule="hold.errors", text="evidence")
    assert len(office.pager.taken) == 1
    assert len(office.written("notice.undelivered")) == 1
