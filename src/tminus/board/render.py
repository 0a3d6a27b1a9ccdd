"""A board as lines of a terminal: what fits into a width and a height, and nothing that wraps.

Importance decides what is shown; what matters least goes first. Every verdict has a colour, a sign and a word, so that
it can be read without colour. Only the terminal's own colours are used and no background, so that it reads as well on
a light terminal as on a dark one.
"""

from collections.abc import Iterator, Sequence

from rich.text import Text

from tminus.board.blocks import blocks
from tminus.board.layout import beside, fitted
from tminus.board.model import Board
from tminus.board.signs import look, said, sign

WIDE = 150
"""Columns from which two blocks stand side by side."""
GUTTER = 3
"""Columns between them."""


def drawn(board: Board, width: int, height: int) -> list[Text]:
    """At most `height` lines of at most `width` cells."""
    stake = [Text("  ").append_text(said(line, "bold")) for line in board.head.at_stake]
    top = [*_question(board), *stake, *_head(board, width)]
    return [_cut(line, width) for line in (*top, *_body(board, width, height - len(top)))][:height]


def _body(board: Board, width: int, room: int) -> list[Text]:
    if width < WIDE:
        return fitted(blocks(board, width), room, width)
    half = (width - GUTTER) // 2
    made = blocks(board, half)
    left = fitted([block for block in made if not block.right], room, half)
    right = fitted([block for block in made if block.right], room, half)
    return beside(left, right, half, GUTTER)


def _cut(line: Text, width: int) -> Text:
    line.truncate(width, overflow="ellipsis")
    return line


def _head(board: Board, width: int) -> Iterator[Text]:
    head = board.head
    left = Text.assemble((head.clock, "bold"), "  ", (head.phase, look(head.sign)))
    left.append_text(said(f", {head.more}" if head.more else ""))
    yield _ends(left, said(head.launch, "dim"), width)
    if head.next:
        yield said(head.next, "dim")
    if head.expedited:
        yield said(head.expedited, "bold")
    why = Text.assemble(sign(head.sign), " ", (head.word, look(head.sign)), "  ", said(head.lead))
    more = said("; ".join(head.reasons))
    if why.cell_len + 1 + more.cell_len <= width:
        yield why.append(" ").append_text(more)
    else:
        yield why
        if more:
            yield Text("  ").append_text(more)
    if board.chips:
        told = [_chip(chip.sign, chip.word, chip.roles) for chip in board.chips]
        yield Text("   ").join(told).append(f"   {board.people}", style="dim")


def _chip(name: str, word: str, roles: Sequence[str]) -> Text:
    return Text.assemble(sign(name), " ", (word, look(name)), " ", said(", ".join(roles)))


def _ends(left: Text, right: Text, width: int) -> Text:
    """Two texts at both ends of a line; the right one goes where there is no room for both."""
    gap = width - left.cell_len - right.cell_len
    return left.append(" " * gap).append_text(right) if gap >= 2 else left


def _question(board: Board) -> Iterator[Text]:
    question = board.question
    if question is None:
        return
    name = "failed" if question.urgent else "wait"
    cursor = ("", "") if question.urgent else ("▏", "bold")
    yield Text.assemble(
        sign(name), " ", (question.text, look(name)), " ", said(question.typed, "bold"), cursor
    )
    for line in question.help:
        yield Text("  ").append_text(said(line))
