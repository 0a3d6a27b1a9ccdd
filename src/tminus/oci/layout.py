"""The folder of an image layout: which images it names, and where their blobs lie."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from tminus.errors import PlanError, ReleaseError

MANIFEST_TYPE: Final = "application/vnd.oci.image.manifest.v1+json"
INDEX_TYPE: Final = "application/vnd.oci.image.index.v1+json"
CONFIG_TYPE: Final = "application/vnd.oci.image.config.v1+json"
GZIP_LAYER_TYPE: Final = "application/vnd.oci.image.layer.v1.tar+gzip"
TAR_LAYER_TYPE: Final = "application/vnd.oci.image.layer.v1.tar"
REF_NAME: Final = "org.opencontainers.image.ref.name"
VERSION_LABEL: Final = "org.opencontainers.image.version"
LAYOUT_FILE: Final = "oci-layout"
LAYOUT_VERSION: Final = "1.0.0"

MAX_JSON_BYTES: Final = 4 * 1024 * 1024
"""What the specification asks registries to accept at least for a manifest."""

FETCH_AGAIN: Final = (
    "nothing was unpacked; fetch the image again from where it was built, or launch another digest"
)

Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
Model = TypeVar("Model", bound=BaseModel)


class Descriptor(BaseModel):
    """How one blob points to another: type, digest, size."""

    model_config = ConfigDict(
        frozen=True, strict=True, alias_generator=to_camel, populate_by_name=True, extra="allow"
    )

    media_type: str
    digest: Digest
    size: Annotated[int, Field(ge=0)]
    annotations: Mapping[str, str] = {}


class _Index(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, alias_generator=to_camel)

    schema_version: int
    manifests: list[Descriptor]


class _Marker(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, alias_generator=to_camel)

    image_layout_version: str


def images(layout: Path) -> dict[str, str]:
    """Every name in a layout with the digest it stands for."""
    return {
        entry.annotations[REF_NAME]: entry.digest
        for entry in read_index(layout)
        if REF_NAME in entry.annotations
    }


def resolve(layout: Path, ref: str) -> str:
    """The digest that a name, or the digest itself, stands for in a layout.

    Raises `PlanError` when the layout holds no such image, and `ReleaseError` when one name stands for two.
    """
    found = {
        entry.digest for entry in read_index(layout) if ref in {entry.annotations.get(REF_NAME), entry.digest}
    }
    if not found:
        raise PlanError(f"{layout}: no image {ref!r}", hint=f"the layout holds {held(layout)}")
    if len(found) > 1:
        raise ReleaseError(
            f"{layout / 'index.json'}: {ref!r} stands for {' and '.join(sorted(found))}",
            hint="name the digest that shall be launched",
        )
    return found.pop()


def find(layout: Path, digest: str) -> Descriptor:
    """The descriptor of the image with this digest.

    Raises `PlanError` when the layout does not name it.
    """
    for entry in read_index(layout):
        if entry.digest == digest:
            return entry
    raise PlanError(f"{layout}: no image with the digest {digest}", hint=f"the layout holds {held(layout)}")


def named(layout: Path, digest: str, ref: str) -> bool:
    """Whether a layout holds this image: under this name, or under any or none when no name is asked for."""
    return any(
        entry.digest == digest and ref in {"", entry.annotations.get(REF_NAME)}
        for entry in read_index(layout)
    )


def held(layout: Path) -> str:
    """What a layout holds, for a person who asked for something else."""
    entries = [
        f"{entry.annotations.get(REF_NAME, 'unnamed')} = {entry.digest}" for entry in read_index(layout)
    ]
    return ", ".join(entries) or "no image at all"


def blob_path(layout: Path, digest: str) -> Path:
    """Where the blob with this digest lies."""
    algorithm, _, value = digest.partition(":")
    return layout / "blobs" / algorithm / value


def read_index(layout: Path) -> list[Descriptor]:
    """The images that a layout names, after checking that it is a layout."""
    _check_marker(layout)
    index = parse(_Index, _read(layout / "index.json"), layout / "index.json")
    return index.manifests


def parse(model: type[Model], data: bytes, file: Path) -> Model:
    """The document in a JSON file of the layout."""
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ReleaseError(f"{file}: {where or 'document'}: {first['msg']}", hint=FETCH_AGAIN) from error


def _check_marker(layout: Path) -> None:
    file = layout / LAYOUT_FILE
    if not file.is_file():
        raise PlanError(
            f"{layout} is not an OCI image layout: {LAYOUT_FILE} is missing",
            hint="name the folder that holds oci-layout, index.json and blobs",
        )
    marker = parse(_Marker, _read(file), file)
    if marker.image_layout_version != LAYOUT_VERSION:
        raise ReleaseError(
            f"{file}: layout version {marker.image_layout_version!r}, expected {LAYOUT_VERSION!r}",
            hint=FETCH_AGAIN,
        )


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_JSON_BYTES + 1)
    except OSError as error:
        raise ReleaseError(f"{file} cannot be read: {error.strerror}", hint=FETCH_AGAIN) from error
    if len(data) > MAX_JSON_BYTES:
        raise ReleaseError(f"{file} is larger than {MAX_JSON_BYTES} bytes", hint=FETCH_AGAIN)
    return data
