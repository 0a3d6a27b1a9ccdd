"""Evidence in a folder that is full, closed, damaged, or no folder."""

import errno
import os
from hashlib import sha256
from pathlib import Path

import pytest

from tminus.errors import EvidenceError, PartError, SwappedError
from tminus.evidence import beside, place
from tminus.evidence.folder import FolderEvidence

LOG = b"rolled back in 4 s\n"
DIGEST = sha256(LOG).hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "evidence"


def left_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


@pytest.fixture
def no_folder(folder: Path) -> Path:
    folder.write_text("no folder")
    return folder


async def test_a_full_disk_is_said_and_leaves_nothing_behind(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("tminus.files.os.fsync", full)
    with pytest.raises(EvidenceError, match=r"cannot be kept: No space left on device") as raised:
        await FolderEvidence(folder).put(LOG)
    assert str(folder / DIGEST) in str(raised.value)
    assert "make room" in raised.value.hint
    assert isinstance(raised.value, PartError)
    assert left_in(folder) == []


async def test_a_write_that_fails_leaves_what_was_kept_before(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FolderEvidence(folder)
    await store.put(LOG)
    monkeypatch.setattr(
        "tminus.files.os.fsync", lambda _: (_ for _ in ()).throw(OSError(errno.EIO, "the disk is ill"))
    )
    with pytest.raises(EvidenceError, match="the disk is ill"):
        await store.put(LOG)
    assert await store.get(DIGEST) == LOG


async def test_one_flipped_bit_is_refused_and_the_file_is_named(folder: Path) -> None:
    store = FolderEvidence(folder)
    await store.put(LOG)
    (folder / DIGEST).write_bytes(bytes([LOG[0] ^ 1]) + LOG[1:])
    with pytest.raises(SwappedError, match=rf"{folder / DIGEST} is sha256:.* but sha256:{DIGEST} was signed"):
        await store.get(DIGEST)


def test_what_is_no_file_is_said_and_not_waited_for(folder: Path) -> None:
    folder.mkdir()
    os.mkfifo(folder / DIGEST)
    with pytest.raises(EvidenceError, match=rf"{DIGEST}: cannot be read: it is no regular file"):
        FolderEvidence(folder).read(DIGEST)


async def test_a_folder_that_is_a_file_is_said_by_every_act(no_folder: Path) -> None:
    store = FolderEvidence(no_folder)
    for act in (store.put(LOG), store.get(DIGEST), store.has(DIGEST)):
        with pytest.raises(EvidenceError, match=r"cannot be (kept|read)") as raised:
            await act
        assert "mend the folder" in raised.value.hint


async def test_a_folder_is_made_with_its_first_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = place("shared/evidence")
    assert store.where == str(tmp_path / "shared" / "evidence"), "wherever it is asked from later"
    assert not (tmp_path / "shared").exists()
    await store.put(LOG)
    assert (tmp_path / "shared" / "evidence" / DIGEST).read_bytes() == LOG
    assert beside(tmp_path / "shared").read(DIGEST) == LOG
