"""Releases: whether an image is there and whole, what its name points at, how it is configured and migrated."""

import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tminus import oci
from tminus.domain.evidence import JsonValue, Observation
from tminus.errors import InconclusiveError, PlanError, ReleaseError
from tminus.postgres import Tools, connect, contents, differences, dump, restore, schema_digest, scratch
from tminus.probes import Probe
from tminus.releases import Releases


@dataclass(frozen=True, slots=True)
class System:
    """The releases of one service, and the database that they migrate."""

    releases: Releases
    tools: Tools
    work: Path
    """A folder for copies that a probe makes and removes."""
    database_variable: str
    """The variable by which the service is told its database."""


@Probe
async def image(system: System, *, digest: str) -> Observation:
    """What is wrong with an image: absent, or any of its blobs altered."""
    try:
        found = await system.releases.verified(digest)
    except (ReleaseError, PlanError) as error:
        return Observation([f"{error}"], {"digest": digest}, {"digest": digest})
    seen: dict[str, JsonValue] = {
        "digest": digest,
        "version": found.version,
        "blobs": found.blobs,
        "bytes": found.size,
    }
    return Observation([], seen, {"digest": digest})


@Probe
async def named(system: System, *, ref: str, digest: str) -> Observation:
    """What is wrong with a name in the image layout: it stands for another image than this one."""
    try:
        found = oci.resolve(system.releases.layout, ref)
    except PlanError as error:
        raise InconclusiveError(str(error), hint=error.hint) from error
    problems: list[JsonValue] = [] if found == digest else [f"{ref} stands for {found}, not {digest}"]
    return Observation(problems, {"ref": ref, "digest": found}, {"digest": found})


@Probe
async def environment(system: System, *, digest: str) -> Observation:
    """What is wrong with the environment that a release will get, against the release's own list of variables."""
    declared = json.loads(await system.releases.run(digest, "schema"))
    variables = {entry["name"]: entry for entry in declared["variables"]}
    if not variables:
        raise InconclusiveError("the release declares no variable", hint="see `python -m depot schema`")
    given = system.releases.settings
    problems: list[JsonValue] = [
        f"{name} is missing" for name, entry in variables.items() if entry["required"] and not given.get(name)
    ]
    problems += [f"{name} is not known to this release" for name in given if name not in variables]
    for name in sorted(set(given) & set(variables)):
        problems += _misfits(name, str(variables[name]["type"]), given[name])
    names: list[JsonValue] = [*sorted(given)]
    return Observation(problems, {"given": names, "declared": len(variables)}, {"given": names})


@Probe
async def reversible(system: System, *, digest: str) -> Observation:
    """Where a copy of the database differs after this release's migration went up, down and up again.

    Row counts and contents of the tables that were there before must be the same at the end, the schema must be the
    same after both ways up, and going down must bring back the schema from before.
    """
    system.work.mkdir(mode=0o700, exist_ok=True)
    file = system.work / "reversible.dump"
    try:
        before, shape = await dump(system.tools, file)
        async with scratch(system.tools, "tminus_reversible") as dsn:
            await restore(system.tools, file, "tminus_reversible")
            shapes = [await _migrated(system, digest, dsn, *way) for way in _WAYS]
            async with connect(dsn) as connection:
                after = await contents(connection)
    finally:
        file.unlink(missing_ok=True)
    kept = {
        table: rows
        for table, rows in after.items()
        if table in before and not table.endswith("alembic_version")
    }
    source = {table: rows for table, rows in before.items() if not table.endswith("alembic_version")}
    problems: list[JsonValue] = [*differences(source, kept)]
    if shapes[0] != shapes[2]:
        problems.append("up, down and up again gives another schema than up once")
    if shapes[1] != shape:
        problems.append("going down does not bring back the schema from before")
    if shapes[0] == shape:
        problems.append("the migration changes nothing, so going back was not shown")
    tables: dict[str, JsonValue] = {table: rows["rows"] for table, rows in source.items()}
    return Observation(
        problems, {"rows": tables, "schemas": [shape, *shapes]}, {"up": shapes[0], "digest": digest}
    )


_WAYS = (("up",), ("down", "--to", "-1"), ("up",))


async def _migrated(system: System, digest: str, dsn: str, *way: str) -> str:
    await system.releases.run(digest, "migrate", *way, settings={system.database_variable: dsn})
    async with connect(dsn) as connection:
        return await schema_digest(connection)


def _misfits(name: str, kind: str, value: str) -> list[str]:
    """What is wrong with one value; the value itself is never told."""
    found = [f"{name} holds a placeholder" for mark in _PLACEHOLDERS if mark in value.lower()]
    if kind == "url":
        parts = urlsplit(value)
        if not parts.scheme or not parts.hostname:
            found.append(f"{name} is no address")
        elif "staging" in parts.hostname:
            found.append(f"{name} points at a staging host")
    if kind == "integer" and not value.isdigit():
        found.append(f"{name} is no whole number")
    return found[:1]


_PLACEHOLDERS = ("changeme", "change-me", "todo", "[name]", "example.com", "xxx")
