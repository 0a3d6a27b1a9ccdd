"""The registry of a stage: Debian's `docker-registry` on the loopback address, its images in the part's own folder.

It holds what the launch's target pulls from. It has no memory but its files, so one that ends is started again.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from tminus.demo.supervisor import AGAIN, Part
from tminus.errors import UnreachableError
from tminus.http import connect

NAME = "registry"
REPOSITORY = "depot"
"""Under which name the releases are kept in it."""
STORAGE = "storage"
"""Where its blobs lie, below the part's folder."""


def address(port: int) -> str:
    """Where the releases are kept, for whoever pulls or looks."""
    return f"http://127.0.0.1:{port}/{REPOSITORY}"


def registry(stage: Path, program: str, port: int, environment: Mapping[str, str]) -> Part:
    """The registry of the stage in this folder."""
    folder = stage / NAME

    async def prepare() -> None:
        (folder / "registry.json").write_text(_configuration(folder / STORAGE, port), encoding="utf-8")

    async def answers() -> bool:
        try:
            async with connect(f"http://127.0.0.1:{port}", seconds=2.0) as http:
                return (await http.get("/v2/")).status == 200
        except UnreachableError:
            return False  # not yet

    return Part(
        NAME,
        [program, "serve", str(folder / "registry.json")],
        environment,
        answers=answers,
        prepare=prepare,
        restarts=AGAIN,
    )


def _configuration(storage: Path, port: int) -> str:
    """Its settings; it reads YAML, of which JSON is a part."""
    return json.dumps(
        {
            "version": 0.1,
            "log": {"level": "warn", "accesslog": {"disabled": True}},
            "storage": {
                "filesystem": {"rootdirectory": str(storage)},
                # An upload that a kill cut off is in nobody's way on a stage that lives for minutes.
                "maintenance": {"uploadpurging": {"enabled": False}},
            },
            "http": {"addr": f"127.0.0.1:{port}"},
        },
        indent=2,
    )
