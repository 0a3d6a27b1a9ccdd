"""The page over HTTP: what it answers, to whom, and what it leaves behind."""

import asyncio
import json
import re
import sqlite3
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import pytest

if TYPE_CHECKING:
    from tests.integration.web.page_world import LAUNCH, Page, Played, served
else:
    from page_world import LAUNCH, Page, Played, served

from tminus.domain.guard import GuardLimits
from tminus.domain.record import encode
from tminus.errors import PartError
from tminus.picture.reading import Plans, RecordTail, TraceTail
from tminus.store.record import RecordStore
from tminus.store.tables import connect
from tminus.web import app, render
from tminus.web.app import Mission, serve


async def test_every_answer_carries_a_policy_that_allows_nothing_inline_and_nothing_foreign(
    tmp_path: Path,
) -> None:
    async with served(Played().open(), tmp_path) as page:
        for path in (f"/launches/{LAUNCH}", "/static/board.css", "/launches/none"):
            _, text, headers = await page.get(path)
            assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
            assert "unsafe" not in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"
            assert not re.search(
                r"\sstyle=|<style|\son\w+=|https?://", text.replace("http://www.w3.org/", "")
            )


async def test_a_foreign_name_for_this_machine_is_refused(tmp_path: Path) -> None:
    async with served(Played().open(), tmp_path) as page:
        assert (await page.get(f"/launches/{LAUNCH}", "evil.example"))[0] == 421
        assert (await page.get(f"/launches/{LAUNCH}", "localhost.evil.example:80"))[0] == 421
        assert (await page.get(f"/launches/{LAUNCH}", "localhost:99"))[0] == 200


async def test_what_the_record_holds_is_text_and_never_markup(tmp_path: Path) -> None:
    launch = Played().open()
    launch.observe("cfg.env", "failed", why="<script>alert(1)</script>", value=["<img src=x>"])
    async with served(launch, tmp_path) as page:
        for path in (f"/launches/{LAUNCH}", f"/launches/{LAUNCH}/lines/cfg.env"):
            _, text, _ = await page.get(path)
            assert "<script>alert" not in text
            assert "<img" not in text
            assert "&lt;script&gt;alert(1)" in text


async def test_it_says_that_it_only_reads_and_answers_on_this_machine_alone(tmp_path: Path) -> None:
    async with served(Played().open(), tmp_path) as page:
        _, text, _ = await page.get(f"/launches/{LAUNCH}")
        assert "Read-only, for this machine alone" in text
        async with aiohttp.ClientSession() as http, http.post(page.url()) as answer:
            assert answer.status == 405


@pytest.mark.parametrize(
    "path", ["/launches/none", "/launches/..%2f..%2fetc", f"/launches/{LAUNCH}/lines/no.such"]
)
async def test_what_is_not_there_is_said_and_what_to_do(tmp_path: Path, path: str) -> None:
    async with served(Played().open(), tmp_path) as page:
        status, text, _ = await page.get(path)
        assert status == 404
        assert "stream" not in text


async def test_a_home_without_launches_says_how_one_begins(tmp_path: Path) -> None:
    async with served(Played(), tmp_path) as page:
        status, text, _ = await page.get("/")
        assert (status, "No launch is under way" in text, "make demo" in text) == (200, True, True)


async def test_without_its_script_library_the_page_is_whole_and_says_how_to_see_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render, "live", lambda: False)
    async with served(Played().open().ready(), tmp_path) as page:
        _, text, _ = await page.get(f"/launches/{LAUNCH}")
        assert "does not change by itself" in text
        assert "sse-connect" not in text
        assert "Environment variables verified" in (await page.get(f"/launches/{LAUNCH}?line=cfg.env"))[1]


async def _messages(page: Page, path: str, last_id: str, enough: int) -> list[dict[str, str]]:
    """The first messages of a stream."""
    found: list[dict[str, str]] = []
    headers = {"Last-Event-ID": last_id} if last_id else {}
    async with aiohttp.ClientSession() as http, http.get(page.url(path), headers=headers) as answer:
        current: dict[str, str] = {}
        async for raw in answer.content:
            line = raw.decode().rstrip("\n")
            if not line:
                found.append(current)
                current = {}
                if len(found) == enough:
                    break
                continue
            name, _, value = line.partition(": ")
            current[name] = f"{current[name]}\n{value}" if name in current else value
    return found


async def test_a_browser_that_was_away_gets_the_entries_behind_its_last_one(tmp_path: Path) -> None:
    launch = Played().open().ready()
    async with served(launch, tmp_path) as page:
        last = launch.events[-1].seq
        messages = await _messages(page, "/stream?after=0", str(last - 2), 2)
        patch = next(m for m in messages if m["event"] == "patch")
        assert patch["id"] == str(last)
        assert [int(n) for n in re.findall(r'id="ev-(\d+)"', patch["data"])] == [last, last - 1]


async def test_an_event_changes_only_the_parts_that_show_it(tmp_path: Path) -> None:
    launch = Played().open().ready()
    async with served(launch, tmp_path) as page:
        async with asyncio.timeout(20):
            reading = asyncio.create_task(_messages(page, f"/stream?after={launch.events[-1].seq}", "", 6))
            await asyncio.sleep(0)
            while not reading.done():
                if len(launch.events) == len(launch.plan.before_go()) + 1:
                    await asyncio.sleep(0.6)
                    launch.observe("cfg.env", "failed")
                    await page.add()
                await asyncio.sleep(0.05)
        messages = [m for m in reading.result() if m["event"] != "beat"]
        assert [m["event"] for m in messages[:3]] == ["patch", "patch", "line-cfg.env"]
        changed = re.findall(r'id="([a-z]+)" (?:hx-swap-oob="true")', messages[1]["data"])
        assert set(changed) == {"decision", "matrix", "needs", "milestones", "foot"}


async def test_a_beat_carries_the_clock(tmp_path: Path) -> None:
    async with served(Played().open(), tmp_path) as page:
        messages = await _messages(page, "/stream", "", 2)
        beat = json.loads(next(m["data"] for m in messages if m["event"] == "beat"))
        assert (beat["t"], beat["runs"], beat["seq"]) == (-600.0, True, 0)


async def test_reading_leaves_nothing_beside_the_record_and_changes_no_byte(tmp_path: Path) -> None:
    launch = Played().open().ready()
    folder = await launch.keep(tmp_path)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    tail = RecordTail(folder)
    assert await tail.read()
    assert [encode(event) for event in tail.events] == [encode(event) for event in launch.events]
    assert tail.unbroken
    assert not await tail.read(), "nothing new"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


async def test_a_record_is_read_while_another_process_has_it_open(tmp_path: Path) -> None:
    launch = Played().open()
    folder = await launch.keep(tmp_path)
    engine = connect(f"sqlite:///{folder / 'launch.db'}")
    tail = RecordTail(folder)
    with engine.connect() as writer:
        writer.exec_driver_sql("select count(*) from tm_event")
        assert await tail.read()
        launch.observe("cfg.env")
        await RecordStore(engine).append_once(LAUNCH, launch.entries[-1])
        assert await tail.read()
        assert len(tail.events) == 2
    engine.dispose()


async def test_a_record_that_was_changed_or_spoilt_is_said(tmp_path: Path) -> None:
    launch = Played().open().ready()
    async with served(launch, tmp_path) as page:
        await page.get(f"/launches/{LAUNCH}")
        database = tmp_path / "launches" / LAUNCH / "launch.db"
        with sqlite3.connect(database) as record:
            record.execute("update tm_event set prev = 'x', line = cast(replace(line, 'QA', 'XX') as blob)")
    async with served(Played(), tmp_path) as page:
        assert "chain broken" in (await page.get(f"/launches/{LAUNCH}"))[1]
        with sqlite3.connect(database) as record:
            record.execute("update tm_event set line = cast(line as text) where seq = 3")
    async with served(Played(), tmp_path) as page:
        status, text, headers = await page.get(f"/launches/{LAUNCH}")
        assert (status, headers["refresh"]) == (503, "2")
        assert "the record holds something that cannot be shown" in text
        assert (await _messages(page, "/stream", "", 1))[0]["event"] == "trouble"
        database.write_bytes(b"no database" * 1000)
        assert "does not answer" in (await page.get(f"/launches/{LAUNCH}"))[1]


async def test_lines_of_the_trace_that_are_none_are_counted_and_the_others_shown(tmp_path: Path) -> None:
    launch = Played().lift_off()
    async with served(launch, tmp_path) as page:
        with (tmp_path / "launches" / LAUNCH / "trace.jsonl").open("ab") as trace:
            trace.write(b'{"t": nope}\n\xff\xfe\n')
        text = (await page.get(f"/launches/{LAUNCH}"))[1]
        assert "2 lines of the trace cannot be read" in text
        assert "chain whole" in text


async def test_what_another_sites_page_asks_for_is_refused_and_a_link_is_followed(tmp_path: Path) -> None:
    async with served(Played().open(), tmp_path) as page, aiohttp.ClientSession() as http:
        for mode, status in (("cors", 403), ("no-cors", 403), ("navigate", 200)):
            foreign = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": mode}
            async with http.get(page.url(), headers=foreign) as answer:
                assert answer.status == status


async def test_streams_are_counted_even_when_all_come_at_once_and_are_free_again_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "MOST_STREAMS", 3)
    async with served(Played().open(), tmp_path) as page:
        async with AsyncExitStack() as streams:
            found = await asyncio.gather(*(_first_line(page, streams) for _ in range(8)))
            assert sum(line.startswith(b"event:") for line in found) == 3
        async with asyncio.timeout(10):
            line = b""
            while not line:
                async with AsyncExitStack() as streams:
                    line = await _first_line(page, streams)


async def _first_line(page: Page, streams: AsyncExitStack) -> bytes:
    """What a stream begins with, which then stays open; nothing from one that is refused."""
    http = await streams.enter_async_context(aiohttp.ClientSession())
    answer = await streams.enter_async_context(http.get(page.url("/stream")))
    return await answer.content.readline() if answer.status == 200 else b""


async def test_a_trace_line_that_is_being_written_waits_for_its_end(tmp_path: Path) -> None:
    trace = tmp_path / "trace.jsonl"
    tail = TraceTail(tmp_path)
    assert tail.read() == []
    trace.write_text('{"t": 1, "weight": 10}\n{"t": 2, "side": "green", "sta')
    assert len(tail.read()) == 1
    with trace.open("a") as file:
        file.write('tus": 200, "ms": 5}\n')
    assert len(tail.read()) == 1


async def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    async with served(Played().open(), tmp_path) as page:
        mission = Mission(tmp_path, Plans(()), lambda _: GuardLimits(), page.now)
        with pytest.raises(PartError, match=str(page.port)):
            await asyncio.wait_for(serve(mission, page.port, print), 5)
