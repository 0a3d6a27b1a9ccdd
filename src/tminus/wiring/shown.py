"""The files that people show with their word: read or fetched, hashed, and kept by digest beside the record."""

from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from tminus import files
from tminus.domain.canonical import sha256_hex
from tminus.errors import PartError, RefusedError, UsageError
from tminus.http import connect
from tminus.signing.verification import EVIDENCE
from tminus.wiring import launch_folder
from tminus.wiring.acts import Shown
from tminus.wiring.discretion import check_shown

MOST = 16 * 1024 * 1024
"""Bytes of a file that a person shows: a log, a picture, a report."""
SECONDS = 30.0
"""The time limit of fetching one."""


async def kept(home: Path, launch: str, word: str) -> Shown:
    """The file or address that a person names, kept beside the launch's record.

    Raises `UsageError` for a file that cannot be read, `RefusedError` for one that is empty, too large, or holds a
    secret, or an address that does not resolve to a document, `PartError` when it cannot be kept.
    """
    name, content = await _fetched(word) if word.startswith(("http://", "https://")) else _read(word)
    if not content or len(content) > MOST:
        raise RefusedError(
            f"{name} has {len(content)} bytes", hint=f"show a file of 1 to {MOST} bytes, or a part of it"
        )
    check_shown(name, content)
    digest = sha256_hex(content)
    path = launch_folder(home, launch) / EVIDENCE / digest
    try:
        files.replace(path, [content])
    except OSError as error:
        raise PartError(
            f"{path}: cannot be kept: {error.strerror}", hint="make room, or mend the folder"
        ) from error
    return Shown(digest, name)


def _read(word: str) -> tuple[str, bytes]:
    path = Path(word)
    try:
        return path.name, files.regular(path, MOST + 1)
    except OSError as error:
        raise UsageError(
            f"{word}: cannot be read: {error.strerror}", hint="name a file, or an address"
        ) from error


async def _fetched(word: str) -> tuple[str, bytes]:
    parts = urlsplit(word)
    if parts.username or parts.password:
        raise RefusedError(
            "the address holds a login, which would stand in the record", hint="download the file and name it"
        )
    # What follows the question mark is often a secret of its own, so the record names the place alone.
    name = urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))
    base = urlunsplit((parts.scheme, parts.netloc, "", "", ""))
    async with connect(base, seconds=SECONDS) as http:
        answer = await http.get(urlunsplit(("", "", parts.path or "/", parts.query, "")))
    if answer.status != 200:
        raise RefusedError(
            f"{name} answers {answer.status}",
            hint="name an address that everybody who verifies can open, or a file",
        )
    return name, answer.body
