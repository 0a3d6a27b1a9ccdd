"""Telephone numbers: which nobody has, which are the same, and how one is shown."""

import pytest

from tminus.alerting.numbers import masked, same, wrong


@pytest.mark.parametrize(
    ("country", "number"),
    [
        ("44", "7700900142"),
        ("49", "1713920042"),
        ("1", "4155552671"),
        ("39", "0612345678"),
        ("372", "5123456"),
        ("225", "0708123456"),
        ("242", "061234567"),
        ("229", "0195123456"),
        ("881", "612345678"),
    ],
)
def test_a_number_that_somebody_may_have_is_not_wrong(country: str, number: str) -> None:
    assert wrong(country, number) == ""


@pytest.mark.parametrize(
    ("country", "number"),
    [
        ("", "7700900142"), ("44", ""), ("44", "12"), ("44", "[Number]"), ("44", "0000000000"), ("1", "5550142"),
        ("1", "2025550199"), ("1", "123"), ("210", "12345678"), ("44", "9876543210"), ("44", "1" + "23" * 9),
    ],
)  # fmt: skip
def test_a_number_that_nobody_has_is_wrong(country: str, number: str) -> None:
    assert wrong(country, number)


def test_a_number_is_shown_by_its_country_and_end() -> None:
    assert masked("44", "7700 900142") == "+44…42"
    assert masked("", "900142") == "…42"


def test_numbers_are_the_same_with_and_without_their_country() -> None:
    assert same("+44 7700 900142", "7700900142")
    assert not same("+44 7700 900142", "7700900143")
    assert not same("", "7700900142")
    assert not same("42", "7700900142")
