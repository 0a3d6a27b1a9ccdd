"""The second release."""

from pathlib import Path
from typing import TYPE_CHECKING

from ...release import Release

if TYPE_CHECKING:
    from fastapi import APIRouter


def routers() -> "tuple[APIRouter, ...]":
    """What answers its requests."""
    from ... import documents, files, login  # noqa: PLC0415 - see `Release.routers`
    from . import labels  # noqa: PLC0415 - see `Release.routers`

    return login.router, documents.router, labels.router, files.router


RELEASE = Release(
    version="2.0.0", routers=routers, migrations=(Path(__file__).resolve().parent / "migrations",)
)
