"""Releases: whether an image is there and whole, what its name points at, how it is configured and migrated."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from tminus import oci
from tminus.domain.canonical import JsonValue
from tminus.domain.evidence import Observation
from tminus.domain.value import ValueKind
from tminus.errors import InconclusiveError, PlanError, ReleaseError, UnreachableError
from tminus.postgres import (
    Contents,
    Tools,
    connect,
    contents,
    differences,
    dump,
    restore,
    revision,
    schema_digest,
    scratch,
)
from tminus.probes import Probe
from tminus.releases import Releases, observable


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
async def image(system: System, *, digest: str) -> Annotated[Observation, ValueKind.FINDINGS]:
    """What is wrong with an image: absent, or any of its blobs altered."""
    try:
        _names(system.releases.layout)
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
async def named(system: System, *, ref: str, digest: str) -> Annotated[Observation, ValueKind.FINDINGS]:
    """What is wrong with a name in the image layout: it stands for another image, or for an altered one."""
    try:
        _names(system.releases.layout)
        found = oci.resolve(system.releases.layout, ref)
    except PlanError as error:
        raise InconclusiveError(str(error), hint=error.hint) from error
    except ReleaseError as error:
        return Observation([f"{error}"], {"ref": ref, "digest": ""}, {"digest": ""})
    problems: list[JsonValue] = [] if found == digest else [f"{ref} stands for {found}, not {digest}"]
    try:
        await system.releases.verified(found)
    except ReleaseError as error:
        problems.append(str(error))
    return Observation(problems, {"ref": ref, "digest": found}, {"digest": found})


@Probe
async def environment(system: System, *, digest: str) -> Annotated[Observation, ValueKind.FINDINGS]:
    """What is wrong with the environment that a release will get, against the release's own list of variables.

    What the image itself sets counts as given. A secret must not stand in the image, nor in a variable that is not
    declared as one. A variable that the release does not know is remarked upon.
    """
    with observable():
        own = (await system.releases.verified(digest)).env
        variables = _declared(await system.releases.run(digest, "schema"))
    known = {name: value for name, value in own.items() if name in variables}
    given = known | dict(system.releases.settings)
    problems: list[JsonValue] = [
        f"{name} is missing"
        for name, entry in variables.items()
        if entry.get("required") and not given.get(name)
    ]
    problems += [
        f"{name} stands in the image; give it at the start" for name in own if _secret(variables, name)
    ]
    problems += _leaks(variables, given)
    for name in sorted(set(given) & set(variables)):
        problems += _misfits(name, str(variables[name].get("type")), given[name])
    unknown = tuple(f"{name} is not known to this release" for name in sorted(set(given) - set(variables)))
    names: list[JsonValue] = [*sorted(given)]
    seen: dict[str, JsonValue] = {"given": names, "declared": len(variables)}
    needed = sum(bool(entry.get("required")) for entry in variables.values())
    fact = f"{len(variables)} variables are declared, and all {needed} that are required are given"
    return Observation(problems, seen, {"given": names}, unknown, fact)


@Probe
async def reversible(system: System, *, digest: str) -> Annotated[Observation, ValueKind.FINDINGS]:
    """Where a copy of the database differs after this release's migration went up and down, and up again.

    Going down must bring back the schema and every row from before, and both ways up must give the same schema. A
    way that breaks off is a difference too.
    """
    system.work.mkdir(mode=0o700, exist_ok=True)
    file = system.work / "reversible.dump"
    try:
        before, shape = await dump(system.tools, file)
        async with scratch(system.tools, "tminus_reversible") as dsn:
            await restore(system.tools, file, "tminus_reversible")
            states, problems = await _there_and_back(system, digest, dsn)
    finally:
        file.unlink(missing_ok=True)
    if not problems:
        up, down, again = states
        problems += differences(_rows(before), _rows(down.contents))
        if again.schema != up.schema:
            problems.append("up, down and up again gives another schema than up once")
        if down.schema != shape:
            problems.append("going down does not bring back the schema from before")
    tables: dict[str, JsonValue] = {table: rows["rows"] for table, rows in _rows(before).items()}
    schemas: list[JsonValue] = [shape, *(state.schema for state in states)]
    material: dict[str, JsonValue] = {"schemas": schemas[:2], "digest": digest}
    total = sum(int(rows["rows"]) for rows in _rows(before).values())
    fact = f"up, down and up again on a copy: {len(tables)} tables, {total:,} rows and the schema came back"
    return Observation(problems, {"rows": tables, "schemas": schemas}, material, fact=fact)


_WAYS = (("up",), ("down", "--to", "-1"), ("up",))


@dataclass(frozen=True, slots=True)
class _State:
    schema: str
    revision: str
    contents: Contents


async def _there_and_back(system: System, digest: str, dsn: str) -> tuple[list[_State], list[JsonValue]]:
    """The states after each way that was gone, and which way broke off."""
    start = await _state(dsn)
    states: list[_State] = []
    for way in _WAYS:
        try:
            with observable():
                await system.releases.run(digest, "migrate", *way, settings={system.database_variable: dsn})
        except InconclusiveError as error:
            return states, [f"the migration cannot go {way[0]}: {error}"]
        states.append(await _state(dsn))
        if states[0].revision == start.revision:
            raise InconclusiveError(
                f"the database is at revision {start.revision} already, so no way back was shown",
                hint="declare the line not applicable for a release without a migration",
            )
    return states, []


async def _state(dsn: str) -> _State:
    async with connect(dsn) as connection:
        return _State(await schema_digest(connection), await revision(connection), await contents(connection))


def _rows(found: Contents) -> Contents:
    """The tables that hold the service's own data."""
    return {table: rows for table, rows in found.items() if not table.endswith("alembic_version")}


def _names(layout: Path) -> dict[str, str]:
    """Every image of the layout by its name; raises `ProbeError` where there is no layout or no image."""
    if not layout.is_dir():
        raise UnreachableError(f"there is no folder {layout}", hint="is the disk with the images mounted?")
    try:
        found = oci.images(layout)
    except PlanError as error:
        raise InconclusiveError(str(error), hint=error.hint) from error
    if not found:
        raise InconclusiveError(f"{layout} holds no image", hint="bring the images back")
    return found


def _declared(printed: str) -> dict[str, dict[str, JsonValue]]:
    """The variables that a release says it reads, by name."""
    try:
        found = {str(entry["name"]): dict(entry) for entry in json.loads(printed)["variables"]}
    except (ValueError, KeyError, TypeError) as error:
        raise InconclusiveError(
            f"the release's list of variables cannot be read: {error!r}", hint="see `python -m depot schema`"
        ) from error
    if not found:
        raise InconclusiveError("the release declares no variable", hint="see `python -m depot schema`")
    return found


def _secret(variables: Mapping[str, Mapping[str, JsonValue]], name: str) -> bool:
    return bool(variables.get(name, {}).get("secret"))


def _leaks(variables: Mapping[str, Mapping[str, JsonValue]], given: Mapping[str, str]) -> list[str]:
    """The variables that carry a secret and are not declared to; the secret itself is never told."""
    secrets = {value for name, value in given.items() if _secret(variables, name) and value}
    return [
        f"{name} carries a secret, but is not declared as one"
        for name, value in given.items()
        if not _secret(variables, name) and (value in secrets or urlsplit(value).password)
    ]


def _misfits(name: str, kind: str, value: str) -> list[str]:
    """What is wrong with one value; the value itself is never told."""
    found = [f"{name} holds a placeholder"] if _PLACEHOLDER.search(value.lower()) else []
    if kind == "url":
        parts = urlsplit(value)
        if not parts.scheme or not parts.hostname:
            found.append(f"{name} is no address")
        elif "staging" in parts.hostname:
            found.append(f"{name} points at a staging host")
    if kind == "integer" and not value.isdigit():
        found.append(f"{name} is no whole number")
    return found[:1]


_PLACEHOLDER = re.compile(r"(?<![a-z0-9_-])(?:change-?me\d*|todo|x{3,}|example\.com)(?![a-z0-9_-])|\[name\]")
"""A word of its own: a random password may well have `xxx` in its middle."""
