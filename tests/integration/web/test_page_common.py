"""The launches of the common database on the page, on SQLite and PostgreSQL; and a database that cannot be read."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import aiohttp
import pytest
from sqlalchemy import Connection, text

if TYPE_CHECKING:
    from tests.conftest import Cluster
    from tests.integration.web.page_world import LAUNCH, Page, Played, served, share
else:
    from page_world import LAUNCH, Page, Played, served, share

from tminus.domain.plan import Plan
from tminus.errors import PlanError
from tminus.picture import common
from tminus.picture.common import CommonDatabase
from tminus.store.orders import Order
from tminus.store.tables import connect
from tminus.wiring.opening import plan_of


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty common database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'tminus.db'}"
    return str(request.getfixturevalue("postgres").database())


@asynccontextmanager
async def shared(url: str, launch: Played, home: Path) -> AsyncIterator[Page]:
    """The page beside a common database that holds what was played."""
    await share(url, launch)
    async with served(Played(), home, common=CommonDatabase(url, plan_of)) as page:
        page.launch = launch
        yield page


async def test_a_launch_of_the_common_database_is_listed_and_has_its_page_with_its_own_plan(
    url: str, tmp_path: Path
) -> None:
    launch = Played().open().ready(cfg__env="failed")
    async with shared(url, launch, tmp_path) as page:
        status, listed, _ = await page.get("/launches")
        assert status == 200
        assert f'href="/launches/{LAUNCH}">staging</a>' in listed
        assert "Counting" in listed
        assert "nobody runs it" in listed
        status, text, _ = await page.get(f"/launches/{LAUNCH}")
        assert status == 200
        assert "Environment variables verified" in text
        assert "not at hand" not in text
        assert (await page.get(f"/launches/{LAUNCH}/lines/cfg.env"))[0] == 200
        assert (await page.get("/launches/shop-2"))[0] == 404


async def test_the_page_of_such_a_launch_follows_its_record(url: str, tmp_path: Path) -> None:
    launch = Played().open().ready()
    async with shared(url, launch, tmp_path) as page, aiohttp.ClientSession() as http:
        last = launch.events[-1].seq
        async with asyncio.timeout(60), http.get(page.url(f"/stream?after={last}")) as answer:
            assert await _until(answer, "event: beat")
            launch.observe("bk.db", "failed")
            await share(url, launch)
            assert await _until(answer, "event: line-bk.db")


async def test_the_list_changes_by_itself_when_a_launch_does(url: str, tmp_path: Path) -> None:
    launch = Played().open()
    async with (
        shared(url, launch, tmp_path) as page,
        aiohttp.ClientSession() as http,
        asyncio.timeout(60),
        http.get(f"http://127.0.0.1:{page.port}/stream") as answer,
    ):
        assert await _until(answer, "event: beat")
        launch.add("launch.ended", {"outcome": "scrubbed", "text": "not this year"})
        await share(url, launch)
        assert await _until(answer, "Scrubbed")


async def _until(answer: aiohttp.ClientResponse, words: str) -> bool:
    async for raw in answer.content:
        if words in raw.decode():
            return True
    return False


async def test_a_demo_and_a_launch_of_the_common_database_stand_in_one_list(url: str, tmp_path: Path) -> None:
    await share(url, Played().open())
    demo = Played().open()
    folder = await demo.keep(tmp_path)
    folder.rename(folder.with_name("demo-1"))
    async with served(Played(), tmp_path, common=CommonDatabase(url, plan_of)) as page:
        text = (await page.get("/launches"))[1]
        assert re.findall(r'data-row="([^"]+)"', text) == [LAUNCH, "demo-1"]
        assert "2 launches" in text


async def test_a_database_without_tables_is_said_and_nothing_is_made_in_it(
    postgres: "Cluster", tmp_path: Path
) -> None:
    url = postgres.database()
    async with served(Played(), tmp_path, common=CommonDatabase(url, plan_of)) as page:
        status, listed, _ = await page.get("/launches")
        assert (status, "no tables of tminus" in listed, "No launch" in listed) == (200, True, False)
        assert "<code>tminus database migrate</code>" in listed
        status, text, headers = await page.get("/launches/staging-1")
        assert (status, headers["refresh"], "no tables of tminus" in text) == (503, "2", True)
    engine = connect(url)
    with engine.connect() as connection:
        assert not _tables(connection)
    engine.dispose()


def _tables(connection: Connection) -> list[str]:
    wanted = text(
        "select tablename from pg_tables where schemaname not in ('pg_catalog', 'information_schema')"
    )
    return [str(row.tablename) for row in connection.execute(wanted)]


async def test_a_file_that_nobody_has_made_holds_no_launch_and_is_not_made_by_looking(tmp_path: Path) -> None:
    database = CommonDatabase(f"sqlite:///{tmp_path / 'tminus.db'}", plan_of)
    async with served(Played(), tmp_path, common=database) as page:
        listed = (await page.get("/launches"))[1]
        assert "not made yet" in listed
        assert "No launch is under way" in listed
        assert (await page.get("/launches/staging-1"))[0] == 404
    assert not await asyncio.to_thread(lambda: [*tmp_path.glob("tminus.db*")])


async def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    (tmp_path / "tminus.db").write_bytes(b"no database" * 1000)
    database = CommonDatabase(f"sqlite:///{tmp_path / 'tminus.db'}", plan_of)
    async with served(Played(), tmp_path, common=database) as page:
        listed = (await page.get("/launches"))[1]
        assert "does not answer" in listed
        assert "No launch" not in listed


async def test_a_server_that_goes_away_is_said_on_both_pages_and_forgotten_when_it_is_back(
    own_postgres: "Cluster", tmp_path: Path
) -> None:
    launch = Played().open().ready()
    async with shared(own_postgres.database(), launch, tmp_path) as page:
        assert (await page.get(f"/launches/{LAUNCH}"))[0] == 200
        own_postgres.stop()
        try:
            await _when(page, lambda listed: "does not answer" in listed)
            listed = (await page.get("/launches"))[1]
            assert LAUNCH not in listed
            assert "No launch" not in listed
            async with (
                asyncio.timeout(60),
                aiohttp.ClientSession() as http,
                http.get(page.url("/stream")) as answer,
            ):
                assert await _until(answer, "event: trouble")
        finally:
            own_postgres.start()
        await _when(page, lambda listed: f"/launches/{LAUNCH}" in listed)
        assert (await page.get(f"/launches/{LAUNCH}"))[0] == 200


async def _when(page: Page, true: Callable[[str], bool]) -> None:
    async with asyncio.timeout(60):
        while not true((await page.get("/launches"))[1]):  # noqa: ASYNC110 - the page is another's state
            await asyncio.sleep(0.1)


@contextmanager
def _frozen(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """A database behind which every look hangs until the end; how many were begun."""
    over, begun = Event(), [0]

    def hang(connection: Connection) -> None:
        del connection
        begun[0] += 1
        over.wait()

    monkeypatch.setattr(common, "_readable", hang)
    try:
        yield begun
    finally:
        over.set()


async def test_a_database_that_never_answers_is_said_after_a_limit_and_not_asked_by_everybody(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await share(url, Played().open())
    database = CommonDatabase(url, plan_of, seconds=0.2)
    with _frozen(monkeypatch) as begun:
        async with served(Played(), tmp_path, common=database) as page:
            for _ in range(3):
                assert "gave no answer within 0.2 s" in (await page.get("/launches"))[1]
            assert begun[0] <= 1, "while one look hangs nobody else begins another"
    monkeypatch.undo()
    async with asyncio.timeout(60):
        while database._overdue and database._overdue[0].is_alive():  # noqa: ASYNC110 - a thread has no event
            await asyncio.sleep(0.01)
    database._seconds = 60.0
    assert len((await database.seen()).rows) == 1, "it is asked again when it answers again"
    database.close()


async def test_the_list_is_read_once_for_all_who_watch(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    await share(url, Played().open())
    monkeypatch.setattr(common, "SEEN_SECONDS", 600.0)
    database = CommonDatabase(url, plan_of)
    first = await database.seen()
    assert await database.seen() is first
    database.close()


async def test_only_so_many_launches_are_followed_and_the_rest_is_counted(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(common, "MOST_OPEN", 0)
    async with shared(url, Played().open(), tmp_path) as page:
        listed = (await page.get("/launches"))[1]
        assert "Not shown: 1 open one." in listed
        assert LAUNCH not in listed


async def test_a_plan_that_is_read_as_another_one_now_is_not_shown(tmp_path: Path) -> None:
    def another(order: Order, digest: str) -> Plan:
        raise PlanError(f"the plan kept for {order.environment} is not {digest}", hint="use the older tminus")

    url = f"sqlite:///{tmp_path / 'tminus.db'}"
    await share(url, Played().open().ready())
    async with served(Played(), tmp_path, common=CommonDatabase(url, another)) as page:
        assert "The plan of this launch is not at hand" in (await page.get(f"/launches/{LAUNCH}"))[1]
