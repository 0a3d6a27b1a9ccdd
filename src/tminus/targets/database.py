"""The service's database, as a launch changes it: a backup before, the release's own migration after."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from secrets import token_hex

from tminus.control.ports import Json
from tminus.domain.canonical import timestamp
from tminus.errors import InconclusiveError, RolloutError
from tminus.postgres import Tools, connect, dump, revision
from tminus.releases import Releases


@dataclass(frozen=True, slots=True)
class LocalDatabase:
    """One PostgreSQL database, the folder of its backups, and the releases that migrate it."""

    tools: Tools
    backups: Path
    releases: Releases
    now: Callable[[], float]

    async def back_up(self, name: str) -> Json:
        """See `Database.back_up`; the note is written last, so that a file without one is no backup.

        Each dump is written into a file of its own first: one that a killed tminus has begun may still be going on.
        """
        taken_at = timestamp(self.now())
        file = self.backups / f"{name.replace(':', '')}.dump"
        self.backups.mkdir(mode=0o700, exist_ok=True)
        for left in (file.with_suffix(".json"), *self.backups.glob(f"{file.stem}.*.new")):
            left.unlink(missing_ok=True)
        growing = file.with_suffix(f".{token_hex(4)}.new")
        contents, schema = await dump(self.tools, growing)
        growing.replace(file)
        digest = await asyncio.to_thread(_sha256, file)
        async with connect(self.tools.dsn) as connection:
            at = await revision(connection)
        note = {
            "taken_at": taken_at,
            "sha256": digest,
            "contents": contents,
            "schema": schema,
            "revision": at,
        }
        _write(file.with_suffix(".json"), json.dumps(note))
        rows = sum(int(table["rows"]) for table in contents.values())
        return {
            "file": file.name,
            "sha256": digest,
            "bytes": file.stat().st_size,
            "rows": rows,
            "revision": at,
        }

    async def migrate(self, digest: str) -> Json:
        """See `Database.migrate`."""
        async with connect(self.tools.dsn) as connection:
            before = await revision(connection)
        try:
            printed = await self.releases.run(digest, "migrate", "up")
        except InconclusiveError as error:
            raise RolloutError(f"the migration failed: {error}", hint=error.hint) from error
        async with connect(self.tools.dsn) as connection:
            after = await revision(connection)
        if printed.splitlines()[-1:] != [after]:
            raise RolloutError(
                f"the migration says {printed!r}, but the database is at {after}",
                hint="does something else migrate this database?",
            )
        return {"before": before, "after": after}


def _write(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


def _sha256(file: Path) -> str:
    digest = sha256()
    with file.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
