"""Telephone numbers as a pager keeps them: which are none, and how one is shown to others."""

import re

LEAST, MOST = 7, 15
"""Digits of a number with its country's: ITU-T E.164 allows 15, and none that anybody answers has fewer than 7."""
_COUNTRY = re.compile(
    r"1|7|2(?:[07]|1[1-8]|[2-6]\d|9[0-1789])|3(?:[0-469]|[578]\d)|4(?:[013-9]|2[013])|5(?:[1-8]|[09]\d)"
    r"|6(?:[0-6]|[789]\d)|8(?:[1246]|5[0-6]|7[08]|8[01236])|9(?:[0-58]|6[0-8]|7[0-79]|9[2-68])"
)
"""The codes that ITU-T has given to countries and regions, and to networks of satellites and of the whole world."""
_NORTH_AMERICAN = re.compile(r"[2-9]\d{2}[2-9]\d{6}")
_SEQUENCE = "01234567890123456789"
_SHOWN = 2
_TRUNK_KEPT = {"39", "225", "226", "229", "241", "242", "378", "379"}
"""Where a number keeps its leading 0 also when it is called from abroad: Italy, Ivory Coast, Burkina Faso, Benin, …"""


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


def wrong(country: str, number: str) -> str:
    """Why nobody has this number, in words; empty for one that may be somebody's.

    `555-01xx` is kept for stories by the North American plan. Whether the rest of a number fits its country is known
    for that plan alone.
    """
    code, told = digits(country), digits(number)
    reasons = (
        (bool(re.search(r"[A-Za-z_?…<>\[\]]", number)), "it holds letters"),
        (not code, "it has no country"),
        (not _COUNTRY.fullmatch(code), f"no country has the code {code}"),
        ("+" in number and not number.strip().startswith(f"+{code}"), "it names two countries"),
        (not LEAST <= len(code) + len(told) <= MOST, f"it has {len(told)} digits"),
        (len(set(told)) == 1, "all its digits are the same"),
        (told in _SEQUENCE or told[::-1] in _SEQUENCE, "its digits only count"),
        (code == "1" and bool(re.fullmatch(r"(?:\d{3})?55501\d\d", told)), "nobody has a number 555-01xx"),
        (code == "1" and not _NORTH_AMERICAN.fullmatch(told), "it is no number of the country 1"),
        (told.startswith("0") and code not in _TRUNK_KEPT, "it begins with 0, and abroad none does"),
    )
    return next((reason for holds, reason in reasons if holds), "")
