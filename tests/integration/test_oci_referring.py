"""SBOMs that a registry holds beside an image, found in each of the places where tools put them."""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.integration.fake_registry import Fake, fake, saying
else:
    from fake_registry import Fake, fake, saying

from tminus.errors import DeniedError, InconclusiveError, ReleaseError, UnreachableError
from tminus.oci import referring
from tminus.oci.building import prepare_layout
from tminus.oci.layout import INDEX_TYPE, MANIFEST_TYPE, blob_path
from tminus.targets import inventory
from tminus.targets.inventory import RegistryInventory

CYCLONEDX = {"bomFormat": "CycloneDX", "components": [{"name": "a", "purl": "pkg:pypi/a@1.0"}]}
SPDX = {
    "spdxVersion": "SPDX-2.3",
    "packages": [
        {"externalRefs": [{"referenceType": "purl", "referenceLocator": "pkg:npm/b@2.0.0"}]},
        {"name": "nobody knows its version"},
    ],
}


class Images:
    """A layout whose blobs a registry holds."""

    def __init__(self, layout: Path) -> None:
        prepare_layout(layout)
        self.layout = layout

    def put(self, document: Any, kind: str, **more: Any) -> dict[str, Any]:
        """Keep a document; how another points to it."""
        data = json.dumps(document).encode()
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        blob_path(self.layout, digest).parent.mkdir(parents=True, exist_ok=True)
        blob_path(self.layout, digest).write_bytes(data)
        return {"mediaType": kind, "digest": digest, "size": len(data), **more}

    def image(self, name: str = "one") -> dict[str, Any]:
        """A manifest; what its layers hold is nobody's matter here."""
        return self.put({"schemaVersion": 2, "annotations": {"name": name}, "layers": []}, MANIFEST_TYPE)

    def attached(
        self, subject: str, sbom: Any, kind: str = "application/vnd.cyclonedx+json"
    ) -> dict[str, Any]:
        """A manifest with an SBOM, that refers to another."""
        layers = [self.put(sbom, kind)]
        row = {"mediaType": MANIFEST_TYPE, "digest": subject, "size": 1}
        return self.put({"schemaVersion": 2, "subject": row, "layers": layers}, MANIFEST_TYPE)

    def stated(self, sbom: Any, predicate: str = "https://spdx.dev/Document") -> dict[str, Any]:
        """A manifest as BuildKit makes it beside an image."""
        statement = {
            "_type": "https://in-toto.io/Statement/v0.1",
            "predicateType": predicate,
            "predicate": sbom,
        }
        layer = self.put(
            statement, "application/vnd.in-toto+json", annotations={"in-toto.io/predicate-type": predicate}
        )
        of = {"vnd.docker.reference.type": "attestation-manifest"}
        return self.put({"schemaVersion": 2, "layers": [layer]}, MANIFEST_TYPE, annotations=of)


@pytest.fixture
def images(tmp_path: Path) -> Images:
    return Images(tmp_path / "layout")


def listing(*rows: dict[str, Any]) -> bytes:
    """An index of these, as a registry answers it."""
    return json.dumps({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": rows}).encode()


def blob_of(registry: Fake, manifest: dict[str, Any]) -> Path:
    """The file of the first layer of a manifest."""
    document = json.loads(blob_path(registry.layout, manifest["digest"]).read_bytes())
    return blob_path(registry.layout, document["layers"][0]["digest"])


async def found_beside(registry: Fake, digest: str) -> list[tuple[str, bytes]]:
    return [sbom async for sbom in referring(registry.repository, digest)]


async def packages(registry: Fake, digest: str) -> tuple[str, ...]:
    return (await RegistryInventory(registry.repository).contents(digest)).packages


async def test_an_sbom_is_found_among_the_referrers_of_an_image(images: Images) -> None:
    image = images.image()["digest"]
    async with fake(images.layout) as registry:
        registry.listed = {image: listing(images.attached(image, CYCLONEDX))}
        assert await packages(registry, image) == ("pkg:pypi/a@1.0",)


async def test_at_an_older_registry_it_is_found_under_the_tag_for_referrers(images: Images) -> None:
    image = images.image()["digest"]
    async with fake(images.layout) as registry:
        sbom = images.attached(image, SPDX, "application/spdx+json")
        registry.tagged[image.replace(":", "-")] = listing(sbom)
        found = await RegistryInventory(registry.repository).contents(image)
        assert (found.packages, found.unnamed) == (("pkg:npm/b@2.0.0",), 1)


async def test_a_list_of_several_pages_is_read_to_its_end(images: Images) -> None:
    image = images.image()["digest"]
    async with fake(images.layout) as registry:
        path = f"/v2/depot/referrers/{image}"
        first = listing(images.attached(image, {"signature": True}, "application/octet-stream"))
        registry.instead = {
            image: saying(200, first, Link=f'<{path}-2?n=1>; rel="next"'),
            f"{image}-2": saying(200, listing(images.attached(image, CYCLONEDX))),
        }
        manifest = blob_path(images.layout, image).read_bytes()
        registry.by_path = {f"/v2/depot/manifests/{image}": manifest}
        assert await packages(registry, image) == ("pkg:pypi/a@1.0",)


async def test_of_an_image_for_several_platforms_all_that_its_build_says_is_read(images: Images) -> None:
    amd, arm = images.image("amd64"), images.image("arm64")
    index = {
        "schemaVersion": 2,
        "manifests": [amd, arm, images.stated(SPDX), images.stated({}, "https://slsa.dev/provenance/v1")],
    }
    image = images.put(index, INDEX_TYPE)["digest"]
    async with fake(images.layout) as registry:
        registry.listed = {arm["digest"]: listing(images.attached(arm["digest"], CYCLONEDX))}
        found = await RegistryInventory(registry.repository).contents(image)
        assert found.packages == ("pkg:npm/b@2.0.0", "pkg:pypi/a@1.0")
        assert "the SBOM of its build" in found.source
        assert "the SBOM attached as" in found.source


async def test_what_refers_to_another_image_says_nothing_of_this_one(images: Images) -> None:
    image, other = images.image()["digest"], images.image("other")["digest"]
    async with fake(images.layout) as registry:
        registry.listed = {image: listing(images.attached(other, CYCLONEDX))}
        with pytest.raises(InconclusiveError, match="holds no SBOM for sha256:"):
            await packages(registry, image)


async def test_an_image_without_an_sbom_is_not_known(images: Images) -> None:
    image = images.image()["digest"]
    async with fake(images.layout) as registry:
        with pytest.raises(InconclusiveError, match="holds no SBOM for") as told:
            await packages(registry, image)
        assert "have the build attach one" in told.value.hint


async def test_other_bytes_than_the_digest_says_are_refused(images: Images) -> None:
    image = images.image()["digest"]
    async with fake(images.layout) as registry:
        sbom = images.attached(image, CYCLONEDX)
        registry.listed = {image: listing(sbom)}
        blob_of(registry, sbom).write_bytes(b'{"bomFormat": "CycloneDX", "components": []}')
        with pytest.raises(ReleaseError, match="gives other bytes for"):
            await found_beside(registry, image)


@pytest.mark.parametrize(
    "body", [b"", b"[", b"[]", b'{"manifests": {"a": 1}}', b'{"manifests": [{"digest": 1}]}']
)
async def test_a_list_that_is_none_is_no_answer(images: Images, body: bytes) -> None:
    image = images.image()["digest"]
    async with fake(images.layout) as registry:
        registry.listed = {image: body}
        with pytest.raises(ReleaseError):
            await found_beside(registry, image)


async def test_an_image_that_is_not_there_a_denial_and_an_outage_are_three_things(images: Images) -> None:
    image = images.image()["digest"]
    async with fake(images.layout) as registry:
        with pytest.raises(ReleaseError, match="holds nothing with the digest"):
            await found_beside(registry, f"sha256:{'0' * 64}")
        registry.instead[image] = saying(401)
        with pytest.raises(DeniedError):
            await found_beside(registry, image)
    with pytest.raises(UnreachableError):
        await found_beside(registry, image)


async def test_an_sbom_is_read_once_for_a_digest(images: Images) -> None:
    image = images.image()["digest"]
    async with fake(images.layout) as registry:
        registry.listed = {image: listing(images.attached(image, CYCLONEDX))}
        known = RegistryInventory(registry.repository)
        first = await known.contents(image)
        asked = len(registry.asked)
        assert (await known.contents(image), len(registry.asked)) == (first, asked)


async def test_signatures_and_what_was_taken_away_are_passed_over(images: Images) -> None:
    image = images.image()["digest"]
    async with fake(images.layout) as registry:
        signature = {
            "mediaType": MANIFEST_TYPE,
            "digest": f"sha256:{'1' * 64}",
            "size": 1,
            "artifactType": "application/vnd.cncf.notary.signature",
        }
        gone = {"mediaType": MANIFEST_TYPE, "digest": f"sha256:{'2' * 64}", "size": 1}
        registry.listed = {image: listing(signature, gone, images.attached(image, CYCLONEDX))}
        assert await packages(registry, image) == ("pkg:pypi/a@1.0",)
        assert not any("1" * 64 in asked for asked in registry.asked)


async def test_a_next_page_that_is_no_address_is_no_answer(images: Images) -> None:
    image = images.image()["digest"]
    async with fake(images.layout) as registry:
        manifest = blob_path(images.layout, image).read_bytes()
        registry.by_path = {f"/v2/depot/manifests/{image}": manifest}
        registry.instead = {image: saying(200, listing(), Link='<http://[bad/>; rel="next"')}
        with pytest.raises(ReleaseError, match="names no next page"):
            await found_beside(registry, image)


async def test_sboms_that_are_too_large_together_are_not_read(
    images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory, "LARGEST", 10)
    image = images.image()["digest"]
    async with fake(images.layout) as registry:
        registry.listed = {image: listing(images.attached(image, CYCLONEDX))}
        with pytest.raises(InconclusiveError, match="more than 10 bytes"):
            await packages(registry, image)
