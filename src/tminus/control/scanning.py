"""Scan what runs on green again and again: what was unknown at GO may be published while users are on it."""

from collections.abc import Sequence
from typing import Protocol

from tminus.control.looks import Sighting
from tminus.control.ports import Clock, Target
from tminus.domain.canonical import JsonValue
from tminus.domain.traffic import Side
from tminus.domain.trigger import VULNERABILITY
from tminus.domain.vulnerability import Advisory, Contents, critical, distinct, found
from tminus.errors import ProbeError, ReleaseError, RolloutError


class Scanner(Protocol):
    """Knows what has been published about packages."""

    async def advisories(self, packages: Sequence[str]) -> Sequence[Advisory]:
        """Everything published about these packages in these versions; raises `ProbeError` when that is not seen."""
        ...


class Inventory(Protocol):
    """Knows what releases are made of."""

    async def contents(self, digest: str) -> Contents:
        """The packages of a release; raises `ProbeError` where nothing says what they are."""
        ...


class Scanning:
    """The scans of one launch: of the digest that green itself reports, never of what was meant to run."""

    trigger = VULNERABILITY

    def __init__(self, target: Target, inventory: Inventory, scanner: Scanner, clock: Clock) -> None:
        self._target = target
        self._inventory = inventory
        self._scanner = scanner
        self._clock = clock
        self._found: frozenset[str] = frozenset()
        """The names of the critical advisories that are known by now."""
        self._accepted: frozenset[str] = frozenset()
        """Those of them in spite of which a person has let the launch go on."""

    async def look(self) -> Sighting:
        """See `Source.look`."""
        at = self._clock.now()
        try:
            digest = (await self._target.status(Side.GREEN)).digest
            if not digest:
                return Sighting(at, None, "not scanned: green does not say which image it runs")
            contents = await self._inventory.contents(digest)
            if not contents.packages:
                return Sighting(at, None, f"not scanned: {contents.source} names no package")
            advisories = distinct(await self._scanner.advisories(contents.packages))
        except (ProbeError, RolloutError, ReleaseError) as error:
            return Sighting(at, None, f"not scanned: {error} ({error.hint})")
        return self._seen(at, digest, contents, advisories)

    def accept(self) -> None:
        """See `Source.accept`."""
        self._accepted = self._found

    def _seen(self, at: float, digest: str, contents: Contents, advisories: Sequence[Advisory]) -> Sighting:
        bad = critical(advisories)
        new = [one for one in bad if not one.names & self._accepted]
        self._found = frozenset(name for one in bad for name in one.names)
        unrated = sum(not one.rated for one in advisories)
        words = [f"{len(contents.packages)} packages by {contents.source}: {len(bad)} critical"]
        words += [found(bad)] if bad else []
        words += [f"{len(advisories) - len(bad)} others"] if len(advisories) > len(bad) else []
        words += [f"{unrated} of them unrated"] if unrated else []
        words += [f"{len(bad) - len(new)} accepted by a person"] if len(bad) > len(new) else []
        words += [f"{contents.unnamed} more packages cannot be asked about"] if contents.unnamed else []
        rows: list[JsonValue] = [one.data() for one in bad]
        return Sighting(
            at,
            bool(new),
            "; ".join(words),
            f"{found(new)}; in {digest}" if new else "",
            {"digest": digest, "packages": len(contents.packages), "critical": rows},
        )
