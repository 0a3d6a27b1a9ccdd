"""What a release is made of: an SBOM beside its image, one inside of it, or its packages."""

import asyncio
from dataclasses import dataclass, field

from tminus.domain.vulnerability import Contents
from tminus.errors import InconclusiveError, UnreachableError
from tminus.oci import Repository, attached, referring
from tminus.releases import Releases
from tminus.sbom import contents, read, together

SECONDS = 120.0
"""The time limit of everything that is read about one image."""
LARGEST = 256 * 1024 * 1024
"""Bytes of all SBOMs of one image at most."""


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
            try:
                async with asyncio.timeout(SECONDS):
                    found = await self._read(digest)
            except TimeoutError as error:
                raise UnreachableError(
                    f"reading the SBOMs of {digest} took longer than {SECONDS:g} s",
                    hint=f"see how {self.repository.shown} answers, and how many there are",
                ) from error
            self._known[digest] = found
        return self._known[digest]

    async def _read(self, digest: str) -> Contents:
        read_so_far: list[Contents] = []
        size = 0
        async for name, content in referring(self.repository, digest):
            size += len(content)
            if size > LARGEST:
                raise InconclusiveError(
                    f"the SBOMs of {digest} have more than {LARGEST:,} bytes", hint="keep the newest alone"
                )
            read_so_far.append(await asyncio.to_thread(read, content, name))
        if not read_so_far:
            raise InconclusiveError(
                f"{self.repository.shown} holds no SBOM for {digest}",
                hint="have the build attach one, as CycloneDX or SPDX in JSON",
            )
        return together(read_so_far)
