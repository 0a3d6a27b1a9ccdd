"""Matchers of labels, by both of Alertmanager's parsers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tminus.alerting.matchers import Matcher, parse

Found = list[tuple[str, str, str]]


def read(text: str) -> tuple[Found, str]:
    found, remark = parse(text)
    return [(one.name, one.operator, one.value) for one in found], remark


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('a="b"', [("a", "=", "b")]),
        ("a=b", [("a", "=", "b")]),
        ("severity =~ warning|info", [("severity", "=~", "warning|info")]),
        ('{a="b",c!~"d.*"}', [("a", "=", "b"), ("c", "!~", "d.*")]),
        ('a="b", c!="d",', [("a", "=", "b"), ("c", "!=", "d")]),
        ('a="b,c"', [("a", "=", "b,c")]),
        (r'a="say \"b\""', [("a", "=", 'say "b"')]),
        (r'a="\\"', [("a", "=", "\\")]),
        (r'a="\n"', [("a", "=", "\n")]),
        ('a=""', [("a", "=", "")]),
        ("", []),
        ("{}", []),
        (' a = "b" ', [("a", "=", "b")]),
    ],
)
def test_what_both_parsers_read_alike_needs_no_remark(text: str, found: Found) -> None:
    assert read(text) == (found, "")


@pytest.mark.parametrize(
    ("text", "found", "instead"),
    [
        (r'a=~"foo\.bar"', [("a", "=~", r"foo\.bar")], r'a=~"foo\\.bar"'),
        (r"a=~\d+", [("a", "=~", r"\d+")], r'a=~"\\d+"'),
        ("a=b c", [("a", "=", "b c")], 'a="b c"'),
        ("a=", [("a", "=", "")], 'a=""'),
        ("a='b'", [("a", "=", "'b'")], "a=\"'b'\""),
        ("{a=b", [("a", "=", "b")], 'a="b"'),
        ("a=b}", [("a", "=", "b")], 'a="b"'),
        ("a==b", [("a", "=", "=b")], 'a="=b"'),
        ("a={x}", [("a", "=", "{x")], 'a="{x"'),
    ],
)
def test_what_only_the_classic_parser_reads_is_remarked_upon_with_what_to_write(
    text: str, found: Found, instead: str
) -> None:
    assert read(text) == (found, f"{text} is read by the classic parser only; write {instead}")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('"foo bar"="x"', [("foo bar", "=", "x")]),
        ("foo-bar=x", [("foo-bar", "=", "x")]),
        ('ünïcode="x"', [("ünïcode", "=", "x")]),
        (r'"a\u00e9"="\xc3\xa9"', [("aé", "=", "é")]),
    ],
)
def test_what_only_the_new_parser_reads_is_remarked_upon(text: str, found: Found) -> None:
    told, remark = read(text)
    assert told == found
    assert "0.27 and newer only" in remark


def test_where_both_disagree_the_classic_one_is_right() -> None:
    told, remark = read(r'a="\t"')
    assert told == [("a", "=", r"\t")]
    assert "read otherwise by the new parser" in remark


@pytest.mark.parametrize(
    "text", ["a", "=b", "a b=c,", ",a=b", "a=b,,c=d", "{,}", 'a="b', 'a=b"', 'a=~"(x"', "a=~[", "a!b"]
)
def test_what_neither_reads_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no matcher"):
        parse(text)


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["=", "!="]), st.text(max_size=8)), max_size=3)
)
def test_a_matcher_is_written_so_that_it_reads_back(found: Found) -> None:
    written = ", ".join(str(Matcher(*one)) for one in found)
    told, _ = read(written)
    assert told == [tuple(one) for one in found]


def test_an_absent_label_counts_as_empty() -> None:
    assert Matcher("a", "=", "").takes({})
    assert Matcher("a", "=~", "b?").takes({})
    assert Matcher("a", "!=", "b").takes({})
    assert not Matcher("a", "=~", ".+").takes({})
    assert not Matcher("a", "!~", ".*").takes({"b": "c"})
