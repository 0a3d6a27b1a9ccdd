"""What a release is made of: its SBOM (CycloneDX or SPDX, as JSON), or the metadata of its Python packages.

An SBOM is found inside the image by its usual names. It counts as the whole truth about the image: where there is one,
nothing else is read. What cannot be read says nothing, so a broken SBOM is not observed and never an empty one.
"""

import json
import re
from collections.abc import Iterator, Sequence
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any

from tminus.domain.vulnerability import Contents
from tminus.errors import InconclusiveError

NAMES = ("*.cdx.json", "bom.json", "*.spdx.json", "sbom.json")
"""How the files are called, by the conventions of CycloneDX and SPDX."""
LARGEST = 64 * 1024 * 1024
"""Bytes of an SBOM at most."""
MOST = 20_000
"""Packages at most."""
_HINT = "let the release's build put an SBOM into its image, for instance as sbom.cdx.json"


def contents(root: Path) -> Contents:
    """The packages of an unpacked release; raises `InconclusiveError` where nothing says what they are."""
    files = sorted({file for name in NAMES for file in root.rglob(name) if file.is_file()})
    if files:
        return _of_files(root, files)
    packages = sorted(set(_installed(root)))
    if not packages:
        raise InconclusiveError("the release has no SBOM and no metadata of Python packages", hint=_HINT)
    return Contents(tuple(packages), "the metadata of its Python packages")


def read(content: bytes, name: str) -> Contents:
    """The packages that one SBOM names; raises `InconclusiveError` for what is none."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InconclusiveError(f"{name} is no JSON", hint=_HINT) from error
    if isinstance(document, dict) and document.get("bomFormat") == "CycloneDX":
        given = [_purl_of_component(one) for one in _components(document)]
    elif isinstance(document, dict) and str(document.get("spdxVersion", "")).startswith("SPDX-"):
        given = [_purl_of_package(one) for one in _rows(document, "packages")]
    else:
        raise InconclusiveError(f"{name} is neither CycloneDX nor SPDX", hint=_HINT)
    if len(given) > MOST:
        raise InconclusiveError(f"{name} names more than {MOST:,} packages", hint=_HINT)
    named = tuple(sorted({purl for purl in given if _is_whole(purl)}))
    return Contents(named, name, sum(not _is_whole(purl) for purl in given))


def together(parts: Sequence[Contents]) -> Contents:
    """What several SBOMs of one release name."""
    return Contents(
        tuple(sorted({package for one in parts for package in one.packages})),
        ", ".join(one.source for one in parts),
        sum(one.unnamed for one in parts),
    )


def _of_files(root: Path, files: list[Path]) -> Contents:
    """What all of them name together."""
    read_files: list[Contents] = []
    for file in files:
        name = str(file.relative_to(root))
        if file.stat().st_size > LARGEST:
            raise InconclusiveError(f"{name} is larger than {LARGEST:,} bytes", hint=_HINT)
        read_files.append(read(file.read_bytes(), name))
    return together(read_files)


def _components(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every component, those inside of others too."""
    waiting = _rows(document, "components")
    while waiting:
        one = waiting.pop()
        waiting += _rows(one, "components")
        yield one


def _rows(document: dict[str, Any], name: str) -> list[dict[str, Any]]:
    rows = document.get(name, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InconclusiveError(f"the SBOM's `{name}` is no list of objects", hint=_HINT)
    return list(rows)


def _purl_of_component(component: dict[str, Any]) -> str:
    return str(component.get("purl") or "")


def _purl_of_package(package: dict[str, Any]) -> str:
    for reference in _rows(package, "externalRefs"):
        if reference.get("referenceType") == "purl":
            return str(reference.get("referenceLocator") or "")
    return ""


def _is_whole(purl: str) -> bool:
    """Whether a package URL names a package in one version; only about such can a scanner be asked."""
    return re.fullmatch(r"pkg:[A-Za-z0-9.+-]+/[^\s@?#]*[^\s@?#/](%40[^\s@?#]*)?@[^\s?#]+.*", purl) is not None


def _installed(root: Path) -> Iterator[str]:
    for file in root.rglob("*.dist-info/METADATA"):
        with file.open("rb") as stream:
            headers = BytesHeaderParser().parse(stream)
        name, version = headers.get("Name", ""), headers.get("Version", "")
        if name and version:
            normal = re.sub(r"[-_.]+", "-", name).lower()
            yield f"pkg:pypi/{normal}@{version}"
