"""The board on its terminal: drawn when something changed or the clock ticks, and the viewer's keys taken.

It is drawn on the terminal's alternate screen: what stood there before is untouched, and no half-drawn board ever
scrolls into it. That screen keeps nothing; so whoever shows a board prints what is to be kept once it has left.
"""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from time import monotonic

from rich.console import Console
from rich.live import Live
from rich.text import Text

from tminus.board.dialogue import Dialogue
from tminus.board.model import Board
from tminus.board.render import drawn
from tminus.board.terminal import INTERRUPT, Terminal
from tminus.board.waiting import Question

REFRESH = 0.25
"""Seconds between two drawings at the least."""

Make = Callable[[Question | None], Board]
"""Makes the board of now, with what is asked."""


class LiveBoard:
    """One board, from `show` to `leave`."""

    def __init__(self, console: Console, terminal: Terminal, now: Callable[[], float] = monotonic) -> None:
        self._console = console
        self._terminal = terminal
        self._now = now
        self._dialogue = Dialogue()
        self._live: Live | None = None
        self._changed = True
        self._drawn_at = -REFRESH
        self._drawn: list[Text] = []
        self._size = (0, 0)
        self._abort: Callable[[], object] | None = None
        self._consequence: Callable[[], tuple[str, ...]] = tuple
        self._line: asyncio.Future[str] | None = None

    @property
    def shown(self) -> bool:
        """Whether it is on the screen."""
        return self._live is not None

    def show(self, abort: Callable[[], object], consequence: Callable[[], tuple[str, ...]]) -> None:
        """Take the terminal; `abort` is called when the viewer gives the launch up, knowing the `consequence`."""
        self._abort, self._consequence = abort, consequence
        self._terminal.take()
        self._live = Live(
            console=self._console,
            screen=True,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()
        asyncio.get_running_loop().add_reader(self._terminal.keys, self._read)
        self._changed = True

    def leave(self) -> None:
        """Give the terminal back as it was; nothing when it is not shown."""
        if self._live is not None:
            self._answered("")  # whoever asked asks again, elsewhere
            self._end()

    def _end(self) -> None:
        live, self._live = self._live, None
        asyncio.get_running_loop().remove_reader(self._terminal.keys)
        try:
            if live is not None:
                with suppress(OSError):  # a terminal that has gone takes no farewell
                    live.stop()
        finally:
            self._terminal.give_back()

    def changed(self) -> None:
        """Say that there is something new to show."""
        self._changed = True

    def interrupt(self) -> None:
        """Take Ctrl-C, or its signal: ask before the launch is given up, saying what would become of the traffic."""
        if self._dialogue.interrupt(self._now(), self._consequence()):
            self._give_up()
        self._changed = True

    async def line(self, question: str) -> str:
        """One line that the viewer types on the board, its end included; empty when the terminal is closed."""
        self._line = asyncio.get_running_loop().create_future()
        self._dialogue.ask(question, self._answered)
        self._changed = True
        try:
            return await self._line
        finally:
            self._dialogue.forget()
            self._line = None

    def tick(self, make: Make) -> None:
        """Draw it when something changed, the clock ticked or the terminal has another size; not too often."""
        now = self._now()
        if self._live is None or now - self._drawn_at < REFRESH:
            return
        ticked = int(now) != int(self._drawn_at)
        if self._changed or ticked or self._console.size != self._size:
            self._draw(self._live, make(self._dialogue.question(now)))
            self._drawn_at, self._changed = now, False

    def _draw(self, live: Live, board: Board) -> None:
        width, height = self._size = self._console.size
        lines = drawn(board, width, height)
        if lines == self._drawn:
            return
        self._drawn = lines
        try:
            live.update(Text("\n").join(lines), refresh=True)
        except OSError:
            self._gone()

    def _gone(self) -> None:
        """The terminal takes nothing any more: the launch goes on without a board, and nobody answers."""
        self._end_line()
        self._end()

    def _give_up(self) -> None:
        """Once is enough: a second word would interrupt what the first one began."""
        abort, self._abort = self._abort, None
        if abort is not None:
            abort()

    def _answered(self, typed: str) -> None:
        if self._line is not None and not self._line.done():
            self._line.set_result(f"{typed}\n")

    def _end_line(self) -> None:
        if self._line is not None and not self._line.done():
            self._line.set_result("")

    def _read(self) -> None:
        try:
            raw = os.read(self._terminal.keys, 1024)
        except OSError:
            raw = b""
        if not raw:
            asyncio.get_running_loop().remove_reader(self._terminal.keys)
            self._end_line()
            return
        typed, *after = raw.split(INTERRUPT)
        self._take(typed)
        for more in after:
            self.interrupt()
            self._take(more)

    def _take(self, typed: bytes) -> None:
        if self._dialogue.keys(typed, self._now()):
            self._give_up()
        self._changed = True
