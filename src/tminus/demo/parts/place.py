"""Where a supporting part stands: its folder, its program, its port."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tminus.errors import UnreachableError
from tminus.http import connect

HOST = "127.0.0.1"
"""Nothing of a stage listens anywhere else."""
LOOK_SECONDS = 1.0
"""How long a part may take to say that it is ready."""


@dataclass(frozen=True, slots=True)
class Place:
    """One part's place on a stage."""

    stage: Path
    """The stage folder."""
    name: str
    """The part's name, and that of its folder."""
    program: Path
    port: int
    environment: Mapping[str, str] = field(repr=False)
    """What every part is given."""

    @property
    def folder(self) -> Path:
        """The part's own folder, in which it runs; it exists when a part is prepared."""
        return self.stage / self.name

    @property
    def listen(self) -> str:
        """Its address as programs are told it."""
        return f"{HOST}:{self.port}"

    @property
    def url(self) -> str:
        """Its address as clients are told it."""
        return f"http://{self.listen}"

    async def answers(self, path: str) -> bool:
        """Whether it says by itself that it is ready."""
        try:
            async with connect(self.url, seconds=LOOK_SECONDS) as http:
                return (await http.get(path)).status == 200
        except UnreachableError:
            return False

    def write(self, name: str, text: str) -> None:
        """Write a file into its folder, readable by its owner alone: it may hold secrets."""
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")


def as_yaml(value: Any) -> str:
    """A configuration in the order in which it was written down."""
    return yaml.safe_dump(value, sort_keys=False, width=110)
