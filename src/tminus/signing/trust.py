"""The trust root's file: read whole or refused, changed under a lock."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

from tminus import files
from tminus.domain import fields
from tminus.domain.canonical import instant
from tminus.domain.trust import KeyKind, TrustedKey, TrustRoot
from tminus.errors import PartError, PlanError, RecordError, RefusedError, UsageError
from tminus.signing.keys import check_public_key

_VERSION = 1


def trust_path(home: Path) -> Path:
    """Where the trust root is kept unless a command names another place."""
    return home / "trust.json"


def load_trust(path: Path) -> TrustRoot:
    """Read a trust root; raises `UsageError` when it is missing or cannot be read, `PlanError` when it is wrong."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path}: the trust root cannot be read: {error}",
            hint="restore it from a copy, or name another with --trust",
        ) from error
    try:
        return _read(content)
    except (RecordError, RefusedError) as error:
        raise PlanError(
            f"{path} is no trust root: {error}", hint="restore it from a copy, or name another with --trust"
        ) from error


def save_trust(path: Path, trust: TrustRoot) -> None:
    """Write a trust root in the place of the old one."""
    content = {"version": _VERSION, "keys": [asdict(key) for key in trust.keys]}
    files.replace(path, [json.dumps(content, indent=2, ensure_ascii=False).encode() + b"\n"])


def enrol(path: Path, key: TrustedKey) -> TrustRoot:
    """Add a key to the file, which is made when missing; a second time changes nothing.

    Raises `RecordError` for a weak key, `RefusedError` for one that is known for something else.
    """
    check_public_key(key.keyid)
    return _change(path, lambda trust: trust.enrolled(key))


def retire(path: Path, keyid: str, at: str) -> TrustRoot:
    """End the use of a key at an instant; what it signed before stays good."""
    return _change(path, lambda trust: trust.retired(keyid, at))


def _change(path: Path, change: Callable[[TrustRoot], TrustRoot]) -> TrustRoot:
    try:
        with files.locked(path.with_name(f".{path.name}.lock")):
            before = load_trust(path) if path.exists() else TrustRoot()
            after = change(before)
            if after is not before:
                save_trust(path, after)
    except OSError as error:
        raise PartError(f"{path}: cannot be written: {error.strerror}", hint="choose another home") from error
    return after


def _read(content: object) -> TrustRoot:
    if not isinstance(content, dict):
        raise RecordError("not an object", hint="restore the file from a copy")
    fields.exactly(content, ("version", "keys"))
    if content["version"] != _VERSION:
        raise RecordError(f"version {content['version']!r}, not {_VERSION}", hint="use a newer tminus")
    trust = TrustRoot()
    for number, row in enumerate(fields.rows(content, "keys"), 1):
        try:
            before, trust = trust, trust.enrolled(_key(row))
        except (RecordError, RefusedError, ValueError) as error:
            raise RecordError(f"key {number}: {error}", hint="correct the file or restore a copy") from error
        if trust is before:
            raise RecordError(f"key {number}: stands twice", hint="remove one of the two")
    return trust


def _key(row: Mapping[str, object]) -> TrustedKey:
    fields.exactly(row, TrustedKey.__slots__)
    until = None if row["valid_until"] is None else fields.text(row, "valid_until")
    key = TrustedKey(
        keyid=fields.text(row, "keyid"),
        name=fields.text(row, "name"),
        kind=KeyKind(fields.text(row, "kind")),
        roles=tuple(fields.texts(row, "roles")),
        valid_from=fields.text(row, "valid_from"),
        valid_until=until,
        simulated=fields.flag(row, "simulated"),
    )
    check_public_key(key.keyid)
    if until is not None and instant(until) <= instant(key.valid_from):
        raise RecordError("`valid_until` is not after `valid_from`", hint="correct the file")
    instant(key.valid_from)
    return key
