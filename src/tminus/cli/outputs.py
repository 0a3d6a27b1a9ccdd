"""Files that commands write where a person says: never over what they are made from, never over what is no file."""

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from tminus import files
from tminus.errors import RefusedError, TminusError, UsageError

_NEW = 0o644
_ELSEWHERE = "write to another file with -o"


def may_write(target: Path, read: Iterable[Path], *, force: bool) -> None:
    """Raise unless this command may write there; `read` is what it is made from, which no force gives up.

    Raises `RefusedError` for one of `read` under whatever name, for what is no regular file, and without `force` for a
    file that is there; `UsageError` for a place that cannot be looked at.
    """
    there = _there(target)
    if there is None:
        return
    if any(_same(there, path) for path in read):
        raise RefusedError(f"{target} is what this is made from and was left as it is", hint=_ELSEWHERE)
    if not stat.S_ISREG(there.st_mode):
        raise RefusedError(f"{target} is there already and is no regular file", hint=_ELSEWHERE)
    if not force:
        raise _taken(target)


def exists(target: Path) -> bool:
    """Whether there is anything at this path; raises `UsageError` for one that cannot be looked at."""
    return _there(target) is not None


def write(target: Path, content: bytes, read: Iterable[Path] = (), *, force: bool) -> None:
    """Write a whole file or none; a symbolic link stays one, an overwritten file keeps its mode.

    Raises what `may_write` raises, also when another command writes the same file meanwhile.
    """
    may_write(target, read, force=force)
    there, place = _there(target), Path(os.path.realpath(target))
    try:
        if force:
            files.replace(place, [content], there.st_mode & 0o777 if there else _NEW)
        else:
            files.write_new(place, content, _NEW)
    except FileExistsError as error:
        raise _taken(target) from error
    except OSError as error:
        raise _unwritable(target, error.strerror) from error


def _there(target: Path) -> os.stat_result | None:
    """What a path leads to, behind symbolic links; nothing where a file can be made."""
    try:
        return target.stat()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _unwritable(target, getattr(error, "strerror", None) or str(error)) from error


def _same(there: os.stat_result, path: Path) -> bool:
    """Whether a path leads to this very file; one that leads nowhere does not."""
    try:
        return os.path.samestat(there, path.stat())
    except (OSError, ValueError):
        return False


def _taken(target: Path) -> TminusError:
    return RefusedError(
        f"{target} is there already and was left as it is",
        hint="write to another file with -o; --force writes it anew and loses what was changed in it",
    )


def _unwritable(target: Path, why: str | None) -> TminusError:
    return UsageError(f"{target} cannot be written: {why}", hint="choose another place with -o")
