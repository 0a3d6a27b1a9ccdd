"""Which release this is: its version, its routes, its migrations, and the digest of the image it runs from.

An image holds the common code and exactly one folder below `releases`. The repository holds all of them side
by side, so that they are checked and tested together; depot does not serve from there.
"""

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from . import releases
from .errors import ReleaseNotFoundError

if TYPE_CHECKING:
    from fastapi import APIRouter


@dataclass(frozen=True)
class Release:
    """What distinguishes one release from another."""

    version: str
    routers: "Callable[[], tuple[APIRouter, ...]]"
    """Loads what answers its requests; whoever migrates or seeds does not need it, and it costs half a second."""
    migrations: tuple[Path, ...] = ()
    """Folders of revisions that this release adds to the first ones."""


def installed_release() -> Release:
    """The one release in this image.

    Raises `ReleaseNotFoundError` where there is none or more than one.
    """
    names = sorted(module.name for module in pkgutil.iter_modules(releases.__path__) if module.ispkg)
    if len(names) != 1:
        raise ReleaseNotFoundError(f"depot runs from an image with one release; here are: {names}")
    found: Release = import_module(f".{names[0]}.release", releases.__name__).RELEASE
    return found


def running_digest() -> str | None:
    """The digest of the image whose unpacked files are running; none in the repository.

    Read from the file that unpacking left beside the code and not from the environment, which would only
    repeat what the launch believes to have started.
    """
    file = Path(__file__).resolve().parents[2] / ".digest"
    return file.read_text(encoding="ascii").strip() if file.is_file() else None
