"""What is attached to an image in its layout: manifests whose subject it is (OCI Image Format Specification 1.1).

Only SBOMs are read. A blob that is not what its descriptor says is refused, as one of the image would be.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tminus.errors import ReleaseError
from tminus.oci.layout import FETCH_AGAIN, MAX_JSON_BYTES, Descriptor, blob_path, read_index

SBOM_TYPES: Final = (
    "application/vnd.cyclonedx+json",
    "application/spdx+json",
    "text/spdx+json",
)
"""Media types of an SBOM as JSON."""
LARGEST: Final = 64 * 1024 * 1024
"""Bytes of an attached SBOM at most."""


def attached(layout: Path, digest: str) -> Iterator[tuple[str, bytes]]:
    """Each SBOM that is attached to an image: what to call it, and its bytes. Raises `ReleaseError`."""
    for entry in read_index(layout):
        if entry.digest == digest or entry.size > MAX_JSON_BYTES:
            continue
        manifest = json.loads(_blob(layout, entry))
        subject = manifest.get("subject") if isinstance(manifest, dict) else None
        if not isinstance(subject, dict) or subject.get("digest") != digest:
            continue
        for row in manifest.get("layers", []):
            layer = Descriptor.model_validate(row)
            if layer.media_type in SBOM_TYPES:
                yield f"the SBOM attached as {layer.digest[:19]}…", _blob(layout, layer)


def _blob(layout: Path, descriptor: Descriptor) -> bytes:
    file = blob_path(layout, descriptor.digest)
    try:
        if descriptor.size > LARGEST:
            raise ReleaseError(f"{file} is larger than {LARGEST:,} bytes", hint=FETCH_AGAIN)
        data = file.read_bytes()
    except OSError as error:
        raise ReleaseError(f"{file} cannot be read: {error.strerror}", hint=FETCH_AGAIN) from error
    if f"sha256:{hashlib.sha256(data).hexdigest()}" != descriptor.digest:
        raise ReleaseError(f"{file} is not what its descriptor says", hint=FETCH_AGAIN)
    return data
