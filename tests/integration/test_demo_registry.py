"""The demo and its registry: what is launched comes from there, compared, before anything that serves is started."""

from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from tminus import demo, oci
from tminus.demo import registry, run, theatre
from tminus.demo.images import BLUE, GREEN, build_releases
from tminus.demo.machine import ThisMachine
from tminus.demo.options import Options
from tminus.demo.packages import Binaries, locate
from tminus.demo.screen import Screen
from tminus.demo.stage import Stage
from tminus.demo.theatre import Wish
from tminus.errors import Exit, ReleaseError
from tminus.oci import Repository

if TYPE_CHECKING:
    from tests.integration.registry_world import flip, stored
else:
    from registry_world import flip, stored

FOUND = locate(ThisMachine())
pytestmark = pytest.mark.skipif(FOUND is None, reason="a program of the stage is not installed")


def _binaries() -> Binaries:
    assert FOUND is not None
    return FOUND


def _folder(home: Path) -> Path:
    """The folder of the one stage in the list."""
    (entry,) = (home / "stages").glob("*.json")
    return Path(registry.read(entry).folder)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    build_releases(tmp_path / "images")
    return tmp_path / "images"


@pytest.mark.parametrize("which", [BLUE, GREEN["good"]])
async def test_one_flipped_byte_in_the_registry_s_storage_stops_the_launch_before_anything_starts(
    tmp_path: Path, images: Path, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    honest, home = theatre._publish, tmp_path / "home"
    blob = oci.verify(images, oci.resolve(images, which)).layers[-1].digest

    async def published_and_altered(repository: Repository, wish: Wish, names: Mapping[str, str]) -> int:
        pushed = await honest(repository, wish, names)
        flip(stored(_folder(home), blob))
        return pushed

    async def started(_stage: Stage) -> None:
        pytest.fail("PostgreSQL was started")

    monkeypatch.setattr(theatre, "_publish", published_and_altered)
    monkeypatch.setattr(Stage, "start_postgres", started)
    output = StringIO()
    plan = Path(demo.__file__).parent / "demo.yaml"
    options = Options(home, "good", None, plan, images, 20000.0, None, keep=False, ask=None)
    with pytest.raises(ReleaseError, match=f"{blob} arrives with the digest") as caught:
        await run.run(options, _binaries(), Screen(Console(file=output, width=200), as_json=False))
    assert caught.value.code is Exit.FAILED
    assert caught.value.hint
    assert "pulled from there" not in output.getvalue()
    assert not list((home / "stages").glob("*.json")), "the stage was taken down"


async def test_every_release_is_pushed_by_digest_and_tag_and_what_is_launched_is_pulled(
    tmp_path: Path, images: Path
) -> None:
    names = oci.images(images)
    wish = Wish("slow", GREEN["slow"], names[GREEN["slow"]], names[BLUE], images, tmp_path, 1.0, asks=False)
    stage = Stage.create(tmp_path / "home", _binaries())
    try:
        said = await theatre.supply(stage, wish)
        repository = Repository.at(stage.registry)
        for name, digest in names.items():
            for reference in (name, digest):
                reply, manifest = await repository.text(repository.manifest(reference))
                assert reply.status == 200
                assert manifest == oci.layout.blob_path(images, digest).read_bytes()
        assert oci.images(stage.folder / "images") == {
            BLUE: names[BLUE],
            GREEN["slow"]: names[GREEN["slow"]],
        }
        assert f"registry {stage.registry}: {1 + len(GREEN)} images pushed by digest" in said
        assert set(stage.parts_alive()) == {"registry"}
    finally:
        await stage.remove()


async def test_an_image_without_a_name_is_launched_by_its_digest(tmp_path: Path, images: Path) -> None:
    names = oci.images(images)
    alone = tmp_path / "alone"
    for ref, digest in (("", names[GREEN["good"]]), (BLUE, names[BLUE])):
        found = oci.layout.find(images, digest)
        for blob in oci.verifying.blobs_of(oci.layout.blob_path(images, digest).read_bytes(), images):
            oci.building.prepare_layout(alone)
            oci.layout.blob_path(alone, blob.digest).write_bytes(
                oci.layout.blob_path(images, blob.digest).read_bytes()
            )
        oci.layout.blob_path(alone, digest).write_bytes(oci.layout.blob_path(images, digest).read_bytes())
        oci.building.name_image(alone, ref, found)
    wish = Wish("good", GREEN["good"], names[GREEN["good"]], names[BLUE], alone, tmp_path, 1.0, asks=False)
    stage = Stage.create(tmp_path / "home", _binaries())
    try:
        assert "2 images pushed" in await theatre.supply(stage, wish)
        assert oci.verify(stage.folder / "images", names[GREEN["good"]]).blobs == 4
    finally:
        await stage.remove()
