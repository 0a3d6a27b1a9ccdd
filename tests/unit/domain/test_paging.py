"""Which holds of the rollout wake people, when, and when they hear that it is over."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.courses import PLAN, Launched
else:
    from courses import PLAN, Launched

from tminus.domain.canonical import instant, plain
from tminus.domain.message import Message, Standing, message
from tminus.domain.orders import Act
from tminus.domain.paging import PATIENCE, page
from tminus.domain.plan import Notify
from tminus.domain.reach import Address, Channel
from tminus.domain.telling import Outstanding, outstanding, told_key

PAGED = replace(PLAN, notify=Notify(slack="env:ROOM", pager="env:ONCALL"))
AT_ONCE = ["hold.errors", "hold.record", "trigger.vulnerability"]


def hold(launch: Launched, rule: str = "hold.blind", text: str = "the log has ended") -> None:
    launch.add("launch.held", rule=rule, text=text, where="watch 10 % #1")


def seen(launch: Launched, action: str, *, proven: bool = True) -> None:
    launch.add("traffic.seen", action=action, proven=proven)


def open_messages(launch: Launched) -> list[Outstanding]:
    return [
        one
        for one in outstanding(launch.plan, launch.events, {}, launch.now)
        if one.delivery.telling.hold is not None
    ]


def taken(launch: Launched, one: Outstanding) -> None:
    data = plain({**one.delivery.data(), "receipt": "taken"})
    launch.events.append(
        replace(launch.events[-1], key=told_key(one.delivery), type="notice.told", data=data)
    )


def written(launch: Launched, one: Outstanding) -> Message:
    about = Standing("prod-1", "prod", launch.plan, launch.course, {}, launch.now)
    return message(about, one.delivery)


def test_a_hold_that_lasts_wakes_those_on_call_and_tells_every_role() -> None:
    launch = Launched(PAGED).up_to("launching")
    hold(launch)
    found = open_messages(launch)
    assert {one.delivery.address for one in found} == {
        Address(Channel.PAGER, "env:ONCALL"),
        Address(Channel.SLACK, "env:ROOM"),
    }
    assert {one.at for one in found} == {instant(launch.events[-1].at) + PATIENCE}, "not before"
    pager = next(one for one in found if one.delivery.address.channel is Channel.PAGER)
    assert pager.delivery.roles == ("on-call",)
    text = written(launch, pager)
    assert "held by hold.blind: traffic stays where it is" in text.subject
    assert "Reason: the log has ended" in text.text
    assert "tminus rollback prod-1" in text.text
    assert "it goes on by itself" in text.text
    assert text.incident
    assert not text.resolves


def test_a_hold_that_ended_by_itself_in_time_wakes_nobody() -> None:
    launch = Launched(PAGED).up_to("launching")
    hold(launch)
    launch.now += PATIENCE - 1
    seen(launch, "continue")
    assert open_messages(launch) == []


def test_who_was_told_of_a_hold_is_told_of_its_end_and_nobody_else() -> None:
    launch = Launched(PAGED).up_to("launching")
    hold(launch)
    launch.now += PATIENCE
    pager = next(one for one in open_messages(launch) if one.delivery.address.channel is Channel.PAGER)
    begun = written(launch, pager)
    taken(launch, pager)
    launch.now += 600
    seen(launch, "continue")
    (end,) = open_messages(launch)
    assert end.delivery.address.channel is Channel.PAGER
    text = written(launch, end)
    assert "the hold of the rollout is over, and it goes on" in text.subject
    assert text.resolves
    assert text.incident == begun.incident
    assert text.key != begun.key


@pytest.mark.parametrize("rule", AT_ONCE)
def test_what_only_a_person_ends_wakes_at_once(rule: str) -> None:
    launch = Launched(PAGED).up_to("launching")
    hold(launch, rule, "evidence that green fails more than 1 %")
    (pager,) = [one for one in open_messages(launch) if one.delivery.address.channel is Channel.PAGER]
    assert pager.at == instant(launch.events[-1].at)
    assert 'tminus resume prod-1 --reason "…"' in written(launch, pager).text


def test_evidence_that_comes_during_another_hold_does_not_wait_for_its_patience() -> None:
    launch = Launched(PAGED).up_to("launching")
    hold(launch)
    launch.now += 3
    hold(launch, "hold.errors")
    found = page(launch.events)
    assert found is not None
    assert found.at == launch.now


def test_a_hold_that_is_called_differently_meanwhile_is_one() -> None:
    launch = Launched(PAGED).up_to("launching")
    hold(launch)
    first = launch.events[-1]
    for _ in range(3):
        launch.now += 5
        seen(launch, "hold")
        hold(launch, "hold.no-traffic")
    found = page(launch.events)
    assert found is not None
    assert found.held == first


def test_a_rung_without_its_requests_is_held_until_it_is_proven() -> None:
    launch = Launched(PAGED).up_to("launching")
    for _ in range(4):
        seen(launch, "continue", proven=False)
        hold(launch, "hold.requests", "not yet 100 requests on green")
        launch.now += 5
    assert len(open_messages(launch)) == 2
    found = page(launch.events)
    assert found is not None
    assert launch.now - instant(found.held.at) == 20
    seen(launch, "continue", proven=True)
    ended = page(launch.events)
    assert ended is not None
    assert ended.over == launch.events[-1]


def test_a_person_who_resumes_ends_a_hold_on_evidence() -> None:
    launch = Launched(PAGED).up_to("launching")
    hold(launch, "hold.errors")
    launch.now += 60
    launch.order(Act.RESUME)
    found = page(launch.events)
    assert found is not None
    assert found.over is not None
    assert found.over.type == "order.taken"


def test_a_record_that_is_not_proved_is_no_matter_of_what_the_guard_sees() -> None:
    launch = Launched(PAGED).up_to("launching")
    hold(launch, "hold.record", "the record proves no GO")
    seen(launch, "continue")
    found = page(launch.events)
    assert found is not None
    assert found.over is None


def test_nobody_is_woken_for_a_launch_on_its_way_back() -> None:
    launch = Launched(PAGED).up_to("launching")
    hold(launch)
    seen(launch, "rollback")
    assert open_messages(launch) == []
