"""Where tminus keeps what outlives a launch."""

import os
from pathlib import Path

import pytest

from tminus.config import database_url, home, resolve, writable_home
from tminus.errors import Exit, PartError, PlanError, UsageError


def test_a_home_is_made_when_it_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMINUS_HOME", str(tmp_path / "a b" / "it's"))
    assert writable_home() == tmp_path / "a b" / "it's"
    assert list(writable_home().iterdir()) == []


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/no-such-folder"])
def test_a_home_that_cannot_be_written_is_named_with_what_to_do(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TMINUS_HOME", str(tmp_path / place))
    with pytest.raises(PartError, match="cannot keep its records in") as refused:
        writable_home()
    assert refused.value.code is Exit.UNKNOWN
    assert "TMINUS_HOME" in refused.value.hint


def test_a_folder_of_the_home_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMINUS_HOME", str(tmp_path))
    (tmp_path / "keys").write_text("")
    with pytest.raises(PartError, match=str(tmp_path / "keys")):
        writable_home()


def test_a_home_of_nobody_is_an_error_of_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMINUS_HOME", "~no-such-user/tminus")
    with pytest.raises(UsageError, match="no-such-user"):
        home()


def test_a_file_behind_a_reference_holds_one_line(tmp_path: Path) -> None:
    (tmp_path / "one").write_text(" http://h\n")
    assert resolve(f"file:{tmp_path}/one", {}) == "http://h"


def test_what_is_no_file_of_one_line_is_refused_and_not_told(tmp_path: Path) -> None:
    (tmp_path / "many").write_text("hunter2\nhunter3\n")
    (tmp_path / "long").write_text("hunter2" * 10_000)
    (tmp_path / "bytes").write_bytes(b"hunter2\xff")
    os.mkfifo(tmp_path / "pipe")
    reasons = {
        f"{tmp_path}/many": "holds more than one line",
        f"{tmp_path}/long": "is larger than 65536 bytes",
        f"{tmp_path}/bytes": "cannot be read: it is no UTF-8 text",
        f"{tmp_path}/pipe": "is no regular file",
        f"{tmp_path}": "is no regular file",
        f"{tmp_path}/none": "cannot be read: No such file or directory",
        "/dev/zero": "is no regular file",
    }
    for name, reason in reasons.items():
        with pytest.raises(PlanError, match=reason) as refused:
            resolve(f"file:{name}", {})
        assert "hunter2" not in str(refused.value)


def test_launches_live_in_the_home_or_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMINUS_HOME", str(tmp_path))
    monkeypatch.delenv("TMINUS_DATABASE_URL", raising=False)
    assert database_url() == f"sqlite:///{tmp_path / 'tminus.db'}"
    monkeypatch.setenv("TMINUS_DATABASE_URL", "postgresql+psycopg://tminus@db/tminus")
    assert database_url() == "postgresql+psycopg://tminus@db/tminus"
    (tmp_path / "address").write_text("sqlite:////srv/tminus.db\n")
    monkeypatch.setenv("TMINUS_DATABASE_URL", f"file:{tmp_path / 'address'}")
    assert database_url() == "sqlite:////srv/tminus.db"


@pytest.mark.parametrize(
    ("reference", "said"),
    [("env:", "`env:` names no environment variable"), ("file: ", "`file: ` names no file")],
)
def test_a_reference_to_nothing_is_told(reference: str, said: str) -> None:
    with pytest.raises(PlanError) as told:
        resolve(reference, {})
    assert str(told.value) == said
