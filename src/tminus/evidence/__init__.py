"""What people show with their word, kept by its SHA-256: in a folder, or in S3-compatible storage, behind one port.

Both keep the same names, so what lies in one can be copied into the other.
"""

import re
from pathlib import Path

from tminus.control.ports import EvidenceStore
from tminus.errors import PartError, UsageError
from tminus.evidence.folder import FolderEvidence

FOLDER = "evidence"
"""The folder beside a record that holds what people showed."""
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_HINT = "name a folder, or s3://BUCKET/PREFIX"


def beside(launch: Path) -> FolderEvidence:
    """What lies beside the record in this folder."""
    return FolderEvidence(launch / FOLDER)


def place(name: str) -> EvidenceStore:
    """The place of this name: a folder, or `s3://BUCKET/PREFIX`; nothing is asked of it yet.

    Raises `UsageError` for a name that is neither, `PartError` where the package for S3 is not installed.
    """
    if name.startswith("s3://"):
        return _in_s3(name)
    if not name or _ADDRESS.match(name):
        # An address may hold a login, so it is not repeated.
        raise UsageError("evidence cannot be kept there", hint=_HINT)
    try:
        return FolderEvidence(Path(name).expanduser().absolute())
    except RuntimeError as error:
        raise UsageError(f"{name} is no folder: {error}", hint=_HINT) from error


def _in_s3(name: str) -> EvidenceStore:
    try:
        from tminus.evidence.s3 import S3Evidence  # noqa: PLC0415 - whoever keeps files pays for no S3
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] not in {"aiobotocore", "botocore"}:
            raise
        raise PartError(
            "evidence in S3 needs a package that is not installed", hint="type: pip install 'tminus[s3]'"
        ) from error
    return S3Evidence.named(name)
