"""A file as text, within a limit, and how one that is refused is told."""

from collections.abc import Iterable
from pathlib import Path

from tminus import files
from tminus.alerting.yamltree import MAX_BYTES, Fault
from tminus.errors import UsageError

_MOST_TOLD = 20


def text_of(path: Path) -> str:
    """The whole text of a file; raises `UsageError` for one that cannot be read, is too long, or is no text."""
    try:
        content = files.regular(path, MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", hint="check the path") from error
    if len(content) > MAX_BYTES:
        raise UsageError(
            f"{path} is longer than {MAX_BYTES // 1024 // 1024} MB",
            hint="split it, or see whether it is the right file",
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UsageError(
            f"{path} is no text: line {line} is not UTF-8",
            hint="name the file itself, not a packed or compiled one",
        ) from error


def refuse(path: Path, what: str, faults: Iterable[Fault]) -> None:
    """Raise `UsageError` with every fault and its line; does nothing where there is none."""
    told = [str(one) for one in faults]
    if not told:
        return
    more = [f"and {len(told) - _MOST_TOLD} more"] if len(told) > _MOST_TOLD else []
    listed = "\n  ".join([*told[:_MOST_TOLD], *more])
    raise UsageError(
        f"{path} would be refused as {what}:\n  {listed}", hint="mend what is told, line by line"
    )
