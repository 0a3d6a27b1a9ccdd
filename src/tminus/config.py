"""Where tminus keeps what outlives a launch, and secrets by reference."""

import os
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tminus.errors import PartError, PlanError, UsageError

_MOST = 64 * 1024
"""Bytes of a file behind a reference; a secret or an address is one line."""
_NAMED = {"env": "environment variable", "file": "file"}
"""By the kind of a reference: what it names."""
LEAST_TOKEN = 20
"""Characters of a token, at the least."""
_FOLDERS = ("archive", "images", "keys", "launches", "rehearsals", "stages")
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


def database_url() -> str:
    """Where launches live that any worker may run: `TMINUS_DATABASE_URL`, or a SQLite file in the home.

    The variable holds `sqlite:///PATH` or `postgresql+psycopg://…`, or names a file that does: `file:PATH` keeps the
    password out of the environment. Raises `UsageError` when there is no such file.
    """
    chosen = os.environ.get("TMINUS_DATABASE_URL")
    if not chosen:
        return f"sqlite:///{home() / 'tminus.db'}"
    try:
        return resolve(chosen, os.environ)
    except PlanError as error:
        raise UsageError(f"TMINUS_DATABASE_URL: {error}", hint="correct the variable") from error


def evidence_place() -> str:
    """Where all machines keep what people show: `TMINUS_EVIDENCE`; empty where each keeps it beside its records.

    Raises `UsageError` for a folder that is not named by its whole path: it would be another one for each folder in
    which a command is typed.
    """
    place = os.environ.get("TMINUS_EVIDENCE", "")
    if place and ":" not in place and not place.startswith(("/", "~")):
        raise UsageError(
            f"TMINUS_EVIDENCE is {place!r}, which is no whole path",
            hint="name a folder by its whole path, or s3://BUCKET/PREFIX",
        )
    return place


def hook_token() -> str:
    """What programs that report have to show to `tminus serve`: `TMINUS_HOOK_TOKEN`; empty where none may report.

    The variable holds the token, or names a file that does: `file:PATH`. Raises `UsageError` for one that could be
    guessed, or when there is no such file.
    """
    chosen = os.environ.get("TMINUS_HOOK_TOKEN", "")
    if not chosen:
        return ""
    try:
        token = resolve(chosen, os.environ)
    except PlanError as error:
        raise UsageError(f"TMINUS_HOOK_TOKEN: {error}", hint="correct the variable") from error
    if len(token) < LEAST_TOKEN or not token.isascii() or not token.isprintable():
        raise UsageError(
            f"TMINUS_HOOK_TOKEN holds no token of {LEAST_TOKEN} printable ASCII characters or more",
            hint="make one: python -c 'import secrets; print(secrets.token_urlsafe(32))'",
        )
    return token


def resolve(reference: str, environment: Mapping[str, str]) -> str:
    """The value behind `env:NAME` or `file:PATH`; anything else is the value itself.

    Raises `PlanError` when there is nothing behind the reference, or no regular file of one line; what it holds is
    never told.
    """
    kind, colon, name = reference.partition(":")
    if colon and kind in _NAMED and not name.strip():
        raise PlanError(
            f"`{reference}` names no {_NAMED[kind]}",
            hint=f"write {kind}:{'NAME' if kind == 'env' else 'PATH'}",
        )
    if kind == "env":
        if name not in environment:
            raise PlanError(f"the environment variable {name} is not set", hint=f"set {name} and start again")
        return environment[name]
    if kind == "file":
        return _line(name)
    return reference


def _line(name: str) -> str:
    try:
        text = _read(Path(name)).decode("utf-8").strip()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise PlanError(f"{name} cannot be read: {why}", hint="correct the path in the plan") from error
    if len(text.splitlines()) > 1:
        raise PlanError(f"{name} holds more than one line", hint="let the file hold the one value alone")
    return text


def _read(path: Path) -> bytes:
    """A regular file's bytes; opened without waiting, because a pipe without a writer never answers."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise PlanError(f"{path} is no regular file", hint="correct the path in the plan")
        data = os.read(handle, _MOST + 1)
    finally:
        os.close(handle)
    if len(data) > _MOST:
        raise PlanError(f"{path} is larger than {_MOST} bytes", hint="let the file hold the one value alone")
    return data
