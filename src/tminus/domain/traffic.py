"""What users met: finished requests on both sides, and the weights that sent them there.

A trace is the same as text: JSON Lines, one request or weight change each (docs/reference/trace.md).
"""

from dataclasses import dataclass
from enum import StrEnum


class Side(StrEnum):
    """One of the two environments of a blue-green rollout."""

    BLUE = "blue"
    """The environment that served before the launch."""
    GREEN = "green"
    """The environment that runs the release."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One finished user request, as the proxy saw it."""

    at: float
    """When the answer was complete, in seconds (of the epoch, or of the trace)."""
    side: Side | None
    """Whose request it was; nothing where no side was reached and none can be shown to be the cause."""
    status: int
    """The HTTP status that the user got; 0 where none was sent."""
    ms: float
    """From accepted request to complete answer, in milliseconds."""
    client: str = ""
    """Who asked, so that one client's repeated failures can be counted once; empty where unknown."""
    number: int | None = None
    """The proxy's own count of this request; a gap in it is a lost line."""

    @property
    def failed(self) -> bool:
        """Whether the user got no answer or a server error."""
        return self.status == 0 or self.status >= 500


@dataclass(frozen=True, slots=True)
class WeightChange:
    """From this moment on, green gets this share of new requests."""

    at: float
    """When the proxy confirmed the weight, in seconds like `Outcome.at`."""
    percent: int
    """Green's share of new requests, 0 to 100."""


def drained(sessions: object) -> str:
    """How a side was drained, from the number of its sessions when it was stopped; nothing where none were counted."""
    return "drained (sessions are not counted)" if sessions is None else f"drained to {sessions} sessions"
