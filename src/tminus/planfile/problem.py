"""One thing that is wrong with a plan: where it stands, what it is, and what to write in its place."""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NamedTuple

_LOGIN = re.compile(r"(?<=:/)(/?)[^/\s@'\"]{1,400}@")
"""What stands before the host of an address; a `Path` keeps one of the two slashes only."""
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
"""What moves a terminal's cursor or turns the direction of reading, and what no file of text can hold."""


def printable(text: str) -> str:
    """The text with control and direction characters shown as �; tabs and line ends stay."""
    return _UNSEEN.sub("\ufffd", text)


class Mark(NamedTuple):
    """Where a value stands: which file, and the line in it, from 1."""

    file: str
    line: int


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong with a plan."""

    file: str
    """The file in which the offending value stands: the plan's own, or one that it extends."""
    line: int
    """In that file, from 1."""
    what: str
    instead: str = ""
    """What to write in its place; empty where the first sentence says it."""

    def __post_init__(self) -> None:
        """Take logins out of addresses, and what no terminal should get."""
        object.__setattr__(self, "what", _safe(self.what))
        object.__setattr__(self, "instead", _safe(self.instead))

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.sentence}"

    @property
    def sentence(self) -> str:
        """What is wrong and what to write, without the place."""
        return f"{self.what}; {self.instead}" if self.instead else self.what


@dataclass(frozen=True, slots=True, order=True)
class ToFill:
    """A value that only the team knows, still empty or a placeholder; no error, but no launch either."""

    file: str
    line: int
    what: str

    def __post_init__(self) -> None:
        """Take logins out of addresses, and what no terminal should get."""
        object.__setattr__(self, "what", _safe(self.what))

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}"


def problem_at(mark: Mark, sentence: str) -> Problem:
    """A problem from one sentence: what stands behind the first `; ` is what to write."""
    what, _, instead = sentence.partition("; ")
    return Problem(mark.file, mark.line, what, instead)


def meant(word: str, known: list[str]) -> str:
    """`; did you mean …?` when one of the known words is nearly this one, else nothing."""
    close = get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _safe(text: str) -> str:
    return printable(_LOGIN.sub(r"\1…@", text))
