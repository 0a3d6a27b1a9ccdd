"""A real registry whose storage tests damage and put back."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tminus.demo.parts.registry import NAME, REPOSITORY, STORAGE


def storage(stage: Path) -> Path:
    """Where the registry of a stage keeps everything, as version 2 of its own layout."""
    return stage / NAME / STORAGE / "docker" / "registry" / "v2"


def stored(stage: Path, digest: str) -> Path:
    """The file of one blob or manifest."""
    value = digest.removeprefix("sha256:")
    return storage(stage) / "blobs" / "sha256" / value[:2] / value / "data"


def revision(stage: Path, digest: str) -> Path:
    """What makes the repository know a manifest by its digest."""
    manifests = storage(stage) / "repositories" / REPOSITORY / "_manifests"
    return manifests / "revisions" / "sha256" / digest.removeprefix("sha256:") / "link"


def flip(file: Path) -> None:
    """Change one bit in the middle of a file."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


@contextmanager
def put_back(stage: Path, aside: Path) -> Iterator[None]:
    """Whatever is done to the storage within it is undone."""
    shutil.copytree(storage(stage), aside)
    try:
        yield
    finally:
        shutil.rmtree(storage(stage))
        shutil.copytree(aside, storage(stage))
