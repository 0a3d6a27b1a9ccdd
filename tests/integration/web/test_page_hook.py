"""A scanner reports over the page's hook: to the launch it is about, once, and only with the token."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

if TYPE_CHECKING:
    from tests.integration.web.page_world import LAUNCH, Page, Played, served, share
    from tests.unit.web.web_launch import BLUE, GREEN
else:
    from page_world import LAUNCH, Page, Played, served, share
    from web_launch import BLUE, GREEN

from tminus.cli.reported import report
from tminus.config import hook_token
from tminus.control.ports import Engine, Json
from tminus.domain.record import Event
from tminus.engine.durable import DurableEngine
from tminus.errors import UsageError
from tminus.store.record import RecordStore
from tminus.store.tables import connect
from tminus.web.hooks import MOST_BYTES
from tminus.wiring import SystemClock

TOKEN = "a-token-that-nobody-guesses"
FOUND = {
    "id": "scan-8812",
    "by": "trivy",
    "trigger": "trig.vulnerability",
    "because": "CVE-2026-1234 in openssl 3.0.1: critical",
    "digest": f"sha256:{GREEN}",
}


class World:
    """The page, its hook, and the database behind it."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url

    async def post(self, body: object, token: str = TOKEN) -> tuple[int, dict[str, Any]]:
        """What the hook answers."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        address = f"http://127.0.0.1:{self.page.port}/hooks/report"
        async with (
            aiohttp.ClientSession() as http,
            http.post(address, data=content, headers=headers) as answer,
        ):
            return answer.status, await answer.json()

    async def reports(self) -> list[Event]:
        """What the record says of reports."""
        engine = connect(self.url)
        try:
            events = await RecordStore(engine).events(LAUNCH)
        finally:
            engine.dispose()
        return [event for event in events if event.type == "trigger.reported"]


@asynccontextmanager
async def hooked(launch: Played, home: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """The page with its hook beside a common database that holds what was played."""
    url = f"sqlite:///{home / 'tminus.db'}"
    monkeypatch.setenv("TMINUS_DATABASE_URL", url)
    monkeypatch.setenv("TMINUS_HOME", str(home))
    engine = DurableEngine(url, {"launch": _waiting}, SystemClock(), alone=True)
    await engine.start()
    try:
        await share(url, launch)
        await engine.begin("launch", LAUNCH)
        async with served(Played(), home, hook=(TOKEN, partial(report, home))) as page:
            yield World(page, url)
    finally:
        await engine.stop()


async def _waiting(steps: Engine, launch: str) -> Json:
    """A launch whose record others have written; an order needs somebody to go to."""
    await steps.receive("nothing", until=SystemClock().now() + 3600)
    return {"launch": launch}


async def test_a_finding_in_the_release_is_recorded_once_in_the_name_of_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hooked(Played().lift_off(), tmp_path, monkeypatch) as world:
        status, told = await world.post(FOUND)
        assert status == 202, told
        assert (told["launch"], told["trigger"]) == (LAUNCH, "trig.vulnerability")
        assert told["next"] == "it acts on it within seconds"
        assert (await world.post(FOUND))[0] == 202, "the same sent again is one"
        (event,) = await world.reports()
        assert event.data["trigger"] == "trig.vulnerability"
        assert event.data["text"] == "trivy (program) reported: CVE-2026-1234 in openssl 3.0.1: critical"
        assert (await world.post({**FOUND, "id": "scan-8813"}))[0] == 202
        assert len(await world.reports()) == 2


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"digest": f"sha256:{BLUE}"}, 409, "the report is about sha256:" + BLUE),
        ({"launch": "shop-9"}, 404, "'shop-9' is no open launch"),
        ({"trigger": "trig.errors"}, 409, "is counted, not reported"),
        ({"trigger": "trig.nonsense"}, 409, "is no trigger of this plan"),
        ({"digest": "latest"}, 422, "digest"),
        ({"because": ""}, 422, "because"),
        ({"by": "a\nb"}, 422, "by"),
        ({"severity": "critical"}, 422, "severity"),
    ],
)
async def test_what_is_no_report_on_this_release_is_refused_in_words_and_leaves_nothing(
    change: dict[str, str], status: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hooked(Played().lift_off(), tmp_path, monkeypatch) as world:
        found, told = await world.post({**FOUND, **change})
        assert found == status, told
        assert words in told["error"]
        assert told["hint"]
        assert not await world.reports()


@pytest.mark.parametrize("token", ["", "a-token-that-nobody-guesse", "a-token-that-nobody-guessed", "é"])
async def test_without_the_token_nothing_is_even_read(
    token: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hooked(Played().lift_off(), tmp_path, monkeypatch) as world:
        status, told = await world.post(b"x" * (MOST_BYTES + 1), token)
        assert (status, told["error"]) == (401, "the token is missing or wrong")
        assert not await world.reports()


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 422), (b"[]", 422), (b"", 422), (b"\xff", 422), (b"x" * (MOST_BYTES + 1), 413)],
)
async def test_garbage_and_floods_are_refused(
    body: bytes, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hooked(Played().lift_off(), tmp_path, monkeypatch) as world:
        assert (await world.post(body))[0] == status
        assert not await world.reports()


async def test_a_launch_that_has_no_users_on_green_yet_takes_no_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hooked(Played().open().ready(), tmp_path, monkeypatch) as world:
        status, told = await world.post(FOUND)
        assert status == 409, told
        assert "makes no sense now" in told["error"]


async def test_without_a_token_there_is_no_hook(tmp_path: Path) -> None:
    async with (
        served(Played().open(), tmp_path) as page,
        aiohttp.ClientSession() as http,
        http.post(f"http://127.0.0.1:{page.port}/hooks/report", json=FOUND) as answer,
    ):
        assert answer.status in {404, 405}


def test_a_token_that_could_be_guessed_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TMINUS_HOOK_TOKEN", raising=False)
    assert hook_token() == ""
    monkeypatch.setenv("TMINUS_HOOK_TOKEN", "secret")
    with pytest.raises(UsageError, match="20 printable"):
        hook_token()
    kept = tmp_path / "token"
    kept.write_text(f"{TOKEN}\n")
    monkeypatch.setenv("TMINUS_HOOK_TOKEN", f"file:{kept}")
    assert hook_token() == TOKEN
