"""What the guard decides, when, and what it says."""

import dataclasses
import math
import random
from collections.abc import Iterator

import pytest

from tminus.domain.acceptance import Acceptance
from tminus.domain.guard import Action, Decision, Guard, GuardLimits, Tally
from tminus.domain.judgement import Counts
from tminus.domain.traffic import Outcome, Side, WeightChange
from tminus.domain.trigger import TriggerState
from tminus.errors import PlanError

LIMITS = GuardLimits()
Item = Outcome | WeightChange


@dataclasses.dataclass(frozen=True)
class Traffic:
    """Synthetic users at 50 requests a second."""

    weight: int = 10
    blue: float = 0.001
    green: float = 0.001
    slow: float = 0.0
    blue_slow: float = 0.0
    fault_at: float = 0.0
    start: float = 0.0
    client: str = ""

    def items(self, seconds: float, seed: int = 1) -> Iterator[Item]:
        rng = random.Random(seed)
        yield WeightChange(self.start, self.weight)
        for index in range(int(seconds * 50)):
            at = self.start + index / 50
            green = rng.random() * 100 < self.weight
            broken = green and at >= self.fault_at
            failed = rng.random() < (self.green if broken else self.blue)
            ms = 50 + (3000 if rng.random() < (self.slow if broken else self.blue_slow) else 0)
            side = Side.GREEN if green else Side.BLUE
            yield Outcome(at, side, 500 if failed else 200, ms, self.client)


def decide(guard: Guard, items: Iterator[Item]) -> Decision:
    """Feed until the guard rolls back; else what it says at the end."""
    at = 0.0
    for item in items:
        guard.observe(item)
        at = item.at
        if guard.alarm and guard.alarm.action is Action.ROLLBACK:
            return guard.judge(at)
    return guard.judge(at)


def served(guard: Guard, start: float, seconds: int, per_second: dict[Side, list[int]]) -> None:
    """Give each side these statuses in every second."""
    for second in range(seconds):
        for side, statuses in per_second.items():
            for index, status in enumerate(statuses):
                guard.observe(Outcome(start + second + index / 1000, side, status, 50))


def test_a_healthy_release_continues() -> None:
    guard = Guard(LIMITS)
    decision = decide(guard, Traffic().items(300))
    assert decision.action is Action.CONTINUE
    assert (decision.at, decision.rule) == (None, None)
    assert decision.counts.blue.requests + decision.counts.green.requests == 15_000
    assert decision.evidence < decision.threshold
    assert guard.alarm is None


def test_false_alarms_stay_below_their_promise_at_the_limit_of_health() -> None:
    """Green is as bad as it may be by every claim; each rule may err in 2 of 100 launches, 8 at most in all."""
    limits = GuardLimits(
        alpha=0.08, split=dict.fromkeys(("a1", "a2", "b1", "b2"), 1 / 4), triggers=(), baseline_requests=100
    )
    traffic = Traffic(weight=50, blue=0.05 / 1.5, green=0.05, slow=0.05, blue_slow=0.05 / 1.5)
    alarms = sum(
        decide(Guard(limits), traffic.items(20, seed)).action is Action.ROLLBACK for seed in range(100)
    )
    assert alarms <= 8


def test_a_failing_release_is_rolled_back_within_seconds() -> None:
    times = []
    for seed in range(30):
        decision = decide(Guard(LIMITS), Traffic(green=0.2).items(60, seed))
        assert decision.action is Action.ROLLBACK
        assert decision.rule in {"a1", "a2"}
        assert decision.evidence >= decision.threshold
        times.append(decision.at or 0)
    assert 3 < sum(times) / len(times) < 7


def test_a_fault_after_a_healthy_minute_is_seen_as_well() -> None:
    times = [decide(Guard(LIMITS), Traffic(green=0.2, fault_at=60).items(120, s)).at or 0 for s in range(8)]
    assert 62 < sum(times) / len(times) < 73


def test_a_slow_release_is_rolled_back_by_latency() -> None:
    decision = decide(Guard(LIMITS), Traffic(slow=0.3).items(60))
    assert (decision.action, decision.rule) == (Action.ROLLBACK, "b1")
    assert decision.counts.green.slow >= 3
    assert (decision.at or 99) < 15


def usual(seed: int, factor: float, seconds: int, start: float = 0.0) -> Iterator[Item]:
    """Users of a service whose answers take 100 ms in the median, and this much longer on green."""
    rng = random.Random(seed)
    yield WeightChange(start, 10)
    for index in range(seconds * 50):
        green = rng.random() < 0.1
        ms = 100 * math.exp(rng.gauss(0, 0.5)) * (factor if green else 1)
        yield Outcome(
            start + index / 50, Side.GREEN if green else Side.BLUE, 200, ms, f"user-{rng.randint(1, 400)}"
        )


def test_a_green_twice_as_slow_as_blue_is_rolled_back_far_below_the_limit() -> None:
    guard = Guard(LIMITS)
    before = decide(guard, usual(1, 1, 60))
    assert before.action is Action.CONTINUE
    decision = decide(guard, usual(2, 2, 60, start=60))
    assert (decision.action, decision.rule) == (Action.ROLLBACK, "b2")
    assert (decision.at or 999) < 85
    assert decision.counts.green.slow == 0
    assert "green is slow more than 1.5 times as often as blue (over " in decision.text
    assert " of blue: green " in decision.text
    gauge = guard.gauges(120).tests[3]
    assert gauge.evidence >= gauge.threshold
    assert gauge.hits > 0


def test_until_blue_is_known_nothing_is_slower_than_blue() -> None:
    guard = Guard(LIMITS)
    decision = decide(guard, usual(2, 3, 15))
    assert (decision.action, guard.gauges(15).tests[3].evidence) == (Action.CONTINUE, 1.0)
    assert "is being learned: " in guard.gauges(15).tests[3].claim


def test_a_baseline_from_before_the_launch_spares_the_learning() -> None:
    before = [item.ms for item in usual(1, 1, 60) if isinstance(item, Outcome) and item.side is Side.BLUE]
    decision = decide(Guard(LIMITS, before), usual(2, 3, 18))
    assert (decision.action, decision.rule) == (Action.ROLLBACK, "b2")


def test_equal_sides_are_not_accused_of_slowness() -> None:
    alarms = [decide(Guard(LIMITS), usual(seed, 1, 120)).action for seed in range(10)]
    assert set(alarms) == {Action.CONTINUE}


def test_errors_in_bursts_are_told_beside_the_evidence() -> None:
    guard = Guard(LIMITS)
    guard.observe(WeightChange(0, 10))
    for second in range(100):
        blue = [500] * 12 + [200] * 33 if second % 10 == 0 else [200] * 45
        served(guard, second, 1, {Side.GREEN: [200] * 4 + [500] * (second > 97), Side.BLUE: blue})
    decision = guard.judge(101)
    assert (guard.counts.overdispersion or 0) > 5
    assert "blue's errors come in bursts (overdispersion " in guard.counts.bursts
    assert guard.counts.bursts in decision.text or decision.rule is None


def test_a_request_exactly_at_the_latency_limit_is_not_slow() -> None:
    guard = Guard(LIMITS)
    for index in range(500):
        guard.observe(Outcome(index / 50, Side.GREEN, 200, 2000.0))
    assert guard.counts.green == Tally(500, 0, 0)


def test_errors_on_both_sides_alike_are_not_the_release() -> None:
    """One percent everywhere: a1's limit is 5 %, a2 sees no difference."""
    decision = decide(Guard(LIMITS), Traffic(blue=0.01, green=0.01).items(300))
    assert decision.action is not Action.ROLLBACK


def test_evidence_between_one_and_five_percent_holds_and_does_not_roll_back() -> None:
    guard = Guard(LIMITS)
    decision = decide(guard, Traffic(blue=0.03, green=0.03).items(400))
    assert (decision.action, decision.rule) == (Action.HOLD, "hold.errors")
    assert decision.evidence >= decision.threshold == pytest.approx(1000)
    assert guard.judge(10_000).rule == "hold.errors"


def test_a_hold_on_evidence_ends_when_a_person_resumes_and_begins_anew() -> None:
    guard = Guard(LIMITS)
    decide(guard, Traffic(blue=0.03, green=0.03).items(400))
    guard.resume()
    assert guard.judge(400).action is Action.CONTINUE
    assert guard.gauges(400).tests[4].requests == 0
    again = decide(guard, Traffic(blue=0.03, green=0.03, start=400).items(400))
    assert (again.action, again.rule) == (Action.HOLD, "hold.errors")


def test_a_rollback_is_final() -> None:
    guard = Guard(LIMITS)
    first = decide(guard, Traffic(green=0.5).items(60))
    for item in Traffic(start=60).items(60):
        guard.observe(item)
    guard.resume()
    guard.green_died(100, "died")
    assert guard.judge(200) == first


def test_a_rollback_overrules_a_hold() -> None:
    guard = Guard(LIMITS)
    decide(guard, Traffic(blue=0.03, green=0.03).items(400))
    guard.green_died(401, "was ejected by the proxy")
    decision = guard.judge(402)
    assert (decision.action, decision.rule, decision.at) == (Action.ROLLBACK, "green.died", 401)
    assert "was ejected by the proxy" in decision.text


def test_the_first_crossing_keeps_its_time_and_its_exact_counts() -> None:
    guard = Guard(LIMITS)
    guard.observe(WeightChange(0, 100))
    for index in range(40):
        guard.observe(Outcome(index / 10, Side.GREEN, 503, 10))
    decision = guard.judge(100)
    assert decision.rule == "a1"
    # Two failures are evidence of 20 * 20 at most, three of 8,000 at most: less than the average needs.
    assert decision.counts.green == Tally(4, 4, 0)
    assert decision.at == pytest.approx(0.3)


def test_at_full_weight_blue_is_no_comparison() -> None:
    guard = Guard(LIMITS)
    guard.observe(WeightChange(0, 100))
    served(guard, 0, 60, {Side.GREEN: [200] * 45 + [500], Side.BLUE: [200] * 5})
    assert guard.gauges(60).tests[1].evidence == pytest.approx(1)


def test_weights_may_change_without_a_restart() -> None:
    guard = Guard(LIMITS)
    for start, weight in ((0, 1), (20, 5), (40, 25), (60, 50)):
        decision = decide(guard, Traffic(weight=weight, start=start).items(20))
        assert decision.action is Action.CONTINUE
    assert guard.gauges(80).tests[1].evidence < 100
    decision = decide(guard, Traffic(weight=50, green=0.2, start=80).items(20))
    assert decision.rule == "a2"
    assert (decision.at or 0) < 90


def test_one_client_with_one_problem_does_not_condemn_the_release() -> None:
    """One client's request fails on green again and again within two seconds."""
    storm = [500] * 10
    alone, many = Guard(LIMITS), Guard(LIMITS)
    for guard, client in ((alone, "one"), (many, "")):
        guard.observe(WeightChange(0, 50))
        for second in range(3):
            for index, status in enumerate([200] * 90 + storm):
                at = second + index / 100
                guard.observe(Outcome(at, Side.BLUE, 200, 50))
                guard.observe(Outcome(at, Side.GREEN, status, 50, client if status == 500 else ""))
    assert many.judge(3).rule == "a2"
    assert alone.judge(3).action is not Action.ROLLBACK


def test_lines_out_of_order_do_not_change_the_decision() -> None:
    ordered = list(Traffic(green=0.2).items(60, seed=3))
    rng = random.Random(5)
    shuffled = [ordered[0], *sorted(ordered[1:], key=lambda item: item.at + rng.uniform(0, 3))]
    assert shuffled != ordered
    in_order, out_of_order = decide(Guard(LIMITS), iter(ordered)), decide(Guard(LIMITS), iter(shuffled))
    assert in_order.action is out_of_order.action is Action.ROLLBACK
    assert abs((in_order.at or 0) - (out_of_order.at or 0)) < 4


def test_late_lines_of_a_healthy_release_harm_nobody() -> None:
    rng = random.Random(5)
    items = sorted(Traffic().items(120), key=lambda item: item.at + rng.uniform(0, 5))
    decision = decide(Guard(LIMITS), iter(items))
    assert decision.action is Action.CONTINUE
    assert decision.counts.blue.requests + decision.counts.green.requests == 6000


def test_nothing_seen_at_all_is_a_hold() -> None:
    decision = Guard(LIMITS).judge(1_700_000_000.0)
    assert (decision.action, decision.rule, decision.at) == (Action.HOLD, "hold.blind", None)
    assert "no request has been seen" in decision.text


def test_lost_lines_hold_and_the_hold_ends_by_itself() -> None:
    guard = Guard(LIMITS)
    decide(guard, Traffic().items(20))
    blind = guard.judge(20, lost=2, received=998)
    assert (blind.action, blind.rule, blind.at) == (Action.HOLD, "hold.blind", 20)
    assert blind.evidence == pytest.approx(0.002)
    assert "2 of 1,000 log lines were lost" in blind.text
    assert guard.judge(20, lost=1, received=999).action is Action.CONTINUE
    assert guard.judge(20, lost=2).rule == "hold.blind"


def test_all_lines_lost_is_a_hold() -> None:
    guard = Guard(LIMITS)
    decide(guard, Traffic().items(20))
    assert guard.judge(20, lost=5, received=0).evidence == 1


@pytest.mark.parametrize(("silent", "speaking"), [(Side.GREEN, Side.BLUE), (Side.BLUE, Side.GREEN)])
def test_ten_seconds_without_traffic_on_a_side_hold_until_it_is_back(silent: Side, speaking: Side) -> None:
    guard = Guard(LIMITS)
    guard.observe(WeightChange(0, 10))
    served(guard, 0, 5, {Side.GREEN: [200] * 5, Side.BLUE: [200] * 45})
    served(guard, 5, 10, {speaking: [200] * 20})
    assert guard.judge(14.0).action is Action.CONTINUE
    decision = guard.judge(14.5)
    assert (decision.action, decision.rule) == (Action.HOLD, "hold.no-traffic")
    assert decision.at == pytest.approx(14, abs=0.1)
    assert f"no request on {silent.value}" in decision.text
    served(guard, 15, 1, {silent: [200]})
    assert guard.judge(16).action is Action.CONTINUE


@pytest.mark.parametrize(("weight", "speaking"), [(0, Side.BLUE), (100, Side.GREEN)])
def test_a_side_without_weight_may_be_silent(weight: int, speaking: Side) -> None:
    guard = Guard(LIMITS)
    guard.observe(WeightChange(0, weight))
    served(guard, 0, 60, {speaking: [200] * 20})
    assert guard.judge(60).action is Action.CONTINUE


def test_the_wait_for_traffic_begins_when_the_weight_changes() -> None:
    guard = Guard(LIMITS)
    guard.observe(WeightChange(0, 0))
    served(guard, 0, 30, {Side.BLUE: [200] * 20})
    guard.observe(WeightChange(30, 1))
    served(guard, 30, 8, {Side.BLUE: [200] * 20})
    guard.observe(WeightChange(38, 1))
    assert guard.judge(39.9).action is Action.CONTINUE
    assert guard.judge(40).rule == "hold.no-traffic"


def test_without_a_known_weight_a_side_that_was_heard_must_go_on() -> None:
    guard = Guard(LIMITS)
    served(guard, 0, 3, {Side.BLUE: [200] * 20})
    assert guard.judge(3).action is Action.CONTINUE
    assert guard.judge(20).rule == "hold.no-traffic"


def test_no_data_never_rolls_back() -> None:
    guard = Guard(LIMITS)
    decide(guard, Traffic().items(10))
    for now in range(10, 10_000, 7):
        guard.judge(float(now), lost=100, received=0)
    assert guard.alarm is None


def patient() -> GuardLimits:
    """Limits whose sequential tests stay quiet below half of all requests, to see the backstop alone."""
    return GuardLimits(error_rollback=0.5, error_hold=0.4, slow_share=0.5, r0=1e6)


def test_the_backstop_rolls_back_after_five_minutes_of_errors() -> None:
    guard = Guard(patient())
    guard.observe(WeightChange(0, 50))
    served(guard, 0, 301, {Side.GREEN: [500] * 6 + [200] * 54, Side.BLUE: [200] * 20})
    assert guard.judge(301.5).action is Action.CONTINUE
    assert guard.judge(302).rule == "trigger.errors"
    decision = guard.judge(303)
    assert (decision.action, decision.at) == (Action.ROLLBACK, 301)
    assert (decision.evidence, decision.threshold) == (300, 300)


def test_the_backstop_leaves_a_breach_alone_that_ended_in_time() -> None:
    guard = Guard(patient())
    guard.observe(WeightChange(0, 100))
    # Six failures in a hundred: seven healthy seconds of sixty bring the window below five in a hundred.
    served(guard, 0, 286, {Side.GREEN: [500] * 6 + [200] * 94})
    served(guard, 286, 200, {Side.GREEN: [200] * 100})
    assert guard.judge(486).action is Action.CONTINUE


def test_requests_from_before_a_gap_are_out_of_the_window() -> None:
    guard = Guard(patient())
    guard.observe(WeightChange(0, 100))
    served(guard, 0, 60, {Side.GREEN: [500] * 6 + [200] * 54})
    assert guard.gauges(60).triggers[0].seen > 0.9
    served(guard, 5000, 2, {Side.GREEN: [200]})
    assert guard.gauges(5002).triggers[0].seen < 0.1


def test_the_backstop_judges_latency() -> None:
    guard = Guard(patient())
    guard.observe(WeightChange(0, 100))
    for index in range(302 * 50):
        guard.observe(Outcome(index / 50, Side.GREEN, 200, 2100 if index % 10 == 0 else 20))
    assert guard.judge(302).rule == "trigger.latency"


def test_a_prober_that_fails_for_five_minutes_rolls_back() -> None:
    guard = Guard(LIMITS)
    for at in range(0, 295, 5):
        guard.observe_probe(float(at), ok=False)
    assert guard.alarm is None
    guard.observe_probe(299, ok=False)
    assert guard.alarm is None
    guard.observe_probe(301, ok=False)
    assert guard.judge(301).rule == "trigger.unavailable"


def test_a_finding_of_corruption_rolls_back() -> None:
    guard = Guard(LIMITS)
    guard.observe_finding("trig.corruption", 0, breached=True)
    assert guard.alarm is None
    guard.observe_finding("trig.corruption", 60, breached=True)
    decision = guard.judge(60)
    assert (decision.action, decision.rule) == (Action.ROLLBACK, "trigger.corruption")
    assert "Data corruption detected" in decision.text


def test_a_vulnerability_holds_until_a_person_resumes() -> None:
    guard = Guard(LIMITS)
    decide(guard, Traffic().items(10))
    guard.observe_finding("trig.vulnerability", 5, breached=True)
    assert (guard.judge(10).action, guard.judge(10).rule) == (Action.HOLD, "trigger.vulnerability")
    guard.resume()
    assert guard.judge(10).action is Action.CONTINUE


def test_the_gauges_show_every_test_and_every_trigger() -> None:
    guard = Guard(LIMITS)
    for item in Traffic(blue=0.01, green=0.01).items(100):
        guard.observe(item)
    gauges = guard.gauges(100)
    assert [gauge.rule for gauge in gauges.tests] == ["a1", "a2", "b1", "b2", "hold.errors"]
    assert [gauge.threshold for gauge in gauges.tests] == pytest.approx(
        [5000, 2000, 1000 / 0.15, 1000 / 0.15, 1000]
    )
    green = guard.counts.green
    assert (gauges.tests[0].requests, gauges.tests[0].hits) == (green.requests, green.failed)
    assert gauges.tests[1].requests == 5000
    assert all(0 < gauge.evidence < gauge.threshold for gauge in gauges.tests)
    assert [gauge.state for gauge in gauges.triggers][:2] == [TriggerState.CLEAR, TriggerState.CLEAR]


def criteria_after(rate: float, ms: float, requests: int) -> list[Acceptance]:
    guard = Guard(LIMITS)
    for index in range(requests):
        failed = rate > 0 and index % round(1 / rate) == 0
        guard.observe(Outcome(index / 50, Side.GREEN, 500 if failed else 200, ms))
    return [criterion.state for criterion in guard.criteria()]


def test_a_success_criterion_is_met_only_on_evidence() -> None:
    assert criteria_after(0, 50, 0) == [Acceptance.UNKNOWN, Acceptance.UNKNOWN]
    assert criteria_after(0, 50, 100) == [Acceptance.UNKNOWN, Acceptance.UNKNOWN]
    assert criteria_after(0, 50, 300) == [Acceptance.UNKNOWN, Acceptance.MET]
    assert criteria_after(0, 50, 1500) == [Acceptance.MET, Acceptance.MET]


def unserved(guard: Guard, *times: float) -> Guard:
    """A guard with users on both sides, and some who reach neither at these times."""
    for item in sorted(Traffic().items(30), key=lambda item: item.at):
        guard.observe(item)
        while times and times[0] <= item.at:
            guard.observe(Outcome(times[0], None, 503, 2000.0))
            times = times[1:]
    return guard


def test_a_short_stall_that_hits_users_of_neither_side_is_no_reason_for_anything() -> None:
    guard = unserved(Guard(LIMITS), *(20 + index / 100 for index in range(150)))
    assert guard.judge(30).action is Action.CONTINUE
    assert (guard.counts.unserved, guard.counts.green.failed) == (150, 0)
    assert guard.counts.blue.failed < 10


def test_users_who_keep_reaching_neither_side_hold_and_never_roll_back() -> None:
    guard = unserved(Guard(LIMITS), *(20 + index / 50 for index in range(250)))
    held = guard.judge(25)
    assert (held.action, held.rule, held.at) == (Action.HOLD, "hold.unserved", 22.0)
    assert "250" in held.claim
    assert held.counts.as_dict()["unserved"] == 250


def test_the_hold_for_users_who_reach_neither_side_ends_by_itself_when_they_are_served() -> None:
    guard = unserved(Guard(LIMITS), *(10 + index / 50 for index in range(150)))
    assert guard.judge(22).action is Action.HOLD
    assert guard.judge(23.1).action is Action.CONTINUE


def test_two_stalls_far_apart_are_not_one_that_lasts() -> None:
    guard = unserved(Guard(LIMITS), 5.0, 5.1, 16.0, 16.1)
    assert guard.judge(17).action is Action.CONTINUE


def test_a_success_criterion_is_not_met_on_evidence_against_it() -> None:
    assert criteria_after(0.05, 501, 1000) == [Acceptance.NOT_MET, Acceptance.NOT_MET]


def test_figures_at_the_limit_stay_unknown() -> None:
    assert criteria_after(0.01, 500, 3000) == [Acceptance.UNKNOWN, Acceptance.MET]


def test_the_sentence_names_both_sides_evidence_and_threshold() -> None:
    decision = decide(Guard(LIMITS), Traffic(green=0.5).items(60))
    green, blue = decision.counts.green, decision.counts.blue
    for part in (
        f"Roll back by {decision.rule}",
        f"green failed {green.failed:,} of {green.requests:,} requests",
        f"blue failed {blue.failed:,} of {blue.requests:,} requests",
        f"evidence {decision.evidence:,.0f} times",
        f"threshold {decision.threshold:,.0f} times",
    ):
        assert part in decision.text


@pytest.mark.parametrize(
    ("rule", "figures", "said"),
    [
        ("a1", (11_873.4, 5000.0), "; evidence 11,873 times, threshold 5,000 times."),
        ("a2", (0.25, 2000.0), "; evidence 0.2 times, threshold 2,000 times."),
        ("b1", (3.2e41, 3333.0), "; evidence over 1,000,000 times, threshold 3,333 times."),
        ("b1", (math.inf, 3333.0), "; evidence over 1,000,000 times, threshold 3,333 times."),
        ("trigger.errors", (301.2, 300.0), "; for 301 s, threshold 300 s."),
        ("green.died", (1.0, 1.0), "0 slow."),
        ("hold.blind", (0.5, 0.001), "0 slow."),
    ],
)
def test_how_strong_a_reason_is_stands_in_a_form_for_people(
    rule: str, figures: tuple[float, float], said: str
) -> None:
    decision = Decision(Action.ROLLBACK, 1.0, rule, "claim", Counts(), *figures)
    assert decision.text.endswith(said)


@pytest.mark.parametrize(
    "wrong",
    [
        {"error_hold": 0.05},
        {"success_ms": 2000},
        {"alpha": 0},
        {"error_rollback": 5},
        {"split": {"a1": 0.5, "a2": 0.5, "b1": 0.5}},
        {"split": {"a1": 0.5, "a2": 0.4}},
    ],
)
def test_contradictory_limits_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(PlanError):
        dataclasses.replace(LIMITS, **wrong)  # type: ignore[arg-type]  # wrong on purpose
