"""Who is told of lines that wait: once, in time, and up to those who decide."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.unit.courses import HOUR, PLAN, T0, Launched, claim
else:
    from courses import HOUR, PLAN, T0, Launched, claim

from tminus.domain.evidence import Claim, Verdict
from tminus.domain.notices import Notice, next_notice, notices, wanted
from tminus.domain.orders import Act
from tminus.domain.plan import Leads, Role, Severity

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
    launch = Launched()
    launch.now = T0 - HOUR

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


def test_nobody_is_late_for_what_was_due_before_the_launch_was_opened() -> None:
    launch = Launched(now=T0 - 3 * HOUR)
    steps = [told(launch)]
    for minutes in (15, 30):
        launch.now = T0 - 3 * HOUR + minutes * MINUTE
        steps.append(told(launch))
    assert steps == [
        [("due", "lead", ("team.ready",)), ("due-soon", "devops", ("vendor.word",))],
        [("late", "lead", ("team.ready",))],
        [("escalated", "lead", ("team.ready",))],
    ]


def test_nor_for_what_was_due_before_it_got_another_date() -> None:
    launch = Launched()
    launch.now = T0 - HOUR
    launch.order(Act.RESCHEDULE, new_t0=T0 + HOUR)
    assert {kind for kind, _, _ in told(launch)} == {"due"}
    launch.now += 15 * MINUTE
    assert {kind for kind, _, _ in told(launch)} == {"late"}


def test_but_those_who_decide_hear_of_it_before_the_poll_opens() -> None:
    opens = -PLAN.poll_opens
    launch = Launched(now=T0 - opens - 5 * MINUTE)
    assert {kind for kind, _, _ in told(launch)} == {"due"}
    launch.now = T0 - opens
    assert {kind for kind, _, _ in told(launch)} == {"late", "escalated"}
    launch = Launched(now=T0 - opens / 2)
    assert {kind for kind, _, _ in told(launch)} == {"late", "escalated"}, "no time is left"


def test_a_line_that_turns_later_is_told_although_others_of_its_milestone_were() -> None:
    launch = Launched()
    launch.now = T0 - 100 * MINUTE
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


def warned_blocker(now: float) -> tuple[Launched, dict[str, Claim]]:
    """A launch whose only line is a blocker of `devops`, warned."""
    launch = Launched(now=now)
    blocker = replace(next(one for one in PLAN.checks if one.id == "cfg.maps"), severity=Severity.BLOCKER)
    cto = Role("cto", "CTO", "Chiyo Tanaka", simulated=False, signs=True)
    launch.plan = replace(PLAN, checks=(blocker,), roles=(*PLAN.roles, cto))
    return launch, {"cfg.maps": claim("cfg.maps", now, Verdict.WARNED)}


def acknowledge(launch: Launched, claims: Mapping[str, Claim]) -> None:
    launch.add("warning.acknowledged", check="cfg.maps", fingerprint=claims["cfg.maps"].fingerprint)


def test_who_could_acknowledge_a_warned_blocker_is_told_once_and_when_the_poll_opens() -> None:
    launch, claims = warned_blocker(T0 - 4 * HOUR)
    assert told(launch, claims) == []
    assert next_notice(launch.plan, launch.course, claims, launch.now) == T0 - 3 * HOUR
    launch.now = T0 - 3 * HOUR
    claims = {"cfg.maps": replace(claims["cfg.maps"], at=launch.now)}
    assert told(launch, claims) == [
        ("acknowledge", "lead", ("cfg.maps",)),
        ("acknowledge", "cto", ("cfg.maps",)),
    ]
    assert told(launch, claims) == []
    launch.now = T0 - 15 * MINUTE
    claims = {"cfg.maps": replace(claims["cfg.maps"], at=launch.now)}
    launch.up_to("polling")
    assert [(kind, to) for kind, to, _ in told(launch, claims)] == [
        ("unacknowledged", "lead"),
        ("unacknowledged", "cto"),
    ]
    acknowledge(launch, claims)
    assert told(launch, claims) == []


def test_an_acknowledgement_that_is_void_is_asked_for_once_more_under_a_name_of_its_own() -> None:
    launch, claims = warned_blocker(T0 - 2 * HOUR)
    (first, _) = notices(launch.plan, launch.course, claims, launch.now)
    told(launch, claims)
    acknowledge(launch, claims)
    for _ in range(2):  # the second time it is as it was at first
        launch.add("check.observed", check="cfg.maps", source="probe", verdict="warned", fingerprint="0" * 64)
    changed = {"cfg.maps": replace(claims["cfg.maps"], fingerprint="0" * 64)}
    (again, _) = notices(launch.plan, launch.course, changed, launch.now)
    assert (first.key, again.key) == (
        "notice:acknowledge:lead:cfg.maps",
        "notice:acknowledge:lead:cfg.maps~1",
    )
    assert [kind for kind, _, _ in told(launch, changed)] == ["acknowledge", "acknowledge"]
    assert told(launch, changed) == []


def test_simulated_people_are_not_asked_to_acknowledge_and_nobody_is_after_go() -> None:
    launch, claims = warned_blocker(T0 - 2 * HOUR)
    launch.plan = replace(
        launch.plan, roles=tuple(replace(role, simulated=True) for role in launch.plan.roles)
    )
    assert told(launch, claims) == []
    launch, claims = warned_blocker(T0 - 10 * MINUTE)
    launch.up_to("go")
    assert told(launch, claims) == []
    assert not wanted("acknowledge", launch.course, launch.plan.checks[0], claims["cfg.maps"], launch.now)


def test_a_signature_is_reminded_of_at_half_of_the_poll_and_told_to_who_decides_near_its_end() -> None:
    launch = Launched(now=T0 - 15 * MINUTE)
    signature = next(check for check in PLAN.checks if check.id == "sign.devops")
    launch.plan = replace(PLAN, checks=(signature,))
    launch.up_to("polling")
    steps = []
    for t in (-15 * MINUTE, -8 * MINUTE, -7.5 * MINUTE, -4 * MINUTE, -3.75 * MINUTE, -1):
        launch.now = T0 + t
        steps.append([(kind, to) for kind, to, _ in told(launch)])
    assert steps == [
        [("due-soon", "devops")],
        [],
        [("reminder", "devops")],
        [],
        [("escalated", "lead")],
        [],
    ]


def test_whose_signature_was_voided_is_asked_once_more_at_once() -> None:
    launch = Launched(now=T0 - 14 * MINUTE)
    signature = next(check for check in PLAN.checks if check.id == "sign.devops")
    launch.plan = replace(PLAN, checks=(signature,))
    launch.up_to("polling")
    told(launch)
    launch.add("signoff.given", role="devops", decision="go")
    assert told(launch) == []
    launch.add("signoff.voided", role="devops", person="Dario Voss", changes=["site.up: passed, now failed"])
    assert told(launch) == [("due-soon", "devops", ("sign.devops",))]
    assert told(launch) == []
    assert launch.events[-1].data["voided"] == 1
