"""`tminus verify` over 100,000 events, beside the bare cost of their SHA-256 and signature checks, and its memory.

What no verification can avoid is measured in the same run: the SHA-256 of every line, and OpenSSL's check of every
signature over bytes that are ready for it.
"""

import base64
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from securesystemslib.dsse import Envelope

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "unit"))

if TYPE_CHECKING:
    from benchmarks.result import Figure, Result
    from tests.unit.record_builder import CHECKS, RecordBuilder, trust_root
    from tests.unit.whole_records import FILE, ROLES
else:
    from record_builder import CHECKS, RecordBuilder, trust_root
    from result import Figure, Result
    from whole_records import FILE, ROLES

from tminus.domain.canonical import timestamp
from tminus.domain.record import encode
from tminus.signing import load_trust, save_trust, verify_file

EVENTS = 100_000
RATIO = 3.0
"""How many times the bare cost verification may take."""
MEGABYTES = 64.0
"""What a process may hold that verifies 100,000 events: its code, the keys that must be used once, and no lines."""
ROUNDS = 3
_AT_ONCE = 5_000
"""Lines that are made ready for the bare checks at a time."""
_CHILD = r"""
import re, sys
from pathlib import Path
sys.modules["boto3"] = None  # of an extra that no verifier needs; securesystemslib loads it where it is installed
from tminus.signing import load_trust, verify_file
verify_file(Path(sys.argv[1]), load_trust(Path(sys.argv[2])))
print(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1])
"""

Ready = tuple[Ed25519PublicKey, bytes, bytes]
"""A key, a signature, and the bytes that it is over."""


def verify(events: int = EVENTS) -> list[Result | Figure]:
    """A launch whose people sign much, one in which only observations are added, and the memory for the first."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        trust = home / "trust.json"
        save_trust(trust, trust_root())
        signed, observed, shorter = (home / f"{name}.jsonl" for name in ("signed", "observed", "shorter"))
        write(signed, events)
        write(observed, events, observations=250)
        write(shorter, events // 10)
        people = beside(signed, trust, "people sign much")
        memory, before = peak(signed, trust), peak(shorter, trust)
        return [
            people,
            beside(observed, trust, "observations"),
            Figure(
                "verification of a record", f"{people.size}, times the bound", people.ratio, RATIO, "times"
            ),
            Figure(
                "peak memory of verification",
                f"{events:,} events, {signed.stat().st_size / 2**20:.0f} MB (a tenth of them: {before:.1f} MB)",
                memory,
                MEGABYTES,
                "MB",
            ),
        ]


def write(path: Path, events: int, observations: int = 0) -> None:
    """A launch that is put off again and again until its record has so many events; no more of it is kept in memory.

    On every date come 14 events, of which 8 are signed, and so many observations besides.
    """
    record = RecordBuilder()
    record.open(roles=ROLES)
    schedule: Any = record.events[0].data["schedule"]
    kept = 0
    with path.open("wb") as file:
        while record.events[-1].seq + 1 < events - 2:
            _another_date(record, schedule, observations)
            schedule = {"t0": timestamp(record.now + 3600), "speed": 60}
            void = {"attestations": ["bk.db"]}
            record.add("launch.rescheduled", {"schedule": schedule, "void": void})
            del record.claims["bk.db"]
            file.writelines(encode(event) for event in record.events[kept:])
            record.events[1:] = record.events[-1:]
            kept = len(record.events)
            record.words.clear()
        record.add("launch.ended", {"outcome": "scrubbed"})
        record.seal()
        file.writelines(encode(event) for event in record.events[kept:])


def _another_date(record: RecordBuilder, schedule: Any, observations: int) -> None:
    for number in range(3 + observations):
        check = CHECKS[1 + number % 4]
        record.observe(check, "failed" if check == "cfg.cors" else "passed")
    first = record.attest("bk.db", evidence=FILE, source="restore.log")
    record.attest("bk.db", "Emil Eng", confirms=first.digest, version=2)
    record.waive("cfg.cors", record.now + 3600)
    record.poll(schedule=schedule)
    for role in ("devops-lead", "qa-lead", "cto"):
        record.sign(role)
    record.decide("no-go", reason="tests are red")


def beside(path: Path, trust: Path, told: str) -> Result:
    """The time for a whole record in a file, beside the bare cost of it, the best of some rounds each."""
    best = bare = float("inf")
    lines = signatures = 0
    for _ in range(ROUNDS):
        began = time.perf_counter()
        verify_file(path, load_trust(trust))
        best = min(best, time.perf_counter() - began)
        seconds, lines, signatures = _bare(path)
        bare = min(bare, seconds)
    size = f"{lines:,} events, {signatures:,} of them signed ({told})"
    return Result("`tminus verify` of a record", size, best, "their SHA-256 and signature checks", bare)


def _bare(path: Path) -> tuple[float, int, int]:
    """Seconds for what cannot be avoided, and how many lines and signatures that were."""
    keys: dict[str, Ed25519PublicKey] = {}
    seconds, count, signatures = 0.0, 0, 0
    with path.open("rb") as file:
        while lines := list(islice(file, _AT_ONCE)):
            ready = list(_ready(lines, keys))
            began = time.perf_counter()
            for line in lines:
                hashlib.sha256(line).digest()
            for key, signature, message in ready:
                key.verify(signature, message)
            seconds += time.perf_counter() - began
            count, signatures = count + len(lines), signatures + len(ready)
    return seconds, count, signatures


def _ready(lines: list[bytes], keys: dict[str, Ed25519PublicKey]) -> Iterator[Ready]:
    for line in lines:
        if (content := json.loads(line)["data"].get("envelope")) is not None:
            (signature,) = content["signatures"]
            keyid = signature["keyid"]
            if keyid not in keys:
                keys[keyid] = Ed25519PublicKey.from_public_bytes(bytes.fromhex(keyid))
            payload = base64.b64decode(content["payload"])
            message = Envelope(payload, content["payloadType"], {}).pae()
            yield keys[keyid], base64.b64decode(signature["sig"]), message


def peak(path: Path, trust: Path) -> float:
    """Megabytes that a process of its own holds at most while it verifies this record, its code included.

    As Linux counts them; `getrusage` would count what the parent held when it started the child.
    """
    told = subprocess.run(
        [sys.executable, "-c", _CHILD, str(path), str(trust)],
        check=True,
        capture_output=True,
        text=True,
        timeout=1800,
    )
    return int(told.stdout) / 1024
