"""Lines about images in a registry, against a real one whose storage is damaged: the way back, the frozen release."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tminus import oci
from tminus.demo import images as demo_images
from tminus.domain.evidence import Verdict
from tminus.domain.plan import Check
from tminus.domain.traffic import Side
from tminus.errors import UnreachableError
from tminus.oci.layout import INDEX_TYPE
from tminus.oci.remote import Repository

if TYPE_CHECKING:
    from tests.integration.line_register import line
    from tests.integration.line_world import V1, V2, Scene, World, answering, fails, send_users, shows
    from tests.integration.registry_world import flip, put_back, revision, stored
else:
    from line_register import line
    from line_world import V1, V2, Scene, World, answering, fails, send_users, shows
    from registry_world import flip, put_back, revision, stored


@pytest.fixture
def scene(world: World, tmp_path: Path) -> Iterator[Scene]:
    """The scene with a registry that may be damaged, and images of its own that may be built."""
    with put_back(world.stage.folder, tmp_path / "storage"):
        yield world.copied_images(tmp_path)


def repository(scene: Scene) -> Repository:
    return Repository.at(scene.site.registry)


def a_blob(scene: Scene, digest: str) -> Path:
    """The registry's file of the topmost layer of an image."""
    return stored(scene.site.stage, oci.verify(scene.site.images, digest).layers[-1].digest)


async def pushed(scene: Scene, version: str, name: str, architecture: str = "amd64") -> str:
    """Another image of depot 1 in the registry under this tag; its digest."""
    config = replace(demo_images._config(version), architecture=architecture)
    digest = oci.build_layout(scene.site.images, name, demo_images._layers("v1"), config)
    await oci.push(repository(scene), scene.site.images, digest, [name])
    return digest


class TestImages:
    @line("rb.images", "passed", "every blob of the previous version is in the registry and whole")
    async def test_passes(self, world: World) -> None:
        claim = await world.scene.judge("rb.images")
        shows(claim, Verdict.PASSED)

    @line("rb.images", "failed", "a layer was deleted from the registry's storage", mutation=10)
    async def test_fails_without_a_layer(self, scene: Scene) -> None:
        a_blob(scene, scene.previous).unlink()
        fails(await scene.judge("rb.images"), scene.plan, "the blob sha256:\\w+ is missing")

    @line("rb.images", "failed", "one byte of a layer was altered in the registry's storage", mutation=11)
    async def test_fails_with_an_altered_layer(self, scene: Scene) -> None:
        flip(a_blob(scene, scene.previous))
        fails(await scene.judge("rb.images"), scene.plan, "the blob sha256:\\w+ has the digest sha256:")

    @line("rb.images", "failed", "the tag was moved, and the digest that runs is kept no more", mutation=12)
    async def test_fails_when_the_running_digest_is_not_kept(self, scene: Scene) -> None:
        await pushed(scene, "1.0.1", V1)
        revision(scene.site.stage, scene.previous).unlink()
        fails(await scene.judge("rb.images"), scene.plan, f"no image with the digest {scene.previous}")

    @line("rb.images", "failed", "a layer was cut off in the registry's storage")
    async def test_fails_with_a_layer_that_was_cut_off(self, scene: Scene) -> None:
        blob = a_blob(scene, scene.previous)
        whole = len(blob.read_bytes())
        blob.write_bytes(blob.read_bytes()[:-1])
        fails(await scene.judge("rb.images"), scene.plan, f"has {whole - 1} bytes, expected {whole}")

    @line("rb.images", "failed", "the image is for another platform than the one it has to run on")
    async def test_fails_for_another_platform(self, scene: Scene) -> None:
        digest = await pushed(scene, "1.0.1", "1.0.1", architecture="arm64")
        claim = await replace(scene, previous=digest).judge("rb.images")
        fails(claim, scene.plan, "it is for linux/arm64, not linux/amd64")

    @line("rb.images", "failed", "another image's manifest lies under the digest")
    async def test_fails_with_another_manifest_under_the_digest(self, scene: Scene) -> None:
        other = stored(scene.site.stage, scene.release).read_bytes()
        stored(scene.site.stage, scene.previous).write_bytes(other)
        fails(await scene.judge("rb.images"), scene.plan, f"has the digest {scene.release}")

    @line("rb.images", "inconclusive", "the registry knows no repository of this name")
    async def test_another_repository_proves_nothing(self, world: World) -> None:
        scene = world.scene.on(registry=f"{world.scene.site.registry}-of-another-service")
        shows(await scene.judge("rb.images"), Verdict.INCONCLUSIVE, "no repository that this registry knows")

    @line("rb.images", "error", "the registry was killed")
    async def test_without_the_registry_nothing_is_known_until_it_is_started_again(
        self, world: World
    ) -> None:
        await world.process("registry").kill()
        try:
            shows(await world.scene.judge("rb.images"), Verdict.ERROR, "Cannot connect")
        finally:
            await world.stage.start_registry()
        shows(await world.scene.judge("rb.images"), Verdict.PASSED)

    async def test_a_page_that_is_no_registry_proves_nothing(self, world: World) -> None:
        async with answering(200, "<html>") as address:
            claim = await world.scene.on(registry=f"{address}/depot").judge("rb.images")
        shows(claim, Verdict.INCONCLUSIVE, "where a manifest should be")

    async def test_a_registry_that_wants_a_login_is_an_error(self, world: World) -> None:
        async with answering(401, "{}") as address:
            claim = await world.scene.on(registry=f"{address}/depot").judge("rb.images")
        shows(claim, Verdict.ERROR, r"is denied \(401\)")

    async def test_a_registry_that_leads_elsewhere_proves_nothing(self, world: World) -> None:
        async with answering(307, "", {"Location": "http://127.0.0.1:1/elsewhere"}) as address:
            claim = await world.scene.on(registry=f"{address}/depot").judge("rb.images")
        shows(claim, Verdict.INCONCLUSIVE, "redirects to http://127.0.0.1:1, which nobody planned")

    async def test_an_index_of_several_images_proves_nothing(self, scene: Scene) -> None:
        manifest = stored(scene.site.stage, scene.previous)
        entry = {
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": scene.previous,
            "size": manifest.stat().st_size,
        }
        index = json.dumps({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [entry]}).encode()
        path = repository(scene).manifest("several")
        async with repository(scene).asked(
            "PUT", path, headers={"Content-Type": INDEX_TYPE}, data=index
        ) as reply:
            assert reply.status == 201
            digest = reply.headers["Docker-Content-Digest"]
        claim = await replace(scene, previous=digest).judge("rb.images")
        shows(claim, Verdict.INCONCLUSIVE, "is an index of several images")


class TestHeads:
    """The same probe without reading the blobs, as a plan for large images has it."""

    @pytest.fixture
    def check(self, world: World) -> Check:
        return replace(world.scene.plan.check("rb.images"), arguments={"digest": "${previous}"})

    async def test_passes(self, world: World, check: Check) -> None:
        shows(await world.scene.judge(check), Verdict.PASSED)

    async def test_sees_a_missing_and_a_cut_off_blob(self, scene: Scene, check: Check) -> None:
        blob = a_blob(scene, scene.previous)
        blob.write_bytes(b"short")
        fails(await scene.judge(check), scene.plan, "has 5 bytes, expected")
        blob.unlink()
        fails(await scene.judge(check), scene.plan, "is missing")

    async def test_is_blind_to_an_altered_byte(self, scene: Scene, check: Check) -> None:
        flip(a_blob(scene, scene.previous))
        shows(await scene.judge(check), Verdict.PASSED)


class TestFreeze:
    @line("t24.freeze", "passed", "the release's tag points at the digest that will be launched")
    async def test_passes(self, world: World) -> None:
        shows(await world.scene.judge("t24.freeze"), Verdict.PASSED)

    @line("t24.freeze", "failed", "another image was pushed under the release's tag", mutation=25)
    async def test_fails_with_another_image_under_the_tag(self, scene: Scene) -> None:
        other = await pushed(scene, "2.0.1", V2)
        claim = await scene.judge("t24.freeze")
        fails(claim, scene.plan, f"the tag 2.0.0 points at {other}, not {scene.release}")

    @line(
        "t24.freeze", "failed", "a layer was altered in the registry's storage after the freeze", mutation=26
    )
    async def test_fails_with_an_altered_layer(self, scene: Scene) -> None:
        flip(a_blob(scene, scene.release))
        fails(await scene.judge("t24.freeze"), scene.plan, "the blob sha256:\\w+ has the digest")

    @line("t24.freeze", "failed", "the release was removed from the registry", mutation=27)
    async def test_fails_when_the_release_was_removed(self, scene: Scene) -> None:
        revision(scene.site.stage, scene.release).unlink()
        fails(await scene.judge("t24.freeze"), scene.plan, f"no image with the digest {scene.release}")

    async def test_fails_without_the_tag(self, scene: Scene) -> None:
        claim = await replace(scene, ref="2.0.9").judge("t24.freeze")
        fails(claim, scene.plan, "the tag 2.0.9 points at nothing")

    @line("t24.freeze", "inconclusive", "the registry knows no repository of this name")
    async def test_another_repository_proves_nothing(self, world: World) -> None:
        scene = world.scene.on(registry=f"{world.scene.site.registry}-of-another-service")
        shows(await scene.judge("t24.freeze"), Verdict.INCONCLUSIVE, "no repository")

    @line("t24.freeze", "error", "the registry was killed")
    async def test_without_the_registry_nothing_is_known(self, world: World) -> None:
        await world.process("registry").kill()
        try:
            shows(await world.scene.judge("t24.freeze"), Verdict.ERROR, "Cannot connect")
        finally:
            await world.stage.start_registry()


async def test_once_pulled_a_release_starts_and_users_are_served_while_the_registry_is_dead(
    world: World, tmp_path: Path
) -> None:
    scene = world.scene.on(images=tmp_path / "pulled")
    await scene.target().prepare(scene.release)
    assert oci.verify(tmp_path / "pulled", scene.release).digest == scene.release
    await world.process("registry").kill()
    try:
        await scene.target().prepare(scene.release)
        green = await scene.target().start(Side.GREEN, scene.release)
        assert (green.running, green.digest) == (True, scene.release)
        assert set(await send_users(scene, 100, at_once=10)) <= {200, 401}
        with pytest.raises(UnreachableError, match="Cannot connect"):
            await scene.target().prepare(scene.previous)
    finally:
        await world.stage.start_registry()
