"""Vault: a snapshot of it that was just taken, and is whole.

What a snapshot holds is encrypted by Vault and is nobody's evidence; its digests are. Taking one needs a right of its
own (`read` of `sys/storage/raft/snapshot`) and is done only where the plan says so.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from tminus.domain.canonical import JsonValue, timestamp
from tminus.domain.evidence import Observation
from tminus.domain.value import ValueKind
from tminus.errors import InconclusiveError, PartError
from tminus.probes import Probe
from tminus.vault import archive, asking
from tminus.vault.shelf import SUFFIX, Part, Shelf, written

_HOUR = 3600.0
UNRESTORED = "only its integrity is known: it was restored nowhere"


@dataclass(frozen=True, slots=True)
class System:
    """One Vault by its address, `https://:TOKEN@host`, behind a reference."""

    address: str = field(repr=False)
    now: Callable[[], float]


@Probe
async def snapshot(
    vault: System, *, hours: float = 2.0, folder: str = "", take: bool = False, automatic: str = ""
) -> Annotated[Observation, ValueKind.FINDINGS]:
    """What is wrong with the newest snapshot: too old, not readable to its end, digests that differ.

    It is the newest `*.snap` in `folder`; with `take` a new one is taken there when that one is older than `hours`. Or
    it is Vault Enterprise's own of the name `automatic`, by what Vault says of it. Its digest is compared with the one
    in the file `NAME.snap.sha256`, where there is one. A snapshot that was restored nowhere is warned of.
    """
    if bool(folder) is bool(automatic):
        raise InconclusiveError(
            "nobody says where snapshots are",
            hint="write `folder` under `with`, or `automatic` for one that Vault Enterprise takes by itself",
        )
    if automatic:
        return await _automatic(vault, automatic, hours)
    shelf, now = Shelf.at(folder), vault.now()
    if take and shelf.age(now) > hours * _HOUR and (problem := await _take(vault, shelf)):
        return Observation([problem])
    if gone := shelf.lost():
        return Observation([f"{gone} was taken and is gone; take a new one"], {"file": gone})
    found = shelf.snapshots()
    if not found:
        raise InconclusiveError(
            f"there is no snapshot in {shelf.folder.name}", hint="take one, or let `take` be true"
        )
    return await _looked_at(shelf, found[-1], now, hours)


async def _looked_at(shelf: Shelf, newest: Path, now: float, hours: float) -> Observation:
    found, noted = await asyncio.to_thread(archive.read, newest), shelf.noted(newest)
    problems: list[JsonValue] = [*found.problems]
    if noted and noted != found.sha256:
        here = f"{newest.name} has the digest {found.sha256[:12]}…"
        problems.append(f"{here}, and {noted[:12]}… was noted when it was taken")
    taken = found.taken or written(newest)
    past = (now - taken) / _HOUR
    if not problems and past > hours:
        problems.append(
            f"{newest.name} was taken {past:.1f} hours ago, and {hours:g} are allowed; take a new one"
        )
    if not problems:
        await _must_follow(shelf, newest, found)
    seen: dict[str, JsonValue] = {
        "file": newest.name,
        "bytes": found.bytes,
        "sha256": found.sha256,
        "index": found.index,
        "term": found.term,
        "taken_at": timestamp(taken),
    }
    material: dict[str, JsonValue] = {"sha256": found.sha256, "index": found.index, "term": found.term}
    fact = f"{newest.name} of {found.bytes:,} bytes is whole, at index {found.index:,}"
    return Observation(problems, seen, material, (UNRESTORED,), fact)


async def _must_follow(shelf: Shelf, newest: Path, found: archive.Archive) -> None:
    """Raise `InconclusiveError` where the snapshot before is further on: one of them is of another Vault."""
    for one in shelf.snapshots()[-2:-1]:
        before = await asyncio.to_thread(archive.read, one)
        if not before.problems and before.index > found.index:
            raise InconclusiveError(
                f"{newest.name} is at index {found.index}, and {one.name} before it was at {before.index}",
                hint="see whether both are of the Vault that the plan means",
            )


async def _take(vault: System, shelf: Shelf) -> str:
    """Take a snapshot into a folder, whole or not at all; why none could be taken."""
    async with asking(vault.address, long=True) as api:
        health = await api.health()
        if health.problem:
            return f"no snapshot could be taken: {health.problem}"
        name = f"vault-{timestamp(vault.now()).replace(':', '')}{SUFFIX}"
        try:
            part = Part(shelf.folder / name)
            try:
                async for piece in api.snapshot():
                    part.write(piece)
                part.keep()
            finally:
                part.drop()
        except OSError as error:
            raise PartError(
                f"a snapshot cannot be written there: {error.strerror}",
                hint="see whether the folder has room",
            ) from error
    return ""


async def _automatic(vault: System, name: str, hours: float) -> Observation:
    async with asking(vault.address) as api:
        health = await api.health()
        if health.problem:
            return Observation([health.problem], {"automatic": name})
        told = await api.automatic(name)
    problems: list[JsonValue] = []
    if told.error:
        problems.append(f"the automatic snapshot {name} failed: {told.error[:200]}")
    if told.end is None:
        problems.append(f"the automatic snapshot {name} has never been taken")
    elif vault.now() - told.end > hours * _HOUR:
        past = f"was last taken {(vault.now() - told.end) / _HOUR:.1f} hours ago"
        problems.append(f"the automatic snapshot {name} {past}, and {hours:g} are allowed")
    seen: dict[str, JsonValue] = {"automatic": name, "ended_at": timestamp(told.end) if told.end else None}
    return Observation(problems, seen, {**seen}, (UNRESTORED,), f"the automatic snapshot {name} went well")
