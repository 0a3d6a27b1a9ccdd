"""Room on the disk that is kept for the end of a launch.

A launch that stops because its disk is full must still be able to write that it stopped: into the store, and into the
sealed record beside it.
"""

import os
from pathlib import Path

from tminus.errors import PartError

BYTES = 8 * 1024 * 1024
"""Ten times a record of a whole launch: the store's last pages, their log, and two copies of the exported record."""


class Reserve:
    """One file that holds room until it is given up."""

    def __init__(self, folder: Path, size: int = BYTES) -> None:
        self._file = folder / "reserve"
        self._size = size

    def keep(self) -> None:
        """Have the room, again after a restart; raises `PartError` when the disk has not that much left."""
        try:
            with self._file.open("ab") as file:
                # A file with holes would hold no room; whatever is missing is written.
                missing = self._size - file.tell()
                while missing > 0:
                    missing -= file.write(bytes(min(missing, 1 << 20)))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            self.give_up()
            raise PartError(
                f"there is no room for the end of a record in {self._file.parent}: {error.strerror}",
                hint=f"free {self._size // 1024 // 1024} MB on this disk, or set TMINUS_HOME to another",
            ) from error

    def give_up(self) -> None:
        """Let the launch's last words have the room; nothing when that was done."""
        self._file.unlink(missing_ok=True)
