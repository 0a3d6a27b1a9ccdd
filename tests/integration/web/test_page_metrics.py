"""`tminus serve` shows tminus's own figures at /metrics, on this machine alone, without making or changing anything."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tminus.store import connect, prepare


@asynccontextmanager
async def serving(home: Path) -> AsyncIterator[str]:
    """The command in a process of its own; gives its address."""
    program = str(Path(sys.executable).parent / "tminus")
    environment = {**os.environ, "TMINUS_HOME": str(home)}
    environment.pop("TMINUS_DATABASE_URL", None)
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        program,
        "serve",
        "--no-worker",
        "--port",
        "0",
        stdout=pipe,
        stderr=asyncio.subprocess.DEVNULL,
        env=environment,
    )
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), 60)
        yield line.decode().strip()
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), 30)


async def ask(address: str, host: str = "") -> tuple[int, str, str]:
    headers = {"Host": host} if host else {}
    async with aiohttp.ClientSession() as http, http.get(f"{address}metrics", headers=headers) as answer:
        return answer.status, await answer.text(), answer.headers["content-type"]


@pytest.mark.parametrize("made", [True, False], ids=["a database", "none yet"])
async def test_the_page_s_process_shows_how_the_common_database_stands(tmp_path: Path, *, made: bool) -> None:
    if made:
        engine = connect(f"sqlite:///{tmp_path / 'tminus.db'}")
        prepare(engine)
        engine.dispose()
    async with serving(tmp_path) as address:
        status, text, kind = await ask(address)
        assert (status, kind.partition(";")[0]) == (200, "text/plain")
        assert f"tminus_database_up {float(made)}" in text.splitlines()
        assert ("tminus_launches_open 0.0" in text.splitlines()) == made
        assert (await ask(address, "evil.example"))[0] == 421
    assert (tmp_path / "tminus.db").exists() == made
