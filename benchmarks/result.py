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
