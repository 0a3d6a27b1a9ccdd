"""Verification of a record in a file, with no network."""

from collections.abc import Iterator
from pathlib import Path

from tminus.domain.report import Report
from tminus.domain.trust import TrustRoot
from tminus.domain.verification import verify
from tminus.errors import RecordError, UsageError
from tminus.signing.envelope import open_envelope

_CHUNK = 64 * 1024


def verify_file(path: Path, trust: TrustRoot | None) -> Report:
    """What the record in this file proves.

    Raises `RecordError` with file and line when it does not hold, `UsageError` when there is no such file.
    """
    try:
        return verify(_chunks(path), open_envelope, trust)
    except RecordError as error:
        raise RecordError(f"{path}: {error}", hint=error.hint) from error
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}", hint="check the path") from error


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
