"""Claims, fingerprints and how long an observation counts."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tminus.domain.evidence import Claim, Freshness, Source, Verdict, digest, fingerprint, matter, worst

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
TABLES = st.dictionaries(st.text(max_size=8), JSON, max_size=4)


def test_of_nothing_a_roll_up_is_unknown() -> None:
    assert worst([]) is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("verdicts", "right"),
    [
        ([Verdict.PASSED, Verdict.PASSED], Verdict.PASSED),
        ([Verdict.PASSED, Verdict.WARNED], Verdict.WARNED),
        ([Verdict.WARNED, Verdict.INCONCLUSIVE], Verdict.INCONCLUSIVE),
        ([Verdict.INCONCLUSIVE, Verdict.ERROR], Verdict.ERROR),
        ([Verdict.ERROR, Verdict.FAILED, Verdict.PASSED], Verdict.FAILED),
    ],
)
def test_a_roll_up_is_the_worst_of_its_parts_in_any_order(verdicts: list[Verdict], right: Verdict) -> None:
    assert {worst(list(order)) for order in permutations(verdicts)} == {right}


def test_two_verdicts_are_unknown() -> None:
    assert {verdict for verdict in Verdict if not verdict.known} == {Verdict.INCONCLUSIVE, Verdict.ERROR}


@given(TABLES)
def test_the_order_of_keys_changes_no_fingerprint(material: dict[str, object]) -> None:
    turned = dict(reversed(material.items()))
    assert fingerprint(Verdict.PASSED, "< 1", material) == fingerprint(Verdict.PASSED, "< 1", turned)  # type: ignore[arg-type] # JSON


@given(TABLES, TABLES)
def test_other_material_is_another_fingerprint(one: dict[str, object], other: dict[str, object]) -> None:
    prints = {fingerprint(Verdict.PASSED, "", table) for table in (one, other)}  # type: ignore[arg-type] # JSON
    assert len(prints) == (1 if digest(one) == digest(other) else 2)  # type: ignore[arg-type] # JSON


def test_another_verdict_or_expectation_is_another_fingerprint() -> None:
    prints = {
        fingerprint(verdict, expect, {})
        for verdict in (Verdict.PASSED, Verdict.FAILED)
        for expect in ("", "< 1")
    }
    assert len(prints) == 4


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_a_live_observation_counts_for_its_seconds(age: float, seconds: float) -> None:
    claim = Claim("a", Verdict.PASSED, "f", Source.PROBE, at=0.0, t=0.0)
    assert Freshness("live", seconds=seconds).stale(claim, age) == (age > seconds)
    assert not Freshness("launch").stale(claim, age)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "3 of 412 requests fail before the launch has begun",
            "17 of 9,004 requests fail before the launch has begun",
        ),
        ("one request in twenty takes 312 ms already", "one request in twenty takes 1204.5 ms already"),
        ("the share is 0.93% (limit 1%)", "the share is 0.87% (limit 1%)"),
        ("silenced until 2026-11-29T12:00:00Z", "silenced until 2026-11-30T12:00:00Z"),
    ],
)
def test_a_figure_that_wobbles_is_not_what_a_remark_is_about(one: str, other: str) -> None:
    assert one != other
    assert matter([one]) == matter([other])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("the runbook of HighErrorRate answers 404", "the runbook of HighLatency answers 404"),
        ("p95 is near its limit", "p99 is near its limit"),
        ("depot-1 restarted", "depot-2 restarted"),
        ("http://10.0.0.1:9090/x cannot be opened", "http://10.0.0.1:9091/x cannot be opened"),
    ],
)
def test_another_thing_by_name_is_another_remark(one: str, other: str) -> None:
    assert matter([one]) != matter([other])


def test_in_which_order_and_how_often_something_is_remarked_does_not_matter() -> None:
    assert matter(["a is 1", "b", "a is 2"]) == matter(["b", "a is 3"]) == ["a is #", "b"]
