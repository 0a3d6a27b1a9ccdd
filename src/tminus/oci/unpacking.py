"""Unpack a proven image into a folder from which it runs.

Only plain files and folders are unpacked. Links, devices, sparse files and names that lead elsewhere are
refused: a release that a launch runs needs none of them, and without links nothing can be written through one.
"""

import shutil
import tarfile
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Final, cast

from tminus.errors import ReleaseError
from tminus.oci.verifying import MAX_IMAGE_BYTES, copy_layer, read_image

DIGEST_FILE: Final = ".digest"
"""At the root of an unpacked image: the digest of its manifest, for the running code to report."""
MAX_MEMBERS: Final = 100_000
_WHITEOUT: Final = ".wh."
_OPAQUE: Final = ".wh..wh..opq"
_REBUILD: Final = "nothing was unpacked; build the image again with plain files and folders"


def unpack(layout: Path, digest: str, into: Path) -> Path:
    """Make a folder hold exactly the files of an image, and return it.

    Every blob is proven before the first file is written, and what is extracted are the proven bytes. The
    folder appears under its name only when complete. One that is already there is compared file by file with a
    fresh extraction: equal, it is left alone, so that a process running from it is not disturbed; altered, it
    is replaced. A folder that is not an unpacked image is refused.

    Raises `PlanError` for a digest the layout does not name, `ReleaseError` for everything else.
    """
    image = read_image(layout, digest)
    if into.exists() and not (into / DIGEST_FILE).is_file():
        raise ReleaseError(
            f"{into} exists and is not an unpacked image", hint="name another folder, or remove this one"
        )
    into.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        archives: list[BinaryIO] = []
        room = MAX_IMAGE_BYTES
        for layer in image.layers:
            archive = cast("BinaryIO", stack.enter_context(tempfile.TemporaryFile(dir=into.parent)))
            room -= copy_layer(layout, layer, archive, room)
            archives.append(archive)
        fresh = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=into.parent, prefix=".unpacking-")))
        root = fresh / "root"
        root.mkdir(mode=0o755)
        for archive in archives:
            archive.seek(0)
            extract(archive, root)
        (root / DIGEST_FILE).write_text(f"{digest}\n", encoding="ascii")
        if not (into.exists() and _same(root, into)):
            _replace(root, into, fresh / "old")
    return into


def extract(archive: BinaryIO, root: Path) -> None:
    """Apply one layer to a folder: first what it removes from the layers below, then what it adds.

    Raises `ReleaseError` for a member that is no plain file or folder, or whose name leaves the folder.
    """
    try:
        with tarfile.open(fileobj=archive, mode="r:") as tar:
            members = _checked(tar, root)
            for member in members:
                if Path(member.name).name.startswith(_WHITEOUT):
                    _remove(root / member.name)
            for member in members:
                if not Path(member.name).name.startswith(_WHITEOUT):
                    _make_way(root, root / member.name, folder=member.isdir())
                    tar.extract(member, root, set_attrs=True, filter="data")
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        raise ReleaseError(f"layer cannot be unpacked: {error}", hint=_REBUILD) from error


def _checked(tar: tarfile.TarFile, root: Path) -> list[tarfile.TarInfo]:
    members: list[tarfile.TarInfo] = []
    total = 0
    for member in tar:
        _check_kind(member)
        if member.name == "." and member.isdir():
            continue
        _check_name(member.name)
        # A second opinion from the standard library on names and modes.
        tarfile.data_filter(member, str(root))
        total += member.size
        if total > MAX_IMAGE_BYTES or len(members) >= MAX_MEMBERS:
            raise ReleaseError("layer holds too many or too large files", hint=_REBUILD)
        members.append(member)
    return members


def _check_kind(member: tarfile.TarInfo) -> None:
    plain = member.type in {tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE}
    if not plain or member.issparse():
        raise ReleaseError(f"layer holds {member.name!r}, which is no plain file or folder", hint=_REBUILD)


def _check_name(name: str) -> None:
    parts = name.removeprefix("./").split("/")
    final = parts[-1].removeprefix(_WHITEOUT) if parts[-1] != _OPAQUE else "opaque"
    unsafe = name.startswith("/") or "\0" in name or {"", "..", "."} & {*parts[:-1], final}
    if unsafe or any(part.startswith(_WHITEOUT) for part in parts[:-1]):
        raise ReleaseError(f"layer holds the name {name!r}, which leads elsewhere", hint=_REBUILD)
    if parts[0] == DIGEST_FILE:
        raise ReleaseError(f"layer holds {name!r}, which unpacking writes itself", hint=_REBUILD)


def _remove(whiteout: Path) -> None:
    if whiteout.name == _OPAQUE:
        removed = list(whiteout.parent.iterdir()) if whiteout.parent.is_dir() else []
    else:
        removed = [whiteout.with_name(whiteout.name.removeprefix(_WHITEOUT))]
    for path in removed:
        _delete(path)


def _make_way(root: Path, path: Path, *, folder: bool) -> None:
    """Remove what a lower layer put where this member, or a folder above it, has to be."""
    for above in path.relative_to(root).parents:
        if (root / above).is_file():
            (root / above).unlink()
    if not folder or path.is_file():
        _delete(path)


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _same(left: Path, right: Path) -> bool:
    """Whether two folders hold the same folders and files, with the same bytes and modes, and nothing else."""
    ours, theirs = _tree(left), _tree(right)
    return ours.keys() == theirs.keys() and all(_equal(ours[name], theirs[name]) for name in ours)


def _tree(root: Path) -> dict[str, Path]:
    return {str(path.relative_to(root)): path for path in root.rglob("*")}


def _equal(left: Path, right: Path) -> bool:
    if right.is_symlink() or left.is_dir() or right.is_dir():
        return left.is_dir() and right.is_dir() and not right.is_symlink()
    return left.stat().st_mode == right.stat().st_mode and left.read_bytes() == right.read_bytes()


def _replace(fresh: Path, into: Path, aside: Path) -> None:
    if into.exists():
        into.rename(aside)
    fresh.rename(into)
