"""Whether a service is away, by what several vantage points saw: one of them may itself be cut off.

Away only when at least two could look and each that could says so. A vantage point that could not look says nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tminus.domain.canonical import JsonValue

NEEDED = 2
"""How many must have looked; fewer prove nothing, whatever they say."""


@dataclass(frozen=True, slots=True)
class View:
    """What one vantage point saw of the service."""

    vantage: str
    """Its name in the plan."""
    answered: bool | None
    """Whether a user there gets an answer; nothing when it could not look."""
    why: str = ""
    """What it saw instead of an answer, or why it could not look."""

    def __str__(self) -> str:
        if self.answered:
            return f"{self.vantage} gets answers"
        saw = "gets none" if self.answered is False else "could not look"
        return f"{self.vantage} {saw}" + (f" ({self.why})" if self.why else "")

    def data(self) -> dict[str, JsonValue]:
        """As the record keeps it."""
        return {"vantage": self.vantage, "answered": self.answered, "why": self.why}


def unavailable(views: Sequence[View]) -> bool | None:
    """Whether the service is away; nothing when fewer than `NEEDED` vantage points could look."""
    looked = [view for view in views if view.answered is not None]
    return None if len(looked) < NEEDED else not any(view.answered for view in looked)


def told(views: Sequence[View]) -> str:
    """One sentence for people; those that get no answer, or could not look, are named."""
    looked = [view for view in views if view.answered is not None]
    if len(looked) < NEEDED:
        lacking = "; ".join(str(view) for view in views if view.answered is None)
        return f"{len(looked)} of {len(views)} vantage points could look, {NEEDED} are needed: {lacking}"
    others = [str(view) for view in views if not view.answered]
    answered = len(looked) - sum(view.answered is False for view in looked)
    return "; ".join([f"{answered} of {len(views)} vantage points get answers", *others])
