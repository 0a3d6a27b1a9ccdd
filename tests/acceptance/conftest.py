"""Every acceptance test starts real demos in a home of its own, and none outlives its test."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from demos import Demo, environment


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
async def start(home: Path) -> AsyncIterator[Callable[..., Awaitable[Demo]]]:
    demos: list[Demo] = []

    async def begin(*arguments: str) -> Demo:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tminus",
            "demo",
            "--headless",
            "--yes",
            *arguments,
            env=environment(home),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        demos.append(Demo(process))
        return demos[-1]

    yield begin
    for demo in demos:
        if demo.process.returncode is None:
            await demo.kill()
        await demo._reader
    clear = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tminus",
        "demo",
        "--clear",
        "--yes",
        env=environment(home),
        stdout=asyncio.subprocess.DEVNULL,
    )
    assert await clear.wait() == 0
