"""Whether a warned blocker waits to be acknowledged, by whom it could be, and by which command."""

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.unit.courses import HOUR, PLAN, T0, claim, line
else:
    from courses import HOUR, PLAN, T0, claim, line

from tminus.domain.acknowledging import awaited, is_awaited
from tminus.domain.evidence import Freshness, Verdict
from tminus.domain.plan import Kind, Role, Severity

BLOCKER = line("bk.db", Kind.PROBE, -2 * HOUR, severity=Severity.BLOCKER, fresh=Freshness("live", 300.0))
WARNED = claim("bk.db", T0, Verdict.WARNED)
SEEN = WARNED.fingerprint


def test_a_blocker_that_is_warned_waits_until_just_this_was_acknowledged() -> None:
    assert is_awaited(BLOCKER, WARNED, None, T0)
    assert is_awaited(BLOCKER, WARNED, "0" * 64, T0)
    assert not is_awaited(BLOCKER, WARNED, SEEN, T0)


def test_nothing_else_waits() -> None:
    assert not is_awaited(BLOCKER, None, None, T0)
    assert not is_awaited(BLOCKER, claim("bk.db", T0), None, T0)
    assert not is_awaited(BLOCKER, WARNED, None, T0 + 301), "what is stale has to be seen again first"
    assert not is_awaited(replace(BLOCKER, severity=Severity.REQUIRED), WARNED, None, T0)
    assert not is_awaited(replace(BLOCKER, due=HOUR), WARNED, None, T0)


def test_who_signs_or_decides_and_does_not_own_the_line_could_give_it() -> None:
    need = awaited("prod-1", PLAN, BLOCKER)
    assert (need.who, need.command) == (
        "Lena Ortiz as lead",
        'tminus acknowledge prod-1 bk.db --role lead --reason "…"',
    )
    cto = Role("cto", "CTO", "Chiyo Tanaka", simulated=True, signs=True)
    need = awaited("prod-1", replace(PLAN, roles=(*PLAN.roles, cto)), BLOCKER)
    assert need.who == "Lena Ortiz as lead or Chiyo Tanaka (simulated) as cto"
    assert "--role … " in need.command


def test_where_nobody_could_the_plan_lacks_a_role() -> None:
    own = replace(PLAN, roles=PLAN.roles[1:])
    assert awaited("prod-1", own, BLOCKER).who == "nobody of this plan: one more role has to sign or decide"
