"""`tminus plan check` on input that is made to hurt: a clear error, in little memory, with exit code 2.

How soon stands in docs/reference/benchmarks.md: seconds differ by machine, and by what else it does.
"""

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.bad_plans import BAD
else:
    from bad_plans import BAD

_MEASURE = """
import os, sys
with open(sys.argv[1], "wb") as said:
    child = os.posix_spawn(sys.executable, [sys.executable, *sys.argv[2:]], os.environ,
                           file_actions=[(os.POSIX_SPAWN_DUP2, said.fileno(), 2), (os.POSIX_SPAWN_DUP2, 2, 1)])
    _, status, used = os.wait4(child, 0)
print(os.waitstatus_to_exitcode(status), used.ru_maxrss)
"""


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", BAD)
def test_bad_input_ends_in_little_memory_with_exit_code_2(name: str, tmp_path: Path) -> None:
    path, said = tmp_path / "plan.yaml", tmp_path / "said"
    path.write_bytes(BAD[name])
    # A child begins with the memory of whoever starts it, which counts; so a small process starts it, not this one.
    command = [sys.executable, "-c", _MEASURE, str(said), "-m", "tminus", "plan", "check", str(path)]
    code, kilobytes = subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=60
    ).stdout.split()
    assert int(code) == 2
    text = said.read_text(encoding="utf-8")
    assert text.startswith(f"tminus: {path}")
    assert "what to do: " in text
    assert "Traceback" not in text
    assert int(kilobytes) < 300_000
    assert sorted(tmp_path.iterdir()) == [path, said], "nothing else is written"
