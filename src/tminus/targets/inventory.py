"""What a release is made of: an SBOM beside its image, one inside of it, or its packages."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from tminus.domain.vulnerability import Contents
from tminus.errors import InconclusiveError
from tminus.oci import Repository, attached, referring
from tminus.releases import Releases
from tminus.sbom import contents, read, together


@dataclass(frozen=True, slots=True)
class ReleaseInventory:
    """The releases of the local target as they were unpacked to be run."""

    releases: Releases

    async def contents(self, digest: str) -> Contents:
        """See `Inventory.contents`."""
        return await asyncio.to_thread(self._contents, digest)

    def _contents(self, digest: str) -> Contents:
        for name, content in attached(self.releases.layout, digest):
            return read(content, name)
        root = self.releases.root(digest)
        if not root.is_dir():
            raise InconclusiveError(
                f"{digest} is not unpacked here, so nobody can say what it is made of",
                hint="does green run an image that this launch has not prepared?",
            )
        return contents(root)


@dataclass(frozen=True, slots=True)
class RegistryInventory:
    """The images of a registry by the SBOMs beside them; no image is fetched."""

    repository: Repository
    _known: dict[str, Contents] = field(default_factory=dict, repr=False)
    """By digest: what was read already. Who attaches an SBOM later names other packages for the next launch."""

    async def contents(self, digest: str) -> Contents:
        """See `Inventory.contents`."""
        if digest not in self._known:
            sboms = await referring(self.repository, digest)
            if not sboms:
                raise InconclusiveError(
                    f"{self.repository.shown} holds no SBOM for {digest}",
                    hint="have the build attach one, as CycloneDX or SPDX in JSON",
                )
            self._known[digest] = await asyncio.to_thread(_read, sboms)
        return self._known[digest]


def _read(sboms: Sequence[tuple[str, bytes]]) -> Contents:
    return together([read(content, name) for name, content in sboms])
