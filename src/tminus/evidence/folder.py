"""Evidence in a folder: one file for each, named by its SHA-256."""

import asyncio
from pathlib import Path

from tminus import files
from tminus.errors import EvidenceError
from tminus.evidence.contents import MOST, compared, name_of, named


class FolderEvidence:
    """See `EvidenceStore`. A file is whole or not there, whoever else writes it and whatever is killed.

    The folder is made with the first file. Any machine may have it mounted.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def where(self) -> str:
        """See `EvidenceStore.where`."""
        return str(self._folder)

    async def put(self, content: bytes) -> str:
        """See `EvidenceStore.put`."""
        digest = named(content)
        await asyncio.to_thread(self._write, self._folder / digest, content)
        return digest

    async def get(self, digest: str) -> bytes | None:
        """See `EvidenceStore.get`."""
        return await asyncio.to_thread(self.read, digest)

    async def has(self, digest: str) -> bool:
        """See `EvidenceStore.has`."""
        return await asyncio.to_thread(self._stands, self._folder / name_of(digest))

    def read(self, digest: str) -> bytes | None:
        """The same as `get`, for who has no event loop."""
        path = self._folder / name_of(digest)
        try:
            content = files.regular(path, MOST + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unreadable(path, error) from error
        return compared(digest, content, str(path))

    @staticmethod
    def _write(path: Path, content: bytes) -> None:
        try:
            files.replace(path, [content])
        except OSError as error:
            raise EvidenceError(
                f"{path}: cannot be kept: {error.strerror}", hint="make room, or mend the folder"
            ) from error

    @staticmethod
    def _stands(path: Path) -> bool:
        try:
            path.stat()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise _unreadable(path, error) from error
        return True


def _unreadable(path: Path, error: OSError) -> EvidenceError:
    return EvidenceError(f"{path}: cannot be read: {error.strerror}", hint="mend the folder, or its rights")
