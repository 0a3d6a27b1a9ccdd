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

LOCK_SECONDS = 5
"""How long a migration may wait for a lock: whoever waits for a table keeps everybody behind it waiting too."""

STATEMENT_SECONDS = 120
"""How long one statement of a migration may take."""

BUDGET = f"-c lock_timeout={LOCK_SECONDS}s -c statement_timeout={STATEMENT_SECONDS}s"
"""Both, as PostgreSQL's own library takes them from the environment; a release may set shorter ones of its own."""


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
            printed = await self.releases.run(digest, "migrate", "up", settings={"PGOPTIONS": BUDGET})
        except InconclusiveError as error:
            raise _failed(error) from error
        async with connect(self.tools.dsn) as connection:
            after = await revision(connection)
        if printed.splitlines()[-1:] != [after]:
            raise RolloutError(
                f"the migration says {printed!r}, but the database is at {after}",
                hint="does something else migrate this database?",
            )
        return {"before": before, "after": after}


def _failed(error: InconclusiveError) -> RolloutError:
    """Why a migration has failed, in words where it was the time that ran out; nothing of it stands then."""
    text = str(error)
    if "lock timeout" in text:
        return RolloutError(
            f"the migration gave up: it waited too long for a lock that somebody else holds; {text}",
            hint="see who: SELECT pid, query FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) = 0 "
            "AND state <> 'idle'; launch again when it has ended",
        )
    if "statement timeout" in text:
        return RolloutError(
            f"the migration gave up: one of its statements took too long; {text}",
            hint="do it in smaller steps, or build indexes with CONCURRENTLY before the launch",
        )
    return RolloutError(f"the migration failed: {text}", hint=error.hint)


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
