"""Telephone numbers as a pager keeps them: which are none, and how one is shown to others."""

import re

LEAST, MOST = 7, 15
"""Digits of a number with its country's: ITU-T E.164 allows 15, and none that anybody answers has fewer than 7."""
_SEQUENCE = "01234567890123456789"
_SHOWN = 2


def digits(text: str) -> str:
    """The digits of a number, as they may be compared."""
    return re.sub(r"\D", "", text)


def masked(country: str, number: str) -> str:
    """A number as others may see it: its country and its last two digits."""
    return (
        f"+{digits(country)}…{digits(number)[-_SHOWN:]}"
        if digits(country)
        else f"…{digits(number)[-_SHOWN:]}"
    )


def same(one: str, other: str) -> bool:
    """Whether two writings of a number, with or without its country, are of the same."""
    least = min(len(digits(one)), len(digits(other)))
    return least >= LEAST - 1 and digits(one)[-least:] == digits(other)[-least:]


def placeholder(country: str, number: str) -> str:
    """Why this is a number that stands for one, in words; empty for one that may be somebody's.

    `555-01xx` is kept for stories by the North American plan.
    """
    told = digits(number)
    if re.search(r"[A-Za-z_?…<>\[\]]", number):
        return "it holds letters"
    if not LEAST <= len(digits(country)) + len(told) <= MOST:
        return f"it has {len(told)} digits"
    if len(set(told)) == 1:
        return "all its digits are the same"
    if told in _SEQUENCE or told[::-1] in _SEQUENCE:
        return "its digits only count"
    if digits(country) == "1" and re.fullmatch(r"\d{3}55501\d\d", told):
        return "nobody has a number 555-01xx"
    return ""
