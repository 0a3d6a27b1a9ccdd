"""Names: one person's, however they are typed."""

import pytest

from tminus.domain.people import alike, shows_itself


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


@pytest.mark.parametrize(
    "name",
    [
        "Ada Stone",
        "\u00c5sa \u00d6st",
        "\u5f20\u4f1f",
        "Ada\u00a0Stone",
        "\u0645\u06cc\u200c\u0631\u0636\u0627",
    ],
)
def test_names_of_people_show_themselves(name: str) -> None:
    assert shows_itself(name)


@pytest.mark.parametrize(
    "name", ["Ada\u202eenotS", "Ada\x1b[31m", "A\nB", "A\tB", "A\u200bB", "A\u2066B", "\ud800"]
)
def test_what_moves_a_cursor_hides_or_turns_the_reading_is_no_name(name: str) -> None:
    assert not shows_itself(name)
