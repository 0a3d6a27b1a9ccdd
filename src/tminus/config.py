"""Where tminus keeps what outlives a launch, and secrets by reference."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tminus.errors import PartError, PlanError, UsageError

_FOLDERS = ("images", "keys", "launches", "stages")
"""What a home holds; each may have been made by another user, for instance by root."""


def home() -> Path:
    """The folder of launches, records and the trust root: `TMINUS_HOME`, or the user's data folder.

    It need not exist. Raises `UsageError` when the path names a user whom nobody knows.
    """
    chosen = os.environ.get("TMINUS_HOME")
    base = chosen or os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    try:
        folder = Path(base).expanduser().resolve()
    except RuntimeError as error:
        raise UsageError(
            f"{base} is no folder: {error}", hint="set TMINUS_HOME to a folder of your own"
        ) from error
    return folder if chosen else folder / "tminus"


def writable_home() -> Path:
    """The home, made when it is missing; raises `PartError` when nothing can be written there."""
    folder = home()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for place in (folder, *(folder / name for name in _FOLDERS if (folder / name).exists())):
            with tempfile.TemporaryFile(dir=place):
                continue
    except OSError as error:
        raise PartError(
            f"tminus cannot keep its records in {folder}: {error.strerror} ({error.filename or folder})",
            hint="set TMINUS_HOME to a folder that you may write into, or mend the rights of this one",
        ) from error
    return folder


def resolve(reference: str, environment: Mapping[str, str]) -> str:
    """The value behind `env:NAME` or `file:PATH`; anything else is the value itself.

    Raises `PlanError` when there is nothing behind the reference.
    """
    kind, _, name = reference.partition(":")
    if kind == "env":
        if name not in environment:
            raise PlanError(f"the environment variable {name} is not set", hint=f"set {name} and start again")
        return environment[name]
    if kind == "file":
        try:
            return Path(name).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise PlanError(f"{name} cannot be read: {error}", hint="correct the path in the plan") from error
    return reference
