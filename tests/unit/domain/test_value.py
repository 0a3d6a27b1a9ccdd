"""Kinds of values: which expectations can be judged on what a probe gives."""

import pytest

from tminus.domain.expectation import parse
from tminus.domain.value import ValueKind, impossible, misfit


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("SHARE", "< 1%"), ("SHARE", "== 100%"), ("SHARE", "== 0"), ("TIME", "< 500 ms"), ("TIME", "<= 2 h"),
        ("SIZE", "< 2 MB"), ("SIZE", "> 100"), ("COUNT", ">= 300"), ("COUNT", "== 0"), ("STATUS", "== 200"),
        ("STATUS", "< 400"), ("FINDINGS", "empty"), ("FLAG", "true"), ("FLAG", "false"), ("TEXT", "is 0002"),
    ],
)  # fmt: skip
def test_what_is_written_like_the_value_fits(kind: str, text: str) -> None:
    assert misfit(ValueKind[kind], parse(text)) == ""


@pytest.mark.parametrize(
    ("kind", "text", "instead"),
    [
        ("SHARE", "< 2 MB", "'< 1%'"), ("SHARE", "< 5", "'< 5%'"), ("SHARE", "< 0.05", "'< 5%'"),
        ("SHARE", "< 5000", "'< 1%'"), ("SHARE", "empty", "'< 1%'"), ("SHARE", "true", "'< 1%'"),
        ("TIME", "< 500", "'< 500 ms'"), ("TIME", "< 2", "'< 2 s'"), ("TIME", "< 5%", "'< 500 ms'"),
        ("COUNT", "< 2 s", "'>= 1'"), ("COUNT", ">= 10%", "'>= 1'"), ("STATUS", "< 2 MB", "'== 200'"),
        ("STATUS", "is 200", "'== 200'"), ("FINDINGS", "== 0", "'empty'"), ("FINDINGS", "true", "'empty'"),
        ("FLAG", "== 1", "'true' or 'false'"), ("TEXT", "< 1", "'is ready'"),
    ],
)  # fmt: skip
def test_what_is_written_unlike_the_value_is_told_with_what_to_write(
    kind: str, text: str, instead: str
) -> None:
    told, _, write = misfit(ValueKind[kind], parse(text)).partition("; ")
    assert told == f"{text!r} is no limit of a {ValueKind[kind]}, and that is what is observed"
    assert write.endswith(instead)


@pytest.mark.parametrize(
    ("kind", "text", "why"),
    [
        ("SHARE", "> 150%", "cannot be the limit"), ("SHARE", ">= -1%", "cannot be the limit"),
        ("SHARE", "< 0%", "can never be met"), ("SHARE", "> 100%", "can never be met"),
        ("STATUS", "< 99999", "cannot be the limit"), ("STATUS", "== 0", "cannot be the limit"),
        ("STATUS", "> 599", "can never be met"), ("STATUS", "<= 599", "cannot fail"),
        ("STATUS", ">= 100", "cannot fail"), ("STATUS", "== 200.5", "cannot be the limit"),
        ("COUNT", "< 0", "can never be met"), ("COUNT", "> -1", "cannot be the limit"),
        ("COUNT", "== 1.5", "cannot be the limit"), ("TIME", "< -5 s", "cannot be the limit"),
    ],
)  # fmt: skip
def test_a_limit_that_no_value_can_miss_or_reach_is_told(kind: str, text: str, why: str) -> None:
    assert why in misfit(ValueKind[kind], parse(text))


@pytest.mark.parametrize("text", ["> 150%", "< -5 s", "== -3", "< 0%"])
def test_some_limits_are_impossible_whatever_is_measured(text: str) -> None:
    assert text in impossible(parse(text))


@pytest.mark.parametrize("text", ["< 5%", "empty", "is Pass", ">= 1200", "<= 120 ms", "< 2 MB"])
def test_a_sane_limit_is_possible(text: str) -> None:
    assert impossible(parse(text)) == ""
