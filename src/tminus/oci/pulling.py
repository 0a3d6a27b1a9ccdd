"""Pull an image by digest from a registry into a layout, believing nothing that was not compared.

Every blob is streamed to a temporary file, and moved in when size and SHA-256 are those that the image's digest fixes.
The manifest comes in after its blobs and the name last, so that a reader never sees an image without its bytes. After a
kill the next pull goes on: what is there and whole is not fetched again. What is there and altered is an error and not
fetched over, because somebody has to know of it.
"""

import asyncio
import fcntl
import hashlib
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import IO, Final

from tminus.errors import PartError, PlanError, ReleaseError
from tminus.oci.building import name_image, prepare_layout
from tminus.oci.layout import MANIFEST_TYPE, MAX_JSON_BYTES, Descriptor, blob_path, named
from tminus.oci.remote import BLOB_SECONDS, Repository
from tminus.oci.verifying import MAX_IMAGE_BYTES, blobs_of, check_blob
from tminus.processes import wait_until

LOCK_SECONDS: Final = 600.0
"""How long another pull into the same layout is waited for."""
_LOCK: Final = ".pulling"
_DRAFT: Final = ".pulling-"


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull did."""

    digest: str
    fetched: int
    """Blobs that came from the registry."""
    kept: int
    """Blobs that were there already, compared again."""
    size: int
    """Bytes that came from the registry."""


async def pull(repository: Repository, digest: str, layout: Path, ref: str = "") -> Pulled:
    """Have a layout hold an image with every byte compared, under a name if one is given.

    The registry is asked only for what is missing. Raises `PlanError` when it holds no image of this digest,
    `ReleaseError` for bytes that are not what the digest says, on either side, and `ProbeError` when it cannot answer.
    """
    prepare_layout(layout)
    async with _alone(layout):
        fetched: list[Descriptor] = []
        manifest = await _manifest(repository, digest, layout, fetched)
        blobs = blobs_of(manifest, blob_path(layout, digest))
        _must_fit(repository, digest, blobs)
        for blob in blobs:
            if not await _whole(layout, blob):
                await _fetch(repository, blob, layout)
                fetched.append(blob)
        await asyncio.to_thread(_finish, layout, digest, manifest, ref)
    return Pulled(digest, len(fetched), 1 + len(blobs) - len(fetched), sum(blob.size for blob in fetched))


async def _manifest(repository: Repository, digest: str, layout: Path, fetched: list[Descriptor]) -> bytes:
    """The manifest's bytes: from the layout when it is there, and else from the registry."""
    file = blob_path(layout, digest)
    if file.exists():
        size = file.stat().st_size
        if size > MAX_JSON_BYTES:
            raise _altered(file, f"{size} bytes, more than the {MAX_JSON_BYTES} that a manifest may have")
        data = file.read_bytes()
        if _digest(data) != digest:
            raise _altered(file, f"it has the digest {_digest(data)}")
        return data
    reply, data = await repository.text(repository.manifest(digest))
    if reply.status == HTTPStatus.NOT_FOUND:
        raise PlanError(
            f"{repository.shown} holds no image with the digest {digest}",
            hint="push it there, or name the digest of one that is there",
        )
    if reply.status != HTTPStatus.OK:
        raise repository.unexpected("asked for a manifest", reply)
    if _digest(data) != digest:
        raise ReleaseError(
            f"{repository.shown} answers a manifest with the digest {_digest(data)} for {digest}",
            hint="nothing of it was kept; find out who altered the registry, and push the image again",
        )
    fetched.append(Descriptor(media_type=MANIFEST_TYPE, digest=digest, size=len(data)))
    return data


async def _whole(layout: Path, blob: Descriptor) -> bool:
    """Whether a blob is there; raises `ReleaseError` when it is there and is another."""
    file = blob_path(layout, blob.digest)
    if not file.exists():
        return False
    await asyncio.to_thread(check_blob, file, blob.digest, blob.size)
    return True


async def _fetch(repository: Repository, blob: Descriptor, layout: Path) -> None:
    """Bring one blob in; nothing of it stays when it is not what it should be."""
    file = blob_path(layout, blob.digest)
    with _draft(file) as draft:
        async with repository.asked(
            "GET", repository.blob(blob.digest), headers={"Accept-Encoding": "identity"}, seconds=BLOB_SECONDS
        ) as reply:
            if reply.status == HTTPStatus.NOT_FOUND:
                raise _spoiled(repository, blob, "is missing: the image needs it")
            if reply.status != HTTPStatus.OK:
                raise repository.unexpected("asked for a blob", reply)
            found = await _keep(reply.pieces, draft, blob.size)
        if found is None:
            raise _spoiled(repository, blob, f"goes on after the {blob.size} bytes that it should have")
        size, digest = found
        if size != blob.size:
            raise _spoiled(repository, blob, f"has {size} bytes, expected {blob.size}")
        if digest != blob.digest:
            raise _spoiled(repository, blob, f"arrives with the digest {digest}")
        _move(draft, file)


async def _keep(pieces: AsyncIterator[bytes], draft: IO[bytes], most: int) -> tuple[int, str] | None:
    """Size and digest of what was written; nothing when there is more than there should be."""
    hasher, size = hashlib.sha256(), 0
    async for piece in pieces:
        size += len(piece)
        if size > most:
            return None
        hasher.update(piece)
        draft.write(piece)
    return size, f"sha256:{hasher.hexdigest()}"


@contextmanager
def _draft(file: Path) -> Iterator[IO[bytes]]:
    """A file beside its place, which is gone afterwards unless it was moved there."""
    draft = None
    try:
        with tempfile.NamedTemporaryFile(dir=file.parent, prefix=_DRAFT, delete=False) as draft:
            yield draft
    except OSError as error:
        raise PartError(
            f"{file} cannot be written: {error.strerror}", hint="make room on the disk, or mend the rights"
        ) from error
    finally:
        if draft is not None:
            Path(draft.name).unlink(missing_ok=True)


def _move(draft: IO[bytes], file: Path) -> None:
    draft.flush()
    Path(draft.name).chmod(0o644)
    Path(draft.name).replace(file)


def _finish(layout: Path, digest: str, manifest: bytes, ref: str) -> None:
    """Write the manifest, then the name; nothing when both are there."""
    file = blob_path(layout, digest)
    if not file.exists():
        with _draft(file) as draft:
            draft.write(manifest)
            _move(draft, file)
    if not named(layout, digest, ref):
        name_image(layout, ref, Descriptor(media_type=MANIFEST_TYPE, digest=digest, size=len(manifest)))


@asynccontextmanager
async def _alone(layout: Path) -> AsyncIterator[None]:
    """Pull into a layout while nobody else does; what a killed pull left half done is cleared away."""
    with (layout / _LOCK).open("ab") as mutex:

        async def ours() -> bool:
            try:
                fcntl.flock(mutex, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        await wait_until(ours, LOCK_SECONDS, f"another pull into {layout}")
        for left in (layout / "blobs").glob(f"*/{_DRAFT}*"):
            left.unlink()
        yield


def _must_fit(repository: Repository, digest: str, blobs: list[Descriptor]) -> None:
    total = sum(blob.size for blob in blobs)
    if total > MAX_IMAGE_BYTES:
        raise ReleaseError(
            f"{repository.shown}: {digest} has {total} bytes, more than the {MAX_IMAGE_BYTES} an image may have",
            hint="nothing was fetched; build a smaller image",
        )


def _spoiled(repository: Repository, blob: Descriptor, what: str) -> ReleaseError:
    return ReleaseError(
        f"{repository.shown}: the blob {blob.digest} {what}",
        hint="nothing of it was kept; find out who altered the registry, and push the image again",
    )


def _altered(file: Path, what: str) -> ReleaseError:
    return ReleaseError(f"{file}: {what}", hint="find out who altered it; removed, it is fetched again")


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
