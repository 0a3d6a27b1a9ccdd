"""What tminus sees in a file: one small file per kind, for people who want to know why a check judged as it did.

Each kind is a module of this package with two functions: `likely` looks at a file's name and first bytes, `see` reads
the whole file with the very code that the checks use.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol

from tminus import files
from tminus.domain.canonical import JsonValue
from tminus.errors import UsageError

KINDS = ("record", "trace", "dashboard", "plan", "rules", "alertmanager", "kubernetes", "checklist")
"""Every kind, the most telling look first."""

_HEAD = 4096


@dataclass(frozen=True, slots=True)
class Sight:
    """What was seen in one file."""

    counts: Mapping[str, int]
    """How many of what."""
    details: Mapping[str, JsonValue]
    """Everything that was seen, for programs."""
    remarks: tuple[str, ...] = ()
    """What a person should know about this file."""
    lines: tuple[str, ...] = ()
    """What is in it that counts do not say, drawn for people."""
    refused: str = ""
    """What the system's own tool says against the file; empty where it takes it, or could not be asked."""


class Reader(Protocol):
    """One kind of file."""

    def likely(self, path: Path, head: bytes) -> bool:
        """Whether a file with this name and these first bytes is probably of this kind."""

    def see(self, path: Path) -> Sight:
        """Read the file; raises a `TminusError` that says what is wrong with it."""


def reader(kind: str) -> Reader:
    """The reader of this kind; raises `UsageError` for an unknown one."""
    if kind not in KINDS:
        raise UsageError(
            f"{kind!r} is no kind of file that tminus reads", hint=f"write one of {', '.join(KINDS)}"
        )
    module: Reader = import_module(f"{__name__}.{kind}")
    return module


def guess(path: Path) -> str:
    """The kind of this file by its name and first bytes; raises `UsageError` when none fits."""
    try:
        head = files.regular(path, _HEAD)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", hint="check the path") from error
    for kind in KINDS:
        if reader(kind).likely(path, head):
            return kind
    raise UsageError(
        f"{path} looks like nothing that tminus reads", hint=f"say what it is: --as {'|'.join(KINDS)}"
    )
