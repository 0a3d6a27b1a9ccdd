"""Registries: whether an image is there with every blob, for which platform, and where its tag points."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

from tminus.domain.canonical import JsonValue
from tminus.domain.evidence import Observation
from tminus.domain.value import ValueKind
from tminus.errors import InconclusiveError, PlanError, ReleaseError
from tminus.oci import Repository
from tminus.oci.layout import INDEX_TYPE, MAX_JSON_BYTES, Descriptor
from tminus.oci.remote import BLOB_SECONDS, MANIFEST_TYPES
from tminus.oci.verifying import blobs_of
from tminus.probes import Probe


@dataclass(frozen=True, slots=True)
class System:
    """One repository of an OCI registry: `https://registry.example.org/team/service`."""

    address: str


@Probe
async def image(
    system: System, *, digest: str, tag: str = "", platform: str = "", whole: bool = False
) -> Annotated[Observation, ValueKind.FINDINGS]:
    """What is wrong with an image in a registry: absent, a blob missing, for no or another platform, its tag moved.

    Every blob's size is compared; with `whole` each is also read to its end, and its SHA-256 compared. A platform reads
    `linux/amd64`; without one it is enough that the image states its own.
    """
    try:
        return await _look(Repository.at(system.address), _Wanted(digest, tag, platform, whole))
    except (PlanError, ReleaseError) as error:
        # Within a launch either would end it; that nothing could be seen does not.
        raise InconclusiveError(str(error), hint=error.hint) from error


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The arguments of `image`."""

    digest: str
    tag: str
    platform: str
    whole: bool


async def _look(repository: Repository, wanted: _Wanted) -> Observation:
    digest, tag, platform = wanted.digest, wanted.tag, wanted.platform
    problems: list[JsonValue] = []
    seen: dict[str, JsonValue] = {"digest": digest}
    if tag:
        seen["tag"] = tagged = await _tagged(repository, tag)
        if tagged != digest:
            problems.append(f"the tag {tag} points at {tagged or 'nothing'}, not {digest}")
    blobs = await _blobs(repository, digest, problems)
    broken = [what for blob in blobs for what in await _wrong(repository, blob, whole=wanted.whole)]
    problems += broken
    if blobs and not broken:
        seen["platform"] = stated = await _platform(repository, blobs[0])
        if not stated or (platform and stated != platform):
            problems.append(f"it is for {stated or 'no platform that it states'}, not {platform or 'one'}")
    seen |= {"blobs": len(blobs) + bool(blobs), "bytes": sum(blob.size for blob in blobs)}
    seen["repository"] = repository.shown
    fact = f"{seen['blobs']} blobs, {seen['bytes']:,} bytes for {seen.get('platform', 'no platform')}, {digest[:19]}…"
    return Observation(problems, seen, {"digest": digest, "tag": seen.get("tag", "")}, fact=fact)


async def _blobs(repository: Repository, digest: str, problems: list[JsonValue]) -> list[Descriptor]:
    """The blobs that the image names, its configuration first; none and a problem when there is no such image."""
    reply, body = await repository.text(repository.manifest(digest))
    if reply.status == HTTPStatus.NOT_FOUND:
        await _must_be_known(repository)
        problems.append(f"there is no image with the digest {digest}")
        return []
    if reply.status != HTTPStatus.OK:
        raise repository.unexpected("asked for a manifest", reply)
    if (kind := reply.headers.get("Content-Type", "").partition(";")[0]) not in MANIFEST_TYPES.split(", "):
        raise InconclusiveError(
            f"{repository.shown} answers {kind or 'something'} where a manifest should be",
            hint="is this address a registry's? a proxy before it may answer in its place",
        )
    if (found := _sha256(body)) != digest:
        problems.append(f"the manifest under this digest has the digest {found}")
        return []
    if _document(body, "manifest").get("mediaType") == INDEX_TYPE:
        raise InconclusiveError(
            f"{digest} is an index of several images", hint="name the digest of the one that runs"
        )
    try:
        return blobs_of(body, Path(digest))
    except ReleaseError as error:
        problems.append(str(error))
        return []


async def _must_be_known(repository: Repository) -> None:
    """Raise `InconclusiveError` where there is no such repository at all: a wrong address proves no absence."""
    reply, _ = await repository.text(f"/v2/{repository.name}/tags/list")
    if reply.status != HTTPStatus.OK:
        raise InconclusiveError(
            f"{repository.shown} is no repository that this registry knows ({reply.status})",
            hint="correct the address in the plan, or push a first image there",
        )


async def _wrong(repository: Repository, blob: Descriptor, *, whole: bool) -> list[str]:
    """What is wrong with one blob."""
    size = await repository.size(blob.digest)
    if size is None:
        return [f"the blob {blob.digest} is missing"]
    if size != blob.size:
        return [f"the blob {blob.digest} has {size} bytes, expected {blob.size}"]
    if whole and (found := await _read(repository, blob)) != blob.digest:
        return [f"the blob {blob.digest} has the digest {found}"]
    return []


async def _read(repository: Repository, blob: Descriptor) -> str:
    """The digest of what a blob holds, of one byte more than it should at the most."""
    hasher, size = hashlib.sha256(), 0
    headers = {"Accept-Encoding": "identity"}
    path = repository.blob(blob.digest)
    async with repository.asked("GET", path, headers=headers, seconds=BLOB_SECONDS) as reply:
        if reply.status != HTTPStatus.OK:
            raise repository.unexpected("asked for a blob", reply)
        async for piece in reply.pieces:
            hasher.update(piece)
            size += len(piece)
            if size > blob.size:
                break
    return f"sha256:{hasher.hexdigest()}"


async def _platform(repository: Repository, config: Descriptor) -> str:
    """For what the image says that it is made; empty when it does not say."""
    reply, body = await repository.text(repository.blob(config.digest), min(config.size, MAX_JSON_BYTES))
    if reply.status != HTTPStatus.OK or _sha256(body) != config.digest:
        raise repository.unexpected("asked for the image's configuration", reply)
    document = _document(body, "configuration")
    stated = [document.get("os"), document.get("architecture"), document.get("variant")]
    return "/".join(str(word) for word in stated if word) if stated[0] and stated[1] else ""


async def _tagged(repository: Repository, tag: str) -> str:
    """The digest of what a tag points at, computed; empty when there is no such tag."""
    reply, body = await repository.text(repository.manifest(tag))
    if reply.status == HTTPStatus.NOT_FOUND:
        return ""
    if reply.status != HTTPStatus.OK:
        raise repository.unexpected("asked for a tag", reply)
    return _sha256(body)


def _document(body: bytes, what: str) -> Mapping[str, object]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InconclusiveError(
            f"the {what} is no JSON ({len(body)} bytes)", hint="is this address a registry's?"
        ) from error
    if not isinstance(found, dict):
        raise InconclusiveError(f"the {what} is no JSON object", hint="is this address a registry's?")
    return found


def _sha256(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
