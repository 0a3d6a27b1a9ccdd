"""Break tminus once for each complaint's test, and see that test fail; figures into docs/reference/mutations.md.

`make chaos ONLY=complaints` does it. Each defect is one edit of the sources, made in a copy of them, on which the test
is run alone. All of the tests have to pass on a copy that nobody has edited.
"""

import argparse
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.chaos_page import put
else:
    from chaos_page import put

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference" / "mutations.md"
TESTS = ROOT / "tests" / "acceptance" / "test_complaints.py"
SECONDS = 900
"""How long one run of pytest may take; all tests together may take four times as long."""
LANES = 3
"""How many runs go side by side: they mostly wait for their workers."""


_FOLDERS = re.compile(r"(?:/[\w.-]+){2,}/")
"""The folders of a path: whose machine this is belongs on no page."""
LONGEST = 120
"""Characters of a failure that the page shows."""


@dataclass(frozen=True, slots=True)
class Defect:
    """One edit of the sources, and the test that has to see it."""

    number: str
    """The complaint's, as its test has it."""
    what: str
    """What is wrong with tminus then."""
    path: str
    """Below `src/tminus`."""
    old: str
    """Stands there once."""
    new: str
    says: str
    """What stands in the failure of a test that has seen it, and of none that failed for another reason."""


DEFECTS = (
    Defect(
        "01",
        "a material change voids no signature",
        "domain/poll.py",
        '    if now["verdict"] != stood:\n        return Change(name, stood, str(now["verdict"]))\n',
        '    if now["verdict"] != stood:\n        return None\n',
        "every signature to be void",
    ),
    Defect(
        "02",
        "who has not signed is not missed",
        "domain/poll.py",
        'if role.signs and (role.id not in given or given[role.id].decision != "go")',
        'if role.signs and role.id in given and given[role.id].decision != "go"',
        "Engineering Lead said nothing",
    ),
    Defect(
        "03",
        "a launch with GO waits at T-0 for somebody to start it",
        "domain/agenda.py",
        "    return Agenda(Due.GONE)\n",
        "    return Agenda(Due.NOTHING)\n",
        "launch.ended of",
    ),
    Defect(
        "04",
        "a sign-off is taken and not recorded",
        "wiring/polling.py",
        "        return [*_renewed(scene), entry(scene, SIGNED, data)]\n",
        "        return [*_renewed(scene)]\n",
        "'decide'",
    ),
    Defect(
        "05",
        "a blocker can be waived",
        "wiring/acts.py",
        '    if check.severity is Severity.BLOCKER:\n        raise RefusedError(f"{check.id} is a blocker: nobody',
        '    if not check:\n        raise RefusedError(f"{check.id} is a blocker: nobody',
        "'rb.tested'",
    ),
    Defect(
        "06",
        "no launch waits for more than two weeks",
        "domain/offsets.py",
        "FARTHEST = 3652 * 86400",
        "FARTHEST = 14 * 86400",
        "'launch'",
    ),
    Defect(
        "07",
        "the NO-GO that is proposed at T-0 is in somebody's name",
        "control/approval.py",
        'data: Json = {"decision": "no-go", "reasons": [*reasons]}',
        'data: Json = {"decision": "no-go", "reasons": [*reasons], "by": decider.person}',
        "nobody's name stands under it",
    ),
    Defect(
        "09",
        "a line that nobody could observe is green",
        "domain/decision.py",
        '        return "unknown"\n',
        '        return "passed"\n',
        "site.up is unknown",
    ),
    Defect(
        "10",
        "a verdict shows what was seen alone",
        "control/readiness.py",
        'shown(observation.value)}, expected {limit.text}"',
        'shown(observation.value)}"',
        "expected == 200",
    ),
    Defect(
        "10",
        "a red line does not say what to do (complaint 11)",
        "control/readiness.py",
        '    return f"{words}; {check.hint}" if check.hint else words\n',
        "    return words\n",
        "look at its log",
    ),
    Defect(
        "14",
        "a waiver may last for ever",
        "wiring/acts.py",
        "    if not scene.now < ends <= t0 + LONGEST:\n",
        "    if not scene.now < ends:\n",
        "'waive'",
    ),
    Defect(
        "15",
        "other pipelines are cleared before T-0",
        "domain/clearance.py",
        "if course.phase in _BEFORE_GO or (course.phase in _UNDER_WAY and not _come(course, now)):",
        "if course.phase in _BEFORE_GO:",
        "'clearance'",
    ),
    Defect(
        "16",
        "a freeze needs no second person",
        "domain/freezes.py",
        "    if window is None:\n        return\n",
        "    return\n",
        "'reschedule'",
    ),
    Defect(
        "18",
        "the report does not know who signed",
        "domain/verification.py",
        "        votes = self.poll.votes if self.poll else {}\n",
        "        votes: dict[tuple[str, str], Signature] = {}\n",
        "Chiyo Tanaka",
    ),
    Defect(
        "19",
        "any key opens that lies where a person's should",
        "signing/people.py",
        "        if signer.keyid != key.keyid:\n",
        "        if not key.keyid:\n",
        "is not the key that its public part names",
    ),
)


@dataclass(frozen=True, slots=True)
class Found:
    """What became of one defect."""

    defect: Defect
    test: str
    failed: bool
    """Whether the test failed by what the defect is: not by a copy that cannot be loaded, nor by the time it took."""
    words: str
    """The assertion that failed, or what pytest ended with."""


def tests() -> list[str]:
    """Every complaint's test, in the order of the file."""
    return re.findall(r"^def (test_\d\d_\w+)", TESTS.read_text(encoding="utf-8"), re.MULTILINE)


def unbroken() -> list[str]:
    """The tests for which the table has no defect: each has to have one."""
    return [name for name in tests() if not any(name.startswith(f"test_{one.number}_") for one in DEFECTS)]


def broken(defect: Defect, folder: Path) -> Path:
    """A copy of the sources with this defect; `SystemExit` where they have changed so that it is none any more."""
    source = copied(folder)
    file = source / "tminus" / defect.path
    text = file.read_text(encoding="utf-8")
    if text.count(defect.old) != 1:
        sys.exit(f"{defect.path}: the place of '{defect.what}' stands there {text.count(defect.old)} times")
    file.write_text(text.replace(defect.old, defect.new), encoding="utf-8")
    return source


def copied(folder: Path) -> Path:
    """A copy of the sources."""
    return Path(shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__")))


def run(source: Path, names: Sequence[str], seconds: float = SECONDS) -> tuple[int, str]:
    """These tests on a copy of the sources: how pytest ended, and what it said."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "--no-header", "-p", "no:cacheprovider"]
    process = subprocess.Popen(
        [*command, *(f"{TESTS}::{name}" for name in names)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,  # not a session of its own: it stays as polite as whoever started this
    )
    try:
        said, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # with the worker that its tests have started
        process.communicate()
        return -1, f"it was not over after {seconds} s"
    return process.returncode, said


def name_of(defect: Defect) -> str:
    """The name of the test that has to see it."""
    return next(name for name in tests() if name.startswith(f"test_{defect.number}_"))


def seen(defect: Defect, until: float) -> Found | None:
    """Make the defect, and run its test; none where it is too late to begin, by the monotonic clock."""
    if time.monotonic() > until:
        return None
    name = name_of(defect)
    with tempfile.TemporaryDirectory(prefix="tminus-complaint-") as folder:
        code, said = run(broken(defect, Path(folder)), [name])
    found = judged(defect, code, said)
    print(f"{name}: {defect.what}: {'failed' if found.failed else 'NOT SEEN'}: {found.words}", flush=True)
    return found


def judged(defect: Defect, code: int, said: str) -> Found:
    """Whether its test has seen a defect, by how pytest ended and what it said."""
    name = name_of(defect)
    words = re.findall(r"^E +(.+)$", said, re.MULTILINE)
    failed = code == 1 and f"FAILED {TESTS.relative_to(ROOT)}::{name}" in said
    last = said.strip().splitlines()[-1:]
    told = words[0] if failed and words else " ".join(last)
    return Found(defect, name, failed and any(defect.says in one for one in words), told)


def whole() -> tuple[int, str]:
    """All tests on a copy without any defect, as `run` tells of it; below 0 where they were not over in time."""
    with tempfile.TemporaryDirectory(prefix="tminus-complaint-") as folder:
        return run(copied(Path(folder)), tests(), 4 * SECONDS)


def section(found: Sequence[Found], minutes: float, *, sound: bool) -> str:
    """The figures as a section of the page; defects that are not among what was found were not made."""
    return "\n".join(_lines(found, minutes, sound=sound))


def _lines(found: Sequence[Found], minutes: float, *, sound: bool) -> Iterator[str]:
    missed = sum(not one.failed for one in found)
    left = [one for one in DEFECTS if one not in [row.defect for row in found]]
    yield "Each test of `tests/acceptance/test_complaints.py` was run on a copy of the sources with one deliberate"
    passed = "all of them passed on a copy without any, in the same run"
    yield f"defect; {passed if sound else 'their run on a copy without any was not over in time'}."
    yield f"Made by `make chaos ONLY=complaints` in {minutes:.0f} minutes."
    yield f"Machine: {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}."
    yield ""
    yield f"{len(DEFECTS)} defects, {missed} not seen, {len(left)} not made yet."
    yield ""
    yield "| test | defect | in | failed with |"
    yield "|--|--|--|--|"
    for one in found:
        words = _FOLDERS.sub("…/", one.words).replace("|", "\\|").replace("`", "'")
        told = f"`{words[:LONGEST]}`" if one.failed else f"not seen: {words[:LONGEST]}"
        yield f"| `{one.test}` | {one.defect.what} | `{one.defect.path}` | {told} |"
    yield from (f"| `{name_of(one)}` | {one.what} | `{one.path}` | not made yet |" for one in left)


def main() -> None:
    """Make every defect once and write the section. Exit 1 when one was not seen, or not made."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=60.0, help="nothing more is begun after so many")
    parser.add_argument("--only", help="the number of one complaint; the page stays as it is")
    arguments = parser.parse_args()
    if left := unbroken():
        sys.exit(f"no defect is known for {', '.join(left)}")
    began = time.monotonic()
    until = began + arguments.minutes * 60
    with ThreadPoolExecutor(LANES) as lanes:
        sound = lanes.submit(whole) if arguments.only is None else None
        wanted = [one for one in DEFECTS if arguments.only in {None, one.number}]
        found = list(filter(None, lanes.map(lambda one: seen(one, until), wanted)))
    code = 0
    if sound is not None:
        code, said = sound.result()
        if code > 0:
            sys.exit(f"without any defect the tests do not pass:\n{said[-4000:]}")
        minutes = (time.monotonic() - began) / 60
        put("Each complaint's test fails once", section(found, minutes, sound=code == 0), PAGE)
    if len(found) < len(wanted) or code or not all(one.failed for one in found):
        sys.exit(1)


if __name__ == "__main__":
    main()
