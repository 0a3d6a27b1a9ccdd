"""What was asked for when a demo was started."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from tminus.board.live import LiveBoard
from tminus.control.ports import Json
from tminus.demo.page import Viewing
from tminus.demo.theatre import RATE


@dataclass(frozen=True, slots=True)
class Options:
    """How the demo is to be run."""

    home: Path
    kind: str
    digest: str | None
    """The digest to launch; nothing: that of the release of this kind."""
    plan: Path
    images: Path | None
    speed: float
    port: int | None
    keep: bool
    """Whether the stage goes on after the end."""
    ask: Callable[[], Awaitable[Json]] | None
    """Asks the viewer for GO or NO-GO; nothing when the plan decides."""
    viewing: Viewing = field(default_factory=Viewing)
    """How it is watched in a browser; not at all when left out."""
    board: LiveBoard | None = None
    """Where the launch is shown; nothing when plain lines are printed."""
    rate: float = RATE
    """User requests in a second."""
