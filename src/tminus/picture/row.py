"""One launch in the list of launches: where it stands, and what is wrong with it."""

from dataclasses import dataclass

from tminus.domain.rollout import State

DEMO = "demo"
"""What stands in the place of an environment for a launch that only its own tminus runs."""

HELD = "held"
_SIGNS = {
    HELD: "hold",
    State.COUNTING: "pending",
    State.POLLING: "wait",
    State.GO: "go",
    State.POSTPONED: "void",
    State.LAUNCHING: "go",
    State.SOAKING: "go",
    State.LANDED: "passed",
    State.ROLLED_BACK: "back",
    State.NO_GO: "void",
    State.SCRUBBED: "void",
    State.ABORTED: "back",
    State.ABANDONED: "unknown",
}
"""The sign of each state."""


@dataclass(frozen=True, slots=True)
class Row:
    """One launch in the list."""

    launch: str
    environment: str
    """Where it takes place; `demo` for one that only its own tminus runs."""
    state: str
    """A state of a launch, or `held`; empty where nobody can tell."""
    phase: str
    """The same as people read it."""
    more: str = ""
    """What happens in this phase, or why the clock is held."""
    t0: float | None = None
    """T-0 in seconds of the epoch; none where there is no date, or nobody can tell."""
    clock: float | None = None
    """Seconds from T-0 where the clock stands; none while it runs."""
    ended: float | None = None
    """When it ended, in seconds of the epoch."""
    late: str = ""
    """Which milestone is late and by how much; empty where none is."""
    trouble: str = ""
    """Why nothing happens in it; empty where all is well."""

    @property
    def sign(self) -> str:
        """The sign that goes with it: what is wrong comes first."""
        if self.trouble:
            return "failed" if self.state else "unknown"
        return "warned" if self.late else _SIGNS.get(self.state, "unknown")

    @property
    def runs(self) -> bool:
        """Whether its clock goes on."""
        return self.t0 is not None and self.clock is None and self.ended is None
