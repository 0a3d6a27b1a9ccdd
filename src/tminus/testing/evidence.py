"""Evidence in memory, or nowhere, as it was told."""

from tminus.errors import TminusError
from tminus.evidence.contents import compared, name_of, named


class MemoryEvidence:
    """See `control.ports.EvidenceStore`; gone with its process."""

    def __init__(self, where: str = "memory") -> None:
        self.where = where
        self.kept: dict[str, bytes] = {}
        """By digest; a test may swap what lies there."""
        self.errors: list[TminusError] = []
        """What goes wrong, one error for each call."""

    async def put(self, content: bytes) -> str:
        """See `EvidenceStore.put`."""
        self._fail()
        digest = named(content)
        self.kept[digest] = content
        return digest

    async def get(self, digest: str) -> bytes | None:
        """See `EvidenceStore.get`."""
        self._fail()
        content = self.kept.get(name_of(digest))
        return None if content is None else compared(digest, content, f"{self.where}/{digest}")

    async def has(self, digest: str) -> bool:
        """See `EvidenceStore.has`."""
        self._fail()
        return name_of(digest) in self.kept

    def _fail(self) -> None:
        if self.errors:
            raise self.errors.pop(0)
