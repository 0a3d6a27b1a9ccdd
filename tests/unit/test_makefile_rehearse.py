"""What `make rehearse` types."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
_OUTER = {"MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS"}


def test_every_variable_reaches_the_rehearsal() -> None:
    words = ("ONLY=errors guard", "HOLD=30s", "YES=1", "JSON=0", "PLAN=it's.yaml", "DIGEST=sha256:0")
    asked = subprocess.run(
        ["make", "--dry-run", "--old-file=requirements/dev.txt", "rehearse", *words],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name not in _OUTER},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert asked.returncode == 0, asked.stderr
    command = " ".join(asked.stdout.replace("\\\n", " ").split())
    assert command.endswith(
        r"tminus rehearse 'errors' 'guard' --hold '30s' --yes --plan 'it'\''s.yaml' --digest 'sha256:0'"
    )
