"""The parts of one running depot, as its routes reach them."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Path, Request

from .backlogs import Backlogs
from .database import Database
from .faults import FaultInjector
from .flags import Flags
from .keystore import KeyStore
from .maintenance import Switch
from .release import Release
from .settings import Settings
from .telemetry import Metrics


@dataclass(frozen=True)
class Parts:
    """Everything that one app holds; nothing is global."""

    release: Release
    settings: Settings
    digest: str | None
    started: float
    """`time.monotonic()` at start."""
    database: Database
    injector: FaultInjector
    metrics: Metrics
    flags: Flags
    maintenance: Switch
    backlogs: Backlogs
    keystore: KeyStore | None = None
    """None where no Redis is configured."""


def parts_of(request: Request) -> Parts:
    """The parts of the app that answers this request."""
    parts: Parts = request.app.state.parts
    return parts


Wired = Annotated[Parts, Depends(parts_of)]
Id = Annotated[int, Path(ge=1, le=2**63 - 1)]
"""A row's number; larger ones do not fit PostgreSQL's bigint."""
NO_NUL = r"^[^\x00]*$"
"""PostgreSQL's text cannot hold NUL; asked for at the edge, it is the client's error and not ours."""
