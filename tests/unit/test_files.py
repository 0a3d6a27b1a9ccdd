"""Files that are whole or not there; what a killed writer leaves is cleared by the next one."""

import errno
import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tminus import files

WRITER = """
import sys
from pathlib import Path
from tminus import files

def chunks():
    yield b"half"
    print("begun", flush=True)
    sys.stdin.read()

files.replace(Path(sys.argv[1]), chunks())
"""


def beside(path: Path) -> list[Path]:
    return sorted(set(path.parent.iterdir()) - {path})


def aged(path: Path) -> Path:
    """The same file, written an hour ago."""
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 3600))
    return path


def begun(path: Path) -> subprocess.Popen[bytes]:
    """A process that has written half of this file."""
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == b"begun\n"
    return writer


@pytest.mark.parametrize("name", ["record.jsonl", "[odd] *?.jsonl"])
def test_what_a_killed_writer_has_left_goes_with_the_next_write(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with begun(path) as writer:
        (left,) = beside(path)
        writer.send_signal(signal.SIGKILL)
        writer.wait(10)
    aged(left)
    files.replace(path, [b"whole"])
    assert (path.read_bytes(), beside(path)) == (b"whole", [])


def test_what_another_writes_at_this_moment_stays(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    with begun(path) as writer:
        (other,) = beside(path)
        aged(other)
        files.replace(path, [b"mine"])
        assert beside(path) == [other]
        writer.communicate(b"", 10)
    assert writer.returncode == 0
    assert (path.read_bytes(), beside(path)) == (b"half", [])


def test_a_file_that_was_made_just_now_stays_though_nobody_holds_it_yet(tmp_path: Path) -> None:
    young = tmp_path / ".record.jsonl.tminus-abcdefgh"
    young.touch()
    files.replace(tmp_path / "record.jsonl", [b"x"])
    assert young.exists()


@pytest.mark.parametrize(
    "name", [".record.jsonl.original", ".other.jsonl.tminus-abcdefgh", "record.jsonl.tminus-abcdefgh"]
)
def test_other_files_stay(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    aged(tmp_path / name)
    files.replace(tmp_path / "record.jsonl", [b"x"])
    assert (tmp_path / name).exists()


def test_a_folder_of_such_a_name_stays_and_harms_nothing(tmp_path: Path) -> None:
    odd = tmp_path / ".record.jsonl.tminus-abcdefgh"
    odd.mkdir()
    files.replace(tmp_path / "record.jsonl", [b"x"])
    assert odd.is_dir()


def test_a_file_in_place_is_never_half_written(tmp_path: Path) -> None:
    path = tmp_path / "trust.json"
    files.replace(path, [b"old"])

    def fails() -> list[bytes]:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        files.replace(path, (chunk for _ in "x" for chunk in fails()))
    assert (path.read_bytes(), beside(path)) == (b"old", [])
    with pytest.raises(FileExistsError):
        files.write_new(path, b"new", 0o600)
    assert (path.read_bytes(), beside(path)) == (b"old", [])


def test_a_lock_is_one_s_alone(tmp_path: Path) -> None:
    with (
        files.locked_at_once(tmp_path / "lock"),
        (tmp_path / "lock").open("a") as other,
        pytest.raises(BlockingIOError),
    ):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_where_nobody_can_lock_files_are_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    left = tmp_path / ".record.jsonl.tminus-abcdefgh"
    left.touch()
    aged(left)
    monkeypatch.setattr(fcntl, "flock", no_locks)
    files.replace(tmp_path / "record.jsonl", [b"x"])
    assert (tmp_path / "record.jsonl").read_bytes() == b"x"
    assert left.exists(), "somebody may write it"
