"""Patterns as Go's `regexp` reads them: what it matches, what it refuses, and in linear time."""

import re
import string
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tminus.alerting.patterns import anchored


@pytest.mark.parametrize(
    ("pattern", "matched", "other"),
    [
        ("^[12]$", "2", "3"),
        ("a|b", "b", "ab"),
        ("", "", "a"),
        ("(?i)Ab", "aB", "ac"),
        ("a(?i)b", "aB", "Ab"),
        ("(?s).*", "a\nb", None),
        (".*", "", "a\nb"),
        ("a$", "a", "a\n"),
        (r"a\z", "a", "a\n"),
        ("[[:alpha:]]+", "ab", "a1"),
        ("[[:^digit:]]", "a", "1"),
        (r"\d+", "12", "१२"),
        (r"\w+", "a_1", "é"),
        (r"[\w-]+", "a-b_", "é"),
        (r"[^\d]", "a", "1"),
        (r"[^\D]", "1", "a"),
        (r"\S+", "ab", "a b"),
        (r"foo\.bar", "foo.bar", "fooxbar"),
        (r"\x41\x{42}\103", "ABC", "ABc"),
        (r"\Qa.b\E+", "a.bb", "axb"),
        (r"\pL", "é", "1"),
        (r"[\p{Greek}x]", "λ", "y"),
        ("x{2}", "xx", "x"),
        ("x{a}", "x{a}", "xa"),
        ("a{,2}", "a{,2}", "aa"),
        ("[]a]+", "]a", "b"),
        ("[^]a]", "b", "]"),
        ("[[a]+", "[a", "b"),
        ("[a&&b]", "&", "c"),
        ("[a-]", "-", "b"),
        ("a#b c", "a#b c", "a"),
        (r"prod\-eu", "prod-eu", "prodeu"),
        ("(?P<name>a)+?", "aa", "b"),
    ],
)
def test_a_pattern_matches_the_whole_text_as_in_go(pattern: str, matched: str, other: str | None) -> None:
    takes = anchored(pattern)
    assert takes(matched)
    assert other is None or not takes(other)


@pytest.mark.parametrize(
    "pattern",
    [
        *("(", ")", "[", "[a", "[z-a]", "*", "a**", "a*+", "a++", "x{1001}", "x{3,2}", "a\\"),
        *("(?=x)", "(?!x)", "(?<=a)b", "(?<!a)b", "(?>a)", "(?x)a", "(?u)a", "(?#note)a", "(?P=name)"),
        *(r"\1", r"\k<a>", r"\u0041", r"\Z", r"\G", r"\h", r"\8", "[[:wrong:]]", r"\p{Nowhere}"),
    ],
)
def test_what_go_refuses_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="the pattern"):
        anchored(pattern)


def test_no_pattern_takes_more_than_linear_time() -> None:
    began = perf_counter()
    assert not anchored("(a+)+")("a" * 5000 + "!")
    assert not anchored("(a|a)*(a|a)*b")("a" * 5000)
    assert perf_counter() - began < 2


_PLAIN = st.recursive(
    st.sampled_from(["a", "b", "ab", "[ab]", "[^a]", ".", "a?", "b*", ""]),
    lambda inner: st.tuples(inner, inner).flatmap(
        lambda pair: st.sampled_from(
            [f"(?:{pair[0]}|{pair[1]})", f"(?:{pair[0]}{pair[1]})", f"(?:{pair[0]})+"]
        )
    ),
    max_leaves=6,
)


@given(_PLAIN, st.text("abc", max_size=5))
def test_where_python_reads_a_pattern_alike_both_say_the_same(pattern: str, text: str) -> None:
    assert anchored(pattern)(text) is (re.fullmatch(pattern, text) is not None)


@given(st.text(string.printable, max_size=12))
def test_every_text_matches_itself_when_it_is_quoted(text: str) -> None:
    quoted = "".join(f"\\x{{{ord(sign):x}}}" for sign in text)
    assert anchored(quoted)(text)


@given(st.text("ab()[]{}|*+?^$.\\-,0129:&~#", max_size=14), st.text("ab-&~", max_size=4))
def test_any_pattern_is_read_or_refused_and_nothing_else(pattern: str, text: str) -> None:
    try:
        takes = anchored(pattern)
    except ValueError:
        return
    assert takes(text) in {True, False}
