"""The first release."""

from typing import TYPE_CHECKING

from ...release import Release

if TYPE_CHECKING:
    from fastapi import APIRouter


def routers() -> "tuple[APIRouter, ...]":
    """What answers its requests."""
    from ... import documents, files, login, search  # noqa: PLC0415 - see `Release.routers`

    return login.router, documents.router, search.router, files.router


RELEASE = Release(version="1.0.0", routers=routers)
