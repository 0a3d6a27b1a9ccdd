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
from tminus.vault.shelf import Part, Shelf, name_of, written

_HOUR = 3600.0
_AHEAD = 300.0
"""Seconds that a snapshot may be ahead of our clock."""
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
    if (
        take
        and await asyncio.to_thread(shelf.age, now) > hours * _HOUR
        and (problem := await _take(vault, shelf))
    ):
        return Observation([problem])
    if gone := await asyncio.to_thread(shelf.lost):
        return Observation([f"{gone} was taken and is gone; take a new one"], {"file": gone})
    found = await asyncio.to_thread(shelf.snapshots)
    if not found:
        raise InconclusiveError(
            f"there is no snapshot in {shelf.folder.name}", hint="take one, or let `take` be true"
        )
    return await _looked_at(shelf, found, now, hours)


async def _looked_at(shelf: Shelf, every: list[Path], now: float, hours: float) -> Observation:
    newest = every[-1]
    found, noted = await _read(newest), shelf.noted(newest)
    problems: list[JsonValue] = [*found.problems]
    if noted and noted != found.sha256:
        here = f"{newest.name} has the digest {found.sha256[:12]}…"
        problems.append(f"{here}, and {noted[:12]}… was noted when it was taken")
    taken = found.taken or written(newest)
    past = (now - taken) / _HOUR
    if not problems:
        _must_be_past(newest.name, taken, now)
    if not problems and past > hours:
        problems.append(
            f"{newest.name} was taken {past:.1f} hours ago, and {hours:g} are allowed; take a new one"
        )
    if not problems:
        await _must_follow(every, found)
    seen: dict[str, JsonValue] = {
        "file": newest.name,
        "bytes": found.bytes,
        "sha256": found.sha256,
        "index": found.index,
        "term": found.term,
        "taken_at": timestamp(taken),
    }
    # A newer snapshot that is as good proves the same, so who signed one has signed the next.
    material: dict[str, JsonValue] = {"folder": shelf.folder.name}
    fact = f"{newest.name} of {found.bytes:,} bytes is whole, at index {found.index:,}"
    return Observation(problems, seen, material, (UNRESTORED,), fact)


async def _read(file: Path) -> archive.Archive:
    """A snapshot as it was read to its end; raises `InconclusiveError` where it cannot be opened."""
    try:
        return await asyncio.to_thread(archive.read, file)
    except OSError as error:
        raise InconclusiveError(
            f"{file.name} cannot be read: {error.strerror}",
            hint="let this user read it: `vault operator raft snapshot save` writes it for its own user alone",
        ) from error


def _must_be_past(what: str, taken: float, now: float) -> None:
    """Raise `InconclusiveError` for what is said to have been taken later than now."""
    if taken > now + _AHEAD:
        raise InconclusiveError(
            f"{what} was taken {(taken - now) / _HOUR:.1f} hours after now, by its own word",
            hint="see the clock of the machine that took it, and ours",
        )


async def _must_follow(every: list[Path], found: archive.Archive) -> None:
    """Raise `InconclusiveError` where the snapshot before is further on: one of them is of another Vault."""
    for one in every[-2:-1]:
        before = await _read(one)
        if not before.problems and before.index > found.index:
            raise InconclusiveError(
                f"{every[-1].name} is at index {found.index}, and {one.name} before it was at {before.index}",
                hint="see whether both are of the Vault that the plan means",
            )


async def _take(vault: System, shelf: Shelf) -> str:
    """Take a snapshot into a folder, whole or not at all; why none could be taken."""
    async with asking(vault.address, long=True) as api:
        health = await api.health()
        if health.problem:
            return f"no snapshot could be taken: {health.problem}"
        try:
            part = Part(shelf.folder / name_of(vault.now()))
            try:
                async for piece in api.snapshot():
                    part.write(piece)
                await asyncio.to_thread(part.keep)
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
    else:
        _must_be_past(f"the automatic snapshot {name}", told.end, vault.now())
    if told.end is not None and vault.now() - told.end > hours * _HOUR:
        past = f"was last taken {(vault.now() - told.end) / _HOUR:.1f} hours ago"
        problems.append(f"the automatic snapshot {name} {past}, and {hours:g} are allowed")
    seen: dict[str, JsonValue] = {"automatic": name, "ended_at": timestamp(told.end) if told.end else None}
    material: dict[str, JsonValue] = {"automatic": name}
    return Observation(problems, seen, material, (UNRESTORED,), f"the automatic snapshot {name} went well")
