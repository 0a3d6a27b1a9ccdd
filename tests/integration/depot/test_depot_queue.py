"""The queue and its worker, with a real Redis: nothing is lost, and what needs no Redis goes on without."""

import asyncio
import json
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import aiohttp
import psycopg
import pytest
from redis.asyncio import Redis

from tminus.depot.jobs import MOST_ATTEMPTS, Job, Queue

if TYPE_CHECKING:
    from tests.integration.depot.depot_world import (
        RedisServer,
        Start,
        Unpacked,
        admit,
        answer,
        log_in,
        query,
        until,
        wait_until,
    )
else:
    from depot_world import RedisServer, Start, Unpacked, admit, answer, log_in, query, until, wait_until

pytestmark = pytest.mark.slow


async def export(http: aiohttp.ClientSession, url: str, token: dict[str, str]) -> str:
    status, body = await answer(http, "POST", f"{url}/exports", headers=token)
    assert status == 202, body
    return str(body["id"])


async def when(
    http: aiohttp.ClientSession, url: str, token: dict[str, str], job: str, state: str
) -> dict[str, Any]:
    """The export once it has reached this state."""
    seen: dict[str, Any] = {}

    async def reached() -> bool:
        nonlocal seen
        _, seen = await answer(http, "GET", f"{url}/exports/{job}", headers=token)
        return bool(seen.get("state") == state)

    await until(reached)
    return seen


async def metric(http: aiohttp.ClientSession, url: str, name: str) -> float | None:
    async with http.get(f"{url}/metrics") as reply:
        lines = (await reply.text()).splitlines()
    return next((float(line.split()[-1]) for line in lines if line.startswith(f"{name} ")), None)


class TestExports:
    async def test_the_worker_makes_a_file_of_all_documents_of_the_user(
        self,
        v2: Unpacked,
        database: str,
        redis: RedisServer,
        start: Start,
        start_worker: Start,
        http: aiohttp.ClientSession,
    ) -> None:
        depot = start(v2, database, REDIS_URL=redis.url)
        token = await log_in(http, depot.url)
        for title in ("Memo", "Permit"):
            new = {"title": title, "body": "é"}
            assert (await answer(http, "POST", f"{depot.url}/documents", json=new, headers=token))[0] == 201
        query(database, "INSERT INTO documents (title, body, owner) VALUES ('hers', 'private', 'eve')")
        job = await export(http, depot.url, token)
        # Nobody works yet: it waits, and grows old where everybody can see it.
        assert (await answer(http, "GET", f"{depot.url}/exports/{job}", headers=token))[1][
            "state"
        ] == "waiting"
        assert await metric(http, depot.url, 'depot_backlog{kind="jobs_waiting"}') == 1
        _, told = await answer(http, "GET", f"{depot.url}/integrations", headers=token)
        assert (told["queue"]["configured"], told["queue"]["waiting"]) == (True, 1)
        worker = start_worker(v2, database, REDIS_URL=redis.url)
        done = await when(http, depot.url, token, job, "done")
        async with http.get(f"{depot.url}/files/{done['file']}", headers=token) as reply:
            lines = [json.loads(line) for line in (await reply.text()).splitlines()]
        assert [(line["title"], line["body"]) for line in lines] == [("Memo", "é"), ("Permit", "é")]
        assert await metric(http, depot.url, 'depot_backlog{kind="jobs_waiting"}') == 0
        assert await metric(http, depot.url, 'depot_jobs_total{outcome="done"}') == 1
        worker.process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(worker.process.wait, 10) == 0
        assert worker.lines()[-1]["event"] == "worker stopped"

    async def test_an_export_belongs_to_who_asked_for_it(
        self, v2: Unpacked, database: str, redis: RedisServer, start: Start, http: aiohttp.ClientSession
    ) -> None:
        added = v2.run("adduser", "eve", stdin="correct horse battery\n", DATABASE_URL=database)
        assert added.returncode == 0
        depot = start(v2, database, REDIS_URL=redis.url)
        job = await export(http, depot.url, await log_in(http, depot.url))
        login = {"user": "eve", "password": "correct horse battery"}
        _, eve = await answer(http, "POST", f"{depot.url}/login", json=login)
        headers = {"Authorization": f"Bearer {eve['token']}"}
        assert (await answer(http, "GET", f"{depot.url}/exports/{job}", headers=headers))[0] == 404

    async def test_an_export_too_large_fails_and_says_why(
        self,
        v2: Unpacked,
        database: str,
        redis: RedisServer,
        start: Start,
        start_worker: Start,
        http: aiohttp.ClientSession,
    ) -> None:
        depot = start(v2, database, REDIS_URL=redis.url)
        token = await log_in(http, depot.url)
        query(database, "INSERT INTO documents (title, body, owner) VALUES ('big', repeat('x', 200), 'ada')")
        start_worker(v2, database, REDIS_URL=redis.url, UPLOAD_MAX_BYTES="100")
        failed = await when(http, depot.url, token, await export(http, depot.url, token), "failed")
        assert "larger than 100 bytes" in failed["why"]


class TestWorker:
    async def test_the_job_of_a_killed_worker_is_done_by_another(
        self,
        v2: Unpacked,
        database: str,
        redis: RedisServer,
        start: Start,
        start_worker: Start,
        http: aiohttp.ClientSession,
    ) -> None:
        depot = start(v2, database, REDIS_URL=redis.url)
        token = await log_in(http, depot.url)
        given = {"REDIS_URL": redis.url, "WORKER_LOST_SECONDS": "1"}
        worker = start_worker(v2, database, **given)
        with redis.ask() as client:
            # The job stands still in the middle, where the worker wants the documents.
            with psycopg.connect(database) as locker:
                locker.execute("LOCK TABLE documents IN ACCESS EXCLUSIVE MODE")
                job = await export(http, depot.url, token)
                wait_until(lambda: client.llen("depot:waiting") == 0)
                assert (await answer(http, "GET", f"{depot.url}/exports/{job}", headers=token))[1][
                    "state"
                ] == "processing"
                worker.process.kill()
                worker.process.wait(10)
            assert client.llen("depot:waiting") == 0
            second = start_worker(v2, database, **given)
            await when(http, depot.url, token, job, "done")
            assert client.keys("depot:processing:*") == []
            assert int(client.hget("depot:counts", "recovered") or 0) == 1
        assert "jobs recovered" in second.log.read_text()

    async def test_a_database_that_is_away_costs_a_job_no_attempt(
        self,
        v2: Unpacked,
        database: str,
        redis: RedisServer,
        start: Start,
        start_worker: Start,
        http: aiohttp.ClientSession,
        postgres_url: str,
    ) -> None:
        depot = start(v2, database, REDIS_URL=redis.url)
        token = await log_in(http, depot.url)
        admit(postgres_url, database, connections=False)
        worker = start_worker(v2, database, REDIS_URL=redis.url)
        job = await export(http, depot.url, token)
        wait_until(lambda: worker.log.read_text().count("dependency away") >= 3)
        admit(postgres_url, database, connections=True)
        await when(http, depot.url, token, job, "done")
        with redis.ask() as client:
            assert client.hget(f"depot:job:{job}", "attempts") == "1"

    async def test_a_worker_outlives_its_redis(
        self,
        v2: Unpacked,
        database: str,
        redis: RedisServer,
        start: Start,
        start_worker: Start,
        http: aiohttp.ClientSession,
    ) -> None:
        depot = start(v2, database, REDIS_URL=redis.url)
        token = await log_in(http, depot.url)
        worker = start_worker(v2, database, REDIS_URL=redis.url)
        redis.kill()
        wait_until(lambda: "dependency away" in worker.log.read_text())
        redis.start()

        async def accepted() -> bool:
            return (await answer(http, "POST", f"{depot.url}/exports", headers=token))[0] == 202

        await until(accepted)
        await when(http, depot.url, token, await export(http, depot.url, token), "done")
        assert worker.process.poll() is None

    def test_a_worker_without_work_says_so(self, v2: Unpacked, database: str) -> None:
        done = v2.run("worker", DATABASE_URL=database, TOKEN_SECRET="a secret for these tests")
        assert done.returncode == 2
        assert "nothing to do: neither DEPOT_REDIS_URL nor DEPOT_WEBHOOK_URL is set" in done.stderr


class TestRedisAway:
    async def test_only_what_needs_redis_stops_and_health_names_it(
        self, v2: Unpacked, database: str, redis: RedisServer, start: Start, http: aiohttp.ClientSession
    ) -> None:
        depot = start(v2, database, REDIS_URL=redis.url)
        token = await log_in(http, depot.url)
        _, health = await answer(http, "GET", f"{depot.url}/health")
        assert (health["status"], health["dependencies"]["redis"]["ok"]) == ("ok", True)
        redis.kill()
        status, health = await answer(http, "GET", f"{depot.url}/health")
        assert (status, health["status"]) == (200, "degraded")
        assert health["dependencies"]["redis"]["ok"] is False
        assert health["dependencies"]["database"]["ok"] is True
        status, body = await answer(http, "POST", f"{depot.url}/exports", headers=token)
        assert (status, body["detail"]) == (503, "Redis does not answer")
        assert (await answer(http, "GET", f"{depot.url}/documents", headers=token))[0] == 200
        _, told = await answer(http, "GET", f"{depot.url}/integrations", headers=token)
        assert told["queue"] == {"configured": True, "ok": False}
        assert await metric(http, depot.url, 'depot_backlog{kind="jobs_waiting"}') is None
        redis.start()
        assert (await answer(http, "POST", f"{depot.url}/exports", headers=token))[0] == 202
        assert (await answer(http, "GET", f"{depot.url}/health"))[1]["status"] == "ok"

    async def test_a_frozen_redis_holds_nobody_up_for_long(
        self, v2: Unpacked, database: str, redis: RedisServer, start: Start, http: aiohttp.ClientSession
    ) -> None:
        depot = start(v2, database, REDIS_URL=redis.url, RATE_LIMITS="*=1000/60")
        token = await log_in(http, depot.url)
        process = redis.process
        assert isinstance(process, subprocess.Popen)
        process.send_signal(signal.SIGSTOP)
        try:
            async with asyncio.timeout(8):
                for _ in range(20):
                    assert (await answer(http, "GET", f"{depot.url}/documents", headers=token))[0] == 200
                status, health = await answer(http, "GET", f"{depot.url}/health")
                assert (status, health["dependencies"]["redis"]["ok"]) == (200, False)
        finally:
            process.send_signal(signal.SIGCONT)

    async def test_without_a_redis_configured_the_queue_is_off_and_says_so(
        self, shared: str, http: aiohttp.ClientSession
    ) -> None:
        token = await log_in(http, shared)
        status, body = await answer(http, "POST", f"{shared}/exports", headers=token)
        assert (status, body["detail"]) == (501, "off: DEPOT_REDIS_URL is not set")
        _, health = await answer(http, "GET", f"{shared}/health")
        assert (health["status"], set(health["dependencies"])) == ("ok", {"database"})
        _, told = await answer(http, "GET", f"{shared}/integrations", headers=token)
        assert [told[part]["configured"] for part in ("queue", "outgoing", "incoming")] == [False] * 3
        async with http.get(f"{shared}/me", headers=token) as reply:
            assert "RateLimit-Limit" not in reply.headers


class TestQueue:
    @pytest.fixture
    async def client(self, redis: RedisServer) -> Any:
        async with Redis.from_url(redis.url, decode_responses=True) as client:
            yield client

    async def take(self, queue: Queue, worker: str = "w") -> Job | None:
        return await queue.take(worker, 0.05)

    async def test_jobs_are_taken_in_the_order_they_came_and_once(self, client: Redis) -> None:
        queue = Queue(client)
        asked = [await queue.put("export", "ada", now) for now in range(3)]
        assert (await queue.state(10)).oldest_seconds == 10
        taken = [await self.take(queue) for _ in range(4)]
        assert [job.id if job else None for job in taken] == [*asked, None]

    async def test_a_job_that_fells_every_worker_is_given_up(self, client: Redis) -> None:
        queue = Queue(client)
        job = await queue.put("export", "ada", 0)
        for attempt in range(1, MOST_ATTEMPTS + 1):
            await queue.show_alive("w", 60)
            taken = await self.take(queue)
            assert (taken and taken.attempt) == attempt
            assert await queue.recover() == 0  # its worker lives
            await client.delete("depot:alive:w")
            assert await queue.recover() == 1
        assert await self.take(queue) is None
        state = await queue.state(1)
        assert (state.waiting, state.processing, state.dead) == (0, 0, 1)
        assert (await queue.read(job))["state"] == "dead"

    async def test_a_worker_that_leaves_puts_its_job_back(self, client: Redis) -> None:
        queue = Queue(client)
        await queue.show_alive("w", 60)
        await queue.put("export", "ada", 0)
        assert await self.take(queue) is not None
        assert (await queue.state(5)).processing == 1
        await queue.leave("w")
        state = await queue.state(5)
        assert (state.waiting, state.processing, state.oldest_seconds) == (1, 0, 5)

    async def test_a_forgotten_job_is_dropped_and_counted(self, client: Redis) -> None:
        queue = Queue(client)
        job = await queue.put("export", "ada", 0)
        await client.delete(f"depot:job:{job}")
        assert await self.take(queue) is None
        state = await queue.state(1)
        assert (state.waiting, state.processing, state.counts) == (
            0,
            0,
            {"done": 0, "dead": 0, "recovered": 0, "forgotten": 1},
        )
