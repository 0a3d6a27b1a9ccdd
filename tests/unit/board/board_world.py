"""Boards for tests: of a launch played as far as a test wants, drawn as plain lines."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.unit.web.web_launch import BLUE, GREEN, T0, Played
else:
    import sys

    sys.path.append(str(Path(__file__).parents[1] / "web"))
    from web_launch import BLUE, GREEN, T0, Played

from tminus.board.model import Board, board
from tminus.board.render import drawn
from tminus.board.waiting import Question
from tminus.picture.view import Told

__all__ = ["BLUE", "GREEN", "T0", "Played", "block", "lines", "made", "titles"]


def made(
    launch: Played, after: float = 0.0, question: Question | None = None, *, planned: bool = True
) -> Board:
    """The board some seconds after the newest event."""
    told = Told(launch.events, unbroken=True, plan=launch.plan if planned else None, traffic=launch.traffic())
    return board(told, T0 + launch.t + after, question)


def lines(of: Board, width: int = 80, height: int = 24) -> list[str]:
    """What stands on the terminal."""
    return [line.plain.rstrip() for line in drawn(of, width, height)]


def titles(shown: list[str]) -> list[str]:
    """The blocks that there was room for."""
    return [line.strip("─ ") for line in shown if line.startswith("── ")]


def block(shown: list[str], title: str) -> list[str]:
    """The lines of one block; none when there was no room for it."""
    starts = [number for number, line in enumerate(shown) if line.startswith("── ")]
    for start, end in zip(starts, [*starts[1:], len(shown)], strict=True):
        if shown[start].strip("─ ") == title:
            return shown[start + 1 : end]
    return []
