"""The first release."""

from ... import documents, files, login, search
from ...release import Release

RELEASE = Release(version="1.0.0", routers=(login.router, documents.router, search.router, files.router))
