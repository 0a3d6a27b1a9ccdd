"""The releases that the demo launches, built from depot's own files as they are installed.

Good and bad releases of 2.0.0 have the same layers. A bad one differs in its configuration alone, which makes
it misbehave from its first request; so it is another image with another digest, and nothing outside the image
tells them apart.
"""

from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType
from typing import Final

from tminus.demo.bom import bom
from tminus.oci import ImageConfig, build_layout

BLUE: Final = "1.0.0"
"""The release that serves before the launch."""
GREEN: Final[Mapping[str, str]] = MappingProxyType(
    {
        "good": "2.0.0",
        "errors": "2.0.0-errors",
        "slow": "2.0.0-slow",
        "crash": "2.0.0-crash",
        "corrupt": "2.0.0-corrupt",
        "leak": "2.0.0-leak",
    }
)
"""The release that each kind of demo launches."""

SBOM: Final = "app/sbom.cdx.json"
"""Where an image says what the release is made of."""
_VERSIONS: Final[Mapping[str, str]] = MappingProxyType({"v1": "1.0.0", "v2": "2.0.0"})
_FAULTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "errors": "errors=0.2",
        "slow": "slow=0.3:3.0",
        "crash": "crash=40",
        "corrupt": "corrupt=0.2",
        "leak": "leak=40",
    }
)
_ENTRYPOINT: Final = ("python", "-m", "depot")
_ENV: Final[Mapping[str, str]] = MappingProxyType(
    {
        "PYTHONPATH": "/app",
        # Caches written at run time would make an unpacked image differ from its layers.
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
    }
)


def build_releases(folder: Path) -> dict[str, str]:
    """Put every release into one image layout and return the digest of each name.

    Building again gives the same digests: the content decides, and nothing else.
    """
    layers = {variant: _layers(variant) for variant in _VERSIONS}
    digests = {BLUE: build_layout(folder, BLUE, layers["v1"], _config("1.0.0"))}
    for kind, ref in GREEN.items():
        digests[ref] = build_layout(folder, ref, layers["v2"], _config("2.0.0", _FAULTS.get(kind)))
    return digests


def _config(version: str, faults: str | None = None) -> ImageConfig:
    env = {**_ENV, "DEPOT_FAULTS": faults} if faults else _ENV
    return ImageConfig(version=version, entrypoint=_ENTRYPOINT, env=env, workdir="/app")


def _layers(variant: str) -> list[dict[str, bytes]]:
    """The common code, then what only this release has, its SBOM included."""
    sources = {f"app/depot/{path}": data for path, data in _sources(files("tminus.depot"))}
    own = f"app/depot/releases/{variant}/"
    others = tuple(f"app/depot/releases/{name}/" for name in ("v1", "v2"))
    base = {path: data for path, data in sources.items() if not path.startswith(others)}
    only = {path: data for path, data in sources.items() if path.startswith(own)}
    return [base, {**only, SBOM: bom(_VERSIONS[variant])}]


def _sources(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _sources(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(".py"):
            yield f"{prefix}{entry.name}", entry.read_bytes()
