"""What is written down about each line of the built-in plan, and how to read it.

A way of saying (`says`) names the concepts a line must have, `a|b` is either; every other concept makes the match less
likely, unless it stands in `may`. Before a way, `~` marks it as loose (one strange word, or an order to do it, and it
is none), `?` as loose and in need of a heading that speaks for it (`near`), `^` as one whose first concept opens the
line. Concepts are the vocabulary's; headings have moments too: `before`, `after`, `t-24`, `t-4`, `t-2`, `t-1`, `t-0`,
`t+1`, `t+4`, `t+24`. In `only` and `never` a `+` means the line alone and a `#` the headings alone.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Saying:
    """How people put one line: what must be said, may be said, and must not."""

    says: tuple[str, ...]
    may: str = ""
    near: str = ""
    """Headings that speak for it."""
    only: str = ""
    """Of these one is needed, in the headings or in the line."""
    never: str = ""
    """Of these each forbids it, in the headings or in the line."""
    limit: str = ""
    """The threshold that the line states: `>1%`, `<500ms`."""
    word: str = ""
    """What must be said where the threshold is another one: `critical` for a critical alert."""
    needs_limit: bool = False
    order: bool = True
    """Whether an order to make it (`Configure CORS`) counts, in a list for a release."""


MOMENTS = frozenset({"before", "after", "t-24", "t-4", "t-2", "t-1", "t-0", "t+1", "t+4", "t+24"})
"""What headings say of time, beside the vocabulary's concepts."""
PASSED = "pass|done|apply"
"""Of tests: `completed` and `run` count in a list of things to have done."""
