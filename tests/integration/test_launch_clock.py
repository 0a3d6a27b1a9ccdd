"""A launch whose machine's clock jumps: a suspend, and a correction by NTP, under a worker and commands that are real.

The clock is set for these processes alone, by libfaketime: the wall clock jumps, the steady one does not.
"""

import asyncio
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tminus.processes import wait_until
from tminus.signing import load_trust, trust_path, verify_file

if TYPE_CHECKING:
    from tests.conftest import Cluster
    from tests.integration.test_launch_workers import Yard, yard_at
else:
    from test_launch_workers import yard_at

    Yard = object

SLEPT = 3480.0
"""Seconds that a machine sleeps: almost until T-0 of a launch that was an hour ahead."""
pytestmark = pytest.mark.slow


def library() -> str:
    """What sets the clock of a process with threads."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    assert found, "no libfaketime, which `tminus demo --install-only --for-tests` installs"
    return str(found[0])


def settable(yard: Yard) -> Path:
    """The file that says how far the clock of everything that is started in this yard is off."""
    clock = yard.home / "clock"
    clock.write_text("+0\n")
    yard.more |= {
        "LD_PRELOAD": library(),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DONT_RESET": "1",
    }
    return clock


DONE = ("milestone.reached", "gate.judged", "act.done", "poll.opened", "decision.proposed")


async def done(yard: Yard, launch: str) -> list[int]:
    """How often the launch did each of what it does once for a date."""
    counted = Counter(event.type for event in await yard.events(launch))
    return [counted[kind] for kind in DONE]


async def jumps(yard: Yard) -> None:
    """A countdown through a sleep of an hour, the correction of a clock that was an hour ahead, and a new date."""
    clock = settable(yard)
    await yard.work("w1")
    launch = await yard.launch()
    await yard.waiting(launch)
    assert await done(yard, launch) == [1, 1, 0, 0, 0]
    clock.write_text(f"+{SLEPT:g}\n")
    await yard.recorded(launch, "decision.proposed")
    assert await done(yard, launch) == [2, 2, 1, 1, 1]
    clock.write_text("+0\n")
    code, said = await yard.typed("hold", "staging", "--reason", "the clock was wrong")
    assert (code, "the launch is postponed" in said) == (3, True), said
    assert await done(yard, launch) == [2, 2, 1, 1, 1], "what was done stays done when the clock goes back"
    await yard.bring_forward(launch)

    async def again() -> bool:
        return (await done(yard, launch))[-1] == 2

    await wait_until(again, 90, "a proposal for the new date", log=yard.log("w1"))
    assert await done(yard, launch) == [4, 4, 2, 2, 2]
    await yard.scrub()
    record = yard.home / "launches" / launch / "record.jsonl"
    report = await asyncio.to_thread(verify_file, record, load_trust(trust_path(yard.home)))
    assert (report.trusted, report.outcome) == (True, "scrubbed")
    assert await yard.stopped("w1") == 0


async def test_a_clock_that_jumps_does_no_harm_to_a_worker_on_sqlite(tmp_path: Path) -> None:
    async with yard_at(f"sqlite:///{tmp_path / 'tminus.db'}", tmp_path) as yard:
        await jumps(yard)


async def test_a_clock_that_jumps_does_no_harm_to_a_worker_on_postgresql(
    postgres: "Cluster", tmp_path: Path
) -> None:
    """The database's own clock stays right, as on another machine."""
    async with yard_at(postgres.engine_database(), tmp_path) as yard:
        await jumps(yard)
