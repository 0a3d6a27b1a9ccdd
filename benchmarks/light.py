"""A stage of the product with sides that cost little: the real proxy, the real target, its log and its state."""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from tminus import processes
from tminus.control.liftoff import RETRY
from tminus.control.ports import Json
from tminus.demo.machine import ThisMachine
from tminus.demo.packages import Binaries, locate
from tminus.demo.stage import Stage
from tminus.domain.canonical import sha256_hex
from tminus.domain.traffic import Side
from tminus.errors import PartError, ProbeError
from tminus.haproxy import Desired, Runtime
from tminus.http import connect
from tminus.oci import Invocation
from tminus.releases import Releases
from tminus.targets.local import LocalTarget

OLD, NEW = (f"sha256:{sha256_hex(name)}" for name in (b"the old release", b"the new release"))
T = TypeVar("T")
TRIES = 5
"""How often an act is tried that cannot be read back."""
SERVER = Path(__file__).with_name("light_server.py")


def binaries() -> Binaries:
    """The stage's programs; says what to type where one is missing."""
    found = locate(ThisMachine())
    if found is None:
        sys.exit(
            "a program of the stage is missing; install them: .venv/bin/tminus demo --install-only --yes"
        )
    return found


def wrk() -> str:
    """The load generator of Debian's package of that name; without it this fails, for a skipped proof is none."""
    found = shutil.which("wrk")
    if found is None:
        sys.exit("wrk is missing; install it: sudo apt-get install -y --no-install-recommends wrk")
    return found


@dataclass(frozen=True, slots=True)
class LightReleases(Releases):
    """Releases without images: each is the same small server, which says the digest that it was started for."""

    seed: int = 0

    async def prepare(self, digest: str) -> Json:
        """There is nothing to unpack."""
        return {"digest": digest}

    async def invocation(
        self, digest: str, *arguments: str, settings: Mapping[str, str] | None = None
    ) -> Invocation:
        """The small server, for the port that the target gives."""
        del settings
        port = arguments[arguments.index("--port") + 1]
        version = "1" if digest == OLD else "2"
        argv = (sys.executable, "-P", str(SERVER), port, digest, version, str(self.seed))
        return Invocation(argv, {"PATH": os.environ["PATH"]})


@dataclass
class Scene:
    """One stage with its proxy, and blue that serves."""

    stage: Stage
    target: LocalTarget
    proxy: Runtime
    deaths: list[str] = field(default_factory=list)
    """Parts that ended and that nobody stopped."""
    unread: list[str] = field(default_factory=list)
    """Acts that could not be read back at once, and were done again."""

    async def steady(self, act: Callable[[], Awaitable[T]]) -> T:
        """Do as a launch does: what cannot be read back is done again after a pause."""
        for _ in range(TRIES - 1):
            try:
                return await act()
            except (ProbeError, PartError) as error:
                self.unread.append(str(error))
            await asyncio.sleep(RETRY)
        return await act()

    async def order(self, side: Side, **faults: float) -> None:
        """Have one side fail so from now on."""
        async with connect(self.target.private_url(side), seconds=5.0) as http:
            answer = await http.ask("POST", "/faults", json_body=faults)
        assert answer.status == 200


@asynccontextmanager
async def opened(home: Path, seed: int) -> AsyncIterator[Scene]:
    """A stage below this home, looked after as the demo does; nothing of it is left."""
    await asyncio.to_thread(home.mkdir, parents=True, exist_ok=True)
    stage = Stage.create(home, binaries())
    proxy = Runtime(stage.admin)
    ports = {Side.BLUE: stage.blue_port, Side.GREEN: stage.green_port}
    releases = LightReleases(home, stage.folder / "releases", {}, seed=seed)
    target = LocalTarget(stage.folder, releases, proxy, ports)
    scene = Scene(stage, target, proxy)

    async def told(news: object) -> None:
        scene.deaths.append(str(news))

    watching: asyncio.Task[None] | None = None
    try:
        await stage.start_haproxy(Desired(0, {Side.BLUE: stage.blue_port}))
        watching = asyncio.create_task(stage.look_after(told, asyncio.get_running_loop().time))
        await target.start(Side.BLUE, OLD)
        yield scene
    finally:
        if watching is not None:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        await processes.end_strays(stage.folder)
        await stage.remove()
