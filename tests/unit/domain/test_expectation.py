"""Expectations: what a plan may write, and what it means for a value."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tminus.domain.canonical import JsonValue
from tminus.domain.evidence import Verdict
from tminus.domain.expectation import judge, parse

NUMBERS = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e9, max_value=1e9)
OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("< 1%", 0.0099, 0.01),
        ("<= 500 ms", 0.5, 0.5001),
        ("> 3", 4, 3),
        (">= 1_000", 1000, 999),
        ("== 200", 200, 201),
        ("!= 0", 1, 0),
        ("< 2 min", 119.9, 120),
        ("<= 1.5h", 5400, 5401),
        (">= -3", -3, -4),
        ("< 2 MB", 1_999_999, 2_000_000),
        ("empty", [], ["something"]),
        ("empty", {}, {"a": 1}),
        ("empty", "", "x"),
        ("true", True, False),
        ("false", False, True),
        ("is 0002", "0002", "0001"),
    ],
)
def test_a_value_is_as_expected_or_not(text: str, inside: JsonValue, outside: JsonValue) -> None:
    expect = parse(text)
    assert expect.holds(inside)
    assert not expect.holds(outside)
    assert expect.text == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("< 1", "0"),
        ("< 1", True),
        ("< 1", None),
        ("< 1", float("nan")),
        ("true", 1),
        ("false", 0),
        ("empty", 0),
        ("empty", None),
        ("is x", 3),
    ],
)
def test_a_value_of_another_kind_is_no_answer(text: str, value: JsonValue) -> None:
    with pytest.raises(TypeError):
        parse(text).holds(value)
    assert judge(value, parse(text), None) is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("text", ["", "about 3", "<", "< 1 %%", "=> 3", "< 1 < 2", "yes", "1%", "< .", "is"])
def test_what_is_no_expectation_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="no expectation; write for example"):
        parse(text)


def test_an_unknown_unit_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(ValueError, match=r"'furlong' is no unit; write one of %, ms, s, min"):
        parse("< 3 furlong")


@given(NUMBERS, st.sampled_from(sorted(OPPOSITE)), st.integers(-(10**6), 10**6))
def test_a_comparison_and_its_opposite_never_agree(value: float, comparison: str, limit: int) -> None:
    assert parse(f"{comparison} {limit}").holds(value) != parse(f"{OPPOSITE[comparison]} {limit}").holds(
        value
    )


@given(st.text(max_size=30))
def test_any_text_is_an_expectation_or_refused(text: str) -> None:
    try:
        expect = parse(text)
    except ValueError:
        return
    assert parse(expect.text) == expect


def test_inside_the_expectation_but_outside_the_warning_is_warned() -> None:
    expect, warn = parse("< 500 ms"), parse("< 300 ms")
    assert [judge(value, expect, warn) for value in (0.2, 0.3, 0.5)] == [
        Verdict.PASSED,
        Verdict.WARNED,
        Verdict.FAILED,
    ]
    assert judge(0.4, expect, None) is Verdict.PASSED
