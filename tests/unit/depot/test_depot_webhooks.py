"""Signatures of webhooks, and how long the outbox waits."""

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tminus.depot.outbox import LONGEST_PAUSE_SECONDS, pause_seconds
from tminus.depot.webhooks import SIGNATURE, TIMESTAMP, is_signed, is_timely, signature, signed_headers

SECRET = b"shared with partner"


def test_a_signature_is_the_hmac_of_time_and_body() -> None:
    expected = hmac.new(SECRET, b'1700000000.{"id":"1"}', "sha256").hexdigest()
    assert signature(SECRET, "1700000000", b'{"id":"1"}') == f"v1={expected}"
    headers = signed_headers(SECRET, 1_700_000_000, b'{"id":"1"}')
    assert headers == {TIMESTAMP: "1700000000", SIGNATURE: f"v1={expected}"}


@given(st.binary(max_size=50), st.integers(0, 2**33))
def test_what_was_signed_is_recognised_and_nothing_else(body: bytes, now: int) -> None:
    given_signature = signature(SECRET, str(now), body)
    assert is_signed(SECRET, str(now), given_signature, body)
    assert not is_signed(b"another secret here", str(now), given_signature, body)
    assert not is_signed(SECRET, str(now + 1), given_signature, body)
    assert not is_signed(SECRET, str(now), given_signature, body + b" ")
    assert not is_signed(SECRET, str(now), given_signature.upper(), body)
    assert not is_signed(SECRET, str(now), "", body)


@given(st.text(max_size=100))
def test_no_text_passes_for_a_signature(text: str) -> None:
    assert not is_signed(SECRET, "1", text, b"body")


@pytest.mark.parametrize(
    ("timestamp", "timely"),
    [
        ("1000000", True),
        ("999700", True),
        ("1000300", True),
        ("999699", False),
        ("1000301", False),
        ("", False),
        ("-1000000", False),
        ("1e6", False),
        ("²", False),
        ("9" * 50, False),
    ],
)
def test_a_timestamp_must_lie_in_the_window(timestamp: str, timely: bool) -> None:  # noqa: FBT001 - a parameter
    assert is_timely(timestamp, 1_000_000) is timely


def test_pauses_double_up_to_the_longest() -> None:
    assert [pause_seconds(attempt) for attempt in range(1, 6)] == [1, 2, 4, 8, 16]
    assert pause_seconds(10) == pause_seconds(10_000) == LONGEST_PAUSE_SECONDS
