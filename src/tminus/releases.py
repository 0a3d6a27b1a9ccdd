"""The releases of one service on this machine: proven, unpacked, and run with their own commands.

The local target starts them, the database adapter lets them migrate, probes ask them what they are.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tminus import processes
from tminus.control.ports import Json
from tminus.errors import InconclusiveError, PartError, PlanError, ProbeError, ReleaseError, UnreachableError
from tminus.oci import Image, Invocation, Repository, invocation, pull, unpack, verify

SECONDS = 120.0
"""The time limit of one command of a release."""


@dataclass(frozen=True, slots=True)
class Releases:
    """An image layout, and the folder into which its images are unpacked."""

    layout: Path
    folder: Path
    settings: Mapping[str, str]
    """The service's environment; it may hold secrets and is never shown."""
    repository: Repository | None = None
    """Where an image that the layout lacks is pulled from; nothing: the layout holds every image."""
    aside: bool = False
    """Whether what runs is a trial beside the service that users are on, and may not take its processor time."""

    async def verified(self, digest: str) -> Image:
        """The image of a digest, with every byte compared; raises `ReleaseError` or `PlanError`."""
        return await asyncio.to_thread(verify, self.layout, digest)

    async def prepare(self, digest: str) -> Json:
        """Have a release pulled, unpacked and unaltered in its folder; only what is missing is asked for."""
        if self.repository is not None:
            await pull(self.repository, digest, self.layout)
        image = await self.verified(digest)
        await asyncio.to_thread(unpack, self.layout, digest, self.root(digest))
        return {"digest": digest, "version": image.version, "blobs": image.blobs, "bytes": image.size}

    async def invocation(
        self, digest: str, *arguments: str, settings: Mapping[str, str] | None = None
    ) -> Invocation:
        """How to run a prepared release with these arguments."""
        image = await self.verified(digest)
        command = invocation(image, self.root(digest), arguments, {**self.settings, **(settings or {})})
        return replace(command, argv=tuple(processes.polite(command.argv))) if self.aside else command

    async def run(self, digest: str, *arguments: str, settings: Mapping[str, str] | None = None) -> str:
        """Run one command of a release to its end; what it printed. Raises `InconclusiveError` when it fails."""
        await self.prepare(digest)
        command = await self.invocation(digest, *arguments, settings=settings)
        try:
            ended = await processes.run(
                command.argv, env=command.env, folder=self.root(digest), seconds=SECONDS
            )
        except PartError as error:
            raise InconclusiveError(str(error), hint="see the image's entry point") from error
        what, text = " ".join(arguments), ended.said.strip()
        if ended.code is None:
            raise UnreachableError(f"`{what}` took longer than {SECONDS:g} s", hint="what does it wait for?")
        if ended.code != 0:
            raise InconclusiveError(f"`{what}` failed: {text[-300:]}", hint="see the message")
        return text

    def root(self, digest: str) -> Path:
        """The folder into which this image is unpacked, be it there yet or not."""
        return self.folder / digest.removeprefix("sha256:")


@contextmanager
def observable() -> Iterator[None]:
    """Within it, an image that is missing or altered is no observation: `ProbeError`.

    A probe that runs a release cannot let `ReleaseError` pass, because that would end the launch.
    """
    try:
        yield
    except (ReleaseError, PlanError) as error:
        raise ProbeError(f"the release cannot be run: {error}", hint=error.hint) from error
