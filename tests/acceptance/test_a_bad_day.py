"""The fourth journey: killed, interrupted, and told nonsense."""

import asyncio
import os
import re
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from demos import LINE_SECONDS, Demo, environment, nothing_left

from tminus.domain.record import decode
from tminus.signing import load_trust, trust_path, verify_file

Begin = Callable[..., Awaitable[Demo]]

pytestmark = pytest.mark.slow


async def test_killed_in_the_middle_of_the_shift_the_launch_goes_on_at_that_step(
    start: Begin, home: Path
) -> None:
    killed = await start()
    await killed.sees(r"watch 50 % #0")
    await killed.kill()
    resumed = await start()
    assert await resumed.ends() == 0, resumed.text
    assert resumed.lines[-1].startswith("outcome=landed record=/")
    assert "goes on" in resumed.text
    assert not re.search(r"→ shift (10|50) |→ migrate|GO  ", resumed.text), "a finished step ran again"
    assert re.search(
        r"users, until they were sent home: [\d,]+ requests sent, 0 failed; "
        r"the proxy logged [\d,]+ of theirs, 0 failed, .* 0 log lines lost",
        resumed.text,
    )
    events = [
        decode(i, line) for i, line in enumerate(resumed.record.read_bytes().splitlines(keepends=True), 1)
    ]
    keys = [event.key for event in events]
    assert len(keys) == len(set(keys))
    assert verify_file(resumed.record, load_trust(trust_path(home))).outcome == "landed"
    assert nothing_left(home, killed.stage)


@pytest.mark.chaos
async def test_killed_while_a_bad_release_is_judged_it_is_still_rolled_back(start: Begin, home: Path) -> None:
    killed = await start("--release", "errors")
    await killed.sees(r"✔ shift 10")
    await killed.kill()
    resumed = await start()
    assert await resumed.ends() == 0, resumed.text
    assert resumed.lines[-1].startswith("outcome=rolled-back record=/")
    assert nothing_left(home, killed.stage)


@pytest.mark.parametrize(
    "moment", [r"^stage \w+: ", pytest.param(r"T-24:00:00 ", marks=pytest.mark.chaos), r"watch 10 % #0"]
)
async def test_ctrl_c_leaves_nothing_behind(start: Begin, home: Path, moment: str) -> None:
    demo = await start()
    await demo.sees(moment)
    demo.interrupt()
    assert await demo.ends() == 1, demo.text
    assert nothing_left(home, demo.stage), demo.text
    if "launch demo-" in demo.text:
        assert demo.lines[-1].startswith("outcome=aborted record=/")
        assert verify_file(demo.record, load_trust(trust_path(home))).outcome == "aborted"
        summary = demo.record.with_name("summary.md").read_text()
        assert summary.startswith("# ABORTED: launch demo-")
        assert "interrupted by the viewer" in summary


async def test_kill_of_everything_is_cleared_and_reported_by_the_next_start(start: Begin, home: Path) -> None:
    killed: Demo | None = None
    for moment in (r"^stage \w+: ", r"test\.smoke", r"✔ shift 10"):
        demo = await start()
        await demo.sees(moment)
        if killed is not None:
            await demo.sees("killed while it was set up|recorded as abandoned")
            assert not killed.stage.exists()
        await demo.kill_everything(demo.stage)
        killed = demo
    last = await start("--clear")
    assert await last.ends() == 0
    assert killed is not None
    reported = re.search(r"recorded as abandoned in (\S+)", last.text)
    assert reported is not None, last.text
    assert verify_file(Path(reported[1]), load_trust(trust_path(home))).outcome == "abandoned"
    assert nothing_left(home, killed.stage)


@pytest.mark.chaos
@pytest.mark.usefixtures("start")  # it clears what a failing test leaves
async def test_a_launch_whose_output_nobody_reads_goes_on_to_its_end(home: Path) -> None:
    reading, writing = os.pipe()
    words = ("-m", "tminus", "demo", "--headless", "--yes", "--release", "errors")
    demo = await asyncio.create_subprocess_exec(
        sys.executable, *words, env=environment(home), stdout=writing, stderr=asyncio.subprocess.PIPE
    )
    os.close(writing)
    try:
        with os.fdopen(reading) as output:
            first = await asyncio.to_thread(output.readline)
        async with asyncio.timeout(LINE_SECONDS):
            _, said = await demo.communicate()
    finally:
        if demo.returncode is None:
            demo.kill()
    told = said.decode().splitlines()
    assert demo.returncode == 0, told
    assert "the launch goes on" in told[0]
    assert told[-1].startswith("outcome=rolled-back record=/")
    record = Path(told[-1].rpartition("record=")[2])
    assert verify_file(record, load_trust(trust_path(home))).outcome == "rolled-back"
    assert nothing_left(home, Path(first.strip().rpartition(" in ")[2]))


async def test_an_order_to_a_launch_whose_tminus_is_dead_says_what_to_run_and_is_then_acted_on(
    start: Begin, home: Path
) -> None:
    killed = await start()
    await killed.sees(r"watch 10 % #0")
    await killed.kill()
    words = ("-m", "tminus", "rollback", "--reason", "users complain")
    order = await asyncio.create_subprocess_exec(
        sys.executable, *words, env=environment(home), stderr=asyncio.subprocess.PIPE
    )
    _, said = await order.communicate()
    assert order.returncode == 4
    assert "nobody acts on it now" in said.decode()
    assert "type `tminus demo`" in said.decode()
    resumed = await start()
    assert await resumed.ends() == 1, resumed.text
    assert resumed.lines[-1].startswith("outcome=rolled-back record=/")
    assert "ordered rollback: users complain" in resumed.text
    assert nothing_left(home, killed.stage)
