"""Verification of a record in a file, with no network."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from hashlib import file_digest
from pathlib import Path

from tminus.domain.report import Report
from tminus.domain.trust import TrustRoot
from tminus.domain.verification import verify
from tminus.errors import RecordError, UsageError
from tminus.signing.envelope import open_envelope

EVIDENCE = "evidence"
"""The folder beside a record that holds what people showed, each file named by its SHA-256."""
_CHUNK = 64 * 1024


def verify_file(path: Path, trust: TrustRoot | None) -> Report:
    """What the record in this file proves, and the files beside it that people showed with their word.

    Raises `RecordError` with file and line when it does not hold, `UsageError` when there is no such file.
    """
    try:
        report = verify(_chunks(path), open_envelope, trust)
        return replace(report, notes=(*report.notes, *_missing(path.parent / EVIDENCE, report.evidence)))
    except RecordError as error:
        raise RecordError(f"{path}: {error}", hint=error.hint) from error
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}", hint="check the path") from error


def _missing(folder: Path, evidence: Mapping[str, str]) -> Iterator[str]:
    """The files that are not here; raises `RecordError` for one that is another than was shown."""
    for digest, name in sorted(evidence.items()):
        path = folder / digest
        if not path.exists():
            yield f"{name} (sha256:{digest}), shown as evidence, is not beside the record"
            continue
        with path.open("rb") as file:
            found = file_digest(file, "sha256").hexdigest()
        if found != digest:
            raise RecordError(
                f"evidence {name} was swapped: its file is sha256:{found}, but sha256:{digest} was signed",
                hint="do not rely on this file; ask whoever showed it",
            )


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
