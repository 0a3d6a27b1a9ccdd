"""The page as a demo starts it: a process of its own that says where it is, may die, and is left or ended."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import pytest

if TYPE_CHECKING:
    from tests.integration.web.page_world import LAUNCH, Played
else:
    from page_world import LAUNCH, Played

from tminus import processes
from tminus.demo.page import PAGE, MissionPage, Viewing, stop_page


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A polite page would wait for every other test before it answers."""
    monkeypatch.setattr(processes, "polite", list)


async def _until(condition: Callable[[], bool]) -> None:
    async def met() -> bool:
        return condition()

    await processes.wait_until(met, 60, "the page")


async def test_it_says_its_address_is_found_again_and_is_ended(tmp_path: Path) -> None:
    said: list[str] = []
    await Played().open().keep(tmp_path / "home")
    first = MissionPage(tmp_path, tmp_path / "home", Viewing(served=True), said.append)
    try:
        first.open(LAUNCH)
        await asyncio.wait_for(first.told(), 60)
        await first.leave()
        address = said[0].removeprefix("mission page: ").partition(" ")[0]
        async with aiohttp.ClientSession() as http, http.get(address) as answer:
            assert (answer.status, LAUNCH in await answer.text()) == (200, True)
        again = MissionPage(tmp_path, tmp_path / "home", Viewing(served=True), said.append)
        again.open(LAUNCH)
        await _until(lambda: len(said) == 2)
        assert said[1] == said[0], "another tminus takes over the same page"
        await again.leave()
    finally:
        await stop_page(tmp_path)
    assert processes.find(tmp_path, PAGE) is None
    assert len(said) == 2


async def test_one_that_is_killed_is_said_once_and_raises_nothing(tmp_path: Path) -> None:
    said: list[str] = []
    await Played().open().keep(tmp_path / "home")
    page = MissionPage(tmp_path, tmp_path / "home", Viewing(served=True), said.append)
    try:
        page.open(LAUNCH)
        await _until(lambda: bool(said))
        found = processes.find(tmp_path, PAGE)
        assert found is not None
        await found.kill()
        await _until(lambda: len(said) == 2)
        assert said[1].startswith(
            "the mission page has ended, and the launch goes on without; `tminus serve "
        )
        assert page._looking is not None
        await asyncio.wait_for(page._looking, 5)
    finally:
        await stop_page(tmp_path)
