"""The page in a real browser: every view at three widths in both themes, and how it behaves while a launch goes on.

Pictures go into the test's own folder, or into `TMINUS_PICTURES` where somebody wants to look at them.
"""

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from tminus.domain.health import Heart
from tminus.picture.roster import Lookout, Roster
from tminus.picture.row import Row
from tminus.picture.tending import Post, Tending

if TYPE_CHECKING:
    from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped] # it ships none
    from playwright.async_api import Browser, async_playwright
    from playwright.async_api import Error as BrowserError
    from playwright.async_api import Page as Tab
    from tests.integration.web.page_world import LAUNCH, T0, Page, Played, served
else:
    from axe_playwright_python.async_playwright import Axe
    from page_world import LAUNCH, T0, Page, Played, served
    from playwright.async_api import Error as BrowserError
    from playwright.async_api import async_playwright

CHROMIUM = shutil.which("chromium") or "chromium, which `tminus demo --install-only --for-tests` installs"
pytestmark = pytest.mark.browser
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
OUTSIDE = """[...document.querySelectorAll('.cmd, .panel, .role, .decision, .need, .log li, .ladder li, .nwho')]
  .filter((each) => each.getBoundingClientRect().right > innerWidth + 1 || each.scrollWidth > each.clientWidth + 2)
  .map((each) => each.className + ' ' + each.id)"""
NAME = "(each) => each.id || each.getAttribute('href') || each.className || each.tagName"
CLICKABLE = f"[...document.querySelectorAll('a[href], button, summary')].map({NAME})"
FOCUSED = f"({NAME})(document.activeElement)"
VISIBLE = (
    "document.activeElement === document.body || getComputedStyle(document.activeElement).outlineStyle !== 'none' \
  || document.activeElement.matches('main, .skip, .theme input')"
)
HEIGHTS = {390: 844, 1280: 900, 1920: 1080}


def _counting() -> Played:
    launch = Played().open()
    launch.ready(cfg__env="failed", t24__freeze="error", rb__criteria="warned").poll()
    launch.sign("engineering")
    launch.sign("qa", "no-go")
    return launch


def _shifting() -> Played:
    return Played().lift_off()


def _rolled_back() -> Played:
    return Played().fall()


def _held() -> Played:
    launch = Played().lift_off()
    text = "Hold by hold.unserved: users' requests reach neither side, 120 so far."
    launch.look("watch 10 % #1", 10, "hold", rule="hold.unserved", text=text)
    launch.add("launch.held", {"where": "watch 10 % #1", "rule": "hold.unserved", "text": text})
    return launch


def _aborted() -> Played:
    launch = _held()
    why = {"rule": "person.abort", "text": "abort by Lena Ortiz: the proxy's room has no power"}
    launch.add("rollback.done", {**why, "seconds": 0.08})
    launch.add("launch.ended", {**why, "outcome": "aborted"})
    return launch


def _no_go() -> Played:
    launch = Played().open().ready(cfg__env="failed").poll()
    launch.sign("qa", "no-go")
    launch.t = 0.0
    why = "the gate is closed: cfg.env"
    launch.add("decision.made", {"decision": "no-go", "by": "Lena Ortiz (simulated)", "reason": why})
    launch.add("launch.ended", {"outcome": "no-go", "text": why})
    return launch


def _wordy() -> Played:
    """Names and answers that are as long as people and systems make them, without a blank to break at."""
    launch, long = Played(), "_of_the_quarterly_migration_of_everything_that_has_ever_been_in_the_depot"
    roles = (replace(role, title=role.title + long, person=role.person + long) for role in launch.plan.roles)
    checks = (replace(check, text=check.text + long) for check in launch.plan.checks)
    launch.plan = replace(launch.plan, roles=tuple(roles), checks=tuple(checks))
    launch.open().ready(cfg__env="failed").poll()
    launch.observe("bk.db", "failed", why="x" * 300 + f" but `{'y' * 120}` was seen", value=["z" * 400])
    launch.sign("qa", "no-go")
    return launch


VIEWS: dict[str, tuple[Callable[[], Played], str]] = {
    "countdown": (_counting, ""),
    "evidence": (_counting, "?line=cfg.env"),
    "liftoff": (_shifting, ""),
    "rolledback": (_rolled_back, ""),
}
SELDOM: dict[str, tuple[Callable[[], Played], str]] = {
    "just opened": (lambda: Played().open(), ""),
    "held": (_held, ""),
    "aborted": (_aborted, ""),
    "no-go": (_no_go, ""),
    "long names": (_wordy, ""),
    "long evidence": (_wordy, "?line=bk.db"),
}


DOUBTS = (
    "nobody runs this demo: its tminus has ended and its users go on; `tminus demo` goes on with it",
    f"the record does not prove what it says: line 29 (decision.made): a stranger signed this, key {'d' * 64}",
)

LISTED = Roster(
    under_way=(
        Row("production-1fed1c56", "production", "launching", "Launching", "green is prepared", T0 - 42),
        Row(
            "staging-9b5c2145",
            "staging",
            "counting",
            "Counting",
            "",
            T0 + 4 * 3600,
            late="T-02:00:00 is late by 12 min",
        ),
        Row(
            "eu-west-0c1d2e3f",
            "eu-west",
            "held",
            "Held",
            "by Lena Ortiz: the fire alarm rings",
            T0 + 9e4,
            -7200.0,
        ),
        Row(
            "shop_" + "of_the_quarterly_migration_of_everything" * 2,
            "y" * 63,
            "counting",
            "Counting",
            "",
            T0 + 1e5,
            trouble="nobody runs it",
        ),
        Row("blue-77aa88bb", "blue", "postponed", "NO-GO", "the launch waits for a new date"),
        Row("demo-473e95a7", "demo", "counting", "Counting", "its waits are shortened"),
    ),
    ended=(
        Row("staging-00aa11bb", "staging", "landed", "Landed", "green serves everyone", ended=T0 - 9e4),
        Row("staging-22cc33dd", "staging", "rolled-back", "Rolled back", "", ended=T0 - 2e5),
        Row("staging-44ee55ff", "staging", "scrubbed", "Scrubbed", "called off before GO", ended=T0 - 3e5),
    ),
    unshown="12 ended ones",
    where="postgresql+psycopg://tminus:***@db.of-a-long-name.example/tminus",
    hearts=(Heart("host-1-5e0c41aa", 0.4), Heart("host-2-77aa01cd", 9.0)),
)
TENDED = Tending(Post.RUNS, T0, 4711, 3, "was killed (SIGKILL)", 2)
LISTS: dict[str, tuple[Roster, Tending]] = {
    "list": (LISTED, TENDED),
    "list-away": (
        Roster(
            where=LISTED.where,
            trouble=f"the store {LISTED.where} does not answer: connection refused",
            hint="check that the database runs, its folder is writable and its disk is not full",
        ),
        Tending(Post.DOWN, T0, 0, 3, "ended with 4: the store does not answer", 3, T0 + 2),
    ),
    "list-empty": (Roster(where="sqlite:////var/lib/tminus/tminus.db", unmade=True), Tending(Post.LEFT_OUT)),
}


@dataclass
class Seen:
    """A tab and everything that it complained about."""

    tab: "Tab"
    complaints: list[str] = field(default_factory=list)

    async def text(self, selector: str) -> str:
        """What stands there."""
        return (await self.tab.locator(selector).first.inner_text()).strip()

    async def until(self, script: str, seconds: float = 8) -> None:
        """Wait for something to become true in the page, asked from outside: its policy lets nothing be evaluated."""
        async with asyncio.timeout(seconds):
            while not await self._true(script):  # noqa: ASYNC110 - the browser is another process
                await asyncio.sleep(0.05)

    async def _true(self, script: str) -> bool:
        try:
            return bool(await self.tab.evaluate(script))
        except BrowserError:
            return False  # the page is being loaded


@asynccontextmanager
async def _browser() -> AsyncIterator["Browser"]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET])
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def _opened(
    browser: "Browser", address: str, width: int = 1280, theme: Literal["light", "dark"] = "light"
) -> AsyncIterator[Seen]:
    context = await browser.new_context(
        viewport={"width": width, "height": HEIGHTS[width]}, color_scheme=theme, timezone_id="Europe/Berlin"
    )
    tab = await context.new_page()
    seen = Seen(tab)
    tab.on("pageerror", lambda error: seen.complaints.append(str(error)))
    tab.on("console", lambda said: seen.complaints.append(said.text) if said.type == "error" else None)
    await tab.goto(address)
    await seen.until("document.body.dataset.link === 'live'")
    try:
        yield seen
    finally:
        await context.close()


def _folder(tmp_path: Path) -> Path:
    folder = Path(os.environ.get("TMINUS_PICTURES") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.mark.parametrize("view", VIEWS)
async def test_every_view_fits_and_is_accessible_at_every_width_in_both_themes(
    view: str, tmp_path: Path
) -> None:
    play, line = VIEWS[view]
    wrong: list[str] = []
    themes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    async with served(play(), tmp_path) as page, _browser() as browser:
        for width in HEIGHTS:
            for theme in themes:
                async with _opened(browser, page.url(line), width, theme) as seen:
                    found = await Axe().run(seen.tab)
                    wrong += [
                        f"{width} {theme} {v['id']}: {v['nodes'][0]['html']}"
                        for v in found.response["violations"]
                    ]
                    wide = await seen.tab.evaluate("document.documentElement.scrollWidth")
                    wrong += [f"{width} {theme}: {wide} px wide"] if wide > width else []
                    hidden = await seen.tab.evaluate(OUTSIDE)
                    wrong += [f"{width} {theme}: {what} is cut off" for what in hidden]
                    wrong += [f"{width} {theme}: {said}" for said in seen.complaints]
                    picture = _folder(tmp_path) / f"{view}-{width}-{theme}.png"
                    await seen.tab.screenshot(path=picture, full_page=not line)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("view", LISTS)
async def test_the_list_fits_and_is_accessible_whatever_it_says(
    view: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roster, tending = LISTS[view]

    async def look(self: Lookout) -> Roster:
        del self
        return roster

    monkeypatch.setattr(Lookout, "look", look)
    themes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    async with served(Played(), tmp_path, tending=tending) as page, _browser() as browser:
        wrong: list[str] = []
        for width in (390, 1280):
            for theme in themes:
                address = f"http://127.0.0.1:{page.port}/launches"
                async with _opened(browser, address, width, theme) as seen:
                    found = await Axe().run(seen.tab)
                    wrong += [
                        f"{width} {theme} {v['id']}: {v['nodes'][0]['html']}"
                        for v in found.response["violations"]
                    ]
                    wide = await seen.tab.evaluate("document.documentElement.scrollWidth")
                    wrong += [f"{width} {theme}: {wide} px wide"] if wide > width else []
                    wrong += [f"{width}: {what} is cut off" for what in await seen.tab.evaluate(OUTSIDE)]
                    wrong += [f"{width} {theme}: {said}" for said in seen.complaints]
                    picture = _folder(tmp_path) / f"{view}-{width}-{theme}.png"
                    await seen.tab.screenshot(path=picture, full_page=True)
        assert not wrong, "\n".join(wrong)


async def test_the_list_follows_and_its_clocks_tick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = [LISTED]

    async def look(self: Lookout) -> Roster:
        del self
        return shown[0]

    monkeypatch.setattr(Lookout, "look", look)
    async with (
        served(Played(), tmp_path, tending=TENDED) as page,
        _browser() as browser,
        _opened(browser, f"http://127.0.0.1:{page.port}/launches") as seen,
    ):
        clock = "[data-row='staging-9b5c2145'] [data-t0]"
        first = await seen.text(clock)
        assert first.startswith("T−04:")  # noqa: RUF001 - a true minus
        await seen.until(f'document.querySelector("{clock}").innerText !== {first!r}')
        shown[0] = replace(LISTED, under_way=LISTED.under_way[:1])
        await seen.until("document.querySelectorAll('#open [data-row]').length === 1")
        assert seen.complaints == []


@pytest.mark.parametrize("view", [*SELDOM, "doubted"])
async def test_what_seldom_happens_fits_too(view: str, tmp_path: Path) -> None:
    play, line = SELDOM.get(view, (_held, ""))
    wrong: list[str] = []
    launch, doubts = play(), DOUBTS if view == "doubted" else ()
    async with served(launch, tmp_path, plan=launch.plan, doubts=doubts) as page, _browser() as browser:
        for width in (390, 1280):
            async with _opened(browser, page.url(line), width) as seen:
                found = await Axe().run(seen.tab)
                wrong += [f"{width} {v['id']}: {v['nodes'][0]['html']}" for v in found.response["violations"]]
                wide = await seen.tab.evaluate("document.documentElement.scrollWidth")
                wrong += [f"{width}: {wide} px wide"] if wide > width else []
                wrong += [f"{width}: {what} is cut off" for what in await seen.tab.evaluate(OUTSIDE)]
                wrong += [f"{width}: {said}" for said in seen.complaints]
                await seen.tab.screenshot(path=_folder(tmp_path) / f"{view}-{width}.png", full_page=not line)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("view", VIEWS)
async def test_every_view_prints_to_one_page(view: str, tmp_path: Path) -> None:
    play, line = VIEWS[view]
    async with (
        served(play(), tmp_path) as page,
        _browser() as browser,
        _opened(browser, page.url(line), 1280, "dark") as seen,
    ):
        printed = await seen.tab.pdf(format="A4", landscape=True)
        (_folder(tmp_path) / f"{view}.pdf").write_bytes(printed)
        assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1


async def test_everything_that_can_be_clicked_is_reached_by_the_keyboard(tmp_path: Path) -> None:
    async with (
        served(_counting(), tmp_path) as page,
        _browser() as browser,
        _opened(browser, page.url()) as seen,
    ):
        wanted = set(await seen.tab.evaluate(CLICKABLE))
        assert len(wanted) > 10
        reached: set[str] = set()
        for _ in range(3 * len(wanted)):
            await seen.tab.keyboard.press("Tab")
            reached.add(await seen.tab.evaluate(FOCUSED))
            assert await seen.tab.evaluate(VISIBLE), f"{sorted(reached)}: the focus cannot be seen"
        assert wanted <= reached, sorted(wanted - reached)


async def test_an_observation_changes_its_own_parts_and_leaves_the_others_alone(tmp_path: Path) -> None:
    launch = _counting()
    async with served(launch, tmp_path) as page, _browser() as browser, _opened(browser, page.url()) as seen:
        await seen.tab.evaluate("for (const part of document.querySelectorAll('[data-v]')) part.mine = true")
        entries = await seen.tab.locator("#log-list li").count()
        launch.observe("bk.db", "failed")
        await page.add()
        await seen.until("document.querySelector('#need-bk\\\\.db')")
        changed = await seen.tab.evaluate(
            "[...document.querySelectorAll('[data-v]')].filter((part) => !part.mine).map((part) => part.id).sort()"
        )
        assert changed == ["decision", "foot", "matrix", "milestones", "needs"]
        assert await seen.tab.locator("#log-list li").count() == entries + 1
        assert (await seen.text("#log-list li")).endswith("bk.db: search_v2 is on, expected empty")
        assert seen.complaints == []


async def test_the_order_stays_while_somebody_reads_and_changes_when_asked_to(tmp_path: Path) -> None:
    launch = _counting()
    async with served(launch, tmp_path) as page, _browser() as browser, _opened(browser, page.url()) as seen:
        await seen.tab.focus("#need-t24\\.freeze")
        launch.observe("bk.db", "failed")
        await page.add()
        await seen.until("document.querySelector('#needs .frozen')")
        rows = "[...document.querySelectorAll('#needs [data-row]')].map((row) => row.dataset.row)"
        assert "bk.db" not in await seen.tab.evaluate(rows)
        await seen.tab.click("#needs .frozen")
        assert "bk.db" in await seen.tab.evaluate(rows)


async def test_a_line_opens_by_its_link_and_escape_brings_the_focus_back(tmp_path: Path) -> None:
    async with (
        served(_counting(), tmp_path) as page,
        _browser() as browser,
        _opened(browser, page.url()) as seen,
    ):
        await seen.tab.focus("#need-cfg\\.env")
        await seen.tab.keyboard.press("Enter")
        await seen.until("document.querySelector('#drawer[data-line=\"cfg.env\"]')")
        assert seen.tab.url.endswith("?line=cfg.env")
        assert await seen.tab.evaluate("document.querySelector('#main').inert")
        assert await seen.tab.evaluate("document.activeElement.id") == "drawer"
        await seen.tab.keyboard.press("n")
        await seen.until("document.querySelector('#drawer[data-line=\"t24.freeze\"]')")
        await seen.tab.keyboard.press("Escape")
        assert not await seen.tab.evaluate("document.querySelector('#main').inert")
        assert await seen.tab.evaluate("document.activeElement.id") == "need-cfg.env"
        assert seen.complaints == []


async def test_an_open_line_shows_a_new_look_at_once(tmp_path: Path) -> None:
    launch = _counting()
    async with (
        served(launch, tmp_path) as page,
        _browser() as browser,
        _opened(browser, page.url("?line=cfg.env")) as seen,
    ):
        assert await seen.tab.locator(".looks li").count() == 1
        launch.observe("cfg.env", "passed")
        await page.add()
        await seen.until("document.querySelectorAll('.looks li').length === 2")
        assert await seen.text(".ev-v") == "passed"


async def test_a_lost_connection_is_said_within_seconds_and_the_page_catches_up(tmp_path: Path) -> None:
    launch = _counting()
    async with _browser() as browser:
        async with served(launch, tmp_path) as page:
            port = page.port
            context = await browser.new_context(viewport={"width": 1280, "height": 900})
            seen = Seen(await context.new_page())
            await seen.tab.goto(page.url())
            await seen.until("document.body.dataset.link === 'live'")
            entries = await seen.tab.locator("#log-list li").count()
        await seen.until("document.body.dataset.link === 'lost'", 6)
        assert (await seen.text("#conn")).startswith("No connection")
        launch.observe("bk.db", "failed")
        launch.observe("bk.restore", "warned")
        async with served(launch, tmp_path, port):
            await seen.until("document.body.dataset.link === 'live'", 15)
            await seen.until(f"document.querySelectorAll('#log-list li').length === {entries + 2}")
            assert await seen.text("#spoken") == "Connected again. 2 events were missed and are here now."
        await context.close()


async def test_the_page_goes_from_view_to_view_as_the_launch_does(tmp_path: Path) -> None:
    launch = Played()
    launch.go()
    decided = launch.events.pop()
    entry = launch.entries.pop()
    async with served(launch, tmp_path) as page, _browser() as browser, _opened(browser, page.url()) as seen:
        assert await seen.text("#decision h2") == "No decision yet"
        launch.events.append(decided)
        launch.entries.append(entry)
        await page.add()
        await seen.until("document.querySelector('.b-lift') && document.body.dataset.link === 'live'")
        assert await seen.text("#decision h2") == "GO"


async def test_without_script_everything_can_be_read_and_opened(tmp_path: Path) -> None:
    async with served(_counting(), tmp_path) as page, _browser() as browser:
        context = await browser.new_context(java_script_enabled=False)
        tab = await context.new_page()
        await tab.goto(page.url())
        assert (await tab.locator("#clock").inner_text()).startswith("T")
        await tab.click("#need-cfg\\.env")
        assert await tab.locator("#ev-h").inner_text() == "Environment variables verified"
        await tab.click("#dr-close")
        assert tab.url.endswith(LAUNCH)
        await context.close()


async def test_the_clock_ticks_in_the_browser_from_the_time_of_the_server(tmp_path: Path) -> None:
    launch = _counting()
    async with served(launch, tmp_path) as page, _browser() as browser, _opened(browser, page.url()) as seen:
        first = await seen.text("#clock")
        await seen.until(f"document.querySelector('#clock').innerText !== {first!r}")
        assert (await seen.text("#zones")).startswith(tuple("012"))
        assert "Berlin" in await seen.text("#zones")


__all__ = ["Page"]
