"""What voids a sign-off: a material change, exactly those that covered it, and nothing else."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from tests.unit.courses import HOUR, PLAN, T0
    from tests.unit.polls import Polled
else:
    from courses import HOUR, PLAN, T0
    from polls import Polled

from tminus.domain.canonical import timestamp
from tminus.domain.evidence import Source, Verdict
from tminus.domain.orders import Act
from tminus.domain.plan import Severity
from tminus.domain.poll import acknowledged, changes, go_gate, refusals, shown, void, votes, waivers

CHECKS = ("site.up", "cfg.maps", "team.ready")
ROLES = ("devops", "qa", "cto")


def lacking(polled: Polled) -> list[str]:
    return refusals(polled.plan, polled.events, polled.seen, polled.now, 0.0)


@pytest.fixture
def polled() -> Polled:
    launch = Polled(now=T0 - 600)
    for check in CHECKS:
        launch.observe(check, Verdict.PASSED)
    launch.show("poll.opened")
    return launch


def test_the_same_seen_again_voids_nothing(polled: Polled) -> None:
    polled.sign("devops")
    for check in CHECKS:
        polled.observe(check, Verdict.PASSED)
    assert polled.voided == {}
    assert changes(polled.evidence, polled.evidence) == ()


@pytest.mark.parametrize(
    ("verdict", "about", "told"),
    [
        (Verdict.WARNED, 0, "cfg.maps: passed, now warned"),
        (Verdict.FAILED, 0, "cfg.maps: passed, now failed"),
        (Verdict.INCONCLUSIVE, 0, "cfg.maps: passed, now inconclusive"),
        (Verdict.ERROR, 0, "cfg.maps: passed, now error"),
        (Verdict.PASSED, 1, "cfg.maps: passed, now passed, of something else"),
    ],
)
@pytest.mark.parametrize("source", Source)
def test_a_material_change_of_any_kind_of_claim_voids_what_covered_it_and_is_told(
    polled: Polled, verdict: Verdict, about: int, told: str, source: Source
) -> None:
    polled.sign("devops")
    polled.observe("cfg.maps", verdict, about, source)
    polled.sign("qa")
    assert polled.voided == {"devops": ["cfg.maps"]}
    assert [change.told for change in void(polled.events, polled.evidence)["devops"]] == [told]
    polled.sign("devops")
    assert polled.voided == {}


def test_a_line_that_nobody_had_seen_voids_nothing(polled: Polled) -> None:
    polled.sign("devops")
    polled.observe("vendor.word", Verdict.PASSED)
    assert polled.voided == {}


def test_a_waiver_that_was_not_in_the_signed_text_voids_it(polled: Polled) -> None:
    polled.sign("devops")
    polled.waive("cfg.maps")
    polled.sign("qa")
    assert polled.voided == {"devops": ["cfg.maps"]}
    (change,) = void(polled.events, polled.evidence)["devops"]
    assert change.told == f"cfg.maps: not waived, now waived until {timestamp(T0 + HOUR)}"
    polled.add("waiver.ended", check="cfg.maps")
    assert polled.voided == {"qa": ["cfg.maps"]}


def test_a_new_date_and_a_new_poll_leave_no_word_standing(polled: Polled) -> None:
    polled.sign("devops")
    polled.show("poll.opened")
    assert votes(polled.events) == {}
    polled.sign("devops")
    polled.order(Act.RESCHEDULE, new_t0=T0 + 5 * HOUR)
    assert (votes(polled.events), shown(polled.events)) == ({}, None)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("look"), st.sampled_from(CHECKS), st.sampled_from(Verdict), st.integers(0, 2)),
            st.tuples(st.just("sign"), st.sampled_from(ROLES)),
        ),
        max_size=30,
    )
)
def test_over_any_history_exactly_the_sign_offs_that_covered_a_change_are_void(
    history: list[tuple[Any, ...]],
) -> None:
    launch = Polled(now=T0 - 600)
    for check in CHECKS:
        launch.observe(check, Verdict.PASSED)
    launch.show("poll.opened")
    signed: dict[str, dict[str, str]] = {}
    for kind, *about in history:
        if kind == "look":
            launch.observe(*about)
        else:
            launch.sign(*about)
            signed[about[0]] = {name: claim.fingerprint for name, claim in launch.seen.items()}
    now = {name: claim.fingerprint for name, claim in launch.seen.items()}
    expected = {
        role: [name for name in sorted(then) if then[name] != now[name]]
        for role, then in signed.items()
        if then != now
    }
    assert {role: sorted(checks) for role, checks in launch.voided.items()} == expected


def test_a_waiver_opens_the_gate_until_it_ends_and_never_for_a_blocker(polled: Polled) -> None:
    for check in ("team.ready", "site.up"):
        polled.observe(check, Verdict.PASSED)
    polled.observe("vendor.word", Verdict.PASSED)
    polled.seen["vendor.word"] = replace(polled.seen["vendor.word"], t=-3 * HOUR)
    polled.observe("cfg.maps", Verdict.FAILED)
    polled.waive("cfg.maps", polled.now + 60)
    result = go_gate(polled.plan, polled.events, polled.seen, polled.now)
    assert (result.open, result.waived) == (True, ("cfg.maps",))
    late = go_gate(polled.plan, polled.events, polled.seen, polled.now + 60)
    assert [obstacle.check for obstacle in late.obstacles] == ["cfg.maps"]
    checks = tuple(
        replace(check, severity=Severity.BLOCKER) if check.id == "cfg.maps" else check
        for check in PLAN.checks
    )
    blocked = go_gate(replace(PLAN, checks=checks), polled.events, polled.seen, polled.now)
    assert [obstacle.check for obstacle in blocked.obstacles] == ["cfg.maps"]
    assert "envelope" not in waivers(polled.events)["cfg.maps"]


def test_everything_that_keeps_go_from_being_given_is_named(polled: Polled) -> None:
    polled.sign("devops", "no-go")
    polled.observe("site.up", Verdict.FAILED)
    refused = refusals(polled.plan, polled.events, polled.seen, polled.now, 0.0)
    assert refused == [
        "site.up is failed ()",
        "vendor.word is pending (never observed)",
        "DevOps Lead said no-go",
        "site.up has changed since it was signed",
    ]
    assert "DevOps Lead said nothing" in refusals(
        polled.plan, polled.events[:4], polled.seen, polled.now, 0.0
    )


def test_a_warned_blocker_keeps_go_from_being_given_until_it_is_acknowledged(polled: Polled) -> None:
    checks = tuple(
        replace(check, severity=Severity.BLOCKER) if check.id == "cfg.maps" else check
        for check in PLAN.checks
    )
    polled.plan = replace(PLAN, checks=checks)
    polled.observe("cfg.maps", Verdict.WARNED)
    (said,) = (line for line in lacking(polled) if "cfg.maps" in line)
    assert said.startswith("cfg.maps is a blocker and warned ()")
    assert "which nobody has acknowledged: tminus acknowledge" in said
    assert said.endswith('cfg.maps --role lead --reason "…" (who could: Lena Ortiz as lead)')
    polled.acknowledge("cfg.maps")
    polled.observe("cfg.maps", Verdict.WARNED)
    assert not any("cfg.maps" in line for line in lacking(polled))
    polled.observe("cfg.maps", Verdict.WARNED, 1)
    assert any("nobody has acknowledged" in line for line in lacking(polled))
    polled.observe("cfg.maps", Verdict.WARNED)
    assert any("nobody has acknowledged" in line for line in lacking(polled)), "what is void stays void"


def test_an_acknowledgement_stands_in_what_is_signed_next_and_voids_no_signature(polled: Polled) -> None:
    polled.observe("cfg.maps", Verdict.WARNED)
    polled.sign("devops")
    polled.acknowledge("cfg.maps")
    assert polled.voided == {}
    assert polled.evidence.summary()["acknowledged"] == ["cfg.maps"]
    polled.order(Act.RESCHEDULE, new_t0=T0 + 5 * HOUR)
    assert "acknowledged" not in polled.evidence.summary()


def test_the_launch_s_course_knows_the_same_acknowledgements_and_counts_the_void_ones(polled: Polled) -> None:
    polled.observe("cfg.maps", Verdict.WARNED)
    polled.acknowledge("cfg.maps")
    polled.observe("cfg.maps", Verdict.WARNED)
    seen = {name: row["fingerprint"] for name, row in acknowledged(polled.events).items()}
    assert polled.course.acknowledged == seen != {}
    assert polled.course.voids == {}
    polled.observe("cfg.maps", Verdict.WARNED, 1)
    assert (polled.course.acknowledged, acknowledged(polled.events)) == ({}, {})
    assert polled.course.voids == {"cfg.maps": 1}
    polled.order(Act.RESCHEDULE, new_t0=T0 + 5 * HOUR)
    assert polled.course.voids == {}, "counted for each date"


def test_a_freeze_at_t_0_keeps_go_from_being_given_until_a_second_person_overrides_it(polled: Polled) -> None:
    about = {"schedule": {"t0": timestamp(T0 + 12 * HOUR), "speed": 1}, "void": {"attestations": []}}
    polled.add("launch.rescheduled", **about)
    (said,) = (line for line in lacking(polled) if "freeze" in line)
    assert said.startswith("T-0 lies in a freeze, Year end: 2027-01-15 18:00:00 UTC to ")
    assert "tminus reschedule T0" in said
    polled.add("launch.rescheduled", **about, freeze="Year end", override={"by": "Ada", "reason": "a leak"})
    assert not any("freeze" in line for line in lacking(polled))
    polled.add("clock.held", since=timestamp(polled.now), by="Lena Ortiz", reason="wait")
    polled.add("clock.resumed", t0=timestamp(T0 + 13 * HOUR), since=timestamp(polled.now))
    assert any("freeze" in line for line in lacking(polled)), "the override was for another T-0"
