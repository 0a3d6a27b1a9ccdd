"""By which selectors the requests of a side are counted."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tminus.domain.traffic import Side
from tminus.errors import PlanError

SIDE = "${side}"
"""Stands for a side's name in a selector."""


@dataclass(frozen=True, slots=True)
class Counted:
    """How a service counts its requests; in both selectors `${side}` stands for the name of a side.

    Raises `PlanError` where it does not stand in one: both sides would be the same.
    """

    requests: str
    """Selects the counter: `http_requests_total{service="api-${side}"}`."""
    status: str
    """The counter's label for the HTTP status: `code`."""
    buckets: str
    """Selects the buckets of the latencies, whose bounds are seconds:
    `http_request_duration_seconds_bucket{service="api-${side}"}`."""
    names: Mapping[Side, str] = field(default_factory=lambda: {side: side.value for side in Side})
    """By side: what it is called."""

    def __post_init__(self) -> None:
        for selector in (self.requests, self.buckets):
            if SIDE not in selector:
                raise PlanError(
                    f"{selector} selects the same for blue and green",
                    hint=f'write {SIDE} where their names differ: {{service="api-{SIDE}"}}',
                )

    def requests_of(self, side: Side) -> str:
        """Selects the counter of one side."""
        return self.requests.replace(SIDE, self.names[side])

    def buckets_of(self, side: Side) -> str:
        """Selects the buckets of one side."""
        return self.buckets.replace(SIDE, self.names[side])
