"""HAProxy's Runtime API over its admin socket: every change is read back.

Reference: HAProxy Management Guide 2.6, §9.3. A reply without text is HAProxy's yes; any other is its reason for a no.

To send everything to green, blue gets weight 0 and stays `ready`: it takes no new request, is still
health-checked, and a rollback is one command away. `drain` is for a side that is about to be stopped.
"""

import asyncio
import csv
import io
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tminus.domain.traffic import Side
from tminus.errors import RolloutError, UnreachableError
from tminus.haproxy.configuration import BACKEND

_FORCED_MAINTENANCE, _FORCED_DRAIN = 0x01, 0x08
"""Bits of `srv_admin_state` that the Runtime API sets (HAProxy 2.6, include/haproxy/server-t.h)."""
_POLL_SECONDS = 0.02


class State(StrEnum):
    """What an operator wants of a server."""

    READY = "ready"
    """Takes its share of new requests while it is healthy."""
    DRAIN = "drain"
    """Finishes what it has and takes nothing new."""
    MAINT = "maint"
    """Takes nothing and is not checked."""


@dataclass(frozen=True, slots=True)
class Weights:
    """The shares of new requests in percent."""

    blue: int
    green: int


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """How HAProxy sees one side."""

    side: Side
    status: str
    """UP, DOWN, MAINT, DRAIN or NOLB."""
    weight: int
    """Its weight as set; it gets requests of it only while it is up."""
    sessions: int
    """Requests that it is serving now."""
    queued: int
    """Requests that wait for it."""
    check: str
    """The last health check: L7OK, L4CON (refused), L4TOUT, …; INI before the first, empty in maintenance."""
    changed_seconds: int
    """How long it has been in this status."""
    requests: int
    """Requests sent to it since HAProxy started."""
    ejections: int
    """How often its health check took it out."""
    address: str
    """Where HAProxy finds it."""

    @property
    def up(self) -> bool:
        """Whether it can serve, by a health check that it passed."""
        return self.status in {"UP", "DRAIN"} and self.check == "L7OK"

    @property
    def undecided(self) -> bool:
        """Whether HAProxy has yet to make up its mind: not checked so far, or failed once of the twice that eject."""
        return self.status in {"UP", "DRAIN", "NOLB"} and self.check != "L7OK"


class Runtime:
    """Speaks to one running HAProxy; every command has `seconds` to be answered."""

    def __init__(self, admin: Path, *, seconds: float = 2.0) -> None:
        self.admin = admin
        self._seconds = seconds

    async def set_weights(self, blue: int, green: int) -> Weights:
        """Divide new requests, in percent; what HAProxy reports afterwards.

        The share that grows is set first, so that never both are 0.
        """
        wanted = Weights(blue=blue, green=green)
        if blue + green != 100 or min(blue, green) < 0:
            raise RolloutError(
                f"{blue} % and {green} % are not the shares of one whole",
                hint="give two shares that make 100",
            )
        before = await self.get_weights()
        order = (Side.BLUE, Side.GREEN) if blue >= before.blue else (Side.GREEN, Side.BLUE)
        for side in order:
            await self._tell(f"set server {BACKEND}/{side} weight {blue if side is Side.BLUE else green}")
        seen = await self.get_weights()
        if seen != wanted:
            raise RolloutError(
                f"HAProxy reports {seen}, not the {wanted} that was set",
                hint="see who else uses its admin socket",
            )
        return seen

    async def get_weights(self) -> Weights:
        """The weights that HAProxy uses now."""
        servers = await self.servers()
        return Weights(blue=servers[Side.BLUE].weight, green=servers[Side.GREEN].weight)

    async def set_state(self, side: Side, state: State) -> None:
        """Have a side take requests, finish, or rest; read back."""
        await self._tell(f"set server {BACKEND}/{side} state {state}")
        seen = await self.get_state(side)
        if seen is not state:
            raise RolloutError(
                f"{side} is in {seen} and not in {state}", hint="see who else uses the admin socket"
            )

    async def get_state(self, side: Side) -> State:
        """What was last wanted of a side."""
        table = (await self.ask(f"show servers state {BACKEND}")).splitlines()
        header = next(row for row in table if row.startswith("# ")).removeprefix("# ").split()
        rows = [dict(zip(header, row.split(), strict=False)) for row in table if f" {side} " in row]
        if len(rows) != 1:
            raise RolloutError(f"HAProxy knows no server {side}", hint="it runs with another configuration")
        bits = int(rows[0]["srv_admin_state"])
        if bits & _FORCED_MAINTENANCE:
            return State.MAINT
        return State.DRAIN if bits & _FORCED_DRAIN else State.READY

    async def set_address(self, side: Side, port: int) -> None:
        """Tell where a side listens on the loopback address; read back.

        HAProxy answers this one with a sentence either way, so only the reading back counts.
        """
        reply = await self.ask(f"set server {BACKEND}/{side} addr 127.0.0.1 port {port}")
        seen = (await self.servers())[side].address
        if seen != f"127.0.0.1:{port}":
            raise RolloutError(f"{side} is at {seen}, not at port {port}: {reply}", hint="see HAProxy's log")

    async def servers(self) -> dict[Side, ServerStatus]:
        """How both sides stand now."""
        text = (await self.ask(f"show stat {BACKEND} 4 -1")).removeprefix("# ")
        rows = {row["svname"]: row for row in csv.DictReader(io.StringIO(text))}
        if set(rows) != set(Side):
            raise RolloutError(
                f"HAProxy's servers are {sorted(rows)}, not blue and green: {text[:200]}",
                hint="it runs with another configuration; start it again",
            )
        return {side: _server(side, rows[side]) for side in Side}

    async def sessions(self, side: Side) -> int:
        """Requests that a side is serving or that wait for it."""
        server = (await self.servers())[side]
        return server.sessions + server.queued

    async def drain(self, side: Side, seconds: float) -> int:
        """Give a side nothing new, and wait until it has finished; how many sessions are left at the time limit."""
        await self.set_state(side, State.DRAIN)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        left = await self.sessions(side)
        while left and loop.time() < deadline:
            await asyncio.sleep(_POLL_SECONDS)
            left = await self.sessions(side)
        return left

    async def kept_lines(self) -> list[bytes]:
        """The log lines that HAProxy still keeps in its ring, the oldest first, sent or not."""
        return [line.encode() for line in (await self.ask("show events lines")).splitlines() if line]

    async def reach(self) -> None:
        """Raise `UnreachableError` unless HAProxy answers."""
        await self.ask("show info")

    async def ask(self, command: str) -> str:
        """HAProxy's reply; raises `UnreachableError` when there is none in time."""
        try:
            async with asyncio.timeout(self._seconds):
                return await self._exchange(command)
        except (OSError, TimeoutError) as error:
            raise UnreachableError(
                f"HAProxy does not answer at {self.admin}: {str(error) or 'no reply in time'}",
                hint="see whether its process lives; it is safe to try again",
            ) from error

    async def _exchange(self, command: str) -> str:
        reader, writer = await asyncio.open_unix_connection(self.admin, limit=2**20)
        try:
            writer.write(f"{command}\n".encode())
            await writer.drain()
            return (await reader.read()).decode(errors="replace").strip()
        finally:
            writer.close()

    async def _tell(self, command: str) -> None:
        reply = await self.ask(command)
        if reply:
            raise RolloutError(f"HAProxy refused `{command}`: {reply}", hint="see HAProxy's log")


def _server(side: Side, row: dict[str, str]) -> ServerStatus:
    return ServerStatus(
        side=side,
        status=row["status"].split()[0],
        weight=int(row["uweight"]),
        sessions=int(row["scur"]),
        queued=int(row["qcur"]),
        check=row["check_status"].removeprefix("* "),
        changed_seconds=int(row["lastchg"] or 0),
        requests=int(row["stot"]),
        ejections=int(row["chkdown"] or 0),
        address=row["addr"],
    )
