"""The guard's benchmarks: what other tools' rules say of plain traces, and figures that are known by other means."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

if TYPE_CHECKING:
    from benchmarks.guard_alarms import Errors, Health, simulate, table, upper
    from benchmarks.guard_efficiency import lorden, slowness_bound, two_samples, wald
    from benchmarks.guard_peers import (
        FAULTS,
        HEALTHY,
        RULES,
        Argo,
        Checklist,
        Flagger,
        Ours,
        Rule,
        judged,
        trace,
    )
    from benchmarks.result import Table
    from benchmarks.run import BEGIN, tables, with_tables
else:
    from guard_alarms import Errors, Health, simulate, table, upper
    from guard_efficiency import lorden, slowness_bound, two_samples, wald
    from guard_peers import FAULTS, HEALTHY, RULES, Argo, Checklist, Flagger, Ours, Rule, judged, trace
    from result import Table
    from run import BEGIN, tables, with_tables

from tminus.domain.traffic import Outcome, Side, WeightChange

Item = Outcome | WeightChange


def plain(minutes: float, answer: Callable[[float, int], tuple[int, float] | None]) -> list[Item]:
    """Ten requests a second, one in five on green; `answer` gives green's status and time, or that it gets none."""
    items: list[Item] = [WeightChange(0.0, 20)]
    for number in range(int(minutes * 600)):
        at = number / 10
        if number % 5:
            items.append(Outcome(at, Side.BLUE, 200, 50.0))
        elif (green := answer(at, number)) is not None:
            items.append(Outcome(at, Side.GREEN, *green))
    return items


def good(_at: float, _number: int) -> tuple[int, float]:
    return 200, 50.0


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_no_rule_rolls_back_a_healthy_release(rule: Rule) -> None:
    assert rule.rolls_back(plain(25, good)) is None


@pytest.mark.parametrize(
    ("rule", "seconds"),
    [(Ours(), 3.0), (Argo(), 1200.0), (Flagger(), 360.0), (Checklist(), 330.0)],
    ids=["tminus", "Argo Rollouts", "Flagger", "5-minute triggers"],
)
def test_every_rule_rolls_back_a_release_that_always_fails(rule: Rule, seconds: float) -> None:
    """Argo's fourth look; Flagger's sixth, as five failed checks are acted on at the next; five minutes for us."""
    found = rule.rolls_back(plain(25, lambda _at, _number: (500, 5.0)))
    assert found is not None
    assert found == seconds if isinstance(rule, Argo | Flagger) else found <= seconds


def test_flagger_takes_no_data_for_a_failed_check_and_does_not_forget_it() -> None:
    assert Flagger().rolls_back(plain(25, lambda _at, _number: None)) == 360
    gaps = plain(25, lambda at, _number: None if at % 120 < 60 else (200, 50.0))
    assert Flagger().rolls_back(gaps) == 600


def test_flagger_looks_at_the_p99_and_at_one_percent_of_errors() -> None:
    assert Flagger().rolls_back(plain(10, lambda _at, n: (200, 900.0 if n % 50 == 0 else 50.0))) == 360
    assert Flagger().rolls_back(plain(10, lambda _at, n: (500 if n % 250 == 0 else 200, 50.0))) == 360


def test_argo_gives_up_at_the_fifth_error_in_a_row_and_begins_anew_after_a_measurement() -> None:
    assert Argo().rolls_back(plain(25, lambda _at, _number: None)) == 340
    assert Argo().rolls_back(plain(25, lambda at, _number: None if 280 < at < 315 else (200, 50.0))) is None


def test_argo_lets_four_percent_of_errors_pass() -> None:
    assert Argo().rolls_back(plain(25, lambda _at, n: (500 if n % 125 == 0 else 200, 50.0))) is None


def test_a_short_breach_does_not_fire_the_checklist_s_trigger() -> None:
    assert Checklist().rolls_back(plain(12, lambda at, _n: (500 if 60 < at < 250 else 200, 50.0))) is None


def test_a_trace_is_the_same_for_the_same_seed_and_has_its_fault_on_green_only() -> None:
    fault = replace(FAULTS[0], before=30)
    items = trace(fault, 3)
    assert items == trace(fault, 3) != trace(fault, 4)
    outcomes = [item for item in items if isinstance(item, Outcome)]
    failed = {
        side: np.mean([item.failed for item in outcomes if item.side is side and item.at >= 30])
        for side in Side
    }
    assert failed[Side.GREEN] == pytest.approx(0.2, abs=0.02)
    assert failed[Side.BLUE] < 0.005


def test_a_rollback_before_the_fault_is_a_false_alarm() -> None:
    items = plain(25, lambda _at, _number: (500, 5.0))
    assert judged(Ours(), FAULTS[0], items).early
    assert judged(Ours(), HEALTHY, items).early


def test_the_bounds_are_those_that_are_known() -> None:
    assert wald(0.2, 0.05) == pytest.approx(48.5, abs=0.1)
    assert wald(0.2, 0.01) == pytest.approx(15.8, abs=0.1)
    assert two_samples(0.2, 0.001) == pytest.approx(156, abs=0.5)
    assert lorden(0.2, 0.05, 18_000 / 1e-3) / 5 == pytest.approx(23.9, abs=0.1)
    assert slowness_bound(2.0) < slowness_bound(1.5)


def test_the_upper_limit_is_clopper_and_pearson_s() -> None:
    assert upper(0, 20_000) == pytest.approx(1 - 0.05 ** (1 / 20_000))
    assert upper(5, 5) == 1


def test_the_simulation_sees_a_green_that_is_bad_and_lets_a_healthy_one_go() -> None:
    healthy = simulate(Health("", 1e-2, 10), 1, seconds=60, launches=50)
    assert healthy.alarms(1e-3) == 0
    bad = simulate(Health("", 1e-2, 50, worse=30.0), 1, seconds=60, launches=50)
    assert bad.alarms(1e-3) == 50
    assert min(bad.alarms(1e-3, rule) for rule in ("a1", "a2", "b2")) > 40


@pytest.mark.parametrize("bursts", ["retries", "sticky", "stuck", "outages"])
def test_every_burst_model_fails_as_many_requests_as_it_should(bursts: str) -> None:
    dice = np.random.default_rng(2)
    errors = Errors(Health("", 1e-2, 50, bursts=bursts), dice, 400)
    half = np.full(400, 25)
    failed = sum(
        float(green.mean() + blue.mean())
        for green, blue, *_ in (errors.draw(half, half, 0.5) for _ in range(200))
    )
    rate = failed / 200 / 50
    assert 0.007 < rate < 0.016


def test_the_table_counts_hours_and_says_where_they_are_too_few() -> None:
    cell = Health("errors 0, weight 1 %", 0.0, 1)
    loose, strict, *again = table([((cell, 1), (0,) * 10), ((cell, 2), (0, 0, 0, 0, 0, 2, 0, 2, 0, 0))]).rows
    assert loose == ("the whole grid", "1,000", "0.01", "0", "0.003", "none", "yes")
    assert strict == ("the whole grid", "1,000", "0.001", "2", "0.0063", "a2 2", "too few hours to say")
    assert [row[0] for row in again] == ["errors 0, every weight"] * 2
    assert table([((cell, 1), (90,) * 10)]).rows[0][-1] == "no"


def test_a_run_of_the_guard_alone_replaces_its_tables_and_nothing_else() -> None:
    page = "# Benchmarks\n\n| a |\n"
    once = with_tables(page, tables([Table("T", "about", ("a", "b"), (("1", "2"),))]))
    assert once.startswith(page)
    assert "| 1 | 2 |" in once
    twice = with_tables(once, tables([Table("T", "about", ("a", "b"), (("3", "4"),))]))
    assert twice.count(BEGIN) == 1
    assert "| 3 | 4 |" in twice
    assert "| 1 | 2 |" not in twice
