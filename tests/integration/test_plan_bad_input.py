"""`tminus plan check` on input that is made to hurt: a clear error, soon, in little memory, with exit code 2."""

import subprocess
import sys
from pathlib import Path

import pytest

from tminus.planfile import MAX_BYTES

_MEASURE = """
import os, sys
with open(sys.argv[1], "wb") as said:
    child = os.posix_spawn(sys.executable, [sys.executable, *sys.argv[2:]], os.environ,
                           file_actions=[(os.POSIX_SPAWN_DUP2, said.fileno(), 2), (os.POSIX_SPAWN_DUP2, 2, 1)])
    _, status, used = os.wait4(child, 0)
print(os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss)
"""

BAD = {
    "empty": b"",
    "binary": bytes(range(256)) * 4000,
    "50 MB": b"- a\n" * 12_500_000,
    "a bomb": b"a0: &a0 [boom, boom]\n"
    + b"".join(b"a%d: &a%d [*a%d, *a%d]\n" % (n, n, n - 1, n - 1) for n in range(1, 40)),
    "lists in lists": b"a: " + b"[" * 10_000,
    "blocks in blocks": b"".join(b" " * depth + b"a:\n" for depth in range(2000)),
    "a tab": b"plan: x\nroles:\n\t- id: a\n",
    "too many lists": b"a: [" + b"[]," * (MAX_BYTES // 3 - 10),
    "too many numbers": b"a: [" + b"1," * (MAX_BYTES // 2 - 10),
    "many unknown keys": b"".join(b"k%d: 1\n" % n for n in range(100_000)),
    "many wrong lines": b"checks:\n  A:\n" + b"    - {id: 5, lin: x}\n" * 30_000,
    "one long word": b"plan: " + b"x" * (MAX_BYTES - 100),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_ends_soon_in_little_memory_with_exit_code_2(name: str, tmp_path: Path) -> None:
    path, said = tmp_path / "plan.yaml", tmp_path / "said"
    path.write_bytes(BAD[name])
    # A child begins with the memory of whoever starts it, which counts; so a small process starts it, not this one.
    command = [sys.executable, "-c", _MEASURE, str(said), "-m", "tminus", "plan", "check", str(path)]
    code, seconds, kilobytes = subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=60
    ).stdout.split()
    assert int(code) == 2
    text = said.read_text(encoding="utf-8")
    assert text.startswith(f"tminus: {path}")
    assert "what to do: " in text
    assert "Traceback" not in text
    assert float(seconds) < 2.0, "seconds of work, however busy the machine is"
    assert int(kilobytes) < 300_000
    assert sorted(tmp_path.iterdir()) == [path, said], "nothing else is written"
