"""A release turns bad under users: proxy, log, guard, engine and target bring them back to blue."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

if TYPE_CHECKING:
    from benchmarks.rollback import sample
else:
    from rollback import sample

from tminus.demo.machine import ThisMachine
from tminus.demo.packages import locate


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(locate(ThisMachine()) is None, reason="a program of the stage is not installed")
async def test_a_fifth_of_green_s_answers_fail_and_users_are_brought_back(tmp_path: Path) -> None:
    found = await sample(tmp_path, "errors", 1)
    assert found.broken == []
    (run,) = found.runs
    assert run["early"] is False, run
    assert run["seconds"] is not None, run
    assert run["rule"], run
    assert run["weight_left"] == 0
    assert run["failed_before"] == 0
