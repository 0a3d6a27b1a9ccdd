import errno
from pathlib import Path

import pytest

from tminus.errors import PartError
from tminus.store.reserve import Reserve


def test_the_room_is_really_taken_and_given_up_at_once(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path, 3_000_000)
    reserve.keep()
    file = tmp_path / "reserve"
    assert file.stat().st_blocks * 512 >= 3_000_000, "a file with holes holds no room"
    reserve.keep()
    assert file.stat().st_size == 3_000_000
    reserve.give_up()
    reserve.give_up()
    assert not file.exists()


def test_a_reserve_that_a_kill_cut_off_is_made_whole(tmp_path: Path) -> None:
    (tmp_path / "reserve").write_bytes(bytes(1000))
    Reserve(tmp_path, 5000).keep()
    assert (tmp_path / "reserve").stat().st_size == 5000


def test_a_disk_without_that_room_is_refused_before_a_launch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(PartError, match=r"no room .* No space left") as caught:
        Reserve(tmp_path).keep()
    assert "8 MB" in caught.value.hint
    assert list(tmp_path.iterdir()) == []
