"""What holds for evidence wherever it is kept: how large it may be, how it is named, that it is what its name says."""

import re

from tminus.domain.canonical import sha256_hex
from tminus.errors import RecordError, RefusedError, SwappedError

MOST = 16 * 1024 * 1024
"""Bytes of a file that a person shows: a log, a picture, a report."""
_DIGEST = re.compile(r"[0-9a-f]{64}")


def named(content: bytes, what: str = "it") -> str:
    """The SHA-256 in hex under which this is kept; raises `RefusedError` for nothing and for too much."""
    if not 0 < len(content) <= MOST:
        # Of a file that is too large no more is read than shows that it is.
        size = f"more than {MOST} bytes" if len(content) > MOST else "no bytes"
        raise RefusedError(f"{what} has {size}", hint=f"show a file of 1 to {MOST} bytes, or a part of it")
    return sha256_hex(content)


def name_of(digest: str) -> str:
    """The name of a file or object; raises `RecordError` for what is no digest, and could lead anywhere."""
    if not _DIGEST.fullmatch(digest):
        raise RecordError(
            f"{digest[:80]!r} is no SHA-256 in hex", hint="do not rely on what names it; evidence is named so"
        )
    return digest


def compared(digest: str, content: bytes, where: str) -> bytes:
    """The same content; raises `SwappedError` unless it has this digest. One byte more than `MOST` is never it."""
    found = f"{MOST} bytes and more" if len(content) > MOST else f"sha256:{sha256_hex(content)}"
    if found != f"sha256:{digest}":
        raise SwappedError(
            f"{where} is {found}, but sha256:{digest} was signed",
            hint="do not rely on this file; ask whoever showed it, and who may write there",
        )
    return content
