"""What a release is made of, by whatever it says about itself; a release that says nothing is not an empty one."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tminus.demo.bom import DIRECT, bom, packages
from tminus.demo.images import SBOM, build_releases
from tminus.errors import InconclusiveError, ReleaseError
from tminus.oci import attached, unpack
from tminus.oci.layout import MANIFEST_TYPE, Descriptor, blob_path, read_index
from tminus.releases import Releases
from tminus.sbom import contents, read
from tminus.targets.inventory import ReleaseInventory

CYCLONEDX = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "components": [
        {
            "name": "b",
            "purl": "pkg:npm/%40scope/b@2.0.0",
            "components": [{"name": "a", "purl": "pkg:pypi/a@1"}],
        },
        {"name": "no purl"},
        {"name": "no version", "purl": "pkg:pypi/c"},
    ],
}
SPDX = {
    "spdxVersion": "SPDX-2.3",
    "packages": [
        {
            "name": "a",
            "externalRefs": [
                {"referenceType": "cpe23Type", "referenceLocator": "cpe:2.3:a:a:a"},
                {"referenceType": "purl", "referenceLocator": "pkg:deb/debian/a@1.2-3?arch=amd64"},
            ],
        },
        {"name": "no purl"},
    ],
}


def put(folder: Path, name: str, document: Any) -> None:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(document if isinstance(document, str) else json.dumps(document))


def test_components_inside_of_components_count_and_nameless_ones_are_counted(tmp_path: Path) -> None:
    put(tmp_path, "app/sbom.cdx.json", CYCLONEDX)
    found = contents(tmp_path)
    assert found.packages == ("pkg:npm/%40scope/b@2.0.0", "pkg:pypi/a@1")
    assert (found.source, found.unnamed) == ("app/sbom.cdx.json", 2)


def test_spdx_names_its_packages_by_their_references(tmp_path: Path) -> None:
    put(tmp_path, "sbom.spdx.json", SPDX)
    assert contents(tmp_path).packages == ("pkg:deb/debian/a@1.2-3?arch=amd64",)


def test_without_an_sbom_the_metadata_of_python_packages_says_it(tmp_path: Path) -> None:
    put(
        tmp_path,
        "lib/My_Package-1.0.dist-info/METADATA",
        "Metadata-Version: 2.1\nName: My_Package.x\nVersion: 1.0\n\ntext",
    )
    found = contents(tmp_path)
    assert found.packages == ("pkg:pypi/my-package-x@1.0",)
    assert found.source == "the metadata of its Python packages"


def test_a_release_that_says_nothing_is_no_empty_one(tmp_path: Path) -> None:
    with pytest.raises(InconclusiveError, match="no SBOM"):
        contents(tmp_path)


@pytest.mark.parametrize(
    "document",
    [
        "",
        "{",
        "[]",
        "{}",
        '"CycloneDX"',
        {"bomFormat": "CycloneDX", "components": {}},
        {"spdxVersion": "SPDX-2.3", "packages": [1]},
        "[" * 100_000,
    ],
)
def test_an_sbom_that_cannot_be_read_says_nothing_and_nothing_stands_in_for_it(
    tmp_path: Path, document: Any
) -> None:
    put(tmp_path, "lib/a-1.dist-info/METADATA", "Name: a\nVersion: 1\n\n")
    put(tmp_path, "bom.json", document)
    with pytest.raises(InconclusiveError):
        contents(tmp_path)


def test_depot_says_what_it_is_made_of_and_the_same_environment_gives_the_same_bytes() -> None:
    found = read(bom("2.0.0"), "it")
    assert found.unnamed == 0
    assert {purl.split("@")[0].removeprefix("pkg:pypi/") for purl in found.packages} == set(packages(DIRECT))
    assert {"fastapi", "starlette", "psycopg-binary", "h11"} <= set(packages(DIRECT)), (
        "what is needed is in, extras too"
    )
    assert not {"pytest", "uvicorn-worker"} & set(packages(DIRECT))
    assert bom("2.0.0") == bom("2.0.0")
    assert json.loads(bom("2.0.0"))["metadata"]["component"]["version"] == "2.0.0"


async def test_depot_s_images_hold_it_and_one_that_is_attached_comes_first(tmp_path: Path) -> None:
    layout = tmp_path / "layout"
    digest = build_releases(layout)["2.0.0"]
    releases = Releases(layout, tmp_path / "unpacked", {})
    inventory = ReleaseInventory(releases)
    with pytest.raises(InconclusiveError, match="is not unpacked here"):
        await inventory.contents(digest)
    unpack(layout, digest, releases.root(digest))
    assert (await inventory.contents(digest)).source == SBOM
    blob = attach(layout, digest, json.dumps(CYCLONEDX).encode())
    assert list(attached(layout, "sha256:" + "0" * 64)) == []
    found = await inventory.contents(digest)
    assert found.packages == ("pkg:npm/%40scope/b@2.0.0", "pkg:pypi/a@1")
    assert found.source.startswith("the SBOM attached as sha256:")
    blob.write_bytes(b"{}")
    with pytest.raises(ReleaseError, match="is not what its descriptor says"):
        await inventory.contents(digest)


def attach(layout: Path, digest: str, content: bytes) -> Path:
    """Attach an SBOM to an image as other tools do; where its blob lies."""

    def blob(data: bytes, kind: str) -> dict[str, Any]:
        name = f"sha256:{hashlib.sha256(data).hexdigest()}"
        blob_path(layout, name).write_bytes(data)
        return {"mediaType": kind, "digest": name, "size": len(data)}

    layer = blob(content, "application/vnd.cyclonedx+json")
    subject = {"mediaType": MANIFEST_TYPE, "digest": digest, "size": 1}
    manifest = blob(
        json.dumps({"schemaVersion": 2, "subject": subject, "layers": [layer]}).encode(), MANIFEST_TYPE
    )
    index = json.loads((layout / "index.json").read_text())
    index["manifests"].append(manifest)
    (layout / "index.json").write_text(json.dumps(index))
    assert Descriptor.model_validate(manifest) in read_index(layout)
    return blob_path(layout, str(layer["digest"]))
