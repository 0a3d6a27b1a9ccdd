"""Durations and milestones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tminus.domain.offsets import clock, offset, seconds


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("24h", 86400),
        ("90s", 90),
        ("1h30min", 5400),
        ("2 d", 172800),
        ("5m", 300),
        ("0s", 0),
        ("1h 1s", 3601),
    ],
)
def test_a_duration_is_read(text: str, right: float) -> None:
    assert seconds(text) == right


@pytest.mark.parametrize("text", ["", "h", "24", "1.5h", "-1h", "1h!", "1 week", "1hh", "T-1h"])
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="no duration; write for example '24h'"):
        seconds(text)


@given(st.integers(0, 999), st.integers(0, 23), st.integers(0, 59), st.integers(0, 59))
def test_a_duration_is_the_sum_of_its_parts(days: int, hours: int, minutes: int, secs: int) -> None:
    assert seconds(f"{days}d{hours}h{minutes}min{secs}s") == ((days * 24 + hours) * 60 + minutes) * 60 + secs


@pytest.mark.parametrize(
    ("text", "right"), [("T-24h", -86400), ("T-0", 0), ("T+0", 0), ("T+1h", 3600), (" T-2h ", -7200)]
)
def test_a_milestone_is_read(text: str, right: float) -> None:
    assert offset(text) == right


@pytest.mark.parametrize("text", ["", "T", "T24h", "24h", "T-", "t-1h", "T-1"])
def test_what_is_no_milestone_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no (milestone|duration)"):
        offset(text)


@pytest.mark.parametrize(
    ("t", "shown"),
    [
        (-13330, "T-03:42:10"),
        (65, "T+00:01:05"),
        (0, "T+00:00:00"),
        (-0.4, "T+00:00:00"),
        (-86400, "T-24:00:00"),
        (360000, "T+100:00:00"),
    ],
)
def test_people_read_the_clock(t: float, shown: str) -> None:
    assert clock(t) == shown


@given(st.integers(-(10**6), 10**6))
def test_what_is_shown_is_what_was_meant(t: int) -> None:
    sign, (hours, minutes, secs) = clock(t)[1], map(int, clock(t)[2:].split(":"))
    assert (-1 if sign == "-" else 1) * (hours * 3600 + minutes * 60 + secs) == t
    assert offset(f"T{sign}{hours}h{minutes}min{secs}s") == t
