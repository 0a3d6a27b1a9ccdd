"""Whether T-0 can hold, and the earliest that could."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.courses import FREEZE, HOUR, PLAN, T0, Launched, claim
else:
    from courses import FREEZE, HOUR, PLAN, T0, Launched, claim

from tminus.domain.evidence import Claim, Verdict
from tminus.domain.forecast import LOOK, REPAIR, WORD, Forecast, forecast
from tminus.domain.freezes import Freeze, Span, Weekly
from tminus.domain.orders import Act


def green(at: float) -> dict[str, Claim]:
    t = {"vendor.word": -3 * HOUR}
    names = ("site.up", "cfg.maps", "team.ready", "vendor.word")
    return {name: claim(name, at, t=t.get(name, 0.0)) for name in names}


def seen(launch: Launched, claims: dict[str, Claim]) -> Forecast:
    found = forecast(launch.plan, launch.course, claims, launch.now)
    assert found is not None
    return found


def test_with_every_line_green_and_time_to_sign_t0_holds() -> None:
    launch = Launched(now=T0 - WORD)
    found = seen(launch, green(launch.now))

    assert (found.behind, found.t0, found.earliest, found.holds) == ((), T0, T0, True)
    assert "attests a line in 5 min and mends a failed or unknown one in 30 min" in found.assumes[0]


def test_without_time_to_sign_it_does_not_and_signed_it_does() -> None:
    launch = Launched(now=T0 - WORD + 1)
    assert seen(launch, green(launch.now)).earliest == T0 + 1
    launch.add("poll.opened")
    launch.add("signoff.given", role="devops", decision="go")

    assert seen(launch, green(launch.now)).holds


def test_milestones_that_are_behind_are_named_with_their_lines_and_how_long_ago_they_were() -> None:
    launch = Launched(now=T0 - HOUR)
    claims = green(launch.now)
    del claims["team.ready"]
    claims["site.up"] = claim("site.up", launch.now, Verdict.FAILED)
    found = seen(launch, claims)

    assert [(one.name, one.seconds, one.checks) for one in found.behind] == [
        ("T-04:00:00", 3 * HOUR, ("team.ready",)),
        ("T-02:00:00", HOUR, ("site.up",)),
    ]
    assert found.holds


def test_one_owner_mends_one_line_after_another() -> None:
    launch = Launched(now=T0 - 600)
    claims = green(launch.now)
    for name in ("site.up", "cfg.maps"):
        claims[name] = claim(name, launch.now, Verdict.ERROR)
    del claims["team.ready"]

    assert seen(launch, claims).earliest == launch.now + 2 * REPAIR + WORD


def test_a_line_that_only_has_to_be_looked_at_takes_a_look() -> None:
    launch = Launched(now=T0)
    claims = green(launch.now)
    del claims["site.up"]

    assert seen(launch, claims).earliest == T0 + LOOK + WORD


def test_an_act_that_missed_its_window_needs_a_later_t0() -> None:
    launch = Launched(now=T0 - HOUR)
    claims = green(launch.now)
    del claims["vendor.word"]

    assert seen(launch, claims).earliest == launch.now + WORD + 2 * HOUR


def test_a_hold_that_goes_on_moves_t0_along() -> None:
    launch = Launched(now=T0 - 2 * HOUR)
    launch.order(Act.HOLD)
    launch.now += HOUR
    found = seen(launch, green(launch.now))

    assert (found.t0, found.holds) == (T0 + HOUR, True)


def test_the_earliest_t0_lies_in_no_freeze() -> None:
    launch = Launched(now=T0)
    claims = green(launch.now)
    launch.plan = replace(PLAN, freezes=(FREEZE, Freeze("now", Span(T0, T0 + 2 * HOUR))))
    assert seen(launch, claims).earliest == T0 + 2 * HOUR
    launch.plan = replace(
        PLAN,
        freezes=(Freeze("a", Weekly(0.0, 86400.0, "UTC")), Freeze("b", Weekly(86400.0, 0.0, "UTC"))),
    )

    assert seen(launch, claims).earliest is None
    assert not seen(launch, claims).holds


@pytest.mark.parametrize("phase", ["go", "soaking"])
def test_after_go_there_is_nothing_to_forecast(phase: str) -> None:
    launch = Launched(now=T0).up_to(phase)

    assert forecast(PLAN, launch.course, {}, launch.now) is None
