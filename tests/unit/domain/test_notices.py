"""Who is told of lines that wait: once, in time, and up to those who decide."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.unit.courses import HOUR, PLAN, T0, Launched, claim
else:
    from courses import HOUR, PLAN, T0, Launched, claim

from tminus.domain.evidence import Claim, Verdict
from tminus.domain.notices import Notice, next_notice, notices
from tminus.domain.orders import Act
from tminus.domain.plan import Leads

MINUTE = 60.0
GREEN = {name: claim(name, T0 - 2 * HOUR, t=-2 * HOUR) for name in ("site.up", "cfg.maps")}


def told(
    launch: Launched, claims: Mapping[str, Claim] | None = None
) -> list[tuple[str, str, tuple[str, ...]]]:
    """What is to be told now, which then is recorded as told."""
    found = notices(launch.plan, launch.course, claims or {}, launch.now)
    for notice in found:
        launch.add("notice.raised", **notice.data())
    return [(notice.kind.value, notice.to, notice.checks) for notice in found]


def test_an_owner_is_told_that_a_line_is_due_soon_due_and_late_and_then_those_who_decide() -> None:
    launch = Launched()
    steps = []
    for t in (-5 * HOUR - 1, -5 * HOUR, -4 * HOUR, -4 * HOUR + 15 * MINUTE, -4 * HOUR + 30 * MINUTE):
        launch.now = T0 + t
        steps.append(told(launch))
        assert told(launch) == []

    assert steps == [
        [],
        [("due-soon", "lead", ("team.ready",))],
        [("due", "lead", ("team.ready",))],
        [("late", "lead", ("team.ready",))],
        [("escalated", "lead", ("team.ready",))],
    ]


def test_lines_of_one_owner_and_milestone_are_told_together() -> None:
    launch = Launched(now=T0 - 2 * HOUR)
    launch.attest("team.ready")
    claims = {"team.ready": claim("team.ready", launch.now)}

    assert told(launch, claims) == [("due", "devops", ("site.up", "cfg.maps", "vendor.word"))]


def test_who_comes_too_late_is_told_the_latest_only() -> None:
    launch = Launched(now=T0 - HOUR)

    assert [(kind, to) for kind, to, _ in told(launch)] == [
        ("late", "devops"),
        ("escalated", "lead"),
        ("late", "lead"),
        ("escalated", "lead"),
    ]
    assert told(launch) == []


def test_a_probe_that_has_not_looked_yet_waits_for_nobody_and_one_that_failed_does() -> None:
    launch = Launched(now=T0 - 3 * HOUR)
    claims = {
        "team.ready": claim("team.ready", launch.now),
        "cfg.maps": claim("cfg.maps", launch.now, Verdict.FAILED),
    }

    assert told(launch, claims) == [("due-soon", "devops", ("cfg.maps", "vendor.word"))]


def test_a_line_that_turns_later_is_told_although_others_of_its_milestone_were() -> None:
    launch = Launched(now=T0 - 100 * MINUTE)
    green = {**GREEN, "team.ready": claim("team.ready", launch.now)}
    green = {name: replace(one, at=launch.now) for name, one in green.items()}
    assert told(launch, green) == [("late", "devops", ("vendor.word",))]
    red = {**green, "site.up": claim("site.up", launch.now, Verdict.FAILED)}

    assert told(launch, red) == [("late", "devops", ("site.up",))]


def test_a_signer_is_told_while_the_poll_is_open_and_the_role_has_not_signed() -> None:
    launch = Launched(now=T0 - 15 * MINUTE)
    signature = next(check for check in PLAN.checks if check.id == "sign.devops")
    launch.plan = replace(PLAN, checks=(signature,))
    assert told(launch) == []
    launch.up_to("polling")
    assert told(launch) == [("due-soon", "devops", ("sign.devops",))]
    launch.add("signoff.given", role="devops", decision="go")
    launch.now = T0

    assert told(launch) == []


def test_a_simulated_person_s_word_waits_for_nobody_and_an_advisory_line_is_not_escalated() -> None:
    launch = Launched(now=T0 + 2 * HOUR).up_to("soaking")
    feedback = next(check for check in PLAN.checks if check.id == "feedback")
    launch.plan = replace(PLAN, checks=(feedback, replace(feedback, id="other", simulated=True)))

    assert told(launch) == [("late", "devops", ("feedback",))]


def test_what_was_due_before_t0_is_no_longer_told_after_go() -> None:
    launch = Launched(now=T0 + MINUTE).up_to("launching")

    assert told(launch) == [("due-soon", "devops", ("feedback",))]


def test_while_the_clock_is_held_nothing_more_falls_due() -> None:
    launch = Launched(now=T0 - 6 * HOUR)
    launch.order(Act.HOLD)
    launch.now += 5 * HOUR

    assert told(launch) == []
    assert next_notice(launch.plan, launch.course, {}, launch.now) is None


def test_a_new_date_tells_again_under_new_keys() -> None:
    launch = Launched(now=T0 - 5 * HOUR)
    (first,) = notices(launch.plan, launch.course, {}, launch.now)
    launch.order(Act.RESCHEDULE, new_t0=T0 + HOUR)
    launch.now = T0 - 4 * HOUR
    (again,) = notices(launch.plan, launch.course, {}, launch.now)

    assert (first.key, again.key) == (
        "notice:due-soon:lead:team.ready",
        "notice:due-soon:lead:team.ready#2",
    )
    assert isinstance(again, Notice)
    assert (again.at, again.milestone) == (T0 - 4 * HOUR, -4 * HOUR)


def test_the_next_notice_is_known_before_it_is_due() -> None:
    launch = Launched()
    assert next_notice(launch.plan, launch.course, {}, launch.now) == T0 - 5 * HOUR
    launch.plan = replace(PLAN, leads=Leads(soon=2 * HOUR))
    assert next_notice(launch.plan, launch.course, {}, launch.now) == T0 - 6 * HOUR
    launch.now = T0 - 5.5 * HOUR

    assert next_notice(launch.plan, launch.course, {}, launch.now) == T0 - 6 * HOUR
