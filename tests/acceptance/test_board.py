"""A launch watched on a terminal: the board is seen, Ctrl-C asks, `n` goes on and lands, `y` aborts."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from demos import LINE_SECONDS, environment, nothing_left

if TYPE_CHECKING:
    from tests.integration.board.pty_world import Foreground, Pty, foreground, terminal
else:
    sys.path.append(str(Path(__file__).parents[1] / "integration" / "board"))
    from pty_world import Foreground, Pty, foreground, terminal

from tminus.signing import load_trust, trust_path, verify_file

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("start")]  # `start` clears what a failing test leaves

ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"
CTRL_C = b"\x03"


class Watched:
    """One demo on a terminal of its own."""

    def __init__(self, pty: Pty, process: Foreground, before: list[object]) -> None:
        self.pty = pty
        self.process = process
        self.before = before

    async def sees(self, words: str) -> None:
        await self.pty.sees(words.encode(), LINE_SECONDS)

    async def ends(self) -> int:
        """Its exit code; what it prints is read all the while, or it would wait for that."""
        ending = asyncio.create_task(self.process.ends())
        async with asyncio.timeout(LINE_SECONDS * 2):
            while not (await asyncio.wait([ending], timeout=0.1))[0]:
                self.pty.read()
        self.pty.read()
        return ending.result()

    @property
    def lines(self) -> list[str]:
        """What is left on the screen when the board has gone."""
        return self.pty.seen.rpartition(LEAVE)[2].decode().replace("\r", "").splitlines()

    @property
    def text(self) -> str:
        """The same in one, for whoever has to find out why it failed."""
        return "\n".join(self.lines)

    @property
    def stage(self) -> Path:
        """The stage folder that was named before the board came."""
        before = self.pty.seen.partition(ENTER)[0].decode().replace("\r\n", " ")
        found = re.search(r" in\s+(/\S+)", re.sub(r"\x1b\[[0-9;]*m", "", before))
        assert found is not None, before
        return Path(found[1])


Watch = Callable[..., Awaitable[Watched]]


@pytest.fixture
async def watch(home: Path) -> AsyncIterator[Watch]:
    async with AsyncExitStack() as stack:
        pty = stack.enter_context(terminal(120, 40))

        async def begin(*arguments: str) -> Watched:
            before = pty.mode()
            variables = {**environment(home), "TERM": "xterm-256color", "COLUMNS": "120", "LINES": "40"}
            demo = foreground(pty, "-m", "tminus", "demo", "--yes", *arguments, env=variables)
            return Watched(pty, await stack.enter_async_context(demo), before)

        yield begin


async def test_go_is_typed_ctrl_c_then_n_goes_on_and_the_launch_lands(watch: Watch, home: Path) -> None:
    demo = await watch()
    await demo.sees("Sections, failing first")
    await demo.sees("Type go or no-go:")
    demo.pty.type(CTRL_C)
    await demo.sees("Abort the launch?")
    await demo.sees("No traffic was moved: blue has all of it.")
    demo.pty.type(b"n")
    demo.pty.type(b"go\r")
    await demo.sees("Guard: evidence against green")
    assert await demo.ends() == 0, demo.text
    assert demo.lines[-1].startswith("outcome=landed record=/")
    assert any("GO" in line and "(at this terminal)" in line for line in demo.lines), (
        "the lines are there when the board is not"
    )
    assert demo.pty.mode() == demo.before
    record = Path(demo.lines[-1].rpartition("record=")[2])
    assert verify_file(record, load_trust(trust_path(home))).outcome == "landed"
    assert nothing_left(home, demo.stage)


async def test_ctrl_c_then_y_aborts_and_leaves_nothing_behind(watch: Watch, home: Path) -> None:
    demo = await watch("--headless")
    await demo.sees("holding 0:0")
    demo.pty.type(CTRL_C)
    await demo.sees("Green has 10 % of the traffic now.")
    demo.pty.type(b"y")
    assert await demo.ends() == 1, demo.text
    assert demo.lines[-1].startswith("outcome=aborted record=/")
    assert demo.pty.mode() == demo.before
    assert nothing_left(home, demo.stage)
