"""What a command says where its output is full, closed, or of another encoding: words, and never a traceback."""

import asyncio
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


def test_signs_that_an_encoding_lacks_are_written_as_json_writes_them(home: Path) -> None:
    encoding = "latin-1"
    shown = typed(home, "status", out=subprocess.PIPE, PYTHONIOENCODING=encoding)
    assert (shown.returncode, shown.stderr) == (Exit.PASSED, b"")
    assert "\\ud83d\\ude80" in shown.stdout.decode(encoding)
    found = typed(home, "status", "--json", out=subprocess.PIPE, PYTHONIOENCODING=encoding)
    assert json.loads(found.stdout.decode(encoding))["stands"]["reason"] == REASON
