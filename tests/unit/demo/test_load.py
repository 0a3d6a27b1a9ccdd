import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web

from tminus.demo import load
from tminus.demo.load import Load, Schedule, Settings, Tally, Users
from tminus.loopback import free_port
from tminus.processes import wait_until

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def test_requests_are_due_evenly_however_late_one_asks() -> None:
    schedule = Schedule(75, started=100)
    assert [schedule.due(now) for now in (100, 100.02, 101, 101, 103)] == [0, 1, 74, 0, 150]


def test_a_clock_that_steps_back_sends_nothing_twice() -> None:
    schedule = Schedule(10, started=0)
    assert [schedule.due(now) for now in (1, 0.5, 1.1)] == [10, 0, 1]


def test_about_three_in_ten_users_write_and_documents_are_read_once_known() -> None:
    users = Users(seed=1)
    first = [users.next() for _ in range(2_000)]
    assert 520 < sum(request.path == "/documents" and request.method == "POST" for request in first) < 680
    assert not any(request.path.startswith("/documents/") for request in first)
    users.learn(17)
    later = Counter(request.path.split("?")[0] for request in (users.next() for _ in range(2_000)))
    assert set(later) == {"/documents", "/search", "/documents/17", "/ofrep/v1/evaluate/flags"}
    assert 60 < later["/ofrep/v1/evaluate/flags"] < 140
    assert {request.client for request in first} == {f"user-{number}" for number in range(1, 41)}


@pytest.mark.parametrize(
    ("status", "failed"), [(200, 0), (201, 0), (404, 0), (429, 0), (401, 1), (500, 1), (503, 1), (0, 1)]
)
def test_a_user_calls_failed_what_gave_no_use(status: int, failed: int) -> None:
    tally = Tally(started=0)
    tally.count("GET", status, 10)
    summary = tally.summary(now=5)
    assert (summary["total"], summary["failed"]) == (1, failed)
    assert summary["statuses"] == {str(status): 1}
    assert summary["by_method"] == {"GET": {"total": 1, "failed": failed}}


@pytest.mark.parametrize(("count", "p95"), [(0, None), (1, 1), (20, 19), (100, 95)])
def test_the_p95_is_the_nearest_rank(count: int, p95: float | None) -> None:
    tally = Tally(started=0)
    for ms in reversed(range(1, count + 1)):
        tally.count("GET", 200, ms)
    assert tally.summary(now=0)["p95_ms"] == p95


class Service:
    """A depot that does as a test tells it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.asked: Counter[str] = Counter()
        self.tokens: set[str] = set()
        self.answer: Handler = self.fine

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.asked[request.method] += 1
        if request.path == "/login":
            assert await request.json() == {"user": "demo", "password": "s"}
            return web.json_response({"token": "t1", "expires_in": 300})
        self.tokens.add(request.headers["Authorization"])
        return await self.answer(request)

    async def fine(self, _: web.Request) -> web.StreamResponse:
        return web.json_response({"id": 3})

    async def hang_up(self, request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    service = Service(free_port())
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", service.serve)
    runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", service.port).start()
    yield service
    await runner.cleanup()


def _settings(service: Service, folder: Path, **changes: float) -> Settings:
    return Settings(
        url=f"http://127.0.0.1:{service.port}",
        rate=changes.get("rate", 200),
        out=folder / "summary.json",
        user="demo",
        password="s",
        max_seconds=changes.get("max_seconds", 0.3),
    )


def _summary(folder: Path) -> dict[str, int]:
    summary: dict[str, int] = json.loads((folder / "summary.json").read_text())
    return summary


async def test_good_answers_are_counted_and_the_load_ends_in_time(service: Service, tmp_path: Path) -> None:
    await Load(_settings(service, tmp_path)).run()
    summary = _summary(tmp_path)
    assert summary["failed"] == 0
    assert 20 < summary["total"] == service.asked.total()
    assert service.tokens == {"Bearer t1"}
    assert not (tmp_path / "summary.failed.jsonl").exists()


async def test_a_request_is_sent_once_even_when_the_connection_breaks(
    service: Service, tmp_path: Path
) -> None:
    service.answer = service.hang_up
    await Load(_settings(service, tmp_path)).run()
    summary = _summary(tmp_path)
    assert summary["total"] == service.asked.total()
    assert summary["failed"] == summary["total"] - 1  # all but the login
    lines = [json.loads(line) for line in (tmp_path / "summary.failed.jsonl").read_text().splitlines()]
    assert len(lines) == summary["failed"]
    assert {line["status"] for line in lines} == {0}
    assert {line["method"] for line in lines} == {"GET", "POST"}


async def test_slow_answers_do_not_slow_the_users_and_too_many_are_skipped(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "MOST_IN_FLIGHT", 30)
    release = asyncio.Event()

    async def slow(_: web.Request) -> web.StreamResponse:
        await release.wait()
        return web.Response()

    service.answer = slow
    running = Load(_settings(service, tmp_path, max_seconds=60))
    task = asyncio.create_task(running.run())

    async def skipping() -> bool:
        return running._tally.skipped > 5

    await wait_until(skipping, 10, "skipped requests")
    assert len(running._open) == 30
    running.stop()
    release.set()
    await task
    assert _summary(tmp_path)["total"] == 31
    assert _summary(tmp_path)["failed"] == 0


async def test_an_answer_that_takes_too_long_is_failed(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "ANSWER_SECONDS", 0.1)

    async def never(_: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        return web.Response()

    service.answer = never
    await Load(_settings(service, tmp_path, rate=50)).run()
    summary = _summary(tmp_path)
    assert summary["failed"] == summary["total"] - 1 > 5


async def test_a_refused_token_is_failed_and_the_user_logs_in_again(service: Service, tmp_path: Path) -> None:
    refused: list[str] = []

    async def refuse_once(request: web.Request) -> web.StreamResponse:
        if refused:
            return web.json_response({"id": 1})
        refused.append(request.path)
        return web.json_response({}, status=401)

    service.answer = refuse_once
    logins = 0
    original = Load._log_in

    async def counted(self: Load, session: object) -> None:
        nonlocal logins
        logins += 1
        await original(self, session)  # type: ignore[arg-type]  # passed through unchanged

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Load, "_log_in", counted)
        await Load(_settings(service, tmp_path)).run()
    assert _summary(tmp_path)["failed"] == 1
    assert logins == 2


async def test_the_users_go_home_when_the_stage_is_taken_away(service: Service, tmp_path: Path) -> None:
    folder = tmp_path / "load"
    folder.mkdir()
    task = asyncio.create_task(Load(_settings(service, folder, max_seconds=60)).run())

    async def written() -> bool:
        return (folder / "summary.json").exists()

    await wait_until(written, 5, "the first summary")
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    async with asyncio.timeout(5):
        await task


def test_the_password_comes_from_the_environment_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [
        "--url",
        "http://x",
        "--out",
        str(tmp_path / "o"),
        "--user",
        "u",
        "--password-env",
        "SECRET_OF_TEST",
    ]
    with pytest.raises(SystemExit):
        load._settings(arguments)
    assert "SECRET_OF_TEST is not set" in capsys.readouterr().err
    monkeypatch.setenv("SECRET_OF_TEST", "hidden")
    assert load._settings(arguments).password == "hidden"
    assert load._settings(arguments).max_seconds == 1800
