"""Real demos in real processes: started, read line by line, interrupted, killed, and looked after."""

import asyncio
import os
import re
import signal
from contextlib import suppress
from pathlib import Path

import psutil

LINE_SECONDS = 240.0
"""How long to wait for one expected line; on a machine at rest the slowest stretch of a demo takes a fifth of it."""
END_SECONDS = 300.0
"""How long to wait for the end of a demo: three times what a whole one takes."""


class Demo:
    """One `tminus demo` process and everything it has printed so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []
        self._reader = asyncio.create_task(self._read())
        self._news = asyncio.Condition()

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for raw in self.process.stdout:
            async with self._news:
                self.lines.append(raw.decode().rstrip("\n"))
                self._news.notify_all()
        async with self._news:
            self._news.notify_all()

    async def sees(self, pattern: str) -> str:
        """The first line that matches; fails with the whole output when the demo ends or time passes without it."""
        found: list[str] = []

        def there() -> bool:
            found[:] = [line for line in self.lines if re.search(pattern, line)]
            return bool(found) or self._reader.done()

        try:
            async with asyncio.timeout(LINE_SECONDS), self._news:
                await self._news.wait_for(there)
        except TimeoutError:
            pass  # what it printed instead says more than that time has passed
        assert found, f"no line {pattern!r} in\n{self.text}"
        return found[0]

    async def ends(self, seconds: float = END_SECONDS) -> int:
        """Its exit code, and every line read."""
        async with asyncio.timeout(seconds):
            code = await self.process.wait()
            await self._reader
        return code

    def interrupt(self) -> None:
        """Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    async def kill(self) -> None:
        """`kill -9` of tminus alone; what it started lives on."""
        self.process.kill()
        await self.process.wait()

    async def kill_everything(self, folder: Path) -> None:
        """`kill -9` of tminus and of all that runs on its stage, found by working directory."""
        self.process.kill()
        for other in inside(folder):
            with suppress(psutil.NoSuchProcess):  # it ended by itself since it was found
                other.kill()
        await self.process.wait()

    @property
    def stage(self) -> Path:
        """The stage folder that the demo named."""
        return Path(next(line for line in self.lines if re.match(r"stage \w+: ", line)).rpartition(" in ")[2])

    @property
    def text(self) -> str:
        """Everything printed so far."""
        return "\n".join(self.lines)

    @property
    def record(self) -> Path:
        """The record that the last line names."""
        return Path(self.lines[-1].rpartition("record=")[2])


def inside(folder: Path) -> list[psutil.Process]:
    """Every process whose working directory lies in this folder, also when the folder is gone."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd().removesuffix(" (deleted)").startswith(f"{folder}/"):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue  # it ended while we looked, or is the kernel's: not ours
    return found


def nothing_left(home: Path, folder: Path) -> bool:
    """Whether no process, folder or entry of a stage is left."""
    return not inside(folder) and not folder.exists() and not list((home / "stages").glob("*.json"))


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "TMINUS_HOME": str(home), "COLUMNS": "80"}
