"""Verification of a record in a file, with no network but where somebody names a store that needs one."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tminus.control.ports import EvidenceStore
from tminus.domain.report import Report
from tminus.domain.trust import TrustRoot
from tminus.domain.verification import verify
from tminus.errors import RecordError, SwappedError, UsageError
from tminus.evidence import beside
from tminus.signing.envelope import open_envelope

_CHUNK = 64 * 1024


def verify_file(path: Path, trust: TrustRoot | None) -> Report:
    """What the record in this file proves, and the files beside it that people showed with their word.

    Raises `RecordError` with file and line when it does not hold, `UsageError` when there is no such file,
    `EvidenceError` when a file beside it cannot be read.
    """
    report, missing = _nearby(path, trust)
    return _noted(report, missing, "is not beside the record; `--evidence` names another place")


async def verify_with(path: Path, trust: TrustRoot | None, store: EvidenceStore) -> Report:
    """The same, with what is not beside the record taken from this store.

    Raises `EvidenceError` when the store cannot be read too.
    """
    report, missing = await asyncio.to_thread(_nearby, path, trust)
    for digest, name in [*missing.items()]:
        with _naming(path, name):
            if await store.get(digest) is not None:
                del missing[digest]
    return _noted(report, missing, f"is neither beside the record nor in {store.where}")


def _nearby(path: Path, trust: TrustRoot | None) -> tuple[Report, dict[str, str]]:
    """What the record proves, and the files that are not beside it: by SHA-256, what each was called."""
    try:
        report = verify(_chunks(path), open_envelope, trust)
    except RecordError as error:
        raise RecordError(f"{path}: {error}", hint=error.hint) from error
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}", hint="check the path") from error
    near, missing = beside(path.parent), {}
    for digest, name in sorted(report.evidence.items()):
        with _naming(path, name):
            if near.read(digest) is None:
                missing[digest] = name
    return report, missing


def _noted(report: Report, missing: dict[str, str], why: str) -> Report:
    notes = (f"{name} (sha256:{digest}), shown as evidence, {why}" for digest, name in missing.items())
    return replace(report, notes=(*report.notes, *notes))


@contextmanager
def _naming(path: Path, name: str) -> Iterator[None]:
    """Within it, what is wrong with a file that was shown is told with the record and the file's name."""
    try:
        yield
    except SwappedError as error:
        raise RecordError(f"{path}: evidence {name} was swapped: {error}", hint=error.hint) from error
    except RecordError as error:
        raise RecordError(f"{path}: evidence {name}: {error}", hint=error.hint) from error


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
