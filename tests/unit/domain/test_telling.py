"""Whom the record says is to be told: the last news, notices that still hold, each address once."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.unit.courses import HOUR, PLAN, T0, Launched, claim
else:
    from courses import HOUR, PLAN, T0, Launched, claim

from tminus.domain.canonical import timestamp
from tminus.domain.evidence import Claim
from tminus.domain.orders import Act
from tminus.domain.plan import Notify
from tminus.domain.reach import Address, Channel, is_mail, unreached, ways
from tminus.domain.telling import Delivery, again, deliveries, outstanding, tellings, told_key

LEAD, DEVOPS = PLAN.roles
OURS = replace(
    PLAN,
    roles=(replace(LEAD, email="lena@shop.example"), replace(DEVOPS, email="dario@shop.example")),
    notify=Notify("env:MAIL", "launches@shop.example"),
)


def called(
    launch: Launched, claims: Mapping[str, Claim] | None = None
) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    found = tellings(launch.plan, launch.events, claims or {}, launch.now)
    return [(one.kind, one.roles, one.checks) for one in found]


def raised(launch: Launched, kind: str, to: str, *checks: str) -> None:
    launch.add("notice.raised", notice=kind, to=to, checks=list(checks))


def open_messages(launch: Launched) -> list[Delivery]:
    return [one.delivery for one in outstanding(launch.plan, launch.events, {}, launch.now)]


def test_everybody_is_told_of_the_date_when_a_launch_is_opened() -> None:
    assert called(Launched()) == [("opened", ("lead", "devops"), ())]


def test_of_several_changes_only_the_last_is_told() -> None:
    launch = Launched()
    launch.order(Act.HOLD)
    assert called(launch) == [("held", ("devops", "lead"), ())]
    launch.order(Act.RESUME)
    launch.order(Act.RESCHEDULE, new_t0=T0 + 30 * HOUR)
    assert called(launch) == [("rescheduled", ("devops", "lead"), ())]
    launch.order(Act.SCRUB)
    assert called(launch) == [("scrubbed", ("devops", "lead"), ())]


def test_a_no_go_and_a_proposal_are_told_to_everybody() -> None:
    decided = Launched().up_to("polling")
    decided.no_go()
    assert called(decided) == [("no-go", ("devops", "lead"), ())]
    proposed = Launched().up_to("polling")
    proposed.add("decision.proposed", decision="no-go", reasons=["nobody decided"])
    assert called(proposed) == [("no-go", ("lead", "devops"), ())]


def test_a_notice_is_told_as_long_as_its_lines_wait() -> None:
    launch = Launched(now=T0 - 4 * HOUR)
    raised(launch, "due", "devops", "vendor.word")
    raised(launch, "due", "lead", "team.ready")
    launch.attest("team.ready")
    claims = {"team.ready": claim("team.ready", launch.now)}
    assert called(launch, claims)[1:] == [("due", ("devops",), ("vendor.word",))]


def test_a_notice_for_a_date_that_was_overtaken_is_not_told() -> None:
    launch = Launched(now=T0 - 4 * HOUR)
    raised(launch, "late", "lead", "team.ready")
    assert len(called(launch)) == 2
    launch.order(Act.RESCHEDULE, new_t0=T0 + 30 * HOUR)
    assert [kind for kind, _, _ in called(launch)] == ["rescheduled"]


def test_a_notice_is_not_told_once_the_launch_has_no_date_or_is_over() -> None:
    for end in (Launched.no_go, lambda launch: launch.order(Act.SCRUB)):
        launch = Launched(now=T0 - 4 * HOUR).up_to("polling")
        raised(launch, "late", "lead", "team.ready")
        end(launch)
        assert len(called(launch)) == 1


def test_a_later_notice_takes_the_place_of_an_earlier_one_for_the_same_line_and_role() -> None:
    launch = Launched(now=T0 - 4 * HOUR)
    raised(launch, "due-soon", "devops", "vendor.word", "cfg.maps")
    raised(launch, "late", "devops", "vendor.word")
    raised(launch, "escalated", "lead", "vendor.word")
    assert called(launch)[1:] == [
        ("escalated", ("lead",), ("vendor.word",)),
        ("late", ("devops",), ("vendor.word",)),
    ]


def test_people_are_reached_as_the_plan_says_and_simulated_ones_never() -> None:
    lead = OURS.roles[0]
    mail = Address(Channel.MAIL, "lena@shop.example")
    assert ways(OURS, lead) == (mail,)
    assert ways(replace(OURS, notify=Notify()), lead) == ()
    assert ways(OURS, replace(lead, email="lena@shop.example\nBcc: all@shop.example")) == ()
    assert ways(OURS, replace(lead, slack="env:LENA")) == (mail, Address(Channel.SLACK, "env:LENA"))
    room = replace(OURS, notify=Notify(slack="env:ROOM"))
    assert ways(room, lead) == (Address(Channel.SLACK, "env:ROOM"),)
    assert ways(room, replace(lead, slack="env:LENA")) == (Address(Channel.SLACK, "env:LENA"),)
    assert ways(room, replace(lead, simulated=True)) == ()


def test_who_cannot_be_reached_is_named_with_the_reason() -> None:
    assert [one.why for one in unreached(PLAN)] == ["the plan names neither a mail server nor a chat"] * 2
    without = replace(OURS, roles=(replace(LEAD, simulated=True), DEVOPS))
    assert [(one.role, one.why) for one in unreached(without)] == [
        ("lead", "simulated: nobody is there to be told"),
        ("devops", "the plan has no mail address and no chat for this role"),
    ]
    assert unreached(OURS) == ()


def test_an_address_is_one_mail_address_and_nothing_more() -> None:
    assert is_mail("lena.ortiz+launch@shop.example")
    for text in (
        "",
        "lena",
        "lena@",
        "@shop.example",
        "a@b, c@d",
        "Lena <lena@shop.example>",
        "l@x\n",
        "a..b@x",
    ):
        assert not is_mail(text), text
    assert not is_mail(f"{'a' * 250}@shop.example")


def test_roles_behind_one_address_get_one_message() -> None:
    room = replace(OURS, notify=Notify(slack="env:ROOM"))
    (telling,) = tellings(room, Launched().events, {}, T0)
    assert [(one.address.at, one.roles) for one in deliveries(room, telling)] == [
        ("env:ROOM", ("lead", "devops"))
    ]


def test_what_was_taken_is_told_and_nothing_else_is() -> None:
    launch = Launched(OURS)
    first, second = open_messages(launch)
    launch.add("notice.told", **first.data(), receipt="250 kept")
    launch.events[-1] = replace(launch.events[-1], key=told_key(first))
    assert open_messages(launch) == [second]
    assert launch.course.audience == {"lead"}


def test_what_failed_is_tried_again_when_its_time_comes_unless_it_was_given_up() -> None:
    launch = Launched(OURS)
    first, second = open_messages(launch)
    launch.add(
        "notice.undelivered",
        **first.data(),
        delivery=first.key,
        why="away",
        again=timestamp(T0),
        **{"try": 3},
    )
    launch.add(
        "notice.undelivered",
        **second.data(),
        delivery=second.key,
        why="no such box",
        again=None,
        **{"try": 1},
    )
    (left,) = outstanding(OURS, launch.events, {}, launch.now)
    assert (left.delivery, left.tries, left.at) == (first, 3, T0)


def test_tries_are_farther_apart_each_time_and_end() -> None:
    assert [again(tries, 0.0, 0.0) for tries in range(1, 10)] == [10, 30, 60, 120, 300, 600, 1200, 1800, None]
    assert again(1, 95.0, 0.0) == 95.0, "the system wants to be left alone for longer"
    assert again(1, None, 0.0) is None, "a later try cannot succeed"


def test_one_message_has_the_same_name_at_every_try_and_another_for_another_address() -> None:
    launch = Launched(OURS)
    keys = [one.key for one in open_messages(launch)]
    assert len(set(keys)) == 2
    launch.now += 60
    assert [one.key for one in open_messages(launch)] == keys


def test_everybody_is_told_of_a_record_that_does_not_verify_and_of_another_hold_only_while_it_is_not() -> (
    None
):
    launch = Launched().up_to("go")
    launch.add("launch.held", where="10 %", rule="hold.blind", text="no log")
    assert [kind for kind, *_ in called(launch)] == ["go", "hold.blind"]
    launch.add("launch.held", where="GO", rule="hold.record", text="a stranger signed this")
    assert called(launch) == [("hold.record", ("lead", "devops"), ())]
    launch.order(Act.RESUME)
    assert called(launch) == [("resume", ("lead", "devops"), ())]


def test_a_hold_by_a_trigger_is_told_once_until_it_is_resumed() -> None:
    """It is recorded again at each look; another after a resume is told again."""
    launch = Launched().up_to("launching")
    for number in range(3):
        launch.add("launch.held", where=f"watch #{number}", rule="trigger.vulnerability", text="CVE-1")
    first = open_messages_of(launch)
    assert [kind for kind, _, _ in called(launch)][1:] == ["trigger.vulnerability"]
    launch.add("launch.held", where="watch #3", rule="trigger.vulnerability", text="CVE-1")
    assert open_messages_of(launch) == first
    launch.order(Act.RESUME)
    launch.add("launch.held", where="watch #4", rule="trigger.vulnerability", text="CVE-3")
    assert [kind for kind, _, _ in called(launch)][1:] == ["trigger.vulnerability"]
    assert open_messages_of(launch) != first


def open_messages_of(launch: Launched) -> list[str]:
    return [one.delivery.key for one in outstanding(OURS, launch.events, {}, launch.now)]


def test_a_hold_that_ends_by_itself_is_told_later() -> None:
    launch = Launched().up_to("launching")
    before = called(launch)
    launch.add("launch.held", where="watch #1", rule="hold.blind", text="no line came")
    assert [kind for kind, _, _ in called(launch)[len(before) :]] == ["hold.blind"]
