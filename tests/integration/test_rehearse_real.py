"""A rehearsal on real parts: real faults, real rollbacks, and nothing left behind, also after a kill."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tminus import processes
from tminus.demo import registry
from tminus.demo.machine import ThisMachine
from tminus.demo.packages import locate
from tminus.domain.canonical import sha256_hex

pytestmark = [
    pytest.mark.slow,
    pytest.mark.chaos,
    pytest.mark.timeout(900),
    pytest.mark.skipif(locate(ThisMachine()) is None, reason="a program of the stage is not installed"),
]
COMMAND = (sys.executable, "-m", "tminus", "rehearse", "--yes")


def rehearse(home: Path, *words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*COMMAND, *words],
        env={**os.environ, "TMINUS_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def folders(home: Path) -> list[Path]:
    """Where the stages of this home are."""
    return [Path(registry.read(path).folder) for path in (home / "stages").glob("*.json")]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home of its own; whatever a failed test leaves is taken down."""
    yield tmp_path
    env = {**os.environ, "TMINUS_HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-m", "tminus", "demo", "--clear"], env=env, check=False, timeout=300)


def test_real_faults_fire_and_the_old_release_serves_everybody_again(home: Path) -> None:
    running = rehearse(home, "errors", "a2", "vulnerability", "corruption", "--hold", "20s", "--json")
    out, err = running.communicate(timeout=800)
    assert running.returncode == 0, err
    found: dict[str, Any] = json.loads(out)
    drills = {drill["subject"]: drill for drill in found["drills"]}
    assert {name: drill["verdict"] for name, drill in drills.items()} == {
        "trig.errors": "warned",
        "trig.vulnerability": "passed",
        "trig.corruption": "passed",
        "guard.a2": "passed",
    }
    for drill in drills.values():
        assert drill["back"]["digest"] == found["previous"]
        assert (drill["back"]["weight"], drill["back"]["lost"]) == (100, [])
        assert drill["back"]["written"] > 0
    assert drills["trig.errors"]["fired_seconds"] >= 20
    assert drills["trig.errors"]["failed"] > 0
    file = Path(found["file"])
    assert file.stem == sha256_hex(file.read_bytes())
    assert folders(home) == []


def test_a_rehearsal_that_was_killed_keeps_nothing_and_the_next_takes_its_stages_down(home: Path) -> None:
    running = rehearse(home, "unavailable")
    assert running.stderr is not None
    assert running.stdout is not None
    for line in running.stdout:
        if "blue serves its users" in line:
            break
    os.kill(running.pid, signal.SIGKILL)
    running.communicate()
    (left,) = folders(home)
    assert processes.strays(left), "what runs on a stage outlives the process that set it"
    again = rehearse(home, "vulnerability")
    out, err = again.communicate(timeout=800)
    assert again.returncode == 0, err
    assert f"stage {left.name.removeprefix('tminus-')} was left by a rehearsal that was killed" in out
    assert not left.exists()
    assert processes.strays(left) == []
    assert folders(home) == []
    assert len(list((home / "rehearsals").glob("*.json"))) == 1
