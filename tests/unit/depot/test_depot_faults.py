"""The misbehaviour that depot can be told to show."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tminus.depot.faults import FaultInjector, Faults, FaultSpecError


def test_a_specification_names_shares_seconds_and_a_number_of_requests() -> None:
    faults = Faults.parse("errors=0.2, slow=0.3:3.0,crash=40, corrupt=0.5,leak=12")
    assert faults == Faults(errors=0.2, slow=0.3, slow_seconds=3.0, crash=40, corrupt=0.5, leak=12)


def test_an_empty_specification_is_no_fault() -> None:
    assert Faults.parse("") == Faults()
    assert str(Faults()) == ""


@pytest.mark.parametrize(
    "spec",
    [
        "fire=1",
        "errors",
        "errors=",
        "errors=x",
        "errors=nan",
        "errors=1.01",
        "errors=-0.1",
        "errors=0.1,errors=0.2",
        "slow=0.3",
        "slow=0.3:",
        "slow=0.3:601",
        "slow=2:1",
        "slow=0.1:inf",
        "crash=",
        "crash=-1",
        "crash=1.5",
        "crash=²",
        "corrupt=2",
        "corrupt=",
        "leak=0",
        "leak=61",
        "leak=-1",
        "leak=",
    ],
)
def test_a_specification_that_says_nothing_possible_is_refused(spec: str) -> None:
    with pytest.raises(FaultSpecError):
        Faults.parse(spec)


@given(st.text())
def test_any_text_is_understood_or_refused(spec: str) -> None:
    try:
        faults = Faults.parse(spec)
    except FaultSpecError:
        return
    assert Faults.parse(str(faults)) == faults


@given(
    st.tuples(st.integers(0, 100), st.integers(0, 100), st.integers(0, 100)),
    st.integers(1, 600),
    st.none() | st.integers(0, 999),
    st.none() | st.integers(1, 60),
)
def test_faults_are_written_as_they_are_read(
    shares: tuple[int, int, int], seconds: int, crash: int | None, leak: int | None
) -> None:
    errors, slow, corrupt = (share / 100 for share in shares)
    faults = Faults(errors, slow, float(seconds) if slow else 0.0, crash, corrupt, leak)
    assert Faults.parse(str(faults)) == faults


def test_about_the_ordered_share_fails_and_is_late() -> None:
    injector = FaultInjector(Faults(errors=0.2, slow=0.3, slow_seconds=3.0), seed=7)
    fates = [injector.next_fate() for _ in range(5000)]
    assert sum(fate.error for fate in fates) / 5000 == pytest.approx(0.2, abs=0.02)
    assert sum(fate.seconds == 3.0 for fate in fates) / 5000 == pytest.approx(0.3, abs=0.02)
    assert not any(fate.crash for fate in fates)


def test_about_the_ordered_share_is_damaged_and_every_request_leaks() -> None:
    injector = FaultInjector(Faults(corrupt=0.2, leak=5), seed=7)
    fates = [injector.next_fate() for _ in range(5000)]
    assert sum(fate.damage for fate in fates) / 5000 == pytest.approx(0.2, abs=0.02)
    assert all(fate.leak for fate in fates)
    healthy = [FaultInjector(Faults(errors=1), seed=7).next_fate() for _ in range(100)]
    assert not any(fate.damage or fate.leak for fate in healthy)


def test_the_same_seed_draws_the_same_fates() -> None:
    faults = Faults(errors=0.5)
    first, second = FaultInjector(faults, seed=1), FaultInjector(faults, seed=1)
    assert [first.next_fate() for _ in range(50)] == [second.next_fate() for _ in range(50)]


def test_the_crash_comes_with_the_request_after_the_last_allowed() -> None:
    injector = FaultInjector(Faults(crash=3))
    assert [injector.next_fate().crash for _ in range(4)] == [False, False, False, True]


def test_a_new_order_counts_from_zero() -> None:
    injector = FaultInjector(Faults(crash=1))
    injector.next_fate()
    injector.order(Faults(crash=1))
    assert injector.requests == 0
    assert injector.next_fate().crash is False
    assert injector.next_fate().crash is True
