"""Gates: what opens one, and what keeps it closed."""

from typing import TYPE_CHECKING

import pytest

from tminus.domain.decision import gate, standing
from tminus.domain.evidence import Claim, Freshness, Source, Verdict
from tminus.domain.plan import Severity

if TYPE_CHECKING:
    from tests.unit.launch_world import line
else:
    from launch_world import line

NOW = 1_800_000_000.0
CHECK = line("rb.images", -86400.0)


def claim(verdict: Verdict = Verdict.PASSED, *, at: float = NOW, t: float = -60.0, na: bool = False) -> Claim:
    return Claim("rb.images", verdict, "f", Source.PROBE, at, t, why="seen", not_applicable=na)


@pytest.mark.parametrize(
    ("found", "stands"),
    [
        (None, "pending"),
        (claim(), "passed"),
        (claim(Verdict.WARNED), "warned"),
        (claim(Verdict.FAILED), "failed"),
        (claim(Verdict.ERROR), "unknown"),
        (claim(Verdict.INCONCLUSIVE), "unknown"),
        (claim(na=True), "not-applicable"),
    ],
)
def test_a_line_stands_by_its_newest_claim(found: Claim | None, stands: str) -> None:
    assert standing(CHECK, found, NOW) == stands


def test_a_live_observation_grows_stale() -> None:
    check = line("a", -60.0, fresh=Freshness("live", seconds=60))
    assert standing(check, claim(at=NOW - 60), NOW) == "passed"
    assert standing(check, claim(at=NOW - 60.1), NOW) == "stale"


@pytest.mark.parametrize(
    ("t", "stands"), [(-7200.1, "stale"), (-7200, "passed"), (0, "passed"), (0.1, "stale")]
)
def test_an_event_counts_between_its_ends_alone(t: float, stands: str) -> None:
    check = line("a", -60.0, fresh=Freshness("event", earliest=-7200, latest=0))
    assert standing(check, claim(t=t), NOW) == stands


def test_what_was_bound_to_this_launch_never_grows_stale() -> None:
    assert standing(CHECK, claim(at=0.0), NOW) == "passed"


def test_a_gate_over_no_lines_never_opens() -> None:
    assert not gate([], {}, NOW).open
    advisory = line("a", -60.0, severity=Severity.ADVISORY)
    assert not gate([advisory], {}, NOW).open


@pytest.mark.parametrize("severity", [Severity.REQUIRED, Severity.BLOCKER])
@pytest.mark.parametrize("verdict", list(Verdict))
def test_only_green_opens_a_gate(verdict: Verdict, severity: Severity) -> None:
    check = line("rb.images", -60.0, severity=severity)
    result = gate([check], {"rb.images": claim(verdict)}, NOW)
    assert result.open == (verdict in {Verdict.PASSED, Verdict.WARNED})
    assert result.warned == (("rb.images",) if verdict is Verdict.WARNED else ())
    assert result.judged == 1


def test_an_obstacle_names_its_owner_and_the_reason() -> None:
    result = gate([CHECK, line("never", -60.0)], {"rb.images": claim(Verdict.FAILED)}, NOW)
    assert [(o.check, o.standing, o.owner, o.why) for o in result.obstacles] == [
        ("rb.images", "failed", "devops", "seen"),
        ("never", "pending", "devops", "never observed"),
    ]


def test_an_advisory_line_closes_nothing_and_is_not_counted() -> None:
    advisory = line("a", -60.0, severity=Severity.ADVISORY)
    result = gate([CHECK, advisory], {"rb.images": claim()}, NOW)
    assert result.open
    assert result.judged == 1
