"""Images are what their digests say, or nothing of them is unpacked."""

import contextlib
import gzip
import hashlib
import io
import json
import re
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tminus import oci
from tminus.errors import PlanError, ReleaseError
from tminus.oci import unpacking, verifying
from tminus.oci.layout import (
    CONFIG_TYPE,
    GZIP_LAYER_TYPE,
    INDEX_TYPE,
    MANIFEST_TYPE,
    REF_NAME,
    TAR_LAYER_TYPE,
    blob_path,
)

CONFIG = oci.ImageConfig(
    version="1.0", entrypoint=("python", "-m", "app"), env={"B": "2", "A": "1=1"}, workdir="/app"
)
LAYERS = (
    {"app/main.py": b"print('one')\n", "app/data/words.txt": b"alpha\n" * 50},
    {"app/release.py": b"VERSION = 1\n"},
)


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    folder = tmp_path / "layout"
    oci.build_layout(folder, "1.0", LAYERS, CONFIG)
    return folder


@pytest.fixture
def digest(layout: Path) -> str:
    return oci.resolve(layout, "1.0")


def contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def put(layout: Path, data: bytes) -> dict[str, Any]:
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    blob_path(layout, digest).write_bytes(data)
    return {"digest": digest, "size": len(data)}


def rebuilt(layout: Path, change: Callable[[dict[str, Any], dict[str, Any]], None]) -> str:
    """An image whose digests are right but whose manifest or configuration was changed before."""
    manifest = json.loads(blob_path(layout, oci.resolve(layout, "1.0")).read_bytes())
    config = json.loads(blob_path(layout, manifest["config"]["digest"]).read_bytes())
    change(manifest, config)
    manifest["config"] |= put(layout, json.dumps(config).encode())
    return indexed(layout, put(layout, json.dumps(manifest).encode()))


def indexed(layout: Path, descriptor: dict[str, Any], media_type: str = MANIFEST_TYPE) -> str:
    entry = {"mediaType": media_type, **descriptor, "annotations": {REF_NAME: "changed"}}
    (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    return str(descriptor["digest"])


def with_layer(layout: Path, tar: bytes) -> str:
    """An image with one honest layer of these bytes."""

    def change(manifest: dict[str, Any], config: dict[str, Any]) -> None:
        manifest["layers"] = [{"mediaType": GZIP_LAYER_TYPE, **put(layout, gzip.compress(tar))}]
        config["rootfs"]["diff_ids"] = [f"sha256:{hashlib.sha256(tar).hexdigest()}"]

    return rebuilt(layout, change)


def archive(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for member, data in members:
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, target
    return made


class TestBuilding:
    def test_the_same_files_give_the_same_digest(self, tmp_path: Path, digest: str) -> None:
        reordered = [dict(reversed(layer.items())) for layer in LAYERS]
        assert oci.build_layout(tmp_path / "again", "other name", reordered, CONFIG) == digest

    def test_one_changed_byte_gives_another_digest(self, tmp_path: Path, digest: str) -> None:
        changed = [LAYERS[0], {"app/release.py": b"VERSION = 2\n"}]
        assert oci.build_layout(tmp_path / "again", "1.0", changed, CONFIG) != digest

    def test_a_layout_keeps_its_other_images_and_a_name_moves(self, layout: Path, digest: str) -> None:
        second = oci.build_layout(layout, "2.0", LAYERS[:1], CONFIG)
        assert oci.images(layout) == {"1.0": digest, "2.0": second}
        third = oci.build_layout(layout, "2.0", LAYERS[1:], CONFIG)
        assert oci.images(layout) == {"1.0": digest, "2.0": third}
        assert oci.verify(layout, digest).version == "1.0"

    def test_nothing_of_time_or_owner_enters_a_layer(self, layout: Path, digest: str) -> None:
        layer = blob_path(layout, oci.verify(layout, digest).layers[0].digest)
        with tarfile.open(layer) as tar:
            assert {(each.mtime, each.uid, each.gid, each.uname) for each in tar} == {(0, 0, 0, "")}
        assert layer.read_bytes()[4:8] == bytes(4), "RFC 1952: the time in the gzip header"


class TestResolving:
    def test_a_name_and_a_digest_both_resolve(self, layout: Path, digest: str) -> None:
        assert oci.resolve(layout, "1.0") == oci.resolve(layout, digest) == digest

    def test_an_absent_image_names_those_there_are(self, layout: Path, digest: str) -> None:
        absent = "sha256:" + "0" * 64
        for act in (
            oci.resolve,
            oci.verify,
            lambda where, what: oci.unpack(where, what, where.parent / "out"),
        ):
            with pytest.raises(PlanError, match="no image") as caught:
                act(layout, absent)
            assert f"1.0 = {digest}" in caught.value.hint

    def test_a_folder_that_is_no_layout_is_a_mistake_of_the_plan(self, tmp_path: Path) -> None:
        with pytest.raises(PlanError, match="not an OCI image layout"):
            oci.images(tmp_path)

    def test_a_name_for_two_images_is_refused(self, layout: Path) -> None:
        index = json.loads((layout / "index.json").read_text())
        index["manifests"].append({**index["manifests"][0], "digest": "sha256:" + "1" * 64})
        (layout / "index.json").write_text(json.dumps(index))
        with pytest.raises(ReleaseError, match="stands for sha256:"):
            oci.resolve(layout, "1.0")


class TestVerifying:
    def test_an_intact_image_tells_how_it_runs_and_what_it_holds(self, layout: Path, digest: str) -> None:
        image = oci.verify(layout, digest)
        assert (image.digest, image.version, image.workdir) == (digest, "1.0", "/app")
        assert image.env == {"A": "1=1", "B": "2"}
        assert image.entrypoint == ("python", "-m", "app")
        assert image.blobs == 4
        assert image.size == sum(
            path.stat().st_size for path in (layout / "blobs").rglob("*") if path.is_file()
        )

    def test_any_changed_byte_of_any_blob_is_refused_before_anything_is_unpacked(
        self, layout: Path, digest: str, tmp_path: Path
    ) -> None:
        files = [path for path in layout.rglob("*") if path.is_file() and path.name != "index.json"]
        assert len(files) == 5
        for file in files:
            intact = file.read_bytes()
            for place in range(len(intact)):
                file.write_bytes(
                    intact[:place] + bytes([intact[place] ^ 1 << place % 8]) + intact[place + 1 :]
                )
                with pytest.raises(ReleaseError) as caught:
                    oci.unpack(layout, digest, tmp_path / "out")
                assert file.name in str(caught.value)
            file.write_bytes(intact)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["layout"]
        oci.unpack(layout, digest, tmp_path / "out")

    def test_a_changed_index_never_puts_other_bytes_under_a_digest(self, layout: Path, digest: str) -> None:
        index = layout / "index.json"
        intact, proven = index.read_bytes(), oci.verify(layout, digest)
        for place in range(len(intact)):
            index.write_bytes(intact[:place] + bytes([intact[place] ^ 1 << place % 8]) + intact[place + 1 :])
            with contextlib.suppress(PlanError, ReleaseError):
                assert oci.verify(layout, digest) == proven

    @pytest.mark.parametrize("which", [0, 1, 2, 3])
    @pytest.mark.parametrize("harm", ["cut", "longer", "missing", "empty", "folder"])
    def test_a_blob_that_is_cut_longer_or_missing_is_named(
        self, layout: Path, digest: str, which: int, harm: str
    ) -> None:
        file = sorted((layout / "blobs" / "sha256").iterdir())[which]
        intact = file.read_bytes()
        file.unlink()
        if harm == "folder":
            file.mkdir()
        elif harm != "missing":
            file.write_bytes({"cut": intact[:-1], "longer": intact + b"\0", "empty": b""}[harm])
        with pytest.raises(ReleaseError, match=file.name) as caught:
            oci.verify(layout, digest)
        assert "fetch the image again" in caught.value.hint

    def test_expected_and_found_digest_are_told(self, layout: Path, digest: str) -> None:
        file = blob_path(layout, digest)
        file.write_bytes(b"{}")
        found = hashlib.sha256(b"{}").hexdigest()
        with pytest.raises(ReleaseError, match=f"{file.name}.*sha256:{found}, expected {digest}"):
            oci.verify(layout, digest)

    def test_a_layer_must_be_what_the_configuration_says_when_uncompressed(self, layout: Path) -> None:
        def swap(_manifest: dict[str, Any], config: dict[str, Any]) -> None:
            config["rootfs"]["diff_ids"].reverse()

        with pytest.raises(ReleaseError, match="uncompressed layer has the digest"):
            oci.verify(layout, rebuilt(layout, swap))

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda m, _: m.update(mediaType=INDEX_TYPE), "media type"),
            (lambda m, _: m["config"].update(mediaType="application/json"), re.escape(CONFIG_TYPE)),
            (
                lambda m, _: m["layers"][0].update(mediaType=GZIP_LAYER_TYPE.replace("gzip", "zstd")),
                "zstd' is not",
            ),
            (lambda m, _: m["layers"].pop(), "2 diff_ids for 1 layers"),
            (lambda m, c: (m["layers"].clear(), c["rootfs"]["diff_ids"].clear()), "0 diff_ids for 0 layers"),
            (lambda m, _: m["layers"][0].update(size=m["layers"][0]["size"] + 1), "bytes, expected"),
            (lambda m, _: m["layers"][0].update(digest="sha256:../../../etc/passwd"), "pattern"),
            (lambda m, _: m["layers"][0].update(digest="md5:00"), "pattern"),
            (lambda m, _: m.pop("config"), "config"),
            (lambda _, c: c["config"].update(Env=["NOVALUE"]), "NOVALUE"),
            (lambda _, c: c.pop("rootfs"), "rootfs"),
        ],
    )
    def test_a_manifest_that_makes_no_sense_is_refused(
        self, layout: Path, change: Callable[[dict[str, Any], dict[str, Any]], Any], message: str
    ) -> None:
        def changing(manifest: dict[str, Any], config: dict[str, Any]) -> None:
            before = manifest["config"]
            change(manifest, config)
            if "config" not in manifest:
                raise _NoConfigError(before)

        try:
            changed = rebuilt(layout, changing)
        except _NoConfigError:
            changed = indexed(layout, put(layout, b'{"schemaVersion": 2, "layers": []}'))
        with pytest.raises(ReleaseError, match=message):
            oci.verify(layout, changed)

    def test_an_index_of_several_platforms_is_no_image(self, layout: Path) -> None:
        changed = indexed(layout, put(layout, b"{}"), INDEX_TYPE)
        with pytest.raises(ReleaseError, match="media type") as caught:
            oci.verify(layout, changed)
        assert "one image" in caught.value.hint

    def test_an_uncompressed_layer_is_understood(self, layout: Path, tmp_path: Path) -> None:
        def plain(manifest: dict[str, Any], config: dict[str, Any]) -> None:
            tar = archive((member("a"), b"1"))
            manifest["layers"] = [{"mediaType": TAR_LAYER_TYPE, **put(layout, tar)}]
            config["rootfs"]["diff_ids"] = [manifest["layers"][0]["digest"]]

        root = oci.unpack(layout, rebuilt(layout, plain), tmp_path / "out")
        assert (root / "a").read_bytes() == b"1"

    def test_a_bomb_is_refused_while_it_unpacks(
        self, layout: Path, digest: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(verifying, "MAX_IMAGE_BYTES", 20_000)
        with pytest.raises(ReleaseError, match="more than the 20000 bytes"):
            oci.verify(layout, digest)


class _NoConfigError(Exception):
    pass


class TestUnpacking:
    def test_an_unpacked_image_holds_its_files_and_its_digest(
        self, layout: Path, digest: str, tmp_path: Path
    ) -> None:
        root = oci.unpack(layout, digest, tmp_path / "run" / "green")
        expected = {**LAYERS[0], **LAYERS[1], oci.DIGEST_FILE: f"{digest}\n".encode()}
        assert contents(root) == expected
        assert [path.name for path in root.parent.iterdir()] == ["green"]

    def test_unpacking_again_leaves_an_intact_folder_alone(
        self, layout: Path, digest: str, tmp_path: Path
    ) -> None:
        root = oci.unpack(layout, digest, tmp_path / "out")
        before = (root / "app").stat().st_ino
        assert (oci.unpack(layout, digest, root) / "app").stat().st_ino == before

    @pytest.mark.parametrize(
        "harm",
        [
            lambda root: (root / "app/main.py").write_bytes(b"print('two')\n"),
            lambda root: (root / "app/main.py").unlink(),
            lambda root: (root / "app/main.py").chmod(0o777),
            lambda root: (root / "app/extra.py").write_bytes(b""),
            lambda root: (root / ".digest").write_text("sha256:0\n"),
            lambda root: ((root / "app/main.py").unlink(), (root / "app/main.py").symlink_to("/dev/null")),
            lambda root: ((root / "app/main.py").unlink(), (root / "app/main.py").mkdir()),
        ],
    )
    def test_an_altered_folder_is_replaced(
        self, layout: Path, digest: str, tmp_path: Path, harm: Callable[[Path], object]
    ) -> None:
        root = oci.unpack(layout, digest, tmp_path / "out")
        harm(root)
        assert contents(oci.unpack(layout, digest, root)) == {
            **LAYERS[0],
            **LAYERS[1],
            oci.DIGEST_FILE: f"{digest}\n".encode(),
        }
        assert not (root / "app/main.py").is_symlink()
        assert sorted(path.name for path in tmp_path.iterdir()) == ["layout", "out"]

    def test_a_folder_that_is_no_unpacked_image_is_not_touched(
        self, layout: Path, digest: str, tmp_path: Path
    ) -> None:
        (tmp_path / "home").mkdir()
        (tmp_path / "home" / "letter").write_text("dear")
        with pytest.raises(ReleaseError, match="not an unpacked image"):
            oci.unpack(layout, digest, tmp_path / "home")
        assert contents(tmp_path / "home") == {"letter": b"dear"}

    def test_a_later_layer_replaces_and_removes(self, tmp_path: Path) -> None:
        layers = [
            {"a": b"1", "b/c": b"2", "b/d": b"3", "e/f": b"4", "g": b"5", "h/i": b"6"},
            {"a": b"new", "b/.wh.c": b"", ".wh.e": b"", "g/inner": b"7", "h": b"8", ".wh.absent": b""},
        ]
        digest = oci.build_layout(tmp_path / "layout", "x", layers, CONFIG)
        found = contents(oci.unpack(tmp_path / "layout", digest, tmp_path / "out"))
        del found[oci.DIGEST_FILE]
        assert found == {"a": b"new", "b/d": b"3", "g/inner": b"7", "h": b"8"}

    def test_an_opaque_folder_hides_what_lies_below_and_not_beside(self, tmp_path: Path) -> None:
        layers = [{"a/x": b"1", "a/y/z": b"2", "b": b"3"}, {"a/.wh..wh..opq": b"", "a/new": b"4"}]
        digest = oci.build_layout(tmp_path / "layout", "x", layers, CONFIG)
        found = contents(oci.unpack(tmp_path / "layout", digest, tmp_path / "out"))
        assert set(found) == {"a/new", "b", oci.DIGEST_FILE}

    @pytest.mark.parametrize(
        "name",
        ["/etc/evil", "../evil", "a/../../evil", "a/..", "a//b", ".", ".wh...", ".wh..", "a/.wh.", ".wh.a/b"],
    )
    def test_a_name_that_leads_elsewhere_is_refused(self, layout: Path, tmp_path: Path, name: str) -> None:
        digest = with_layer(layout, archive((member("good"), b"1"), (member(name), b"")))
        with pytest.raises(ReleaseError, match="leads elsewhere"):
            oci.unpack(layout, digest, tmp_path / "out")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["layout"]

    @pytest.mark.parametrize(
        "bad",
        [
            member(".digest"),
            member(".digest/x"),
            member("n" * 300),
            member("link", tarfile.SYMTYPE, "/etc/passwd"),
            member("link", tarfile.SYMTYPE, "app"),
            member("link", tarfile.LNKTYPE, "../../outside"),
            member("pipe", tarfile.FIFOTYPE),
            member("disk", tarfile.BLKTYPE),
            member("tty", tarfile.CHRTYPE),
            member("sparse", tarfile.GNUTYPE_SPARSE),
        ],
        ids=lambda bad: f"{bad.name[:20]}-{bad.type.decode()}",
    )
    def test_a_member_that_is_no_plain_file_is_refused(
        self, layout: Path, tmp_path: Path, bad: tarfile.TarInfo
    ) -> None:
        digest = with_layer(layout, archive((member("good"), b"1"), (bad, b"")))
        with pytest.raises(ReleaseError) as caught:
            oci.unpack(layout, digest, tmp_path / "out")
        assert caught.value.hint
        assert sorted(path.name for path in tmp_path.iterdir()) == ["layout"]

    def test_a_layer_with_too_many_files_is_refused(
        self, layout: Path, digest: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(unpacking, "MAX_MEMBERS", 2)
        with pytest.raises(ReleaseError, match="too many"):
            oci.unpack(layout, digest, tmp_path / "out")

    def test_a_layer_that_is_no_archive_is_refused(self, layout: Path, tmp_path: Path) -> None:
        with pytest.raises(ReleaseError, match="cannot be unpacked"):
            oci.unpack(layout, with_layer(layout, b"no archive" * 100), tmp_path / "out")

    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        names=st.lists(
            st.lists(
                st.sampled_from(["a", "b", "..", ".", "", ".wh.a", ".wh..wh..opq", "~", "\\", "ü", "\0"])
                | st.text(max_size=8),
                max_size=4,
            ).map("/".join),
            min_size=1,
            max_size=5,
        ),
        kinds=st.lists(
            st.sampled_from([tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE]),
            min_size=5,
            max_size=5,
        ),
    )
    def test_no_archive_writes_outside_its_folder(
        self, tmp_path_factory: pytest.TempPathFactory, names: list[str], kinds: list[bytes]
    ) -> None:
        top = tmp_path_factory.mktemp("top")
        (top / "a").write_text("outside")
        root = top / "deep" / "root"
        root.mkdir(parents=True)
        members = [(member(name, kind, "../../a"), b"") for name, kind in zip(names, kinds, strict=False)]
        with contextlib.suppress(ReleaseError):
            unpacking.extract(io.BytesIO(archive(*members)), root)
        assert sorted(path.name for path in top.iterdir()) == ["a", "deep"]
        assert [path.name for path in (top / "deep").iterdir()] == ["root"]
        assert (top / "a").read_text() == "outside"
        assert not any(path.is_symlink() for path in root.rglob("*"))
