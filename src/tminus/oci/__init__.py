"""Releases as OCI image layouts: build them, prove them byte by byte, unpack them; push and pull them by digest.

A release is named by the digest of its manifest. The manifest names configuration and layers by digest, the
configuration names what each layer must be when uncompressed; so one digest fixes every byte that runs.
`oci-layout` and all blobs are covered by this. `index.json` is not: it only maps names to digests, and a
changed index can make an image unfindable, but can never put other bytes under the digest asked for.

What talks to a registry (`pull`, `push`) is asynchronous. Everything else here reads and writes files and hashes;
asynchronous callers use `asyncio.to_thread`.
Source of the format: OCI Image Format Specification 1.1.
"""

from tminus.oci.attached import attached
from tminus.oci.building import ImageConfig, build_layout
from tminus.oci.layout import images, resolve
from tminus.oci.pulling import Pulled, pull
from tminus.oci.pushing import Pushed, push
from tminus.oci.referring import referring
from tminus.oci.remote import Repository
from tminus.oci.run import Invocation, invocation
from tminus.oci.unpacking import DIGEST_FILE, unpack
from tminus.oci.verifying import Image, Layer, verify

__all__ = [
    "DIGEST_FILE",
    "Image",
    "ImageConfig",
    "Invocation",
    "Layer",
    "Pulled",
    "Pushed",
    "Repository",
    "attached",
    "build_layout",
    "images",
    "invocation",
    "pull",
    "push",
    "referring",
    "resolve",
    "unpack",
    "verify",
]
