"""The second release."""

from pathlib import Path

from ... import documents, files, login
from ...release import Release
from . import labels

RELEASE = Release(
    version="2.0.0",
    routers=(login.router, documents.router, labels.router, files.router),
    migrations=(Path(__file__).resolve().parent / "migrations",),
)
