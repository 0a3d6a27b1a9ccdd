"""How the worker stands that a page keeps beside itself, in facts and in words."""

from dataclasses import dataclass
from enum import StrEnum

from tminus.domain.diagnosis import duration
from tminus.picture import words


class Post(StrEnum):
    """Where the worker of this page is."""

    RUNS = "runs"
    DOWN = "down"
    """It has ended, and the next one is about to start."""
    ELSEWHERE = "elsewhere"
    """A SQLite file has one worker, and it is another's; ours begins when that one ends."""
    LEFT_OUT = "left out"
    """Nobody asked for one."""


@dataclass(frozen=True, slots=True)
class Tending:
    """How the worker of this page stands now."""

    post: Post
    since: float = 0.0
    """When it came to that, in seconds of the epoch."""
    pid: int = 0
    """Its number while it runs."""
    ends: int = 0
    """How often one ended without being told to by this page."""
    last: str = ""
    """How the last of them ended."""
    falls: int = 0
    """How many of them ended one soon after the other; 0 once one has lasted."""
    again: float | None = None
    """When the next one starts, in seconds of the epoch; none where it does at once."""

    @property
    def sign(self) -> str:
        """The sign and colour of a verdict that go with it."""
        if self.post is Post.RUNS:
            return "warned" if self.falls > 1 else "passed"
        if self.post is Post.DOWN and not self.last:
            return "pending"
        return {Post.DOWN: "failed", Post.ELSEWHERE: "passed", Post.LEFT_OUT: "na"}[self.post]

    @property
    def word(self) -> str:
        """How it stands, in a word or two."""
        if self.post is Post.RUNS:
            return "runs"
        if self.post is Post.DOWN and not self.last:
            return "starts"
        return {Post.DOWN: "down", Post.ELSEWHERE: "another's", Post.LEFT_OUT: "none"}[self.post]

    @property
    def text(self) -> str:
        """The same in a sentence, with what happened to those before it."""
        if self.post is Post.LEFT_OUT:
            return "This page keeps no worker (`--no-worker`); launches go on where another runs"
        if self.post is Post.ELSEWHERE:
            return (
                "A worker that this page did not start has the SQLite file; its own begins when that one ends"
            )
        if self.post is Post.RUNS:
            return f"Process {self.pid} since {words.hour(self.since)} UTC{self._before}"
        if not self.last:
            return "It is about to start"
        when = "at once" if self.again is None else f"in {duration(self.again - self.since)}"
        return f"At {words.hour(self.since)} UTC it {self.last}; the next starts {when}{self._often}"

    @property
    def _before(self) -> str:
        if not self.ends:
            return ""
        return f"; {words.plural(self.ends, 'earlier one')} ended, the last {self.last}{self._often}"

    @property
    def _often(self) -> str:
        return f" ({self.falls} ends one soon after the other)" if self.falls > 1 else ""
