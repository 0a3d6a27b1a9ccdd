"""One figure of a benchmark."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Result:
    """One figure beside its bound."""

    what: str
    size: str
    seconds: float
    bound: str
    bound_seconds: float

    @property
    def ratio(self) -> float:
        """How many times the bound."""
        return self.seconds / self.bound_seconds


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure beside the limit that it must not exceed."""

    what: str
    size: str
    value: float
    limit: float
    unit: str

    @property
    def held(self) -> bool:
        """Whether the limit holds."""
        return self.value <= self.limit


@dataclass(frozen=True, slots=True)
class Table:
    """Figures that need a table of their own."""

    title: str
    about: str
    """What was done, in a paragraph."""
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def text(self) -> str:
        """The table as Markdown, under its heading."""
        lines = [f"\n## {self.title}\n", f"{self.about}\n", f"| {' | '.join(self.columns)} |"]
        lines.append("|--" * len(self.columns) + "|")
        lines += [f"| {' | '.join(row)} |" for row in self.rows]
        return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class Count:
    """One figure that must be at least so much: a control, which shows that a test can see what it looks for."""

    what: str
    size: str
    value: float
    least: float
    unit: str

    @property
    def held(self) -> bool:
        """Whether it is so much."""
        return self.value >= self.least
