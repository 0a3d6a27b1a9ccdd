"""Names of lines are plain, short and given once."""

from hypothesis import given
from hypothesis import strategies as st

from tminus.importing.naming import Names, slug


def test_a_name_is_made_of_the_words_of_the_line() -> None:
    assert slug("Größe der Datenbank prüfen (täglich)") == "grosse-der-datenbank-prufen-taglich"


def test_a_long_name_ends_at_a_word() -> None:
    name = slug("The configuration of every single server was compared with the one in the repository")

    assert len(name) <= 36
    assert name == "the-configuration-of-every-single"


def test_a_line_in_another_script_has_no_name_of_its_own() -> None:
    assert slug("数据库备份") == ""


def test_a_name_that_is_asked_for_again_gets_a_number() -> None:
    names = Names()

    assert [names.take(name) for name in ("a", "a", "a-2", "a")] == ["a", "a-2", "a-2-2", "a-3"]


@given(st.lists(st.sampled_from(["a", "a-2", "a-2-2", "b", "a-3"]), max_size=30))
def test_no_name_is_given_twice(wanted: list[str]) -> None:
    names = Names()
    given_names = [names.take(name) for name in wanted]

    assert len(set(given_names)) == len(given_names)
