"""What a file looks like that was given to the wrong command."""

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typer
from typer.testing import CliRunner, Result

from tminus.cli.guard import guard
from tminus.cli.looks import looks_like
from tminus.cli.verify import verify
from tminus.domain.trust import TrustRoot
from tminus.errors import Exit, TminusError
from tminus.signing import save_trust

if TYPE_CHECKING:
    from tests.unit.record_builder import RecordBuilder
else:
    from record_builder import RecordBuilder

PLAN = (files("tminus.demo") / "demo.yaml").read_bytes()
TRACE = b'{"t": 0, "weight": 10}\n{"t": 1, "side": "blue", "status": 200, "ms": 5, "client": "a"}\n'
KINDS = {
    "trace": TRACE,
    "plan": PLAN,
    "demo's printed events": b'{"type": "demo.said", "text": "up"}\n',
    "launch's database": b"SQLite format 3\0" + bytes(100),
    "launch's summary": b"# LANDED: launch demo-1\n\n| | |\n",
    "file without any content": b"\n",
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMINUS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def launch_record(tmp_path: Path, record: RecordBuilder) -> Path:
    path = tmp_path / "launch.jsonl"
    path.write_bytes(b"".join(record.complete().lines))
    return path


def run(command: object, *arguments: str | Path) -> Result:
    app = typer.Typer()
    app.command()(command)  # type: ignore[type-var] # typer's commands are any functions
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def refused(result: Result) -> TminusError:
    assert isinstance(result.exception, TminusError), result.output
    return result.exception


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_known_by_its_content(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "something"
    path.write_bytes(KINDS[kind])
    found = looks_like(path)
    assert found is not None
    assert found[0] == kind
    assert found[1], "what to do with it"


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"hello\n", b"{", b"[1]", b"{}", b'{"a": 1}'])
def test_what_cannot_be_told_is_not_guessed(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "something"
    path.write_bytes(content)
    assert looks_like(path) is None
    assert looks_like(tmp_path / "missing") is None


@pytest.mark.parametrize("kind", KINDS)
def test_verify_says_what_a_file_is_that_is_no_record(kind: str, tmp_path: Path, home: Path) -> None:
    path = tmp_path / "given"
    path.write_bytes(KINDS[kind])
    error = refused(run(verify, path))
    assert error.code is Exit.FAILED
    assert str(error) == f"{path} is no launch record; it looks like a {kind}"
    assert not home.exists()


def test_verify_of_a_folder_names_a_file_in_it(tmp_path: Path, home: Path) -> None:
    error = refused(run(verify, tmp_path))
    assert error.code is Exit.USAGE
    assert str(tmp_path / "record.jsonl") in error.hint
    assert not home.exists()


def test_guard_on_a_record_says_how_to_verify_it(launch_record: Path) -> None:
    result = run(guard, launch_record)
    assert result.exit_code == Exit.USAGE
    assert "is no trace; it looks like a launch record" in result.stderr
    assert f"tminus verify {launch_record}" in result.stderr


def test_a_broken_line_of_the_right_kind_keeps_its_own_words(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    path.write_bytes(TRACE + b"nonsense\n")
    assert "line 3: " in run(guard, path).stderr


def test_a_trust_root_that_is_not_there_is_said_with_what_to_do(home: Path, launch_record: Path) -> None:
    error = refused(run(verify, launch_record, "--trust", "nope"))
    assert error.code is Exit.USAGE
    assert str(error) == "nope: there is no such trust root"
    assert "leave --trust out" in error.hint
    assert not home.exists()


def test_a_record_is_no_trust_root_and_a_trust_root_no_record(
    home: Path, launch_record: Path, trust: TrustRoot
) -> None:
    error = refused(run(verify, launch_record, "--trust", launch_record))
    assert str(error) == f"{launch_record} is no trust root; it looks like a launch record"
    save_trust(home / "trust.json", trust)
    error = refused(run(verify, home / "trust.json"))
    assert error.code is Exit.FAILED
    assert "looks like a trust root" in str(error)
