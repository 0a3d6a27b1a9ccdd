"""What the engine tells whoever measures it; by default nobody does."""

from typing import Protocol


class Meter(Protocol):
    """Counts what one process does; called from the engine's own loop, so it returns at once."""

    def step(self, *, failed: bool) -> None:
        """A step was acted, and gave a result or an error that the launch knows how to take."""
        ...

    def broke(self) -> None:
        """A step ended by an error that nobody expected, or was given up in doubt."""
        ...

    def woke(self, late: float) -> None:
        """A wait for an instant ended so many seconds after it."""
        ...


class NoMeter:
    """Measures nothing."""

    def step(self, *, failed: bool) -> None:
        """See `Meter.step`."""

    def broke(self) -> None:
        """See `Meter.broke`."""

    def woke(self, late: float) -> None:
        """See `Meter.woke`."""
