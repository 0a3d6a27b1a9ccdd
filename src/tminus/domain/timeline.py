"""The launch clock: which offset from T-0 it is at an instant."""

from dataclasses import dataclass


@dataclass(slots=True)
class LaunchClock:
    """Maps real seconds to seconds from T-0, with waits shortened by `speed`.

    Only waits are shortened: while work is done, a guard watches or a person thinks, the launch clock runs like any
    other.
    """

    t0: float
    """T-0 as planned, in seconds of the epoch and before any shortening."""
    speed: float
    """How many seconds of waiting pass in one real second; 1 is real time."""
    ahead: float = 0.0
    """Seconds of waiting already skipped; a wait that was finished adds to it."""

    def read(self, now: float) -> float:
        """The launch clock at a real instant, in seconds from T-0."""
        return now + self.ahead - self.t0

    def wait(self, now: float, until: float) -> float:
        """How many real seconds to wait for the launch clock to read `until`."""
        return max(0.0, until - self.read(now)) / self.speed

    def skipped(self, now: float, until: float) -> float:
        """`ahead` as it must be for the launch clock to read `until` at this real instant, never less than now."""
        return max(self.ahead, until + self.t0 - now)
