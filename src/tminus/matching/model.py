"""What goes into matching and what comes out of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Known:
    """A line of a plan that others may be recognised as."""

    id: str
    text: str
    section: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """What a checklist says in one box, and where."""

    text: str
    section: tuple[str, ...] = ()
    """The headings above it, outermost first; a parent box may stand last."""


@dataclass(frozen=True, slots=True)
class Match:
    """The known line that is meant."""

    id: str
    confidence: float
    """From `BAR` to 1; 1 is the same words in a fitting section."""
