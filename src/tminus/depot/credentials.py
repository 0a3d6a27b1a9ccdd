"""Passwords at rest and tokens in flight; pure functions that are told the time.

Passwords: scrypt with a salt each, at 16 MiB and about 50 ms. Tokens: a name, an expiry and the session it came
from, signed with HMAC-SHA256; blue and green accept each other's tokens when they share the secret.
"""

import base64
import binascii
import hashlib
import hmac
import json
import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Claims:
    """What a token says: whose it is, and the session it came from, if any."""

    user: str
    session: str | None = None


def salted_hash(password: str, salt: bytes) -> bytes:
    """The scrypt hash of a password."""
    return hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1, dklen=32)


def new_salt() -> bytes:
    """A fresh salt."""
    return os.urandom(16)


def matches(password: str, salt: bytes, expected: bytes) -> bool:
    """Whether a password is the one that was hashed; takes as long either way."""
    return hmac.compare_digest(salted_hash(password, salt), expected)


def issue_token(name: str, expires: int, secret: bytes, session: str | None = None) -> str:
    """A bearer token for one user until an instant in seconds since 1970."""
    claims: dict[str, str | int] = {"sub": name, "exp": expires}
    if session is not None:
        claims["sid"] = session
    payload = _encode(json.dumps(claims, separators=(",", ":")).encode())
    return f"{payload}.{_encode(_signature(payload, secret))}"


def read_claims(token: str, now: int, secret: bytes) -> Claims | None:
    """What a token says; none when it is forged, malformed or expired."""
    payload, _, signature = token.partition(".")
    if not hmac.compare_digest(signature.encode(), _encode(_signature(payload, secret)).encode()):
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, binascii.Error):
        return None
    return Claims(claims["sub"], claims.get("sid")) if now < claims["exp"] else None


def read_token(token: str, now: int, secret: bytes) -> str | None:
    """The user a token names; none when it is forged, malformed or expired."""
    claims = read_claims(token, now, secret)
    return claims.user if claims is not None else None


def _signature(payload: str, secret: bytes) -> bytes:
    return hmac.digest(secret, payload.encode(), "sha256")


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
