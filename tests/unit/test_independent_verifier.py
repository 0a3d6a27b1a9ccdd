"""Others verify our envelopes with their own libraries, in a process in which nothing of ours is loaded."""

import base64
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.whole_records import KINDS, Whole
else:
    from whole_records import KINDS, Whole

from tminus.domain.canonical import canonical
from tminus.signing import save_trust

SIGNED = {
    "demo": {"sign-off/v1": 2, "decision/v1": 1, "checkpoint/v1": 1},
    "people": {
        "attestation/v1": 2,
        "waiver-request/v1": 1,
        "waiver/v1": 1,
        "sign-off/v1": 7,
        "decision/v1": 2,
        "checkpoint/v1": 1,
    },
}
"""How many envelopes of each kind a record holds."""


def verified(folder: Path, whole: Whole, lines: list[bytes]) -> subprocess.CompletedProcess[str]:
    """What the independent verifier says of these lines."""
    (folder / "record.jsonl").write_bytes(b"".join(lines))
    save_trust(folder / "trust.json", whole.trust)
    return subprocess.run(
        [
            sys.executable,
            str(Path(__file__).with_name("independent_verifier.py")),
            "record.jsonl",
            "trust.json",
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_envelope_holds_by_libraries_of_others_alone(kind: str, tmp_path: Path) -> None:
    whole = KINDS[kind]()
    done = verified(tmp_path, whole, list(whole.lines))
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert Counter(row["kind"] for row in found) == SIGNED[kind]
    assert {row["by"] for row in found} == {key.name for key in whole.trust.keys}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_an_envelope_with_other_words_does_not_hold_there_either(kind: str, tmp_path: Path) -> None:
    whole = KINDS[kind]()
    last = json.loads(whole.lines[-1])
    envelope = last["data"]["envelope"]
    payload = base64.b64decode(envelope["payload"]).replace(b'"launch":"depot-', b'"launch":"repot-')
    envelope["payload"] = base64.b64encode(payload).decode()
    done = verified(tmp_path, whole, [*whole.lines[:-1], canonical(last) + b"\n"])
    assert done.returncode != 0
    assert "VerificationError" in done.stderr
