"""Boxes: in lists as GitHub reads them, and on request in table cells and as ballots."""

import re
from typing import NamedTuple

from tminus.checklist.blocks import Passage
from tminus.checklist.model import Form, Span
from tminus.checklist.repair import broken
from tminus.checklist.source import Source

_TASK = re.compile(r"\[([ xX])\](?=\s|$)")
_BALLOT = re.compile(r"([\u2610\u2611\u2612\u2705])\ufe0f?(?=\s|$|[^\W\d_])")
_ODD = re.compile(r"\[[^\w\s]?\](?=\s|$)")
_EMPTY_BALLOT = "\u2610"
_CELL_END = re.compile(r"(?<!\\)\|")
_ROW_START = re.compile(r"[\s>]*\|?")


class Box(NamedTuple):
    """One box, before anybody asked what its line means."""

    form: Form
    checked: bool
    line: int
    """From 0."""
    mark: Span
    end: int
    text: str
    """Behind the box, as in the file."""


def task(source: Source, passage: Passage) -> Box | None:
    """The box that a list item begins with."""
    match = _TASK.match(passage.content)
    if match is None:
        return None
    inside = column(source, passage) + 1
    start = source.at(passage.line, inside)
    return Box(
        Form.LIST,
        match.group(1) != " ",
        passage.line,
        Span(start, start + 1),
        source.end(passage.line),
        passage.content[match.end() :],
    )


def odd(passage: Passage) -> bool:
    """Whether a list item begins like a box and is none, such as `[-]` or `[]`: GitHub shows it as text."""
    return _ODD.match(passage.content) is not None


def ballots(source: Source, passage: Passage) -> list[Box]:
    """The ballots that the lines of a list item or a paragraph begin with."""
    found = []
    for offset, content in enumerate(passage.content.split("\n")):
        text = content.strip()
        if match := _BALLOT.match(text):
            line = passage.line + offset
            place = len(source.lines[line].rstrip()) - len(text)
            found.append(_ballot(source, (line, place), match, source.end(line)))
    return found


def in_cells(source: Source, line: int) -> list[tuple[int, Box]]:
    """The boxes in a row's cells, each with the number of its cell."""
    found = []
    for number, (start, end) in enumerate(cells(source.lines[line])):
        text = source.lines[line][start:end]
        after = source.at(line, end)
        if match := _TASK.match(text):
            mark = source.at(line, start + 1)
            box = Box(
                Form.TABLE, match.group(1) != " ", line, Span(mark, mark + 1), after, text[match.end() :]
            )
            found.append((number, box))
        elif match := _BALLOT.match(text):
            found.append((number, _ballot(source, (line, start), match, after)))
    return found


def cells(line: str) -> list[tuple[int, int]]:
    """Where each cell of a table's row begins and ends, blanks left out."""
    lead = _ROW_START.match(line)
    start = lead.end() if lead else 0
    bounds = []
    for bar in _CELL_END.finditer(line, start):
        bounds.append((start, bar.start()))
        start = bar.end()
    if line[start:].strip():
        bounds.append((start, len(line)))
    return [_trimmed(line, begin, end) for begin, end in bounds]


def number_of(line: str, place: int) -> int:
    """The number of the cell in which a column of a row's line lies."""
    return sum(end <= place for _, end in cells(line))


def column(source: Source, passage: Passage) -> int:
    """Where a passage's text begins in its first line."""
    first = passage.content.partition("\n")[0]
    return len(source.lines[passage.line].rstrip()) - len(first.rstrip())


def _trimmed(line: str, start: int, end: int) -> tuple[int, int]:
    text = line[start:end]
    begin = start + len(text) - len(text.lstrip())
    return begin, max(begin, start + len(text.rstrip()))


def _ballot(source: Source, place: tuple[int, int], match: re.Match[str], end: int) -> Box:
    sign, line = match.group(1), place[0]
    start = source.at(*place)
    width = len(broken(sign, source.layers.get(line, 0)).encode())
    text = match.string[match.end() :]
    return Box(Form.BALLOT, sign != _EMPTY_BALLOT, line, Span(start, start + width), end, text)
