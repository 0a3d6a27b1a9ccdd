"""Green as it was started, and how it has failed without a request being asked."""

from dataclasses import dataclass

from tminus.control.ports import SideStatus


@dataclass(frozen=True, slots=True)
class Green:
    """Which process is green: another one in its place is a restart."""

    started: float
    digest: str


def failed(status: SideStatus, green: Green) -> str:
    """How green has failed, by its process and by the proxy; empty when it stands."""
    if not status.running:
        return "died: its process is gone"
    if status.started != green.started:
        return "restarted: its process is another one than was started"
    if status.digest and status.digest != green.digest:
        return f"was replaced: it runs {status.digest}"
    return "" if status.up else "was ejected: what divides the traffic no longer counts it as able to serve"
