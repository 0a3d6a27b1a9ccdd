"""When a demo opens a browser, and with which command."""

import asyncio
import os
from pathlib import Path

import pytest

from tminus.demo.page import MissionPage, Viewing, browser_of


def _desktop(folder: Path, **more: str) -> dict[str, str]:
    opener = folder / "xdg-open"
    opener.write_text("#!/bin/sh\n")
    opener.chmod(0o755)
    return {"PATH": str(folder), "DISPLAY": ":0", **more}


def test_a_desktop_opens_the_address_by_its_own_opener(tmp_path: Path) -> None:
    assert browser_of(_desktop(tmp_path), "linux") == (str(tmp_path / "xdg-open"), "%s")
    assert browser_of({}, "darwin") == ("open", "%s")


def test_nothing_is_opened_where_nobody_can_see_it(tmp_path: Path) -> None:
    assert browser_of(_desktop(tmp_path, CI="true"), "linux") == ()
    assert browser_of(_desktop(tmp_path, DISPLAY=""), "linux") == ()
    assert browser_of(_desktop(tmp_path, PATH="/nowhere"), "linux") == ()
    assert browser_of({"SSH_CONNECTION": "::1 1 ::1 22"}, "darwin") == ()


@pytest.mark.parametrize(
    ("browser", "command"),
    [
        ("", ()),
        ("firefox", ("firefox", "%s")),
        ("chromium --app=%s:lynx", ("chromium", "--app=%s")),
        ("'my browser' --new", ("my browser", "--new", "%s")),
        ("'", ()),
    ],
)
def test_the_variable_browser_says_which_or_none(
    browser: str, command: tuple[str, ...], tmp_path: Path
) -> None:
    assert browser_of(_desktop(tmp_path, BROWSER=browser), "linux") == command


async def test_the_browser_gets_the_address_as_one_word_and_nobody_waits_for_it(tmp_path: Path) -> None:
    done = tmp_path / "fifo"
    os.mkfifo(done)
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nread line < {done}\necho "$#:$1" > {done}\n')
    browser.chmod(0o755)
    said: list[str] = []
    page = MissionPage(tmp_path, tmp_path, Viewing(served=True, browser=(str(browser), "%s")), said.append)
    await page._browse("http://127.0.0.1:1/launches/a b;c")
    done.write_text("go\n")
    assert done.read_text() == "1:http://127.0.0.1:1/launches/a b;c\n"
    assert said == []


async def test_a_page_that_is_not_wanted_is_not_started(tmp_path: Path) -> None:
    page = MissionPage(tmp_path, tmp_path, Viewing(), pytest.fail)
    page.open("demo-1")
    await page.told()
    await page.leave()
    assert page._looking is None


async def test_a_page_that_cannot_be_started_is_said_and_breaks_nothing(tmp_path: Path) -> None:
    said: list[str] = []
    page = MissionPage(tmp_path / "gone", tmp_path, Viewing(served=True), said.append)
    page.open("demo-1")
    await asyncio.wait_for(page.told(), 60)
    assert said[0].startswith("no mission page, and the launch goes on without: ")
