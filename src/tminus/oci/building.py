"""Build images whose digest depends on nothing but their content.

No time, no owner and no order of a file system enters a layer: the same files give the same digest on every
machine with the same zlib, and the same uncompressed layers on any machine.
"""

import gzip
import hashlib
import io
import json
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from tminus.oci.layout import (
    CONFIG_TYPE,
    GZIP_LAYER_TYPE,
    INDEX_TYPE,
    LAYOUT_FILE,
    LAYOUT_VERSION,
    MANIFEST_TYPE,
    REF_NAME,
    VERSION_LABEL,
    Descriptor,
    blob_path,
    read_index,
)


@dataclass(frozen=True)
class ImageConfig:
    """How an image runs."""

    version: str
    entrypoint: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    workdir: str = "/"
    architecture: str = "amd64"
    """The specification demands one; pure Python runs on any."""


def build_layout(folder: Path, ref: str, layers: Sequence[Mapping[str, bytes]], config: ImageConfig) -> str:
    """Put one image into a layout under a name, and return its digest.

    Each layer maps relative paths to contents. A layout that is already there keeps its other images; the name
    moves to this one. Files come first and the index last, so a reader never sees a name without its blobs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tars = [_tar(layer) for layer in layers]
    packed = [gzip.compress(tar, compresslevel=9, mtime=0) for tar in tars]
    configuration = _put(folder, CONFIG_TYPE, _json(_configuration(config, [_sha256(tar) for tar in tars])))
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": _pointer(configuration),
        "layers": [_pointer(_put(folder, GZIP_LAYER_TYPE, blob)) for blob in packed],
        "annotations": {VERSION_LABEL: config.version},
    }
    descriptor = _put(folder, MANIFEST_TYPE, _json(manifest))
    _write(folder / LAYOUT_FILE, _json({"imageLayoutVersion": LAYOUT_VERSION}))
    name_image(folder, ref, descriptor)
    return descriptor.digest


def prepare_layout(folder: Path) -> None:
    """Make an empty layout, or leave the one that is there."""
    (folder / "blobs" / "sha256").mkdir(parents=True, exist_ok=True)
    if not (folder / LAYOUT_FILE).exists():
        _write(folder / LAYOUT_FILE, _json({"imageLayoutVersion": LAYOUT_VERSION}))
    if not (folder / "index.json").exists():
        _write_index(folder, [])


def name_image(folder: Path, ref: str, descriptor: Descriptor) -> None:
    """Have a layout name an image, or hold it without a name; a name moves from another image to this one."""
    others = (
        [
            entry
            for entry in read_index(folder)
            if (entry.annotations.get(REF_NAME) != ref if ref else entry.digest != descriptor.digest)
        ]
        if (folder / "index.json").exists()
        else []
    )
    _write_index(
        folder, [*others, descriptor.model_copy(update={"annotations": {REF_NAME: ref} if ref else {}})]
    )


def _configuration(config: ImageConfig, diff_ids: list[str]) -> dict[str, object]:
    return {
        "architecture": config.architecture,
        "os": "linux",
        "config": {
            "Env": [f"{name}={value}" for name, value in sorted(config.env.items())],
            "Entrypoint": list(config.entrypoint),
            "WorkingDir": config.workdir,
            "Labels": {VERSION_LABEL: config.version},
        },
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
    }


def _tar(files: Mapping[str, bytes]) -> bytes:
    folders = {str(parent) for name in files for parent in PurePosixPath(name).parents} - {"."}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in sorted(folders | set(files)):
            member = tarfile.TarInfo(name)
            member.mode = 0o644 if name in files else 0o755
            member.type = tarfile.REGTYPE if name in files else tarfile.DIRTYPE
            member.size = len(files.get(name, b""))
            tar.addfile(member, io.BytesIO(files.get(name, b"")))
    return buffer.getvalue()


def _write_index(folder: Path, entries: Sequence[Descriptor]) -> None:
    documents = [entry.model_dump(by_alias=True) for entry in entries]
    documents.sort(key=lambda entry: entry["annotations"].get(REF_NAME, ""))
    _write(
        folder / "index.json", _json({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": documents})
    )


def _put(folder: Path, media_type: str, data: bytes) -> Descriptor:
    digest = _sha256(data)
    _write(blob_path(folder, digest), data)
    return Descriptor(media_type=media_type, digest=digest, size=len(data))


def _pointer(blob: Descriptor) -> dict[str, object]:
    return {"mediaType": blob.media_type, "digest": blob.digest, "size": blob.size}


def _write(file: Path, data: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=file.parent, prefix=".new-", delete=False) as stream:
        stream.write(data)
    Path(stream.name).chmod(0o644)
    Path(stream.name).replace(file)


def _json(document: object) -> bytes:
    # Without blanks every byte matters, so that any changed byte of `oci-layout` is seen.
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _sha256(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
