"""What is found wrong while a plan's meaning is read, each with the file and line of the offending value."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tminus.planfile.document import Document, LineEntry, OmittedLine
from tminus.planfile.nodes import Map, mark_of
from tminus.planfile.problem import Mark, Problem, problem_at
from tminus.planfile.shape import Place, Shaped

T = TypeVar("T")


@dataclass(slots=True)
class Findings:
    """The values of a plan with their places, and the problems found in them so far."""

    tree: Map
    shaped: Shaped
    document: Document
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    """What a plan can be launched with and will be missed."""

    def tell(self, place: Place, sentence: str) -> None:
        """Keep a problem, unless its place stands for something whose wrong shape is told already."""
        if not self.shaped.within_broken(place):
            self.problems.append(problem_at(self.mark(place), sentence))

    def warn(self, place: Place, sentence: str) -> None:
        """Keep a warning."""
        self.warnings.append(problem_at(self.mark(place), sentence))

    def attempt(self, place: Place, read_it: Callable[[], T]) -> T | None:
        """What this reads, or nothing and a problem in the words of its `ValueError`."""
        try:
            return read_it()
        except ValueError as error:
            self.tell(place, str(error))
            return None

    def mark(self, place: Place) -> Mark:
        """Where the innermost part of this place stands."""
        return mark_of(self.tree, place)

    def whole(self, block: str) -> bool:
        """Whether a block is as it was written, so that what it does not hold is really missing."""
        return not any(place[0] == block for place in self.shaped.broken)

    def lines(self) -> list[tuple[Place, str, LineEntry]]:
        """Every line under `checks` with its place and section."""
        return [
            (("checks", section, index), section, line)
            for section, lines in self.document.checks.items()
            for index, line in enumerate(lines)
        ]

    def left_out(self) -> list[tuple[Place, str | OmittedLine]]:
        """Every line under `omitted` with its place."""
        return [
            (("omitted", group, "lines", index), line)
            for group, entry in enumerate(self.document.omitted)
            for index, line in enumerate(entry.lines)
        ]


def omitted_id(line: Any) -> str:
    """The id of a line under `omitted`, written whole or by its id alone."""
    return line if isinstance(line, str) else str(line.id)
