"""Push an image of a layout into a registry, by digest: its blobs first, then its manifest, then its tags."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

from tminus.errors import InconclusiveError, PlanError, ReleaseError
from tminus.oci.layout import MANIFEST_TYPE, Descriptor, blob_path
from tminus.oci.remote import BLOB_SECONDS, Repository
from tminus.oci.verifying import blobs_of, verify

_MADE: Final = frozenset({HTTPStatus.CREATED, HTTPStatus.ACCEPTED, HTTPStatus.NO_CONTENT, HTTPStatus.OK})
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push did."""

    digest: str
    sent: int
    """Blobs that the registry did not have."""
    there: int
    """Blobs that it had already."""


async def push(repository: Repository, layout: Path, digest: str, tags: Sequence[str] = ()) -> Pushed:
    """Have a registry hold an image of a layout, and have these tags point at it.

    Every byte is compared before the first is sent, and the manifest is read back by digest and by each tag. Raises
    `PlanError` for a digest that the layout does not name or a tag that is none, `ReleaseError` for an altered image or
    a registry that answers another one than it was given, and `ProbeError` when it cannot answer or wants a login.
    """
    for tag in tags:
        if not _TAG.fullmatch(tag):
            raise PlanError(f"{tag!r} is no tag", hint="let it have letters, digits, `.`, `_` and `-` alone")
    await asyncio.to_thread(verify, layout, digest)
    manifest = blob_path(layout, digest).read_bytes()
    sent = there = 0
    for blob in blobs_of(manifest, blob_path(layout, digest)):
        if await _has(repository, blob):
            there += 1
        else:
            await _send(repository, blob, blob_path(layout, blob.digest))
            sent += 1
    for reference in (digest, *tags):
        await _name(repository, manifest, reference)
    return Pushed(digest, sent, there)


async def _has(repository: Repository, blob: Descriptor) -> bool:
    size = await repository.size(blob.digest)
    if size not in {None, blob.size}:
        raise ReleaseError(
            f"{repository.shown}: the blob {blob.digest} has {size} bytes, expected {blob.size}",
            hint="find out who altered the registry; it does not take the whole blob while it has this one",
        )
    return size is not None


async def _send(repository: Repository, blob: Descriptor, file: Path) -> None:
    begin = repository.uploads()
    async with repository.asked("POST", begin, headers={"Content-Length": "0"}) as reply:
        if reply.status != HTTPStatus.ACCEPTED:
            raise repository.unexpected("asked to take a blob", reply)
        path = repository.onward(begin, reply)
    path += f"{'&' if '?' in path else '?'}digest={blob.digest}"
    headers = {"Content-Type": "application/octet-stream", "Content-Length": str(blob.size)}
    with file.open("rb") as data:
        async with repository.asked("PUT", path, headers=headers, data=data, seconds=BLOB_SECONDS) as reply:
            if reply.status not in _MADE:
                raise repository.unexpected(f"given the blob {blob.digest}", reply)


async def _name(repository: Repository, manifest: bytes, reference: str) -> None:
    path = repository.manifest(reference)
    async with repository.asked("PUT", path, headers={"Content-Type": MANIFEST_TYPE}, data=manifest) as reply:
        if reply.status not in _MADE:
            raise repository.unexpected(f"given the manifest {reference}", reply)
    reply, held = await repository.text(path)
    if reply.status != HTTPStatus.OK:
        raise InconclusiveError(
            f"{repository.shown} took the manifest {reference} and answers {reply.status} for it",
            hint="see the registry's log; is its storage whole?",
        )
    if held != manifest:
        raise ReleaseError(
            f"{repository.shown} answers another manifest for {reference} than it was given",
            hint="find out who else pushes there; nothing was pulled",
        )
