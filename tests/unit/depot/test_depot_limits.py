"""Rate limits as they are written and as a client is told of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tminus.depot.limits import Limit, Limits, LimitSpecError
from tminus.depot.rate import Standing


def test_limits_are_for_everyone_and_for_named_keys() -> None:
    limits = Limits.parse("*=600/60, probe-a=5/10,probe-b=5/10")
    assert limits.everyone == Limit(600, 60)
    assert limits.keys == {"probe-a": Limit(5, 10), "probe-b": Limit(5, 10)}
    assert limits


def test_no_limits_are_none() -> None:
    assert not Limits.parse("")
    assert Limits.parse("probe=1/1").everyone is None


@pytest.mark.parametrize(
    "spec", ["*", "*=", "*=5", "*=5/", "*=/5", "=5/5", "*=0/5", "*=5/0", "*=-1/5", "*=5/5,*=6/6"]
)
def test_limits_that_say_nothing_possible_are_refused(spec: str) -> None:
    with pytest.raises(LimitSpecError):
        Limits.parse(spec)


@given(st.text())
def test_any_text_is_limits_or_refused(spec: str) -> None:
    try:
        limits = Limits.parse(spec)
    except LimitSpecError:
        return
    assert all(limit.requests > 0 and limit.seconds > 0 for limit in limits.keys.values())


def test_a_client_is_told_what_is_left() -> None:
    standing = Standing(Limit(5, 10), count=2, reset=7)
    assert not standing.exceeded
    assert standing.headers() == {
        "RateLimit-Limit": "5",
        "RateLimit-Remaining": "3",
        "RateLimit-Reset": "7",
        "RateLimit-Policy": "5;w=10",
    }


def test_the_last_allowed_request_is_not_exceeding_and_the_next_is() -> None:
    assert not Standing(Limit(5, 10), count=5, reset=7).exceeded
    over = Standing(Limit(5, 10), count=6, reset=7)
    assert over.exceeded
    assert over.headers()["RateLimit-Remaining"] == "0"
    assert over.headers()["Retry-After"] == "7"
