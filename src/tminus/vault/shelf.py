"""A folder of snapshots: the newest, the one before, notes of their digests, and a new one, whole or not at all."""

import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from tminus.errors import InconclusiveError

SUFFIX, NOTE = ".snap", ".sha256"
"""What a snapshot's name ends with, and what stands behind it in that of the file with its digest."""


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
        """Every snapshot, the oldest first by the time of its file."""
        try:
            found = [one for one in self.folder.iterdir() if one.name.endswith(SUFFIX) and one.is_file()]
            return sorted(found, key=lambda one: (one.stat().st_mtime, one.name))
        except OSError as error:
            raise InconclusiveError(
                f"the folder of snapshots cannot be read: {error.strerror}",
                hint="correct `folder` in the plan, or the rights of the folder",
            ) from error

    def lost(self) -> str:
        """The newest name of which there is a note and no snapshot; empty where there is none, or a newer snapshot."""
        there = {one.name for one in self.snapshots()}
        noted = {one.name.removesuffix(NOTE) for one in self.folder.glob(f"*{SUFFIX}{NOTE}")}
        gone = max(noted - there, default="")
        return gone if gone > max(there, default="") else ""

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
        """Seconds since the newest snapshot was written; without end where there is none."""
        found = self.snapshots()
        return now - written(found[-1]) if found else float("inf")


def written(file: Path) -> float:
    """When a file was last written, in seconds of the epoch."""
    return file.stat().st_mtime
