"""The mission page that a demo serves: seen in a browser while the launch goes on, and no part of it.

`UPDATE_DOCS=1` writes the picture of the docs from what the browser saw.
"""

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from demos import Demo

if TYPE_CHECKING:
    from playwright.async_api import Page as Tab
    from playwright.async_api import async_playwright
else:
    from playwright.async_api import async_playwright

Begin = Callable[..., Awaitable[Demo]]

CHROMIUM = shutil.which("chromium") or "chromium, which `tminus demo --install-only --for-tests` installs"
PICTURE = Path(__file__).parents[2] / "docs" / "mission.png"
MOST_BYTES = 200_000
"""What a README may ask of somebody's line."""
VIEW_SECONDS = 240
"""From the opening to the rollback, on a busy machine."""


async def _address(demo: Demo) -> str:
    line = await demo.sees("^T-.* • mission page: ")
    found = re.search(r"mission page: (http://127\.0\.0\.1:\d+/launches/[\w-]+) \(this machine only\)$", line)
    assert found is not None, line
    return found[1]


@asynccontextmanager
async def _tab() -> AsyncIterator["Tab"]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield await browser.new_page(
                viewport={"width": 1280, "height": 860}, color_scheme="light", timezone_id="UTC"
            )
        finally:
            await browser.close()


@pytest.mark.slow
@pytest.mark.browser
async def test_a_browser_sees_the_launch_from_the_countdown_to_its_end(start: Begin) -> None:
    async with _tab() as tab:
        demo = await start("--release", "errors")
        await tab.goto(await _address(demo))
        await tab.wait_for_selector("body[data-link=live] .b-count", timeout=30_000)
        await tab.wait_for_selector("body[data-link=live] .b-lift", timeout=VIEW_SECONDS * 1000)
        await tab.wait_for_selector("body[data-link=live] .b-back", timeout=VIEW_SECONDS * 1000)
        assert await demo.ends() == 0, demo.text
        await tab.wait_for_selector("body[data-link=ended]", timeout=15_000)
        assert await tab.inner_text("#decision h2") == "Rolled back"
        assert await tab.inner_text("#conn-word") == "The launch has ended"
        assert await tab.inner_text("#back-why") == "launch ended"
        assert await tab.locator("#foot", has_text=", sealed").count() == 1, "the end was not shown"
        seen = await tab.screenshot(path=PICTURE if os.environ.get("UPDATE_DOCS") else None)
    assert len(seen) <= MOST_BYTES


@pytest.mark.slow
@pytest.mark.chaos
async def test_a_page_that_is_killed_is_missed_by_nobody_but_its_viewers(start: Begin) -> None:
    demo = await start("--release", "errors")
    await _address(demo)
    page = psutil.Process(int((demo.stage / "page" / "pid").read_text()))
    page.kill()
    await demo.sees("the mission page has ended, and the launch goes on without; `tminus serve demo-")
    assert await demo.ends() == 0, demo.text
    assert demo.lines[-1].startswith("outcome=rolled-back")
    assert not demo.stage.exists()


@pytest.mark.slow
@pytest.mark.chaos
async def test_a_page_can_be_left_out_and_stays_with_a_stage_that_is_kept(start: Begin) -> None:
    without = await start("--no-page")
    await without.sees(r"test\.smoke")  # where there is a page, it is told before this
    without.interrupt()
    assert await without.ends() == 1, without.text
    assert "mission page" not in without.text
    kept = await start("--release", "crash", "--keep")
    address = await _address(kept)
    assert await kept.ends() == 0, kept.text
    reader, writer = await asyncio.open_connection("127.0.0.1", int(address.split(":")[2].split("/")[0]))
    writer.write(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 ")
    writer.close()
    await writer.wait_closed()
