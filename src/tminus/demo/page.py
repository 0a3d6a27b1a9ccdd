"""The mission page of a demo: a process of its own that reads the launch's record, beside the stage and no part of it.

The launch never waits for it and never asks it anything. A page that does not start, or dies, is said once, and the
launch goes on.
"""

import asyncio
import os
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tminus import processes
from tminus.errors import PartError
from tminus.processes import Process
from tminus.web.render import live

PAGE = "page"
"""The name of its folder on the stage."""
START_SECONDS = 30.0
"""How long it may take to name its address; ten times the usual, on a busy machine."""
STOP_SECONDS = 3.0
"""How long it may take to end: it holds nothing that could be lost."""
LOOK_SECONDS = 0.5
"""How often it is looked at."""
BROWSE_SECONDS = 5.0
"""How long a desktop may take to accept an address."""

_PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH", "TZ")
_ADDRESS = re.compile(r"^http://127\.0\.0\.1:\d+/launches/\S+$", re.MULTILINE)
# The browser is nobody's part: it gets no terminal, and nobody waits for its end.
_LET_GO = '"$@" </dev/null >/dev/null 2>&1 &'

STILL = "; load it again to see changes, since its script library is not installed: `make page`"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Viewing:
    """How a demo is to be watched in a browser."""

    served: bool = False
    """Whether there is a mission page."""
    browser: tuple[str, ...] = ()
    """The command that opens an address on the viewer's desktop; none where nobody watches."""


class MissionPage:
    """The page of one launch, on one stage."""

    def __init__(self, stage: Path, home: Path, viewing: Viewing, say: Say) -> None:
        self._stage = stage
        self._home = home
        self._viewing = viewing
        self._say = say
        self._looking: asyncio.Task[None] | None = None
        self._told = asyncio.Event()

    def open(self, launch: str) -> None:
        """Start it, or find the one that a killed tminus left; its address is said as soon as it answers."""
        if self._viewing.served:
            self._looking = asyncio.create_task(self._look_after(launch))

    async def told(self) -> None:
        """Wait until its address was said, or that there is none; `START_SECONDS` at most."""
        if self._looking is not None:
            await self._told.wait()

    async def leave(self) -> None:
        """Take no more notice of it; it goes on by itself."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def _look_after(self, launch: str) -> None:
        try:
            found = await self._find(launch)
        finally:
            self._told.set()
        if found is None:
            return
        process, address = found
        await self._browse(address)
        while process.alive():  # noqa: ASYNC110 - another process has no event to wait for
            await asyncio.sleep(LOOK_SECONDS)
        again = f"`tminus serve {launch}` shows it again"
        self._say(f"the mission page has ended, and the launch goes on without; {again}")

    async def _find(self, launch: str) -> tuple[Process, str] | None:
        """Its process and its address, which is said; nothing when there is none, which is said too."""
        try:
            process = processes.find(self._stage, PAGE) or self._start(launch)
            address = await _address(process)
        except (PartError, OSError) as error:
            self._say(f"no mission page, and the launch goes on without: {error}")
            return None
        self._say(f"mission page: {address} (this machine only{'' if live() else STILL})")
        return process, address

    def _start(self, launch: str) -> Process:
        # The log tells the address of this start and of none before.
        (self._stage / PAGE / "log").unlink(missing_ok=True)
        argv = [sys.executable, "-P", "-m", "tminus", "serve", launch, "--port", "0", "--no-worker"]
        command = processes.polite(argv)
        env = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        return processes.start(self._stage, PAGE, command, env={**env, "TMINUS_HOME": str(self._home)})

    async def _browse(self, address: str) -> None:
        if not self._viewing.browser:
            return
        command = [word.replace("%s", address) for word in self._viewing.browser]
        argv = ["/bin/sh", "-c", _LET_GO, "browse", *command]
        try:
            await processes.run(argv, env=os.environ, seconds=BROWSE_SECONDS)
        except PartError as error:
            self._say(f"no browser was opened: {error}")


async def stop_page(stage: Path) -> None:
    """End the page on a stage, whoever started it; nothing when there is none."""
    process = processes.find(stage, PAGE)
    if process is not None:
        await process.stop(STOP_SECONDS)


def browser_of(environment: Mapping[str, str], platform: str = sys.platform) -> tuple[str, ...]:
    """The command that opens `%s` on the viewer's desktop; none where there is no desktop, or `BROWSER` is empty.

    `BROWSER` is read as other programs do: commands between colons, of which the first is taken. A continuous
    integration (`CI`) has no viewer.
    """
    if environment.get("CI"):
        return ()
    if "BROWSER" in environment:
        return _named(environment["BROWSER"])
    if platform == "darwin":
        return () if "SSH_CONNECTION" in environment else ("open", "%s")
    desktop = environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")
    found = shutil.which("xdg-open", path=environment.get("PATH"))
    return (found, "%s") if desktop and found else ()


def _named(browser: str) -> tuple[str, ...]:
    try:
        words: Sequence[str] = shlex.split(browser.partition(":")[0])
    except ValueError:
        return ()  # a quotation mark without its pair names no program
    if not words:
        return ()
    return (*words,) if any("%s" in word for word in words) else (*words, "%s")


async def _address(process: Process) -> str:
    """Where it answers, as it says itself."""
    found: list[str] = []

    async def said() -> bool:
        log = await asyncio.to_thread(process.log.read_text, errors="replace")
        found[:] = _ADDRESS.findall(log)[-1:]
        return bool(found)

    await process.ready(said, START_SECONDS)
    return found[0]
