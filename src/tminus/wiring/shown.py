"""The files that people show with their word: read or fetched, hashed, kept by digest, and laid beside the record."""

from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from tminus import evidence, files
from tminus.control.ports import EvidenceStore
from tminus.errors import EvidenceError, RecordError, RefusedError, UsageError
from tminus.evidence.contents import MOST, named
from tminus.http import connect
from tminus.wiring import launch_folder
from tminus.wiring.acts import Shown
from tminus.wiring.discretion import check_shown

SECONDS = 30.0
"""The time limit of fetching one."""


def evidence_of(home: Path, launch: str, place: str) -> EvidenceStore:
    """Where the files of a launch are kept: in the place of that name for all machines, or here beside its record."""
    return evidence.place(place) if place else evidence.beside(launch_folder(home, launch))


async def kept(store: EvidenceStore, word: str) -> Shown:
    """The file or address that a person names, kept in the store.

    Raises `UsageError` for a file that cannot be read, `RefusedError` for one that is empty, too large, or holds a
    secret, or an address that does not resolve to a document, `EvidenceError` when it cannot be kept.
    """
    name, content, made = await _fetched(word) if word.startswith(("http://", "https://")) else _read(word)
    named(content, name)
    check_shown(name, content)
    return Shown(await store.put(content), name, made)


async def bundled(store: EvidenceStore, shown: Mapping[str, str], record: Path) -> list[str]:
    """Lay what people showed beside the record, so that both are handed on together; what is lacking, in words.

    `shown` says by SHA-256 what each file was called. A store that cannot be read is said once.
    """
    near, lacking = evidence.beside(record.parent), []
    for digest, name in sorted(shown.items()):
        try:
            if await near.has(digest):
                continue
            content = await store.get(digest)
            if content is not None:
                await near.put(content)
            else:
                lacking.append(f"{name} (sha256:{digest}), shown as evidence, is not in {store.where}")
        except RecordError as error:
            lacking.append(f"evidence {name} is not beside the record: {error}; {error.hint}")
        except EvidenceError as error:
            lacking.append(f"evidence is not beside the record: {error}; {error.hint}")
            break
    return lacking


def _read(word: str) -> tuple[str, bytes, float | None]:
    path = Path(word)
    try:
        return path.name, files.regular(path, MOST + 1), path.stat().st_mtime
    except OSError as error:
        raise UsageError(
            f"{word}: cannot be read: {error.strerror}", hint="name a file, or an address"
        ) from error


async def _fetched(word: str) -> tuple[str, bytes, float | None]:
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
    return name, answer.body, _written(answer.headers.get("Last-Modified", ""))


def _written(said: str) -> float | None:
    """When a server says that something was last written; none where it does not, or says no date."""
    try:
        when = parsedate_to_datetime(said)
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
