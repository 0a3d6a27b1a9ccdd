"""Snapshots of a folder by their own time: copied, cleared away, from the future, of somebody else."""

import gzip
import io
import os
import tarfile
from hashlib import sha256
from pathlib import Path

import pytest

from tminus.errors import InconclusiveError
from tminus.probes.vault import System, snapshot
from tminus.vault import archive
from tminus.vault.shelf import NOTE, Shelf, name_of, named_at

NOW = 1_800_000_000.0
HOUR = 3600.0


def made(folder: Path, name: str, taken: float, copied: float = NOW, index: int = 7) -> Path:
    """A whole snapshot that was taken then, in a file that was written at another time."""
    parts = {"meta.json": f'{{"Index": {index}, "Term": 2}}'.encode(), "state.bin": b"state"}
    parts["SHA256SUMS"] = "".join(
        f"{sha256(body).hexdigest()}  {key}\n" for key, body in parts.items()
    ).encode()
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as written:
        for key, body in parts.items():
            about = tarfile.TarInfo(key)
            about.size, about.mtime = len(body), int(taken)
            written.addfile(about, io.BytesIO(body))
    file = folder / name
    file.write_bytes(gzip.compress(raw.getvalue()))
    os.utime(file, (copied, copied))
    return file


def note(folder: Path, name: str, at: float) -> None:
    file = folder / f"{name}{NOTE}"
    file.write_text("0" * 64)
    os.utime(file, (at, at))


def vault(now: float = NOW) -> System:
    return System("http://127.0.0.1:1", lambda: now)


async def test_the_newest_is_the_one_that_was_taken_last_whenever_it_was_copied(tmp_path: Path) -> None:
    made(tmp_path, "fresh.snap", NOW - 600, copied=NOW - 600)
    made(tmp_path, "old.snap", NOW - 300 * 24 * HOUR, copied=NOW, index=3)
    found = await snapshot.run(vault(), folder=str(tmp_path))
    assert found.seen["file"] == "fresh.snap"
    assert found.value == []
    assert Shelf.at(str(tmp_path)).age(NOW) == 600


async def test_who_signed_one_snapshot_has_signed_the_next(tmp_path: Path) -> None:
    made(tmp_path, "a.snap", NOW - 1200)
    first = await snapshot.run(vault(), folder=str(tmp_path))
    made(tmp_path, "b.snap", NOW - 600, index=9)
    second = await snapshot.run(vault(), folder=str(tmp_path))
    assert first.seen != second.seen
    assert first.material == second.material


async def test_a_note_that_was_left_of_an_old_one_is_no_loss(tmp_path: Path) -> None:
    made(tmp_path, "fresh.snap", NOW - 600)
    old, lost = "vault-2020-01-31T120000.000Z.snap", name_of(NOW - 60)
    note(tmp_path, old, NOW)
    note(tmp_path, "other.snap", NOW - 5000)
    assert Shelf.at(str(tmp_path)).lost() == ""
    note(tmp_path, lost, NOW)
    assert Shelf.at(str(tmp_path)).lost() == lost
    assert named_at(lost) == NOW - 60


async def test_a_snapshot_of_the_future_proves_nothing(tmp_path: Path) -> None:
    file = made(tmp_path, "a.snap", NOW + 200)
    assert (await snapshot.run(vault(), folder=str(tmp_path))).value == []
    file.unlink()
    made(tmp_path, "b.snap", NOW + 300 * 24 * HOUR)
    with pytest.raises(InconclusiveError, match=r"7200\.0 hours after now"):
        await snapshot.run(vault(), folder=str(tmp_path))


async def test_a_snapshot_that_may_not_be_read_supports_no_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(file: Path) -> archive.Archive:
        raise PermissionError(13, "Permission denied", str(file))

    made(tmp_path, "a.snap", NOW - 600)
    monkeypatch.setattr(archive, "read", refused)
    with pytest.raises(InconclusiveError, match=r"a\.snap cannot be read: Permission denied") as told:
        await snapshot.run(vault(), folder=str(tmp_path))
    assert str(tmp_path) not in str(told.value)
