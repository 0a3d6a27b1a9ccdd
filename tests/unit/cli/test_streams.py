"""What a command says where its output is full, closed, or of another encoding: words, and never a traceback."""

import asyncio
import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import pytest

if TYPE_CHECKING:
    from tests.unit.web.web_launch import Played
else:
    sys.path.append(str(Path(__file__).parents[1] / "web"))
    from web_launch import Played

from tminus.cli.streams import OutputError
from tminus.errors import Exit

WAYS = [("probes", ""), ("probes", "1"), ("status", ""), ("status --json", "")]
"""What is typed, and `PYTHONUNBUFFERED`."""
REASON = "naïve 🚀"


def typed(home: Path, *words: str, out: BinaryIO | int, **more: str) -> subprocess.CompletedProcess[bytes]:
    """`tminus WORDS…` in a process of its own."""
    told = {**os.environ, "TMINUS_HOME": str(home), "COLUMNS": "100", **more}
    command = [sys.executable, "-m", "tminus", *words]
    return subprocess.run(command, stdout=out, stderr=subprocess.PIPE, env=told, timeout=60, check=False)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Where a launch is known that was held for a reason with signs of every kind."""
    played = Played().open()
    played.add("clock.held", {"since": played.events[0].at, "by": "Lena Ortiz", "reason": REASON})
    asyncio.run(played.keep(tmp_path))
    return tmp_path


@pytest.mark.parametrize(("words", "unbuffered"), WAYS)
def test_a_full_output_is_told_and_ends_as_not_known(words: str, unbuffered: str, home: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        ended = typed(home, *words.split(), out=full, PYTHONUNBUFFERED=unbuffered)
    assert ended.returncode == Exit.UNKNOWN
    first, second = ended.stderr.decode().splitlines()
    assert first == "tminus: standard output takes no more: No space left on device"
    assert second.startswith("  what to do: what was done before that stands")


@pytest.mark.parametrize(("words", "unbuffered"), WAYS)
def test_a_reader_that_has_seen_enough_is_told_nothing(words: str, unbuffered: str, home: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = typed(home, *words.split(), out=writing, PYTHONUNBUFFERED=unbuffered)
    finally:
        os.close(writing)
    assert (ended.returncode, ended.stderr) == (Exit.FAILED, b"")


@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
def test_signs_that_an_encoding_lacks_are_written_as_json_writes_them(home: Path, encoding: str) -> None:
    shown = typed(home, "status", out=subprocess.PIPE, PYTHONIOENCODING=encoding)
    assert (shown.returncode, shown.stderr) == (Exit.PASSED, b"")
    shown_as = "utf-8" if encoding == "ascii" else encoding
    assert ("🚀" if encoding == "ascii" else "\\ud83d\\ude80") in shown.stdout.decode(shown_as)
    found = typed(home, "status", "--json", out=subprocess.PIPE, PYTHONIOENCODING=encoding)
    assert json.loads(found.stdout.decode(shown_as))["stands"]["reason"] == REASON


@pytest.mark.parametrize("format_", ["html", "md"])
def test_what_is_written_in_bytes_is_told_too(format_: str, tmp_path: Path) -> None:
    checklist = tmp_path / "list.md"
    checklist.write_text("# Go live\n\n" + "- [ ] The backup was taken\n" * 300, encoding="utf-8")
    plan = tmp_path / "list.plan.yaml"
    imported = typed(tmp_path, "import", str(checklist), "--output", str(plan), out=subprocess.DEVNULL)
    assert imported.returncode == Exit.PASSED, imported.stderr
    with Path("/dev/full").open("wb") as full:
        ended = typed(tmp_path, "export", str(plan), "--format", format_, out=full, PYTHONUNBUFFERED="1")
    assert ended.returncode == Exit.UNKNOWN
    assert ended.stderr.decode().startswith("tminus: standard output takes no more: No space left on device")


def test_whoever_goes_on_without_an_output_knows_why_it_is_gone() -> None:
    error = OutputError(OSError(errno.ENOSPC, "No space left on device"))
    assert (error.errno, error.strerror) == (errno.ENOSPC, "No space left on device")
    assert str(error) == "standard output takes no more: No space left on device"
    assert isinstance(error, OSError)
