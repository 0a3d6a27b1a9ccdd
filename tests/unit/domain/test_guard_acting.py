"""In a rehearsal one rule acts and the others are noted; in a launch all of them act."""

from tminus.domain.guard import Action, Guard, GuardLimits
from tminus.domain.traffic import Outcome, Side, WeightChange

LIMITS = GuardLimits()


def fed(guard: Guard, seconds: int) -> Guard:
    """Ten requests a second on each side; every fifth of green's fails."""
    guard.observe(WeightChange(0.0, 50))
    for second in range(seconds):
        for number in range(10):
            at = second + number / 10
            guard.observe(Outcome(at, Side.BLUE, 200, 20.0, f"b{number}"))
            guard.observe(Outcome(at, Side.GREEN, 500 if number % 5 == 0 else 200, 20.0, f"g{number}"))
    return guard


def test_without_a_word_every_rule_acts_and_the_first_decides() -> None:
    guard = fed(Guard(LIMITS), 400)
    decision = guard.judge(400.0)
    first = min(guard.fired.values(), key=lambda one: (one.action is not Action.ROLLBACK, one.at or 0.0))
    assert (decision.action, decision.rule) == (Action.ROLLBACK, first.rule)
    assert "trigger.errors" in guard.fired, "what came later is noted too"


def test_a_rule_that_does_not_act_decides_nothing_and_is_noted_with_its_time() -> None:
    guard = fed(Guard(LIMITS, acting={"trigger.errors"}), 200)
    assert guard.judge(200.0).action is Action.CONTINUE
    assert {"a1", "a2", "hold.errors"} <= set(guard.fired)
    assert all(one.at is not None and one.at < 60 for one in guard.fired.values())


def test_the_rule_that_acts_decides_when_its_own_time_has_come() -> None:
    decision = fed(Guard(LIMITS, acting={"trigger.errors"}), 400).judge(400.0)
    assert (decision.action, decision.rule) == (Action.ROLLBACK, "trigger.errors")
    assert decision.at is not None
    assert 300 <= decision.at < 330


def test_where_nothing_acts_a_dead_green_is_noted_alone() -> None:
    guard = fed(Guard(LIMITS, acting=()), 5)
    guard.green_died(5.0, "died")
    assert guard.alarm is None
    assert guard.fired["green.died"].action is Action.ROLLBACK
