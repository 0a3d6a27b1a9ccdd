"""The checklist's triggers: what held for minutes, what was not seen, and the ladder of thresholds."""

import pytest

from tminus.domain.traffic import Outcome, Side
from tminus.domain.trigger import (
    TRIGGERS,
    Action,
    Backstop,
    HoldTimer,
    TriggerState,
)
from tminus.errors import UsageError

BY_ID = {trigger.id: trigger for trigger in TRIGGERS}


def held_for(seconds: int) -> bool:
    """Whether an error-rate condition that is seen to hold this long fires."""
    timer = HoldTimer(BY_ID["trig.errors"])
    fired = [timer.observe(float(second), breached=True) for second in range(seconds + 1)]
    fired.append(timer.observe(seconds + 1.0, breached=False))
    return any(fired)


def test_a_condition_held_for_one_second_less_than_five_minutes_does_not_fire() -> None:
    assert not held_for(4 * 60 + 59)


def test_a_condition_held_for_five_minutes_and_a_second_fires_once() -> None:
    assert held_for(5 * 60 + 1)
    timer = HoldTimer(BY_ID["trig.errors"])
    assert sum(timer.observe(float(second), breached=True) for second in range(900)) == 1
    assert timer.fired_at == 300
    assert timer.state(10_000) is TriggerState.FIRED


@pytest.mark.parametrize("interruption", [{"breached": False}, {"breached": None}])
def test_a_break_or_an_unseen_second_starts_the_timer_anew(interruption: dict[str, bool | None]) -> None:
    timer = HoldTimer(BY_ID["trig.errors"])
    for second in range(299):
        assert not timer.observe(float(second), breached=True)
    assert not timer.observe(299, **interruption)
    assert not any(timer.observe(float(second), breached=True) for second in range(300, 600))
    assert timer.observe(600, breached=True)


def test_time_between_two_observations_too_far_apart_is_not_proven() -> None:
    timer = HoldTimer(BY_ID["trig.unavailable"])
    assert not timer.observe(0, breached=True)
    assert not timer.observe(400, breached=True)
    assert timer.breached_seconds() == 0


def seconds_of_green(
    backstop: Backstop, start: int, seconds: int, answers: list[tuple[int, float]]
) -> list[str]:
    """Serve the same answers on green in each second; what fires."""
    fired = []
    for second in range(start, start + seconds):
        for status, ms in answers:
            outcome = Outcome(second + 0.5, Side.GREEN, status, ms)
            backstop.observe(outcome, failed=outcome.failed)
        fired += [trigger.id for trigger in backstop.tick(second + 1.0)]
    return fired


FINE = [(200, 50.0)] * 10
SIX_PERCENT = [(500, 50.0)] * 6 + [(200, 50.0)] * 94


def test_errors_above_the_limit_fire_after_five_minutes_and_not_before() -> None:
    backstop = Backstop(TRIGGERS)
    # The first evaluation is at second 1, so the condition has held five minutes at second 301.
    assert seconds_of_green(backstop, 0, 300, SIX_PERCENT) == []
    assert seconds_of_green(backstop, 300, 1, SIX_PERCENT) == ["trig.errors"]


def test_errors_at_the_limit_do_not_breach() -> None:
    backstop = Backstop(TRIGGERS)
    assert seconds_of_green(backstop, 0, 400, [(500, 50.0)] * 5 + [(200, 50.0)] * 95) == []
    assert backstop.gauges(400.0)[0].state is TriggerState.CLEAR


def test_a_p95_at_the_limit_does_not_breach_and_above_it_does() -> None:
    at_limit, above = Backstop(TRIGGERS), Backstop(TRIGGERS)
    assert seconds_of_green(at_limit, 0, 400, [(200, 2000.0)] * 10) == []
    assert seconds_of_green(above, 0, 301, [(200, 2000.5)] * 50) == ["trig.latency"]


def test_exactly_five_percent_of_slow_requests_leave_the_p95_at_the_limit() -> None:
    assert seconds_of_green(Backstop(TRIGGERS), 0, 400, [(200, 9000.0)] + [(200, 50.0)] * 19) == []


def test_fewer_than_fifty_requests_in_the_window_are_no_evaluation() -> None:
    backstop = Backstop(TRIGGERS)
    for start in range(0, 600, 2):
        assert seconds_of_green(backstop, start, 1, [(500, 50.0)]) == []
        assert seconds_of_green(backstop, start + 1, 1, []) == []
    assert backstop.gauges(600)[0].state is TriggerState.NOT_OBSERVED


def test_silence_starts_the_timer_anew() -> None:
    backstop = Backstop(TRIGGERS)
    assert seconds_of_green(backstop, 0, 290, SIX_PERCENT) == []
    assert seconds_of_green(backstop, 290, 12, []) == []
    assert seconds_of_green(backstop, 302, 300, SIX_PERCENT) == []
    assert seconds_of_green(backstop, 602, 1, SIX_PERCENT) == ["trig.errors"]


def test_a_second_without_requests_does_not_start_the_timer_anew() -> None:
    backstop = Backstop(TRIGGERS)
    assert seconds_of_green(backstop, 0, 200, SIX_PERCENT) == []
    assert seconds_of_green(backstop, 200, 1, []) == []
    assert seconds_of_green(backstop, 201, 100, SIX_PERCENT) == ["trig.errors"]


def test_the_gauge_says_how_long_and_how_much_was_seen() -> None:
    backstop = Backstop(TRIGGERS)
    seconds_of_green(backstop, 0, 30, SIX_PERCENT)
    gauge = backstop.gauges(30)[0]
    assert gauge.trigger.id == "trig.errors"
    assert gauge.state is TriggerState.BREACHED
    assert gauge.breached_seconds == 29
    assert gauge.seen == 0.5


def test_old_requests_leave_the_window() -> None:
    backstop = Backstop(TRIGGERS)
    seconds_of_green(backstop, 0, 60, SIX_PERCENT)
    seconds_of_green(backstop, 60, 60, FINE)
    assert backstop.gauges(120)[0].state is TriggerState.CLEAR


def test_the_service_is_unavailable_when_every_probe_of_five_minutes_failed() -> None:
    backstop = Backstop(TRIGGERS)
    fired = [backstop.report("trig.unavailable", float(at), breached=True) for at in range(0, 301, 10)]
    assert fired[:-1] == [None] * 30
    assert fired[-1] is BY_ID["trig.unavailable"]


def test_one_answer_in_between_is_not_unavailable() -> None:
    backstop = Backstop(TRIGGERS)
    for at in range(0, 600, 10):
        assert backstop.report("trig.unavailable", float(at), breached=at not in {200, 450}) is None


def test_corruption_needs_two_findings_in_a_row() -> None:
    backstop = Backstop(TRIGGERS)
    assert backstop.report("trig.corruption", 0, breached=True) is None
    assert backstop.report("trig.corruption", 60, breached=False) is None
    assert backstop.report("trig.corruption", 120, breached=True) is None
    assert backstop.report("trig.corruption", 180, breached=True) is BY_ID["trig.corruption"]


def test_a_trigger_without_a_source_is_not_observed() -> None:
    states = {gauge.trigger.id: gauge.state for gauge in Backstop(TRIGGERS).gauges(0)}
    assert set(states) == {
        "trig.errors",
        "trig.latency",
        "trig.vulnerability",
        "trig.corruption",
        "trig.unavailable",
    }
    assert set(states.values()) == {TriggerState.NOT_OBSERVED}
    assert all(trigger.source for trigger in TRIGGERS)


def test_a_source_that_has_gone_quiet_is_not_observed() -> None:
    backstop = Backstop(TRIGGERS)
    backstop.report("trig.unavailable", 0, breached=False)
    assert backstop.gauges(10)[4].state is TriggerState.CLEAR
    assert backstop.gauges(60)[4].state is TriggerState.NOT_OBSERVED


def test_a_vulnerability_holds_for_a_person_to_decide() -> None:
    backstop = Backstop(TRIGGERS)
    fired = backstop.report("trig.vulnerability", 0, breached=True)
    assert fired is not None
    assert (fired.rule, fired.action) == ("trigger.vulnerability", Action.HOLD)
    assert backstop.report("trig.vulnerability", 1, breached=True) is None
    backstop.resume()
    assert backstop.report("trig.vulnerability", 2, breached=True) is fired


def test_an_unknown_trigger_is_an_error() -> None:
    with pytest.raises(UsageError, match=r"trig\.typo"):
        Backstop(TRIGGERS).report("trig.typo", 0, breached=True)


def test_a_plan_without_the_rate_triggers_evaluates_none() -> None:
    assert seconds_of_green(Backstop(TRIGGERS[2:]), 0, 400, SIX_PERCENT) == []
