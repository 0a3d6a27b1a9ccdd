"""Commands of a release on this machine, beside the service."""

from collections.abc import Sequence
from dataclasses import dataclass

from tminus.errors import InconclusiveError, RolloutError
from tminus.releases import Releases


@dataclass(frozen=True, slots=True)
class LocalCommands:
    """The commands of releases as they were unpacked, run with the service's environment."""

    releases: Releases

    async def run(self, digest: str, command: Sequence[str], name: str = "") -> str:
        """See `Commands.run`: a command that is given up is ended, so each call begins one."""
        del name
        try:
            said = await self.releases.run(digest, *command)
        except InconclusiveError as error:
            raise RolloutError(str(error), hint=error.hint) from error
        return (said.splitlines() or [""])[-1]

    async def settle(self, name: str) -> None:
        """See `Commands.settle`: nothing goes on here without us."""
