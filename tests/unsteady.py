"""Tests of real processes, and those that failed once more, alone: `python tests/unsteady.py PYTEST-ARGUMENTS`.

Such a test may fail on a starved machine although nothing is broken. What fails again, alone, is broken. What passes
then is named in the last lines, to be mended. More than `MOST` failures are no bad luck: they are not run again.
"""

import json
import subprocess
import sys
from pathlib import Path

MOST = 6
CACHE = Path(__file__).parents[1] / ".pytest_cache"
FAILED = 1
"""pytest's exit code for tests that failed; any other is no failure of a test."""


def main(arguments: list[str]) -> int:
    """Run the tests; returns what the process ends with."""
    # Ids of an earlier run are not to be taken for failures of this one.
    kept = CACHE / "v" / "cache" / "lastfailed"
    kept.unlink(missing_ok=True)
    code = _pytest(*arguments)
    if code != FAILED:
        return code
    failed = sorted(json.loads(kept.read_text()))
    if not 0 < len(failed) <= MOST:
        return code
    _say(f"{len(failed)} failed; once more, alone:", failed)
    code = _pytest(*failed)
    if code == 0:
        _say("unsteady, passed alone:", failed)
    return code


def _say(what: str, tests: list[str]) -> None:
    sys.stdout.write("\n  ".join((f"\n{what}", *tests)) + "\n")
    sys.stdout.flush()


def _pytest(*arguments: str) -> int:
    return subprocess.run([sys.executable, "-m", "pytest", *arguments], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
