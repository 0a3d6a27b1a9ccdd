"""The releases of the demo are real images that really differ."""

from pathlib import Path

import pytest

from tminus import oci
from tminus.demo.images import BLUE, GREEN, build_releases
from tminus.errors import ReleaseError
from tminus.oci.layout import blob_path


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images") / "layout"
    build_releases(folder)
    return folder


def test_every_release_has_its_own_digest_and_is_intact(layout: Path) -> None:
    digests = oci.images(layout)
    assert set(digests) == {BLUE, *GREEN.values()}
    assert len(set(digests.values())) == 7
    for ref, digest in digests.items():
        assert oci.verify(layout, digest).version == ref.partition("-")[0]


def test_building_again_gives_the_same_digests(layout: Path, tmp_path: Path) -> None:
    assert build_releases(tmp_path / "again") == oci.images(layout) == build_releases(layout)


def test_releases_share_the_common_layer_and_differ_in_their_own(layout: Path) -> None:
    old, new = (oci.verify(layout, oci.resolve(layout, ref)) for ref in (BLUE, "2.0.0"))
    assert old.layers[0] == new.layers[0]
    assert old.layers[1] != new.layers[1]


@pytest.mark.parametrize(
    ("kind", "faults"),
    [("good", None), ("errors", "errors=0.2"), ("slow", "slow=0.3:3.0"), ("crash", "crash=40")],
)
def test_a_bad_release_differs_in_its_configuration_alone(
    layout: Path, kind: str, faults: str | None
) -> None:
    good, image = (oci.verify(layout, oci.resolve(layout, ref)) for ref in (GREEN["good"], GREEN[kind]))
    assert image.layers == good.layers
    assert image.env.get("DEPOT_FAULTS") == faults
    assert {**good.env, **({"DEPOT_FAULTS": faults} if faults else {})} == image.env


def test_an_image_holds_the_code_of_one_release_and_no_caches(layout: Path, tmp_path: Path) -> None:
    for ref, other in ((BLUE, "v2"), ("2.0.0", "v1")):
        root = oci.unpack(layout, oci.resolve(layout, ref), tmp_path / ref)
        names = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
        assert "app/depot/__main__.py" in names
        assert not [name for name in names if f"releases/{other}" in name or "__pycache__" in name]
        assert ("app/depot/releases/v2/migrations/r0002_labels.py" in names) == (ref == "2.0.0")


def test_depot_imports_nothing_from_tminus(layout: Path, tmp_path: Path) -> None:
    root = oci.unpack(layout, oci.resolve(layout, "2.0.0"), tmp_path / "2.0.0")
    sources = [path.read_text() for path in root.rglob("*.py")]
    assert len(sources) > 20
    assert not [source for source in sources if "import tminus" in source or "from tminus" in source]


def test_one_changed_byte_of_a_release_is_refused(layout: Path, tmp_path: Path) -> None:
    digest = build_releases(tmp_path / "own")[BLUE]
    layer = blob_path(tmp_path / "own", oci.verify(layout, digest).layers[0].digest)
    data = bytearray(layer.read_bytes())
    data[1000] ^= 1
    layer.write_bytes(data)
    with pytest.raises(ReleaseError, match=layer.name):
        oci.verify(tmp_path / "own", digest)
