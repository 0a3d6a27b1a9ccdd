"""The local target: blue and green as processes behind HAProxy on this machine.

A release is proven blob by blob and run from the folder it was unpacked into. What runs is read from what runs: the
digest comes from the service itself, the start time from the process, weight and health from the proxy.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tminus.control.ports import Json, SideStatus
from tminus.domain.traffic import Side
from tminus.errors import PartError, ProbeError, RolloutError, UnreachableError
from tminus.haproxy import DesiredState, Runtime, State, by_hand, desired_state, finished, finishing
from tminus.http import connect
from tminus.processes import Process, find, start, wait_until
from tminus.releases import Releases

START_SECONDS = 30.0
"""How long a side may take from its start to its first healthy answer, and to be seen up by the proxy."""

STOP_SECONDS = 10.0
"""How long a drained side may take to end by itself."""


@dataclass(frozen=True, slots=True)
class LocalTarget:
    """Two sides of one service on loopback ports, and the proxy that divides the traffic."""

    stage: Path
    releases: Releases
    proxy: Runtime
    ports: Mapping[Side, int]

    @property
    def desired(self) -> DesiredState:
        """What the proxy is meant to do, for one that has to be started again."""
        return desired_state(self.stage)

    def private_url(self, side: Side) -> str:
        """See `Target.private_url`."""
        return f"http://127.0.0.1:{self.ports[side]}"

    def by_hand(self) -> tuple[str, ...]:
        """See `Target.by_hand`."""
        return by_hand(self.proxy.admin)

    async def prepare(self, digest: str) -> Json:
        """See `Target.prepare`."""
        return await self.releases.prepare(digest)

    async def start(self, side: Side, digest: str) -> SideStatus:
        """See `Target.start`; raises `RolloutError` when the release does not come up."""
        process = find(self.stage, side.value)
        if process is not None and (await self._identity(side))[0] != digest:
            # Proven before anything is stopped: an altered image must not cost the side that runs.
            await self.releases.prepare(digest)
            await process.stop(STOP_SECONDS)
            process = None
        if process is None:
            process = await self._spawn(side, digest)
        try:
            await process.ready(lambda: self._answers(side), START_SECONDS)
            await self._admit(side)
        except PartError as error:
            raise RolloutError(f"{side.value} did not come up: {error}", hint=error.hint) from error
        return await self.status(side)

    async def set_weight(self, percent: int) -> int:
        """See `Target.set_weight`."""
        self.desired.lower(percent)
        confirmed = (await self.proxy.set_weights(blue=100 - percent, green=percent)).green
        self.desired.confirm(confirmed)
        return confirmed

    async def status(self, side: Side) -> SideStatus:
        """See `Target.status`; a proxy that has just started, or doubts a side, cannot tell whether that can serve."""
        server = (await self.proxy.servers())[side]
        process = find(self.stage, side.value)
        alive = process is not None and process.alive()
        if alive and server.undecided:
            raise UnreachableError(
                f"the proxy has not decided whether {side.value} can serve; its last health check: {server.check}",
                hint="ask again in a second or two",
            )
        digest, version = await self._identity(side) if alive else ("", "")
        return SideStatus(
            running=alive,
            started=process.started if process is not None and alive else 0.0,
            digest=digest,
            version=version,
            up=server.up,
            weight=server.weight,
            sessions=server.sessions,
        )

    async def stop(self, side: Side, drain_seconds: float) -> int:
        """See `Target.stop`; stopped already: only the proxy is told again."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + drain_seconds
        left = await self.proxy.drain(side, drain_seconds)
        if not await finished(self.stage, deadline - loop.time()):
            # What an earlier proxy serves still is counted by nobody who answers, and may be this side's.
            left += len(finishing(self.stage))
        process = find(self.stage, side.value)
        if process is not None:
            await process.stop(STOP_SECONDS)
        await self.proxy.set_state(side, State.MAINT)
        self.desired.withdraw(side)
        return left

    async def _spawn(self, side: Side, digest: str) -> Process:
        await self.releases.prepare(digest)
        port = str(self.ports[side])
        command = await self.releases.invocation(digest, "serve", "--host", "127.0.0.1", "--port", port)
        return start(self.stage, side.value, command.argv, env=command.env)

    async def _admit(self, side: Side) -> None:
        """Have the proxy check this side; its weight stays as it is, so it gets no traffic by this."""
        await self.proxy.set_address(side, self.ports[side])
        await self.proxy.set_state(side, State.READY)
        self.desired.admit(side, self.ports[side])

        async def up() -> bool:
            return (await self.proxy.servers())[side].up

        await wait_until(up, START_SECONDS, f"the proxy to see {side.value} up")

    async def _answers(self, side: Side) -> bool:
        return bool((await self._identity(side))[0])

    async def _identity(self, side: Side) -> tuple[str, str]:
        """Digest and version that the running code reports of itself; empty while it does not answer."""
        try:
            async with connect(self.private_url(side), seconds=2.0) as http:
                body = (await http.get("/health")).json()
        except ProbeError:
            # Not answering is what is asked here; that the process is gone or ejected is seen elsewhere.
            return "", ""
        return str(body.get("digest") or ""), str(body.get("version") or "")
