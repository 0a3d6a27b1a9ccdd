"""A launch on the board: what Ctrl-C says would become of the traffic, and a board that cannot be drawn."""

import asyncio
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from rich.console import Console

if TYPE_CHECKING:
    from tests.unit.web.web_launch import Played
else:
    import sys

    sys.path.append(str(Path(__file__).parents[1] / "web"))
    from web_launch import Played

from tminus.board.live import LiveBoard
from tminus.board.model import Board
from tminus.board.waiting import Question
from tminus.demo.screen import Screen
from tminus.demo.watching import Watching, consequence
from tminus.picture.course import Course
from tminus.wiring import LocalLaunch


class PaperBoard:
    """A board on paper: it notes what it is told."""

    def __init__(self, *, torn: bool = False) -> None:
        self.shown = False
        self.torn = torn
        self.boards: list[Board] = []
        self.asked: list[tuple[str, ...]] = []
        self.drawn = asyncio.Event()

    def show(self, abort: Callable[[], object], consequence: Callable[[], tuple[str, ...]]) -> None:
        self.shown, self._consequence = callable(abort), consequence

    def leave(self) -> None:
        self.shown = False

    def changed(self) -> None:
        self.drawn.clear()

    def interrupt(self) -> None:
        self.asked.append(self._consequence())

    def tick(self, make: Callable[[Question | None], Board]) -> None:
        self.drawn.set()
        if self.torn:
            raise ValueError("the paper is torn")
        self.boards.append(make(None))


def watching(launch: Played, paper: PaperBoard, out: StringIO) -> Watching:
    trace: Any = SimpleNamespace(items=lambda after: launch.trace[after:])
    screen = Screen(Console(file=out, width=100), as_json=False)
    stub = cast("LocalLaunch", SimpleNamespace(trace=trace))
    return Watching(cast("LiveBoard", paper), screen, stub, launch.plan)


async def test_events_and_requests_reach_the_board_and_its_lines_wait_until_it_has_left() -> None:
    launch, paper, out = Played().lift_off(), PaperBoard(), StringIO()
    shown = watching(launch, paper, out)
    shown.begin(launch.events[:-1])
    shown._screen.say("said meanwhile")
    shown.take(launch.events[-1])
    async with asyncio.timeout(20):
        await paper.drawn.wait()
    await shown.end()
    assert paper.boards[-1].log[-1].text.startswith("watch 10 % #0")
    split = paper.boards[-1].split
    assert split is not None
    assert "seen in requests" in split.words
    assert out.getvalue() == "said meanwhile\n"
    assert not shown.shown


async def test_a_board_that_cannot_be_drawn_is_left_and_the_launch_goes_on_in_plain_lines() -> None:
    launch, paper, out = Played().lift_off(), PaperBoard(torn=True), StringIO()
    shown = watching(launch, paper, out)
    shown.begin(launch.events)
    async with asyncio.timeout(20):
        await paper.drawn.wait()
        await asyncio.gather(cast("asyncio.Task[None]", shown._task), return_exceptions=True)
    shown.look()
    assert not paper.shown
    assert "the board is left, since it cannot be drawn: ValueError('the paper is torn')" in out.getvalue()
    await shown.end()


async def test_ctrl_c_says_where_the_traffic_is() -> None:
    launch, paper = Played().lift_off(), PaperBoard()
    shown = watching(launch, paper, StringIO())
    shown.begin(launch.events)
    shown.interrupt()
    await shown.end()
    assert paper.asked[0][0] == "Green has 10 % of the traffic now."


@pytest.mark.parametrize(
    ("launch", "words"),
    [
        (Played().open(), "No traffic was moved: blue has all of it."),
        (Played().lift_off(), "Green has 10 % of the traffic now."),
        (Played().fall(), "The launch has ended already; its record is being sealed."),
    ],
)
def test_what_becomes_of_the_traffic_depends_on_how_far_the_launch_is(launch: Played, words: str) -> None:
    assert consequence(Course(launch.events[0].data, launch.events))[0] == words


def test_after_a_rollback_the_traffic_is_on_blue() -> None:
    launch = Played().lift_off()
    launch.add("rollback.done", {"rule": "a1", "text": "", "seconds": 0.1})
    assert consequence(Course(launch.events[0].data, launch.events))[0] == "All traffic is back on blue."
