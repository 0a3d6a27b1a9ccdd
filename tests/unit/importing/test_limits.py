"""Thresholds of a checklist in the plan's words."""

import pytest

from tminus.checklist.model import Limit, Measure
from tminus.domain import expectation
from tminus.importing import limits


@pytest.mark.parametrize(
    ("limit", "written"),
    [
        (Limit("<", 0.01, Measure.SHARE), "< 1%"),
        (Limit(">", 0.005, Measure.SHARE), "> 0.5%"),
        (Limit("<", 0.5, Measure.SECONDS), "< 500 ms"),
        (Limit(">", 2, Measure.SECONDS), "> 2 s"),
        (Limit(">", 300, Measure.SECONDS), "> 5 min"),
        (Limit("<", 86400, Measure.SECONDS), "< 24 h"),
        (Limit(">=", 1200, Measure.RATE), ">= 1200"),
        (Limit(">", 1000, Measure.COUNT), "> 1000"),
    ],
)
def test_a_limit_is_written_as_an_expectation_of_the_same_value(limit: Limit, written: str) -> None:
    assert limits.written(limit) == written
    assert expectation.parse(written).limit == pytest.approx(limit.value)


@pytest.mark.parametrize(
    ("seconds", "text"), [(86400, "1d"), (7200, "2h"), (300, "5min"), (90, "90s"), (0, "0s")]
)
def test_how_long_it_must_last_is_written_in_the_largest_whole_unit(seconds: float, text: str) -> None:
    assert limits.hold(seconds) == text


def test_a_stricter_limit_of_the_same_kind_takes_the_place_of_the_built_in_one() -> None:
    assert limits.fitting([Limit("<", 0.005, Measure.SHARE)], "< 1%") == "< 0.5%"


@pytest.mark.parametrize(
    "limit",
    [
        Limit(">", 0.99, Measure.SHARE),
        Limit("<", 0.5, Measure.SECONDS),
        Limit("<", 3, Measure.COUNT),
        Limit("<", 0.01, Measure.SHARE),
    ],
)
def test_a_limit_that_measures_another_thing_or_says_the_same_changes_nothing(limit: Limit) -> None:
    assert limits.fitting([limit], "< 1%") == ""


@pytest.mark.parametrize(
    ("warn", "expect", "is_narrower"),
    [
        ("< 0.5%", "< 1%", True),
        ("< 0.5%", "< 0.1%", False),
        ("< 1%", "< 1%", False),
        (">= 95%", ">= 90%", True),
        (">= 80%", ">= 90%", False),
    ],
)
def test_a_warning_stays_only_where_it_warns_before_the_line_fails(
    warn: str, expect: str, *, is_narrower: bool
) -> None:
    assert limits.narrower(warn, expect) is is_narrower
