"""Files that people show with their word: when they were made, as far as anybody says."""

import os
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import pytest
from aiohttp import web

from tminus import evidence
from tminus.wiring.shown import kept

MADE = 1_800_000_000.0


async def test_a_file_was_made_when_it_was_last_written(tmp_path: Path) -> None:
    path = tmp_path / "board.txt"
    path.write_text("all is well\n", encoding="utf-8")
    os.utime(path, (MADE, MADE))
    assert (await kept(evidence.beside(tmp_path), str(path))).made == MADE


@pytest.mark.parametrize(
    ("said", "made"),
    [(format_datetime(datetime.fromtimestamp(MADE, UTC), usegmt=True), MADE), ("", None), ("lately", None)],
)
async def test_an_address_says_when_it_was_last_written_or_nobody_does(
    said: str, made: float | None, tmp_path: Path
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text="all is well", headers={"Last-Modified": said} if said else {})

    site = web.Application()
    site.add_routes([web.get("/board", answer)])
    runner = web.AppRunner(site, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        address = f"http://127.0.0.1:{runner.addresses[0][1]}/board"
        assert (await kept(evidence.beside(tmp_path), address)).made == made
    finally:
        await runner.cleanup()
