"""The ladder: load result < warning < critical = success < rollback."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tminus.domain.ladder import Level, Threshold, contradictions


def threshold(name: str, level: Level, limit: float, measure: str = "error rate") -> Threshold:
    return Threshold(name, measure, level, limit, f"{limit:g}")


SEED = (
    threshold("fig.errors", Level.LOAD, 0.001),
    threshold("alert.warn.err", Level.WARNING, 0.005),
    threshold("alert.crit.err", Level.CRITICAL, 0.01),
    threshold("ok.err", Level.CRITICAL, 0.01),
    threshold("trig.errors", Level.ROLLBACK, 0.05),
)


def pairs(*thresholds: Threshold) -> list[tuple[str, str]]:
    return [(found.lower.name, found.upper.name) for found in contradictions(thresholds)]


def test_the_checklist_s_own_ladder_holds() -> None:
    assert pairs(*SEED) == []


@pytest.mark.parametrize(
    ("name", "limit", "out_of_order"),
    [
        ("fig.errors", 0.005, [("fig.errors", "alert.warn.err")]),
        ("alert.warn.err", 0.01, [("alert.warn.err", "alert.crit.err"), ("alert.warn.err", "ok.err")]),
        ("alert.crit.err", 0.02, [("alert.crit.err", "ok.err")]),
        ("ok.err", 0.005, [("alert.warn.err", "ok.err"), ("alert.crit.err", "ok.err")]),
        ("trig.errors", 0.01, [("alert.crit.err", "trig.errors"), ("ok.err", "trig.errors")]),
        ("trig.errors", 0.001, [("alert.crit.err", "trig.errors"), ("ok.err", "trig.errors")]),
    ],
)
def test_each_rung_out_of_order_is_told_once_beside_its_neighbour(
    name: str, limit: float, out_of_order: list[tuple[str, str]]
) -> None:
    changed = [threshold(one.name, one.level, limit if one.name == name else one.limit) for one in SEED]
    assert pairs(*changed) == out_of_order


def test_rungs_between_which_another_is_missing_are_compared() -> None:
    assert pairs(SEED[0], threshold("trig.errors", Level.ROLLBACK, 0.0005)) == [("fig.errors", "trig.errors")]


def test_different_measures_have_no_order() -> None:
    assert pairs(SEED[0], threshold("trig.latency", Level.ROLLBACK, 0.0001, "p95 response time")) == []


def test_a_contradiction_says_both_values_and_what_to_write() -> None:
    (one,) = contradictions([SEED[3], threshold("trig.errors", Level.ROLLBACK, 0.01)])
    assert one.text.startswith("trig.errors: '0.01' stands as the rollback and '0.01' of ok.err as critical")
    assert "; write error rate so that load result < warning < critical = success < rollback" in one.text


@given(st.lists(st.floats(0, 1), min_size=4, max_size=4, unique=True))
def test_any_rising_ladder_holds_and_any_other_does_not(limits: list[float]) -> None:
    levels = (Level.LOAD, Level.WARNING, Level.CRITICAL, Level.ROLLBACK)
    rungs = [threshold(level.name, level, limit) for level, limit in zip(levels, limits, strict=True)]
    assert (pairs(*rungs) == []) is (limits == sorted(limits))
