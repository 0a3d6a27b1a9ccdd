"""A team's checklist becomes a plan: what was understood, what was guessed, what is left to a person."""

from tminus.importing.assembling import Imported, assembled, known_lines, with_near_misses
from tminus.importing.initial import Answers
from tminus.matching import Known, Matcher
from tminus.planfile.document import Document

__all__ = ["Answers", "Imported", "assembled", "matcher_of", "with_near_misses"]


def matcher_of(builtin: Document) -> Matcher:
    """A matcher that knows every line of the built-in plan."""
    return Matcher(
        Known(name, known.entry.line, known.section) for name, known in known_lines(builtin).items()
    )
