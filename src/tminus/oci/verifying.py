"""Prove an image blob by blob: manifest, configuration, every layer packed and unpacked."""

import gzip
import hashlib
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel, to_pascal

from tminus.errors import ReleaseError
from tminus.oci.layout import (
    CONFIG_TYPE,
    FETCH_AGAIN,
    GZIP_LAYER_TYPE,
    MANIFEST_TYPE,
    MAX_JSON_BYTES,
    TAR_LAYER_TYPE,
    VERSION_LABEL,
    Descriptor,
    Digest,
    blob_path,
    find,
    parse,
)

MAX_IMAGE_BYTES: Final = 4 * 1024**3
"""All layers of an image together, uncompressed; more is a mistake or an attack."""
MAX_LAYERS: Final = 128
_CHUNK: Final = 256 * 1024


@dataclass(frozen=True)
class Layer:
    """One proven layer."""

    digest: str
    size: int
    """Bytes as stored."""
    diff_id: str
    """Digest of the uncompressed archive."""
    media_type: str


@dataclass(frozen=True)
class Image:
    """An image of which every byte was compared with its digest."""

    digest: str
    version: str
    """Its version label; empty when it has none."""
    env: Mapping[str, str]
    entrypoint: tuple[str, ...]
    """Entrypoint and default arguments, as the image starts."""
    workdir: str
    layers: tuple[Layer, ...]
    size: int
    """Bytes of all blobs as stored."""

    @property
    def blobs(self) -> int:
        """How many blobs were compared: manifest, configuration and layers."""
        return 2 + len(self.layers)


class _Manifest(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, alias_generator=to_camel)

    schema_version: int
    media_type: str = MANIFEST_TYPE
    config: Descriptor
    layers: list[Descriptor] = Field(max_length=MAX_LAYERS)


class _Run(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, alias_generator=to_pascal)

    env: list[str] | None = None
    entrypoint: list[str] | None = None
    cmd: list[str] | None = None
    working_dir: str = "/"
    labels: dict[str, str] | None = None


class _RootFs(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)

    type: str
    diff_ids: list[Digest]


class _Config(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)

    config: _Run = Field(default_factory=_Run)
    rootfs: _RootFs


def verify(layout: Path, digest: str) -> Image:
    """Compare every byte of an image with its digest.

    Raises `PlanError` when the layout does not name the digest, and `ReleaseError` at the first blob that is
    missing, altered or not understood; it names the file, what was expected and what was found.
    """
    image = read_image(layout, digest)
    room = MAX_IMAGE_BYTES
    for layer in image.layers:
        room -= copy_layer(layout, layer, None, room)
    return image


def read_image(layout: Path, digest: str) -> Image:
    """What an image says of itself, after proving manifest and configuration but not yet the layers."""
    found = find(layout, digest)
    _expect_type(blob_path(layout, digest), found.media_type, MANIFEST_TYPE)
    manifest = parse(_Manifest, _read_blob(layout, found), blob_path(layout, digest))
    _expect_type(blob_path(layout, digest), manifest.media_type, MANIFEST_TYPE)
    config_file = blob_path(layout, manifest.config.digest)
    _expect_type(config_file, manifest.config.media_type, CONFIG_TYPE)
    config = parse(_Config, _read_blob(layout, manifest.config), config_file)
    run = config.config
    return Image(
        digest=digest,
        version=(run.labels or {}).get(VERSION_LABEL, ""),
        env=_environment(run.env or [], config_file),
        entrypoint=(*(run.entrypoint or ()), *(run.cmd or ())),
        workdir=run.working_dir,
        layers=tuple(_layers(manifest.layers, config.rootfs.diff_ids, config_file)),
        size=found.size + manifest.config.size + sum(layer.size for layer in manifest.layers),
    )


def blobs_of(manifest: bytes, file: Path) -> list[Descriptor]:
    """The blobs that a manifest names, each once: its configuration, then its layers.

    Raises `ReleaseError` when it is none of an image, `file` being where it is, or will be.
    """
    found = parse(_Manifest, manifest, file)
    _expect_type(file, found.media_type, MANIFEST_TYPE)
    return list({blob.digest: blob for blob in (found.config, *found.layers)}.values())


def copy_layer(layout: Path, layer: Layer, sink: BinaryIO | None, room: int) -> int:
    """Prove one layer while copying its uncompressed archive, and return the bytes copied.

    What stands in `sink` afterwards is exactly what was proven, even if the blob changes meanwhile: the digest
    of the uncompressed bytes comes from the configuration and so from the image's digest.
    """
    file = blob_path(layout, layer.digest)
    check_blob(file, layer.digest, layer.size)
    hasher, copied = hashlib.sha256(), 0
    for chunk in _uncompressed(file, layer):
        hasher.update(chunk)
        copied += len(chunk)
        if copied > room:
            raise ReleaseError(
                f"{file} uncompresses to more than the {MAX_IMAGE_BYTES} bytes an image may have",
                hint=FETCH_AGAIN,
            )
        if sink is not None:
            sink.write(chunk)
    _compare(file, "uncompressed layer", layer.diff_id, f"sha256:{hasher.hexdigest()}")
    return copied


def check_blob(file: Path, digest: str, size: int) -> None:
    """Compare a file with the digest and the size of a blob; raises `ReleaseError` when it is another."""
    hasher, found = hashlib.sha256(), 0
    for chunk in _chunks(file):
        hasher.update(chunk)
        found += len(chunk)
    _compare(file, "blob", digest, f"sha256:{hasher.hexdigest()}")
    _compare_size(file, size, found)


def _layers(blobs: list[Descriptor], diff_ids: list[str], config_file: Path) -> Iterator[Layer]:
    if not blobs or len(blobs) != len(diff_ids):
        raise ReleaseError(
            f"{config_file}: {len(diff_ids)} diff_ids for {len(blobs)} layers", hint="build the image again"
        )
    for blob, diff_id in zip(blobs, diff_ids, strict=True):
        if blob.media_type not in {GZIP_LAYER_TYPE, TAR_LAYER_TYPE}:
            raise ReleaseError(
                f"{config_file.parent / blob.digest[7:]}: layer type {blob.media_type!r} is not understood",
                hint=f"build the image with layers of the type {GZIP_LAYER_TYPE}",
            )
        yield Layer(digest=blob.digest, size=blob.size, diff_id=diff_id, media_type=blob.media_type)


def _environment(lines: list[str], file: Path) -> dict[str, str]:
    wrong = [line.partition("=")[0] for line in lines if not line.partition("=")[0] or "=" not in line]
    if wrong:
        raise ReleaseError(f"{file}: Env entries without a value: {wrong}", hint="build the image again")
    return dict(line.split("=", 1) for line in lines)


def _read_blob(layout: Path, descriptor: Descriptor) -> bytes:
    file = blob_path(layout, descriptor.digest)
    if file.is_file() and file.stat().st_size > MAX_JSON_BYTES:
        raise ReleaseError(f"{file} is larger than {MAX_JSON_BYTES} bytes", hint=FETCH_AGAIN)
    data = b"".join(_chunks(file))
    _compare(file, "blob", descriptor.digest, f"sha256:{hashlib.sha256(data).hexdigest()}")
    _compare_size(file, descriptor.size, len(data))
    return data


def _chunks(file: Path) -> Iterator[bytes]:
    try:
        with file.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk
    except FileNotFoundError as error:
        raise ReleaseError(f"{file} is missing: the image needs this blob", hint=FETCH_AGAIN) from error
    except OSError as error:
        raise ReleaseError(f"{file} cannot be read: {error.strerror}", hint=FETCH_AGAIN) from error


def _uncompressed(file: Path, layer: Layer) -> Iterator[bytes]:
    if layer.media_type == TAR_LAYER_TYPE:
        yield from _chunks(file)
        return
    try:
        with closing(gzip.open(file, "rb")) as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk
    except (OSError, EOFError, zlib.error) as error:
        raise ReleaseError(f"{file} cannot be uncompressed: {error}", hint=FETCH_AGAIN) from error


def _expect_type(file: Path, found: str, expected: str) -> None:
    if found != expected:
        raise ReleaseError(
            f"{file}: media type {found!r}, expected {expected!r}",
            hint="name the digest of one image, not of an index or of another format",
        )


def _compare(file: Path, what: str, expected: str, found: str) -> None:
    if found != expected:
        raise ReleaseError(f"{file}: {what} has the digest {found}, expected {expected}", hint=FETCH_AGAIN)


def _compare_size(file: Path, expected: int, found: int) -> None:
    if found != expected:
        raise ReleaseError(f"{file}: {found} bytes, expected {expected}", hint=FETCH_AGAIN)
