"""The rehearsals of this machine: one file each, named by the digest of what it holds."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from tminus import files
from tminus.domain.canonical import sha256_hex
from tminus.domain.rehearsal import FORMAT, Rehearsal
from tminus.errors import InconclusiveError, PartError, UnreachableError

FOLDER = "rehearsals"
"""Its name in the home."""
MOST_BYTES = 4 * 1024 * 1024
"""Of one file; a whole rehearsal has a few kilobytes."""
_READER = TypeAdapter(Rehearsal)


@dataclass(frozen=True, slots=True)
class KeptRehearsals:
    """See `control.drills.Rehearsals`."""

    folder: Path
    now: Callable[[], float]

    def keep(self, rehearsal: Rehearsal) -> Path:
        """Write it down under its digest; the file."""
        path = self.folder / f"{rehearsal.digest}.json"
        try:
            files.replace(path, [rehearsal.content])
        except OSError as error:
            raise PartError(
                f"the rehearsal cannot be kept in {self.folder}: {error.strerror}",
                hint="set TMINUS_HOME to a folder that you may write into",
            ) from error
        return path

    async def kept(self) -> Sequence[Rehearsal]:
        """See `Rehearsals.kept`; nothing where nothing was ever kept."""
        return await asyncio.to_thread(self._read)

    def _read(self) -> list[Rehearsal]:
        try:
            names = sorted(path for path in self.folder.iterdir() if path.suffix == ".json")
        except FileNotFoundError:
            return []
        except OSError as error:
            raise UnreachableError(
                f"the rehearsals in {self.folder} cannot be read: {error.strerror}",
                hint="mend the rights of this folder",
            ) from error
        return [_rehearsal(path) for path in names]


def _rehearsal(path: Path) -> Rehearsal:
    """One of them, compared with its name."""
    try:
        content = files.regular(path, MOST_BYTES)
    except OSError as error:
        raise UnreachableError(f"{path} cannot be read: {error.strerror}", hint="mend its rights") from error
    if sha256_hex(content) != path.stem:
        raise InconclusiveError(
            f"{path} is not what its name says: it was altered or cut off",
            hint="remove this file, and rehearse again: `tminus rehearse`",
        )
    try:
        found = _READER.validate_json(content)
    except ValidationError as error:
        raise InconclusiveError(
            f"{path} is no rehearsal that this tminus can read", hint="remove this file, and rehearse again"
        ) from error
    if found.format != FORMAT:
        raise InconclusiveError(
            f"{path} is a rehearsal of form {found.format}, and this tminus reads form {FORMAT}",
            hint="rehearse with this tminus, or read it with the one that wrote it",
        )
    return found
