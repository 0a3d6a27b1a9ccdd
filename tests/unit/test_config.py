"""Where tminus keeps what outlives a launch."""

from pathlib import Path

import pytest

from tminus.config import home, writable_home
from tminus.errors import Exit, PartError, UsageError


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
