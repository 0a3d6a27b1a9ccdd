"""depot's worker on a stage: one process, of the release that serves everybody.

Green's release gets the worker when it has all the traffic, and loses it with the first request that goes back to
blue: until a release has proven itself, its code does no job that nobody watches. Who looks after the parts swaps it.
"""

import shlex
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tminus.demo.supervisor import AGAIN, POLITE_SECONDS, Part
from tminus.haproxy import DesiredState
from tminus.oci import Invocation
from tminus.processes import make_part_folder, polite
from tminus.releases import Releases

NAME = "worker"
_SCRIPT = "run.sh"
_RELEASE = "release"
_STARTED = b"worker started"
"""What depot logs when its worker has its connections."""


@dataclass(frozen=True, slots=True)
class Serving:
    """Which release serves everybody, of the two of one launch."""

    releases: Releases
    previous: str
    release: str
    desired: DesiredState
    """How the traffic is divided, as the target last had it."""

    def digest(self) -> str:
        """Its digest: the new release's only when all traffic is on green."""
        wanted = self.desired.read()
        return self.release if wanted is not None and wanted.percent == 100 else self.previous

    async def invocation(self, digest: str) -> Invocation:
        """How the worker of a release is run."""
        await self.releases.prepare(digest)
        return await self.releases.invocation(digest, "worker")


@dataclass(slots=True)
class Worker:
    """The worker's description for the supervisor."""

    stage: Path
    serving: Serving
    renew: Callable[[str], Awaitable[None]]
    """Has a part started anew."""
    _logged: int = field(default=0, init=False)
    """Bytes of its log before this start."""

    @property
    def folder(self) -> Path:
        """Where it runs."""
        return self.stage / NAME

    async def part(self) -> Part:
        """How it is started: with what the previous release would be given, and a script for what differs."""
        given = (await self.serving.invocation(self.serving.previous)).env

        async def prepare() -> None:
            digest = self.serving.digest()
            command = await self.serving.invocation(digest)
            make_part_folder(self.stage, NAME)
            (self.folder / _SCRIPT).write_text(_script(given, command), encoding="utf-8")
            (self.folder / _RELEASE).write_text(digest, encoding="utf-8")
            self._logged = len(self._log())

        return Part(
            NAME,
            # Its start takes two seconds of a processor, in the middle of a shift: users come first.
            polite(["/bin/sh", _SCRIPT]),
            given,
            answers=self._answers,
            prepare=prepare,
            look=self._follow,
            restarts=AGAIN,
            start_seconds=POLITE_SECONDS,
        )

    async def _answers(self) -> bool:
        return _STARTED in self._log()[self._logged :]

    async def _follow(self) -> None:
        """Have the worker be of the release that serves everybody now."""
        if (self.folder / _RELEASE).read_text(encoding="utf-8") != self.serving.digest():
            await self.renew(NAME)

    def _log(self) -> bytes:
        log = self.folder / "log"
        return log.read_bytes() if log.exists() else b""


def _script(given: Mapping[str, str], command: Invocation) -> str:
    """What turns one release's environment into another's; the service's settings are in both, and not in here."""
    changes = [
        f"export {name}={shlex.quote(value)}"
        for name, value in command.env.items()
        if given.get(name) != value
    ]
    changes += [f"unset {name}" for name in given if name not in command.env]
    return "\n".join([*changes, f"exec {shlex.join(command.argv)}", ""])
