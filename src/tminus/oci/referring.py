"""SBOMs that a registry holds beside an image: attached to it as its referrers, or made by its build.

Attached are manifests whose subject the image is, found by `GET /v2/NAME/referrers/DIGEST` or, at registries without
that call, under the tag `sha256-…` (OCI Distribution Specification 1.1, "Listing Referrers" and "Referrers Tag
Schema"). A build by BuildKit puts in-toto statements into the image's own index (its documentation, "Image attestation
storage"). As everywhere, only bytes with the digest asked for are read.
"""

import hashlib
import json
import re
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from pydantic import TypeAdapter, ValidationError

from tminus.errors import ReleaseError
from tminus.oci.attached import LARGEST, SBOM_TYPES
from tminus.oci.layout import Descriptor
from tminus.oci.remote import Repository

STATEMENT_TYPE: Final = "application/vnd.in-toto+json"
_PREDICATES: Final = ("https://spdx.dev/Document", "https://cyclonedx.org/bom")
"""What in-toto calls a predicate that is an SBOM; versions may follow."""
_PREDICATE: Final = "in-toto.io/predicate-type"
_KIND: Final = "vnd.docker.reference.type"
_ATTESTATION: Final = "attestation-manifest"
_MOST: Final = 200
"""Manifests beside one image at most, and pages of their list."""
_NO_SBOM: Final = ("signature", ".sig.", "sigstore.bundle", "sarif")
"""What stands in the type of referrers that are none."""
_ROWS: Final = TypeAdapter(tuple[Descriptor, ...])
_HINT: Final = "see how the SBOM was pushed; nothing of it was read"


async def referring(repository: Repository, digest: str) -> AsyncIterator[tuple[str, bytes]]:
    """Every SBOM beside an image, for each of its platforms: what to call it, and its bytes.

    One after the other, so that the caller need not hold them all. Raises `ReleaseError` when the registry has no such
    image, or holds other bytes than it says; `ProbeError` when it cannot be asked.
    """
    manifest = await _document(repository, digest)
    if manifest is None:
        raise ReleaseError(
            f"{repository.shown} holds nothing with the digest {digest}",
            hint="is this the repository that the image is pulled from?",
        )
    entries = _descriptors(manifest, "manifests")  # of an image for several platforms
    made = [one for one in entries if one.annotations.get(_KIND) == _ATTESTATION]
    platforms = [one.digest for one in entries if one not in made]
    if len(entries) > _MOST:
        raise ReleaseError(f"{digest} is an index of more than {_MOST} manifests", hint=_HINT)
    for one in made:
        async for sbom in _held(repository, one.digest, ""):
            yield sbom
    for subject in (digest, *platforms):
        for one in await _referrers(repository, subject):
            async for sbom in _held(repository, one.digest, subject):
                yield sbom


async def _referrers(repository: Repository, subject: str) -> list[Descriptor]:
    """The manifests that a registry lists as referring to one."""
    path = f"/v2/{repository.name}/referrers/{subject}"
    listed: list[Descriptor] = []
    for _ in range(_MOST):
        reply, body = await repository.text(path)
        if reply.status == HTTPStatus.NOT_FOUND and not listed:
            # A registry of before 1.1: whoever attached something wrote the list under a tag.
            reply, body = await repository.text(repository.manifest(subject.replace(":", "-")))
            if reply.status == HTTPStatus.NOT_FOUND:
                return []
        if reply.status != HTTPStatus.OK:
            raise repository.unexpected(f"asked what refers to {subject}", reply)
        rows = _descriptors(_object(body, f"the list of what refers to {subject}"), "manifests")
        listed += [one for one in rows if not _is_another_thing(one)]
        if len(listed) > _MOST:
            break
        following = re.match(r'<([^>]+)>\s*;\s*rel="?next"?', reply.headers.get("Link", ""))
        if following is None:
            return listed
        try:
            onward = urlsplit(urljoin(path, following[1]))
        except ValueError as error:
            raise ReleaseError(f"{repository.shown} names no next page", hint=_HINT) from error
        path = onward.path + (f"?{onward.query}" if onward.query else "")
    raise ReleaseError(
        f"more than {_MOST} manifests refer to {subject}", hint="take away what nobody needs any more"
    )


async def _held(repository: Repository, digest: str, subject: str) -> AsyncIterator[tuple[str, bytes]]:
    """The SBOMs that one manifest holds; one that says to refer to something else holds none."""
    manifest = await _document(repository, digest)
    if manifest is None:
        return  # a list under a tag names also what was taken away since
    says = manifest.get("subject")
    if subject and (not isinstance(says, dict) or says.get("digest") != subject):
        return
    for layer in _descriptors(manifest, "layers", frozenset({*SBOM_TYPES, STATEMENT_TYPE})):
        if layer.media_type in SBOM_TYPES:
            yield f"the SBOM attached as {layer.digest[:19]}…", await _blob(repository, layer)
        elif layer.media_type == STATEMENT_TYPE and layer.annotations.get(_PREDICATE, "").startswith(
            _PREDICATES
        ):
            statement = _object(await _blob(repository, layer), f"the statement {layer.digest}")
            name = f"the SBOM of its build, {layer.digest[:19]}…"
            yield name, json.dumps(statement.get("predicate")).encode()


async def _document(repository: Repository, digest: str) -> Mapping[str, Any] | None:
    """A manifest or an index, by digest; nothing where there is none."""
    reply, body = await repository.text(repository.manifest(digest))
    if reply.status == HTTPStatus.NOT_FOUND:
        return None
    if reply.status != HTTPStatus.OK:
        raise repository.unexpected(f"asked for {digest}", reply)
    _compare(repository, digest, body)
    return _object(body, digest)


async def _blob(repository: Repository, blob: Descriptor) -> bytes:
    if blob.size > LARGEST:
        raise ReleaseError(f"the SBOM {blob.digest} is larger than {LARGEST:,} bytes", hint=_HINT)
    reply, body = await repository.text(repository.blob(blob.digest), LARGEST)
    if reply.status != HTTPStatus.OK:
        raise repository.unexpected(f"asked for the blob {blob.digest}", reply)
    _compare(repository, blob.digest, body)
    return body


def _compare(repository: Repository, digest: str, body: bytes) -> None:
    if f"sha256:{hashlib.sha256(body).hexdigest()}" != digest:
        raise ReleaseError(f"{repository.shown} gives other bytes for {digest}", hint=_HINT)


def _object(body: bytes, what: str) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ReleaseError(f"{what} is no JSON", hint=_HINT) from error
    if not isinstance(found, dict):
        raise ReleaseError(f"{what} is no JSON object", hint=_HINT)
    return found


def _is_another_thing(referrer: Descriptor) -> bool:
    """Whether it says to be no SBOM: images are signed and scanned often."""
    kind = str((referrer.model_extra or {}).get("artifactType", ""))
    return any(word in kind for word in _NO_SBOM)


def _descriptors(
    document: Mapping[str, Any], name: str, kinds: frozenset[str] | None = None
) -> list[Descriptor]:
    """The descriptors of a list, only those of some media types where these are given."""
    rows = document.get(name) or ()
    if kinds is not None and isinstance(rows, list):
        rows = [row for row in rows if isinstance(row, dict) and row.get("mediaType") in kinds]
    try:
        return list(_ROWS.validate_python(rows))
    except ValidationError as error:
        raise ReleaseError(f"`{name}` of a manifest is no list of descriptors", hint=_HINT) from error
