"""Names: one person's, however they are typed."""

import pytest

from tminus.domain.people import alike


@pytest.mark.parametrize(
    "typed",
    [
        "Ada  Lovelace ", "ada lovelace", "ADA LOVELACE", "Ada\u00a0Lovelace", "Ada\u2003Lovelace", "Ada\u200bLovelace",
        "\u2066Ada Lovelace\u2069", "A\u00adda Lovelace", "\uff21da Lovelace", "Ada\tLovelace", "\ufeffAda Lovelace",
    ],
)  # fmt: skip
def test_one_person_has_one_name_however_it_is_typed(typed: str) -> None:
    assert alike(typed) == alike("Ada Lovelace")


def test_composed_and_decomposed_letters_and_sharp_s_are_one() -> None:
    assert alike("Zo\u00eb Stra\u00dfe") == alike("Zoe\u0308 STRASSE")


@pytest.mark.parametrize(
    "other", ["Ada Byron", "A. Lovelace", "\u0410da Lovelace", "Adá Lovelace", "Lovelace, Ada"]
)
def test_what_only_looks_alike_or_is_short_stays_another_name(other: str) -> None:
    assert alike(other) != alike("Ada Lovelace")


@pytest.mark.parametrize("blank", ["", "  ", "\u00a0", "\u200b\u2060", "\ufeff"])
def test_a_name_of_which_nothing_is_seen_is_empty(blank: str) -> None:
    assert alike(blank) == ""
