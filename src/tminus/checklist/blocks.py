"""The blocks of a Markdown file, read by markdown-it-py without its inline part, which nothing here needs.

Inline markup takes half of a parse and knows no columns. What a line says between its markup is read by `plain`.
"""

import re
from enum import Enum, auto
from functools import cache
from typing import Literal, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.token import Token

from tminus.errors import ChecklistError

MAX_DEPTH = 100
"""Levels of nesting, two for each list: beyond it markdown-it leaves out the rest of the file without a word."""
MAX_TOKENS = 200_000
"""A checklist of 10,000 lines has 60,000."""
_FENCED_BOX = re.compile(r"^[ \t]*(?:[-*+]|\d+[.)])[ \t]+\[[ xX]\](?=\s|$)", re.MULTILINE)
_SIMPLER = "Split the file, or check that it is the checklist that was meant."


class Kind(Enum):
    """What a passage of text is in its document."""

    HEADING = auto()
    POINT = auto()
    """The first text of a list item."""
    PARAGRAPH = auto()
    ROW = auto()
    """A table's row; `level` is 0 for the head."""


class Passage(NamedTuple):
    """One block of text outside code and HTML."""

    kind: Kind
    line: int
    """From 0."""
    content: str
    """Without the markers in front of it; its lines are separated by line feeds."""
    level: int
    """Of a heading; of anything else the number of list items around it."""
    point: int
    """The passage of the nearest list item around it, -1 for none."""


class _State(StateBlock):
    def push(self, ttype: str, tag: str, nesting: Literal[-1, 0, 1]) -> Token:
        token = super().push(ttype, tag, nesting)
        if self.level >= MAX_DEPTH:
            raise ChecklistError(
                f"line {self.line + 1}: lists and quotes are nested more than {MAX_DEPTH // 2} deep",
                hint=_SIMPLER,
            )
        if len(self.tokens) > MAX_TOKENS:
            raise ChecklistError(
                f"line {self.line + 1}: the file has more than {MAX_TOKENS:,} parts", hint=_SIMPLER
            )
        return token


class _Reader(MarkdownIt):
    def normalizeLink(self, url: str) -> str:  # noqa: N802 - the name that markdown-it calls
        return url


@cache
def _reader() -> MarkdownIt:
    return _Reader("commonmark", {"maxNesting": MAX_DEPTH}).enable("table")


def passages(lines: list[str]) -> tuple[list[Passage], int]:
    """Every passage in its order, and how many boxes stand in code fences.

    Raises `ChecklistError` for a file that is nested or divided beyond all use.
    """
    reader = _reader()
    tokens: list[Token] = []
    state = _State("\n".join(lines), reader, {}, tokens)
    reader.block.tokenize(state, 0, state.lineMax)
    return _Walk(lines).through(tokens)


class _Walk:
    """One pass over the tokens, keeping what is open."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.found: list[Passage] = []
        self.fenced = 0
        self.points: list[int] = []
        """The passage of each open list item; -1 while it has none."""
        self.fresh = False
        """Whether a list item was opened and nothing was seen in it."""
        self.heading = 0
        self.table = False
        self.head = False

    def through(self, tokens: list[Token]) -> tuple[list[Passage], int]:
        for token in tokens:
            kind = token.type
            if kind == "inline":
                if not self.table:
                    self._text(token)
            elif kind == "list_item_open":
                self.points.append(-1)
                self.fresh = True
            elif kind == "list_item_close":
                self.points.pop()
                self.fresh = False
            else:
                self._other(kind, token)
        return self.found, self.fenced

    def _other(self, kind: str, token: Token) -> None:
        if kind == "heading_open":
            self.heading = int(token.tag[1:])
        elif kind == "fence":
            self.fenced += len(_FENCED_BOX.findall(token.content))
            self.fresh = False
        elif kind in {"code_block", "html_block", "hr", "blockquote_open"}:
            self.fresh = False
        elif kind.startswith("t"):
            self._table(kind, token)

    def _table(self, kind: str, token: Token) -> None:
        if kind in {"table_open", "table_close"}:
            self.table = kind == "table_open"
            self.fresh = False
        elif kind in {"thead_open", "thead_close"}:
            self.head = kind == "thead_open"
        elif kind == "tr_open" and token.map:
            line = token.map[0]
            self._add(Kind.ROW, line, self.lines[line], 0 if self.head else len(self.points) + 1)

    def _text(self, token: Token) -> None:
        line = token.map[0] if token.map else 0
        heading, self.heading = self.heading, 0
        if self.fresh:
            self.fresh = False
            self._add(Kind.POINT, line, token.content, len(self.points))
            self.points[-1] = len(self.found) - 1
        elif heading and not self.points:
            self._add(Kind.HEADING, line, token.content, heading)
        else:
            self._add(Kind.PARAGRAPH, line, token.content, len(self.points))

    def _add(self, kind: Kind, line: int, content: str, level: int) -> None:
        point = next((place for place in reversed(self.points) if place >= 0), -1)
        self.found.append(Passage(kind, line, content, level, point))
