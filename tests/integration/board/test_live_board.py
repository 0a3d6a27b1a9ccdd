"""The board on a real pseudo-terminal: what it draws, which keys it takes, and the terminal given back."""

import asyncio
import os
import re
import signal
import sys
import termios
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

if TYPE_CHECKING:
    from tests.integration.board.pty_world import Pty, foreground, terminal
    from tests.unit.board.board_world import Played, made
else:
    from pty_world import Pty, foreground, terminal

    sys.path.append(str(Path(__file__).parents[2] / "unit" / "board"))
    from board_world import Played, made

from tminus.board.live import REFRESH, LiveBoard
from tminus.board.model import Board
from tminus.board.terminal import Terminal, usable
from tminus.board.waiting import Question

SECONDS = 30.0
COLOURS = re.compile(rb"\x1b\[[0-9;]*m")
WHAT = ("Green has 10 % of the traffic now.",)
CTRL_C = b"\x03"
LEAVE = b"\x1b[?1049l"
TAKE = """import sys
from tminus.board.terminal import Terminal, usable
print("usable" if usable(sys.stdin, sys.stdout) else "not usable", flush=True)
Terminal().take()
print("taken", flush=True)
sys.stdin.read()
"""


class Viewer:
    """Who sits before the board of a launch whose clock the test moves."""

    def __init__(self, pty: Pty) -> None:
        self.pty = pty
        self.now = 100.0
        self.given_up = self.drawn = 0
        self.launch = Played().lift_off()
        console = Console(file=pty.stdout, force_terminal=True, color_system="standard", width=80, height=24)
        self.live = LiveBoard(console, Terminal(pty.stdin, pty.stdout), lambda: self.now)

    def give_up(self) -> None:
        self.given_up += 1

    def make(self, question: Question | None) -> Board:
        self.drawn += 1
        return made(self.launch, self.now - 100.0, question)

    def tick(self, seconds: float = REFRESH) -> None:
        self.now += seconds
        self.live.tick(self.make)
        self.pty.read()  # or its buffer is full some day, and the board waits

    async def types(self, keys: bytes, until: Callable[[], bool]) -> None:
        """Press keys, and look on until something has come of it."""
        self.pty.type(keys)
        async with asyncio.timeout(SECONDS):
            while not until():
                await asyncio.sleep(0.01)
                self.tick(0.01)

    def shows(self, words: str) -> Callable[[], bool]:
        """Whether these words have come since now."""
        before = len(self.pty.read())
        return lambda: words in COLOURS.sub(b"", self.pty.seen[before:]).decode(errors="replace")


@pytest.fixture
async def viewer() -> AsyncIterator[Viewer]:
    with terminal() as pty:
        sitting = Viewer(pty)
        sitting.live.show(sitting.give_up, lambda: WHAT)
        yield sitting
        sitting.live.leave()


async def test_it_is_drawn_when_the_clock_ticks_or_something_changed_and_not_more_often(
    viewer: Viewer,
) -> None:
    viewer.tick()
    assert viewer.drawn == 1
    viewer.tick(0.3)
    assert viewer.drawn == 1, "nothing changed, and the clock shows the same second"
    viewer.live.changed()
    viewer.tick(0.0)
    assert viewer.drawn == 2
    viewer.live.changed()
    viewer.tick(REFRESH / 2)
    assert viewer.drawn == 2, "so soon after the last time"
    for _ in range(100):
        viewer.live.changed()
        viewer.tick(0.05)
    assert viewer.drawn <= 2 + 100 * 0.05 / REFRESH + 1


async def test_nothing_is_written_when_nothing_is_different(viewer: Viewer) -> None:
    viewer.tick()
    before = viewer.pty.read()
    viewer.now -= REFRESH  # the same moment is drawn again
    viewer.live._drawn_at -= REFRESH
    viewer.live.changed()
    viewer.tick()
    assert viewer.drawn == 2
    assert viewer.pty.read() == before


async def test_the_alternate_screen_is_left_and_the_terminal_is_as_before() -> None:
    with terminal() as pty:
        before = pty.mode()
        viewer = Viewer(pty)
        viewer.live.show(viewer.give_up, lambda: WHAT)
        taken = pty.mode()
        viewer.tick()
        viewer.live.leave()
        assert pty.mode() == before
        assert taken != before
        assert pty.read().startswith(b"\x1b[?1049h")
        assert pty.read().rindex(LEAVE) > pty.seen.rindex(b"Traffic")


async def test_go_is_typed_on_the_board_and_seen_there(viewer: Viewer) -> None:
    word = asyncio.create_task(viewer.live.line("Type go or no-go: "))
    await viewer.types(b"gp", viewer.shows("Type go or no-go: gp"))
    await viewer.types(b"\x7fo", viewer.shows("Type go or no-go: go"))
    await viewer.types(b"\r", word.done)
    assert await word == "go\n"


async def test_ctrl_c_asks_n_goes_on_and_y_gives_up_once(viewer: Viewer) -> None:
    await viewer.types(CTRL_C, viewer.shows(WHAT[0]))
    await viewer.types(b"n", lambda: viewer.live._dialogue.question(viewer.now) is None)
    assert viewer.given_up == 0
    viewer.live.interrupt()
    await viewer.types(b"", viewer.shows("Abort the launch?"))
    await viewer.types(b"yy", lambda: viewer.given_up > 0)
    viewer.live.interrupt()
    assert viewer.given_up == 1


async def test_ctrl_c_twice_gives_up(viewer: Viewer) -> None:
    await viewer.types(CTRL_C + CTRL_C, lambda: viewer.given_up == 1)


async def test_a_line_that_is_asked_for_when_the_board_is_left_is_asked_for_elsewhere(viewer: Viewer) -> None:
    word = asyncio.create_task(viewer.live.line("Type go or no-go: "))
    await viewer.types(b"", viewer.shows("Type go or no-go:"))
    viewer.live.leave()
    assert await word == "\n", "an empty answer, after which it is asked again"


async def test_a_terminal_that_is_gone_answers_nothing_and_ends_the_board() -> None:
    with terminal() as pty:
        viewer = Viewer(pty)
        viewer.live.show(viewer.give_up, lambda: WHAT)
        word = asyncio.create_task(viewer.live.line("Type go or no-go: "))
        await viewer.types(b"", viewer.shows("Type go or no-go:"))
        pty.hang_up()
        async with asyncio.timeout(SECONDS):
            assert await word == ""
        viewer.live.changed()
        viewer.now += REFRESH
        viewer.live.tick(viewer.make)
        assert not viewer.live.shown


async def test_the_terminal_is_given_back_when_tminus_is_killed() -> None:
    with terminal() as pty:
        before = pty.mode()
        async with foreground(pty, "-c", TAKE, env={**os.environ, "TERM": "xterm"}) as child:
            await pty.sees(b"taken")
            assert b"not usable" not in pty.seen
            assert pty.mode() != before
            os.kill(child.pid, signal.SIGKILL)
            assert await child.ends() == -signal.SIGKILL
            await pty.sees(LEAVE)
            assert pty.mode() == before


async def test_ctrl_z_stops_nobody_and_ctrl_c_reaches_the_board_alone(viewer: Viewer) -> None:
    keys = termios.tcgetattr(viewer.pty.stdin)[6]
    assert keys[termios.VSUSP] == keys[termios.VINTR] == b"\x00"


@pytest.mark.parametrize(
    ("term", "size"), [("dumb", (80, 24)), ("", (80, 24)), ("xterm", (39, 24)), ("xterm", (80, 9))]
)
def test_there_is_no_board_where_it_could_not_be_read(
    term: str, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", term)
    monkeypatch.setattr(os, "tcgetpgrp", lambda _: os.getpgrp())
    with terminal(*size) as pty:
        assert not usable(pty.stdin, pty.stdout)


def test_there_is_a_board_only_on_a_terminal_in_whose_foreground_we_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    with terminal() as pty:
        assert not usable(pty.stdin, pty.stdout), "it is not our own terminal"
        monkeypatch.setattr(os, "tcgetpgrp", lambda _: os.getpgrp() + 1)
        assert not usable(pty.stdin, pty.stdout), "we are in its background"
        monkeypatch.setattr(os, "tcgetpgrp", lambda _: os.getpgrp())
        assert usable(pty.stdin, pty.stdout)
    with Path(os.devnull).open(encoding="utf-8") as nothing:
        assert not usable(nothing, sys.__stdout__ or sys.stdout)
