"""What a file looks like that was given by mistake, and which command is for it.

It helps people and decides nothing: the exit code stays that of the command that could not read the file.
"""

import json
from pathlib import Path

from tminus.errors import TminusError

_HEAD = 1024 * 1024
"""Bytes that are looked at; the first line of a record is no longer."""

_PLAN = ("plan:", "checks:", "milestones:", "release:")


def mistaken(path: Path, wanted: str, error: TminusError) -> TminusError:
    """The same error in other words where the file is plainly something else than wanted; else the error itself.

    `wanted` is what the command reads: `launch record`, `trace` or `trust root`.
    """
    found = looks_like(path)
    if found is None or found[0] == wanted:
        return error
    kind, hint = found
    return type(error)(f"{path} is no {wanted}; it looks like a {kind}", hint=hint)


def looks_like(path: Path) -> tuple[str, str] | None:
    """What kind of file this is, and what to do with it; nothing when it cannot be told."""
    if path.is_dir():
        return "folder", f"name a file in it, such as {path / 'record.jsonl'}"
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return None  # whoever wanted to read it says so better
    if not head.strip():
        return "file without any content", "see whether it was written to its end"
    if head.startswith(b"SQLite format 3\0"):
        return (
            "launch's database",
            f"the record of a launch that has ended stands in {path.with_name('record.jsonl')}",
        )
    try:
        text = head.decode()
    except UnicodeDecodeError:
        return None
    return _of_json(path, text) if text.lstrip().startswith("{") else _of_text(path, text)


def _of_json(path: Path, text: str) -> tuple[str, str] | None:
    first = _object(text.lstrip().partition("\n")[0]) or _object(text)
    keys = set(first)
    if {"seq", "prev", "type"} <= keys:
        return "launch record", f"verify it with `tminus verify {path}`"
    if "t" in keys and keys & {"side", "weight"}:
        return "trace", f"judge it with `tminus guard {path}`"
    if {"type", "data", "t_ms"} <= keys or str(first.get("type", "")).startswith("demo."):
        return "demo's printed events", "the record is the file that the demo's last line names"
    if {"version", "keys"} <= keys:
        return "trust root", f"use it as `tminus verify RECORD --trust {path}`"
    return None


def _of_text(path: Path, text: str) -> tuple[str, str] | None:
    lines = text.splitlines()
    if sum(any(line.startswith(word) for line in lines) for word in _PLAN) > 1:
        return "plan", f"check it with `tminus plan check {path}`"
    if lines[0].startswith("# ") and ": launch " in lines[0]:
        return "launch's summary", f"the record stands beside it: {path.with_name('record.jsonl')}"
    return None


def _object(text: str) -> dict[str, object]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
