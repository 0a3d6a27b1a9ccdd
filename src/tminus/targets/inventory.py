"""What releases of the local target are made of: an SBOM attached to the image, one inside of it, or its packages."""

import asyncio
from dataclasses import dataclass

from tminus.domain.vulnerability import Contents
from tminus.errors import InconclusiveError
from tminus.oci import attached
from tminus.releases import Releases
from tminus.sbom import contents, read


@dataclass(frozen=True, slots=True)
class ReleaseInventory:
    """The releases as they were unpacked to be run."""

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
