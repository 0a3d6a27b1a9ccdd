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
