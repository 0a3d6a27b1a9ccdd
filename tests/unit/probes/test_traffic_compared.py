"""Errors and times beside those before the launch: shown or not shown, and nothing known without both."""

from collections.abc import Sequence

import pytest

from tminus.control.readiness import _judged
from tminus.domain.evidence import Verdict
from tminus.domain.expectation import judge
from tminus.domain.plan import Check
from tminus.domain.traffic import Outcome, Side
from tminus.errors import InconclusiveError
from tminus.planfile import load
from tminus.probes import traffic

NOW = 10_000.0


def users(side: Side, until: float, requests: int, *, failed: int = 0, ms: float = 20.0) -> list[Outcome]:
    """One request each 20 ms, the newest at `until`; the failed ones lie between the others."""
    every = requests // failed if failed else 0
    return [
        Outcome(
            until - n * 0.02, side, 500 if every and n % every == 0 and n // every < failed else 200, ms, "u"
        )
        for n in range(requests)
    ]


def system(*outcomes: Sequence[Outcome]) -> traffic.System:
    async def reach() -> None:
        return None

    return traffic.System(lambda: [one for part in outcomes for one in part], lambda: NOW, reach)


BEFORE = users(Side.BLUE, NOW - 40, 1500)
ERRORS = {"seconds": 15, "requests": 500, "baseline_seconds": 60}


async def test_errors_that_the_counts_show_to_be_more_than_before_are_worse() -> None:
    seen = await traffic.errors.run(system(BEFORE, users(Side.GREEN, NOW, 700, failed=14)), **ERRORS)
    assert seen.value == pytest.approx(0.02)
    assert "14 of 700 requests failed, before the launch 0 of 1500: more than 0." in seen.worse
    assert seen.seen["before"] == "0 of 1500"


async def test_one_failure_more_than_before_shows_nothing() -> None:
    seen = await traffic.errors.run(system(BEFORE, users(Side.GREEN, NOW, 700, failed=1)), **ERRORS)
    assert seen.worse == ""
    assert seen.seen["p"] == pytest.approx(1.0, abs=0.2)


async def test_what_was_as_bad_before_is_not_worse() -> None:
    before = users(Side.BLUE, NOW - 40, 1500, failed=45)
    seen = await traffic.errors.run(system(before, users(Side.GREEN, NOW, 700, failed=21)), **ERRORS)
    assert seen.value == pytest.approx(0.03), "which the plan's own limit judges"
    assert seen.worse == ""


async def test_the_negative_control_is_worse_too() -> None:
    seen = await traffic.errors.run(system(BEFORE, users(Side.GREEN, NOW, 700)), **ERRORS, spoil=0.05)
    assert "35 of 700 requests failed" in seen.worse


async def test_times_above_those_before_are_worse_and_a_margin_is_tolerated() -> None:
    both = system(BEFORE, users(Side.GREEN, NOW, 700, ms=40.0))
    seen = await traffic.p95.run(both, **ERRORS)
    assert "700 of 700 requests took longer than 22 ms" in seen.worse
    assert "before the launch the 95th percentile was 20 ms" in seen.worse
    assert (await traffic.p95.run(both, **ERRORS, margin_ms=100.0)).worse == ""
    assert (await traffic.p95.run(both, **ERRORS, margin_ms=100.0, slower_ms=1000.0)).worse


async def test_without_a_time_before_nothing_is_known() -> None:
    green = users(Side.GREEN, NOW, 700)
    for probe in (traffic.errors, traffic.p95):
        with pytest.raises(
            InconclusiveError, match="0 requests in the 60 s before green's first are too few"
        ):
            await probe.run(system(green), **ERRORS)
        with pytest.raises(InconclusiveError, match="120 requests in the 60 s"):
            await probe.run(system(users(Side.BLUE, NOW - 40, 120), green), **ERRORS)
        with pytest.raises(InconclusiveError, match="green has answered no request"):
            await probe.run(system(users(Side.BLUE, NOW, 700)), **ERRORS)


async def test_a_plan_that_asks_for_no_comparison_gets_none() -> None:
    green = users(Side.GREEN, NOW, 700, failed=7)
    seen = await traffic.errors.run(system(green), seconds=15, requests=500)
    assert seen.value == pytest.approx(0.01)
    assert seen.worse == ""


def line(check: str) -> Check:
    return load("production").checked().check(check)


@pytest.mark.parametrize("check", ["t4p.err", "t4p.perf"])
async def test_the_built_in_lines_fail_by_what_is_worse_though_their_own_limit_holds(check: str) -> None:
    found = line(check)
    assert found.arguments is not None
    assert found.expect is not None
    asked = {**found.arguments, "seconds": 15}
    probe = traffic.errors if check == "t4p.err" else traffic.p95
    green = users(Side.GREEN, NOW, 700, failed=6 if check == "t4p.err" else 0, ms=40.0)
    seen = await probe.run(system(users(Side.BLUE, NOW - 40, 90_000), green), **asked)
    verdict = judge(seen.value, found.expect, found.warn)
    assert verdict in {Verdict.PASSED, Verdict.WARNED}
    finding = _judged(found, seen, verdict)
    assert finding.verdict is Verdict.FAILED
    assert "before the launch" in finding.why
    assert finding.why.endswith(found.hint)
