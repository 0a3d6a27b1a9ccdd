"""A snapshot of Vault's raft storage as a file: a gzip of a tar, whose digests are in it.

What it holds stays what it is: `state.bin` is encrypted by Vault and only hashed here, `meta.json` is read for the
place in the log. Source: the archive format of hashicorp/raft-snapshotagent and `vault operator raft snapshot save`.
"""

import gzip
import json
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO

SUMS, META, STATE = "SHA256SUMS", "meta.json", "state.bin"
_DAMAGED = (tarfile.TarError, zlib.error, gzip.BadGzipFile, EOFError)
_PIECE = 1024 * 1024
_LARGEST_TEXT = 1024 * 1024
"""Bytes of the texts in it; a state may be as large as it is."""


@dataclass(frozen=True, slots=True)
class Archive:
    """One snapshot as it was read to its end."""

    problems: tuple[str, ...]
    sha256: str = ""
    """Of the file."""
    bytes: int = 0
    index: int = 0
    """How far the log had come."""
    term: int = 0
    taken: float = 0.0
    """When, by the archive itself, in seconds of the epoch; 0 where it does not say."""


def read(file: Path) -> Archive:
    """Read a snapshot to its end and compare its digests; raises `OSError` for a file that cannot be opened."""
    with file.open("rb") as raw:
        digest, size = _digest(raw)
        raw.seek(0)
        if not size:
            return Archive((f"{file.name} is empty, and no snapshot",))
        try:
            parts = _parts(raw)
        except _DAMAGED as error:
            why = "is cut off" if isinstance(error, EOFError) else "is no snapshot, or damaged"
            return Archive((f"{file.name} {why}: it cannot be read to its end",), digest, size)
    meta = _meta(parts.texts.get(META, b""))
    problems = tuple(_wrong(file.name, parts))
    return Archive(problems, digest, size, meta.get("Index", 0), meta.get("Term", 0), parts.taken)


def taken(file: Path) -> float:
    """When a snapshot was taken, by its first part and without reading the rest; 0 where that does not say it."""
    try:
        with (
            file.open("rb") as raw,
            gzip.GzipFile(fileobj=raw) as unpacked,
            tarfile.open(fileobj=unpacked, mode="r|") as members,
        ):
            first = members.next()
            return float(first.mtime) if first is not None and first.name == META else 0.0
    except (OSError, *_DAMAGED):
        return 0.0  # what is wrong with it is told by whoever reads it


@dataclass(slots=True)
class _Parts:
    """What stands in an archive: digests of everything, the texts alone as they are."""

    digests: dict[str, str]
    texts: dict[str, bytes]
    taken: float = 0.0


def _digest(raw: IO[bytes]) -> tuple[str, int]:
    hasher, size = sha256(), 0
    while piece := raw.read(_PIECE):
        hasher.update(piece)
        size += len(piece)
    return hasher.hexdigest(), size


def _parts(raw: IO[bytes]) -> _Parts:
    found = _Parts({}, {})
    with gzip.GzipFile(fileobj=raw) as unpacked:
        with tarfile.open(fileobj=unpacked, mode="r|") as members:
            for member in members:
                stream = members.extractfile(member)
                if stream is None:
                    continue
                hasher, text = sha256(), b""
                while piece := stream.read(_PIECE):
                    hasher.update(piece)
                    if member.name in {SUMS, META} and len(text) < _LARGEST_TEXT:
                        text += piece
                found.digests[member.name] = hasher.hexdigest()
                found.texts[member.name] = text
                if member.name == META:
                    found.taken = float(member.mtime)
        # What follows the last member holds the checksum of the whole.
        while unpacked.read(_PIECE):
            continue
    return found


def _wrong(name: str, parts: _Parts) -> Iterator[str]:
    missing = [one for one in (META, STATE) if one not in parts.digests]
    if missing:
        yield f"{name} holds no {' and no '.join(missing)}"
    sums = dict(_sums(parts.texts.get(SUMS, b"")))
    if not sums:
        yield f"{name} has no digests of its parts ({SUMS})"
        return
    for one in (META, STATE):
        if one not in sums:
            yield f"{name} has no digest of {one} in {SUMS}"
        elif parts.digests.get(one, sums[one]) != sums[one]:
            yield f"{one} in {name} has the digest {parts.digests[one][:12]}…, and {SUMS} says {sums[one][:12]}…"


def _sums(text: bytes) -> Iterator[tuple[str, str]]:
    for line in text.decode(errors="replace").splitlines():
        digest, _, name = line.strip().partition(" ")
        if name:
            yield name.strip().lstrip("*"), digest.lower()


def _meta(text: bytes) -> dict[str, int]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    told = found if isinstance(found, dict) else {}
    return {key: value for key, value in told.items() if key in {"Index", "Term"} and isinstance(value, int)}
