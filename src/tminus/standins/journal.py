"""The file that everything which arrived is kept in: one JSON line each, only ever appended to.

A stand-in that was killed reads it at its next start, so that no page is forgotten.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import STAND_IN


@dataclass(frozen=True, slots=True)
class Kept:
    """One thing that arrived."""

    kind: str
    """`page`, `incident`, `change`, `message`, `mail` or `advisory`."""
    at: float
    """When it arrived, in seconds of the epoch."""
    data: dict[str, Any]
    """It, as it was sent."""


class Journal:
    """The file, one process at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, kept: Kept) -> None:
        """Keep one more."""
        line = {"kind": kept.kind, "at": kept.at, "stand_in": STAND_IN, "data": kept.data}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")

    def read(self) -> Iterator[Kept]:
        """Everything kept so far; a last line that a kill cut off is taken out of the file, it was never answered."""
        if not self._path.exists():
            return
        text = self._path.read_bytes()
        whole = text.rpartition(b"\n")[0] + b"\n" if b"\n" in text else b""
        if whole != text:
            with self._path.open("r+b") as file:
                file.truncate(len(whole))
        for line in whole.decode().splitlines():
            entry = json.loads(line)
            yield Kept(entry["kind"], entry["at"], entry["data"])
