"""Files that are whole or not there: written beside, flushed, then moved into place."""

import errno
import fcntl
import glob
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

_RANDOM = 8
"""Characters that `tempfile` adds to a name."""
_OURS = "tminus-"
"""What stands before them, so that no other's file is taken for one of ours."""
_YOUNG_SECONDS = 60.0
"""Who has just made a file may not hold it yet."""


def regular(path: Path, limit: int) -> bytes:
    """The first bytes of a regular file, `limit` of them at most; raises `OSError` as `opened_regular` does."""
    with opened_regular(path) as file:
        return file.read(limit)


@contextmanager
def opened_regular(path: Path) -> Iterator[BinaryIO]:
    """A regular file, open for reading.

    Raises `OSError` for what cannot be opened and for pipes, devices, sockets and folders: a pipe may never answer,
    and a device may never end.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except ValueError as error:
        raise OSError(errno.EINVAL, "no file has such a name", str(path)) from error
    with os.fdopen(_as_regular(descriptor, path), "rb") as file:
        yield file


def _as_regular(descriptor: int, path: Path) -> int:
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, "it is no regular file", str(path))


def write_new(path: Path, content: bytes, mode: int) -> None:
    """Write a file that must not exist yet; raises `FileExistsError` without touching the one that does."""
    with _written_beside(path, [content], mode) as temporary:
        os.link(temporary, path)


def replace(path: Path, chunks: Iterable[bytes], mode: int = 0o644) -> None:
    """Write a file in the place of the old one, which stays whole until then."""
    with _written_beside(path, chunks, mode) as temporary:
        temporary.replace(path)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an advisory lock on this file, which is made when missing; others wait."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextmanager
def locked_at_once(path: Path) -> Iterator[None]:
    """The same, but raises `BlockingIOError` while another process has it; the kernel frees it when that one ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


@contextmanager
def _written_beside(path: Path, chunks: Iterable[bytes], mode: int) -> Iterator[Path]:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.{_OURS}")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            # What nobody holds was left by a kill; where nobody can lock, nobody clears either.
            with suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _clear_left(path, os.fstat(descriptor).st_mtime)
            os.fchmod(descriptor, mode)
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(descriptor)
            yield temporary
    finally:
        temporary.unlink(missing_ok=True)
    _flush_folder(path.parent)


def _clear_left(path: Path, now: float) -> None:
    """Remove what killed writers of this file have left beside it; `now` is the file system's time."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.{_OURS}{'?' * _RANDOM}"):
        # What is held, or gone by now, or no file of ours stays as it is: the write is not about it.
        with suppress(OSError), opened_regular(left) as file:
            if now - os.fstat(file.fileno()).st_mtime > _YOUNG_SECONDS:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                left.unlink()


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
