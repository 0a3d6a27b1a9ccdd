"""How webhooks are signed, both ways: HMAC-SHA256 over the time of sending and the body.

The signed text is the timestamp in seconds since 1970, a full stop, and the bytes of the body. A timestamp outside
the window is refused, and within it a signature is taken only once (`hooks.py`), so that a message which somebody
recorded cannot be played again.
"""

import hmac

TIMESTAMP = "X-Depot-Timestamp"
SIGNATURE = "X-Depot-Signature"
WINDOW_SECONDS = 300
"""Difference between two clocks, either way."""


def signature(secret: bytes, timestamp: str, body: bytes) -> str:
    """The signature of a body that is sent at this time."""
    return f"v1={hmac.digest(secret, timestamp.encode() + b'.' + body, 'sha256').hex()}"


def signed_headers(secret: bytes, now: int, body: bytes) -> dict[str, str]:
    """The headers that prove who sent a body, and when."""
    return {TIMESTAMP: str(now), SIGNATURE: signature(secret, str(now), body)}


def is_signed(secret: bytes, timestamp: str, given: str, body: bytes) -> bool:
    """Whether the signature is right; takes as long either way."""
    return hmac.compare_digest(given.encode(), signature(secret, timestamp, body).encode())


def is_timely(timestamp: str, now: int) -> bool:
    """Whether the timestamp lies in the window."""
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 12):
        return False
    return abs(now - int(timestamp)) <= WINDOW_SECONDS
