"""A folder of snapshots: the newest, the one before, notes of their digests, and a new one, whole or not at all.

How old a snapshot is stands in itself; the time of its file is that of the last copy.
"""

import os
import re
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from tminus.domain.canonical import timestamp
from tminus.errors import InconclusiveError
from tminus.gotime import instant

from . import archive

SUFFIX, NOTE = ".snap", ".sha256"
"""What a snapshot's name ends with, and what stands behind it in that of the file with its digest."""

_TOGETHER = 1.0
"""Seconds within which a snapshot and its note are of one time: archives tell whole seconds."""
_NAMED = re.compile(r"vault-(\d{4}-\d\d-\d\dT)(\d\d)(\d\d)(\d\d)(?:\.\d+)?(Z|[+-]\d{4})")


def name_of(now: float) -> str:
    """The name of a snapshot that is taken now; `named_at` reads it."""
    return f"vault-{timestamp(now).replace(':', '')}{SUFFIX}"


def named_at(name: str) -> float | None:
    """When a snapshot was taken, by a name that we gave it; nothing for other names."""
    found = _NAMED.match(name)
    return instant(f"{found[1]}{found[2]}:{found[3]}:{found[4]}{found[5]}") if found else None


class Part:
    """A snapshot that is being written, with nobody's eyes but ours on it."""

    def __init__(self, file: Path) -> None:
        descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        self._stream = os.fdopen(descriptor, "wb")
        self._part, self._file = Path(name), file
        self._hasher = sha256()

    def write(self, piece: bytes) -> None:
        """Append a piece."""
        self._stream.write(piece)
        self._hasher.update(piece)

    def keep(self) -> None:
        """Let it be there under its name, beside a note of its digest."""
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()
        note = self._file.with_name(f"{self._file.name}{NOTE}")
        self._part.replace(self._file)
        note.write_text(f"{self._hasher.hexdigest()}  {self._file.name}\n", encoding="utf-8")

    def drop(self) -> None:
        """Take away what was not kept."""
        with suppress(OSError):
            self._stream.close()
        self._part.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Shelf:
    """One folder; each method raises `InconclusiveError` where it cannot be read."""

    folder: Path

    @classmethod
    def at(cls, folder: str) -> "Shelf":
        """The folder of this path, in which `~` is the user's own."""
        return cls(Path(folder).expanduser())

    def snapshots(self) -> list[Path]:
        """Every snapshot, the oldest first."""
        try:
            found = [one for one in self.folder.iterdir() if one.name.endswith(SUFFIX) and one.is_file()]
            return sorted(found, key=lambda one: (taken(one), one.name))
        except OSError as error:
            raise InconclusiveError(
                f"the folder of snapshots cannot be read: {error.strerror}",
                hint="correct `folder` in the plan, or the rights of the folder",
            ) from error

    def lost(self) -> str:
        """The snapshot that was taken last, where its note is there alone; empty where it is there too.

        Who clears old snapshots away may leave their notes.
        """
        found = self.snapshots()
        there = {one.name for one in found}
        last = taken(found[-1]) if found else 0.0
        notes = {note.name.removesuffix(NOTE): note for note in self.folder.glob(f"*{SUFFIX}{NOTE}")}
        gone = {name: named_at(name) or written(note) for name, note in notes.items() if name not in there}
        name = max(gone, key=lambda one: gone[one], default="")
        return name if name and gone[name] > last + _TOGETHER else ""

    def noted(self, file: Path) -> str:
        """The digest that was noted of a snapshot when it was taken; empty where nobody noted any."""
        note = file.with_name(f"{file.name}{NOTE}")
        try:
            return note.read_text(encoding="utf-8").split()[0].lower() if note.exists() else ""
        except (OSError, UnicodeDecodeError, IndexError) as error:
            raise InconclusiveError(
                f"{note.name} cannot be read", hint="let it hold the digest of the snapshot, or take it away"
            ) from error

    def age(self, now: float) -> float:
        """Seconds since the newest snapshot was taken; without end where there is none."""
        found = self.snapshots()
        return now - taken(found[-1]) if found else float("inf")


def written(file: Path) -> float:
    """When a file was last written, in seconds of the epoch."""
    return file.stat().st_mtime


def taken(file: Path) -> float:
    """When a snapshot was taken, by itself; where it does not say, when its file was written last."""
    return archive.taken(file) or written(file)
