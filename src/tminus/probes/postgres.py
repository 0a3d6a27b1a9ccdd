"""PostgreSQL: its schema, its backups, and whether they can be restored.

A backup is a custom-format dump `NAME.dump` with a note `NAME.json` beside it: when it was taken, its SHA-256 and
size, and the contents of the snapshot it was taken from.
"""

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

from tminus.control.inspection import Inspection
from tminus.domain.canonical import JsonValue
from tminus.domain.evidence import Observation
from tminus.domain.value import ValueKind
from tminus.errors import InconclusiveError
from tminus.postgres import (
    Tools,
    connect,
    contents,
    differences,
    restore,
    revision,
    run,
    schema_digest,
    scratch,
)
from tminus.probes import Probe


@dataclass(frozen=True, slots=True)
class System:
    """One database, its tools, the folder of its backups, and what looks at its invariants."""

    tools: Tools
    backups: Path
    inspection: Inspection | None = None


@Probe
async def schema(database: System, *, revision_expected: str) -> Annotated[Observation, ValueKind.FINDINGS]:
    """What is wrong with the schema: another revision, invalid indexes, no tables; and which invariants are broken."""
    async with connect(database.tools.dsn) as connection:
        found = await revision(connection)
        broken = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"
        invalid = [str(row[0]) for row in await (await connection.execute(broken)).fetchall()]
        tables = len(await contents(connection))
        shape = await schema_digest(connection)
    problems: list[JsonValue] = [f"index {name} is invalid" for name in invalid]
    if found != revision_expected:
        problems.append(f"revision {found}, not {revision_expected}")
    if tables < 2:
        problems.append("there are no tables")
    if database.inspection is not None:
        problems += [str(one) for one in (await database.inspection.read())[1]]
    seen: dict[str, JsonValue] = {"revision": found, "tables": tables, "schema": shape}
    fact = f"revision {found}, {tables} tables, every index valid"
    return Observation(problems, seen, {"schema": shape}, fact=fact)


@Probe
async def backup(database: System, *, hours: float = 2.0) -> Annotated[Observation, ValueKind.FINDINGS]:
    """What is wrong with the newest backup: none, gone, altered, unreadable, empty, too old.

    Its age is taken by the database's own clock; more than `hours` is too old.
    """
    file, note = newest(database.backups)
    age = await _age(database.tools.dsn, note["taken_at"])
    found, problems = await _file_problems(database.tools, file, note["sha256"])
    rows = sum(int(table["rows"]) for table in note["contents"].values())
    if not rows:
        problems.append("every table was empty when the backup was taken")
    if age > hours * 3600:
        problems.append(f"{file.name} is {age / 3600:.1f} h old, more than {hours:g} h")
    seen: dict[str, JsonValue] = {
        "file": file.name,
        "bytes": file.stat().st_size if file.is_file() else 0,
        "sha256": found,
        "taken_at": note["taken_at"],
    }
    fact = f"{file.name} holds {rows:,} rows in {seen['bytes']:,} bytes, unaltered, {age / 60:.0f} min old"
    return Observation(problems, seen, {"sha256": found}, fact=fact)


@Probe
async def restored(database: System) -> Annotated[Observation, ValueKind.FINDINGS]:
    """Where a restore of the newest backup differs from the database it was taken from, table by table."""
    file, note = newest(database.backups)
    async with scratch(database.tools, "tminus_restore") as dsn:
        try:
            await restore(database.tools, file, "tminus_restore")
        except InconclusiveError as error:
            broken: list[JsonValue] = [f"the restore of {file.name} broke off: {error}"]
            return Observation(broken, {"file": file.name}, {"sha256": str(note["sha256"])})
        async with connect(dsn) as connection:
            copy = await contents(connection)
            shape = await schema_digest(connection)
    if not copy:
        raise InconclusiveError(
            "the restored database has no tables", hint="look at the backup with pg_restore --list"
        )
    problems: list[JsonValue] = [*differences(note["contents"], copy)]
    if shape != note["schema"]:
        problems.append("the restored schema is another one")
    rows: dict[str, JsonValue] = {table: entry["rows"] for table, entry in copy.items()}
    total = sum(int(entry["rows"]) for entry in copy.values())
    fact = f"restored {len(copy)} tables, {total:,} rows, equal to what was backed up"
    return Observation(
        problems, {"file": file.name, "rows": rows}, {"sha256": str(note["sha256"])}, fact=fact
    )


def newest(folder: Path) -> tuple[Path, dict[str, Any]]:
    """The newest backup and its note; raises `InconclusiveError` when there is none."""
    notes = sorted(folder.glob("*.json"))
    if not notes:
        raise InconclusiveError(
            f"there is no backup in {folder.name}", hint="take one: the launch does so at T-2h"
        )
    try:
        note = json.loads(notes[-1].read_text(encoding="utf-8"))
        known = {name: note[name] for name in ("taken_at", "sha256", "contents", "schema")}
    except (ValueError, KeyError, TypeError) as error:
        raise InconclusiveError(
            f"{notes[-1].name} is no note of a backup: {error!r}", hint="take another backup"
        ) from error
    return notes[-1].with_suffix(".dump"), known


async def _age(dsn: str, taken_at: str) -> float:
    """Seconds since an instant, by the database's clock."""
    async with connect(dsn) as connection:
        query = "SELECT extract(epoch FROM now() - %s::timestamptz)"
        row = await (await connection.execute(query, [taken_at])).fetchone()
    assert row is not None  # noqa: S101 - a query without a table has one row
    return float(row[0])


async def _file_problems(tools: Tools, file: Path, noted: str) -> tuple[str, list[JsonValue]]:
    """The SHA-256 of a dump, and what is wrong with the file; an altered one is not read further."""
    try:
        with file.open("rb") as stream:
            found = _sha256(stream)
    except OSError as error:
        return "", [f"{file.name} cannot be read: {error.strerror}"]
    if found != noted:
        return found, [f"{file.name} is not what was written: SHA-256 {found[:12]}…, noted {noted[:12]}…"]
    listing = await run(tools, "pg_restore", "--list", str(file))
    return found, [] if "TABLE DATA" in listing else [f"{file.name} holds no table data"]


def _sha256(stream: Any) -> str:
    digest = sha256()
    while block := stream.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()
