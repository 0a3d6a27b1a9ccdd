"""Change every byte of a record, one at a time, and see each change refused with its place; figures into the page.

`make chaos ONLY=tamper SEED=1` does it to a record of a demo and to one of people's own launch. SEED draws what each
byte is changed into.
"""

import argparse
import os
import platform
import random
import re
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "unit"))

if TYPE_CHECKING:
    from benchmarks.chaos_page import put
    from tests.unit.whole_records import KINDS, Whole
else:
    from chaos_page import put
    from whole_records import KINDS, Whole

from tminus.domain.verification import verify
from tminus.errors import RecordError
from tminus.signing import open_envelope

LARGEST = 64 * 1024
"""Bytes of a record, more than which nobody waits for."""
SLICE = 1024
"""Bytes that one process changes before it is given others."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Some bytes of one record, each to be changed into the other one beside it."""

    whole: Whole
    start: int
    others: bytes


@dataclass(frozen=True, slots=True)
class Found:
    """What became of the changes of a slice."""

    here: int = 0
    """Refused with the line of the changed byte."""
    behind: int = 0
    """Refused with the line after it, whose `prev` names another digest."""
    faults: tuple[str, ...] = ()
    """Changes that were not refused, or with another place."""


def changed(part: Slice) -> Found:
    """Change these bytes, one at a time."""
    here = behind = 0
    faults: list[str] = []
    content = part.whole.content
    for at, other in enumerate(part.others, part.start):
        line = content.count(b"\n", 0, at) + 1
        named, told = refused(part.whole, content[:at] + bytes([other]) + content[at + 1 :])
        here += named == line
        behind += named == line + 1
        if named not in {line, line + 1}:
            faults.append(f"byte {at + 1} (line {line}), {content[at]:#04x} into {other:#04x}: {told}")
    return Found(here, behind, tuple(faults))


def refused(whole: Whole, damaged: bytes) -> tuple[int, str]:
    """The line with which this is refused, and the words; 0 where it is not, or where no line is named."""
    try:
        verify([damaged], open_envelope, whole.trust)
    except RecordError as error:
        told = str(error)
        place = re.match(r"line (\d+)", told)
        return (int(place[1]) if place else 0), told
    return 0, "not refused"


def slices(whole: Whole, dice: random.Random) -> Iterator[Slice]:
    """The whole record, cut for several processes."""
    content = whole.content
    others = bytes((byte + dice.randrange(1, 256)) % 256 for byte in content)
    for start in range(0, len(content), SLICE):
        yield Slice(whole, start, others[start : start + SLICE])


def campaign(kind: str, seed: int) -> tuple[Whole, list[Found]]:
    """Every byte of one record; it must hold before, or nothing is said by refusing it afterwards."""
    whole = KINDS[kind]()
    if len(whole.content) > LARGEST:
        sys.exit(f"the {kind} record has {len(whole.content)} bytes, more than {LARGEST}")
    verify([whole.content], open_envelope, whole.trust)
    found: list[Found] = []
    with ProcessPoolExecutor() as pool:
        for one in pool.map(changed, slices(whole, random.Random(f"{seed} {kind}"))):
            found.append(one)
            print(
                f"{kind}: {min(len(found) * SLICE, len(whole.content))} of {len(whole.content)}", flush=True
            )
    return whole, found


def section(seed: int, campaigns: dict[str, tuple[Whole, list[Found]]], minutes: float) -> str:
    """The figures as a section of the page."""
    head = f"""Every byte of a record changed, one at a time, into another drawn by seed {seed}, and the whole record
verified with its trust root after each. Made by `make chaos ONLY=tamper` in {minutes:.0f} minutes.
Machine: {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}.

| record of | lines | bytes changed | refused with the byte's line | with the line after it | not so |
|--|--|--|--|--|--|
"""
    rows = (
        f"| {kind} | {len(whole.lines)} | {len(whole.content)} | {sum(one.here for one in found)} "
        f"| {sum(one.behind for one in found)} | {sum(len(one.faults) for one in found)} |"
        for kind, (whole, found) in campaigns.items()
    )
    told = (
        f"- {kind}: {fault}"
        for kind, (_, found) in campaigns.items()
        for one in found
        for fault in one.faults
    )
    return "\n".join([head + "\n".join(rows), "", *told])


def main() -> None:
    """Change both records and write the page. Exit 1 when a change was not refused with its place."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dry", action="store_true", help="print the figures, and leave the page as it is")
    arguments = parser.parse_args()
    began = time.monotonic()
    campaigns = {kind: campaign(kind, arguments.seed) for kind in sorted(KINDS)}
    text = section(arguments.seed, campaigns, (time.monotonic() - began) / 60)
    print(text)
    if not arguments.dry:
        put("Changed bytes", text)
    if any(one.faults for _, found in campaigns.values() for one in found):
        sys.exit(1)


if __name__ == "__main__":
    main()
