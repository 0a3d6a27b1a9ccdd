"""Blocks of lines into a height: what matters most gets its lines first, what matters least is left out whole."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text


@dataclass(frozen=True, slots=True)
class Block:
    """A titled group of lines."""

    title: str
    lines: Sequence[Text]
    """The most important first, or in a log the newest last."""
    least: int = 1
    """Lines below which it is not worth its title."""
    fair: int = 0
    """Lines that it gets, where there is room, before less important blocks get any."""
    tail: bool = False
    """Whether the last lines are the ones to keep."""
    right: bool = False
    """Whether it stands on the right where two stand side by side."""
    rank: int = 0
    """Its importance, 0 the highest; those of equal rank by their order."""


def fitted(blocks: Sequence[Block], room: int, width: int) -> list[Text]:
    """The lines of these blocks in their order; at most `room` lines, given by importance.

    First each gets its fair share, then the more important ones all that they have; a log, which could take everything,
    comes last.
    """
    given = [0] * len(blocks)
    by_rank = sorted(range(len(blocks)), key=lambda number: blocks[number].rank)
    by_rest = sorted(by_rank, key=lambda number: blocks[number].tail)
    for whole, order in ((False, by_rank), (True, by_rest)):
        for number in order:
            more = _more(blocks[number], given[number], room, whole=whole)
            room -= more + (1 if more and not given[number] else 0)
            given[number] += more
    made: list[Text] = []
    for block, count in zip(blocks, given, strict=True):
        if count:
            made += [_title(block.title, width), *_kept(block, count)]
    return made


def _more(block: Block, given: int, room: int, *, whole: bool) -> int:
    """How many lines more it gets of what is left."""
    least = min(block.least, len(block.lines))
    wanted = len(block.lines) if whole else min(max(block.least, block.fair), len(block.lines))
    free = room if given else room - 1
    more = max(0, min(wanted - given, free))
    return more if given or more >= least else 0


def _kept(block: Block, count: int) -> Sequence[Text]:
    """So many of its lines; where some are missing and it is no log, the last one counts them."""
    if count >= len(block.lines):
        return block.lines
    if block.tail:
        return block.lines[-count:]
    missing = Text(f"  … and {len(block.lines) - count + 1} lines more", style="dim")
    return [*block.lines[: count - 1], missing]


def _title(words: str, width: int) -> Text:
    made = Text.assemble(("── ", "dim"), (words, "bold"))
    return made.append(f" {'─' * max(0, width - made.cell_len - 1)}", style="dim")


def beside(left: Sequence[Text], right: Sequence[Text], width: int, gutter: int) -> list[Text]:
    """Two columns as one: the left one is cut and filled to `width` cells."""
    made: list[Text] = []
    for number in range(max(len(left), len(right))):
        line = left[number].copy() if number < len(left) else Text()
        line.truncate(width, overflow="ellipsis", pad=True)
        made.append(line.append(" " * gutter).append_text(right[number] if number < len(right) else Text()))
    return made
