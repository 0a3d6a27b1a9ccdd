"""The fourth journey: killed, interrupted, and told nonsense."""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from demos import Demo, nothing_left

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
        r"users: \d+ requests sent, 0 failed; proxy, our own looks included: \d+ logged, 0 failed, 0 lines lost",
        resumed.text,
    )
    events = [
        decode(i, line) for i, line in enumerate(resumed.record.read_bytes().splitlines(keepends=True), 1)
    ]
    keys = [event.key for event in events]
    assert len(keys) == len(set(keys))
    assert verify_file(resumed.record, load_trust(trust_path(home))).outcome == "landed"
    assert nothing_left(home, killed.stage)


async def test_killed_while_a_bad_release_is_judged_it_is_still_rolled_back(start: Begin, home: Path) -> None:
    killed = await start("--release", "errors")
    await killed.sees(r"✔ shift 10")
    await killed.kill()
    resumed = await start()
    assert await resumed.ends() == 0, resumed.text
    assert resumed.lines[-1].startswith("outcome=rolled-back record=/")
    assert nothing_left(home, killed.stage)


@pytest.mark.parametrize("moment", [r"^stage \w+: ", r"T-24:00:00 ", r"watch 10 % #0"])
async def test_ctrl_c_leaves_nothing_behind(start: Begin, home: Path, moment: str) -> None:
    demo = await start()
    await demo.sees(moment)
    demo.interrupt()
    assert await demo.ends() == 1, demo.text
    assert nothing_left(home, demo.stage), demo.text
    if "launch demo-" in demo.text:
        assert demo.lines[-1].startswith("outcome=aborted record=/")
        assert verify_file(demo.record, load_trust(trust_path(home))).outcome == "aborted"


async def test_kill_of_everything_is_cleared_and_reported_by_the_next_start(start: Begin, home: Path) -> None:
    killed: Demo | None = None
    for moment in (r"^stage \w+: ", r"test\.smoke", r"✔ shift 10", r"T\+01:00:00"):
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
