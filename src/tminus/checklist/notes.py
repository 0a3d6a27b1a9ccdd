"""Passages that are no boxes, one line each, with the words before and behind their colon."""

import re
from typing import NamedTuple

from tminus.checklist.blocks import Kind
from tminus.checklist.plain import wordless

_LABELLED = re.compile(r"(?P<label>(?:\([^()]*\)|[^:=\uff1a()]){1,80}?)\s?[:\uff1a](?!//)\s*(?P<value>.*)")


class Note(NamedTuple):
    """One line of text that is no box."""

    line: int
    """In the file, from 1."""
    kind: Kind
    text: str
    section: tuple[str, ...]
    group: str
    """What introduces its list, where that is no heading."""
    group_line: int
    """The line of those words; 0 without any."""
    depth: int
    """List items around it."""
    behind: str = ""
    """The words that introduced the list before it: `Engineering Lead` before `Signed: ____`."""

    @property
    def under(self) -> tuple[str, ...]:
        """The headings above it and the words that introduce its list."""
        return (*self.section, self.group) if self.group else self.section

    @property
    def place(self) -> str:
        """The nearest words that say what stands here."""
        return self.group or (self.section[-1] if self.section else "")

    def labelled(self) -> tuple[str, str]:
        """The words before and behind its first colon; without one all of them are behind it."""
        match = _LABELLED.fullmatch(self.text)
        if match is None:
            return "", wordless(self.text)
        return wordless(match.group("label")).strip(" -*"), wordless(match.group("value"))


class Row(NamedTuple):
    """One row of a table, without its head."""

    line: int
    """In the file, from 1."""
    section: tuple[str, ...]
    head: tuple[str, ...]
    """The words of the head's cells."""
    words: tuple[str, ...]

    def column(self, cell: int) -> str:
        """What a cell is about: its column's head, or in a table of two columns its row's first cell."""
        if len(self.head) <= 2 and cell == 1:
            return self.words[0] if self.words else ""
        return self.head[cell] if 0 <= cell < len(self.head) else ""

    def under(self, head: re.Pattern[str]) -> str:
        """The words in the first column whose head fits."""
        column = next((place for place, name in enumerate(self.head) if head.search(name)), -1)
        return self.words[column] if 0 <= column < len(self.words) else ""
