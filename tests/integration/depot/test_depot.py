"""depot as a launch meets it: unpacked images, real processes, a real PostgreSQL."""

import asyncio
import hashlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import aiohttp
import psycopg
import pytest
from psycopg import sql

from tminus.depot.credentials import issue_token

if TYPE_CHECKING:
    from tests.integration.depot.depot_world import (
        FAULT_TOKEN,
        PASSWORD,
        PROXIED,
        SECRET,
        Start,
        Unpacked,
        answer,
        close_connections,
        form,
        log_in,
        wait_until,
    )
else:
    from depot_world import (
        FAULT_TOKEN,
        PASSWORD,
        PROXIED,
        SECRET,
        Start,
        Unpacked,
        answer,
        close_connections,
        form,
        log_in,
        wait_until,
    )

pytestmark = pytest.mark.slow


class TestHealth:
    @pytest.mark.parametrize("ref", ["1.0.0", "2.0.0"])
    async def test_health_tells_version_and_digest_of_what_runs(
        self,
        releases: dict[str, Unpacked],
        database: str,
        start: Start,
        http: aiohttp.ClientSession,
        ref: str,
    ) -> None:
        depot = start(releases[ref], database)
        status, body = await answer(http, "GET", f"{depot.url}/health")
        assert status == 200
        assert body["status"] == "ok"
        assert body["version"] == ref
        assert body["digest"] == releases[ref].image.digest
        assert body["dependencies"]["database"]["ok"] is True
        assert body["uptime_seconds"] > 0

    async def test_many_may_ask_at_once(self, shared: str, http: aiohttp.ClientSession) -> None:
        for _ in range(10):
            asked = [answer(http, "GET", f"{shared}/health") for _ in range(40)]
            assert {status for status, _ in await asyncio.gather(*asked)} == {200}

    async def test_a_database_that_is_away_is_told_quickly(
        self, v1: Unpacked, free_port: Callable[[], int], start: Start, http: aiohttp.ClientSession
    ) -> None:
        depot = start(v1, f"postgresql://postgres@127.0.0.1:{free_port()}/none")
        started = time.monotonic()
        status, body = await answer(http, "GET", f"{depot.url}/health")
        assert (status, body["status"]) == (503, "degraded")
        status, _ = await answer(
            http, "POST", f"{depot.url}/login", json={"user": "ada", "password": PASSWORD}
        )
        assert status == 503
        assert time.monotonic() - started < 4

    async def test_connections_that_the_database_closed_cost_no_request(
        self, v2: Unpacked, database: str, postgres_url: str, start: Start, http: aiohttp.ClientSession
    ) -> None:
        depot = start(v2, database)
        token = await log_in(http, depot.url)
        await asyncio.gather(
            *(answer(http, "GET", f"{depot.url}/documents", headers=token) for _ in range(40))
        )
        close_connections(postgres_url, database)
        for _ in range(3):
            assert (await answer(http, "GET", f"{depot.url}/documents", headers=token))[0] == 200

    async def test_a_database_that_returns_is_used_again(
        self, v2: Unpacked, database: str, postgres_url: str, start: Start, http: aiohttp.ClientSession
    ) -> None:
        depot = start(v2, database)
        token = await log_in(http, depot.url)
        name = sql.Identifier(database.rpartition("/")[2])
        with psycopg.connect(postgres_url, autocommit=True) as admin:
            admin.execute(sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS false").format(name))
            close_connections(postgres_url, database)
            status, _ = await answer(http, "GET", f"{depot.url}/documents", headers=token)
            assert status == 503
            admin.execute(sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS true").format(name))
        async with asyncio.timeout(10):
            while (await answer(http, "GET", f"{depot.url}/documents", headers=token))[0] != 200:
                pass

    async def test_metrics_have_the_buckets_of_the_latency_limits_and_route_templates(
        self, v2: Unpacked, database: str, start: Start, http: aiohttp.ClientSession
    ) -> None:
        depot = start(v2, database)
        token = await log_in(http, depot.url)
        assert (await answer(http, "GET", f"{depot.url}/documents/77", headers=token))[0] == 404
        async with http.get(f"{depot.url}/metrics") as reply:
            lines = (await reply.text()).splitlines()
        mine = [line for line in lines if 'route="/documents/{number}"' in line and "_bucket" in line]
        assert [line.split('le="')[1].split('"')[0] for line in mine] == [
            "0.1",
            "0.3",
            "0.5",
            "1.0",
            "2.0",
            "+Inf",
        ]
        assert all('method="GET"' in line and 'status="404"' in line for line in mine)
        assert 'depot_http_requests_total{method="POST",route="/login",status="200"} 1.0' in lines

    async def test_each_request_is_one_json_line(
        self, v2: Unpacked, database: str, start: Start, http: aiohttp.ClientSession
    ) -> None:
        depot = start(v2, database)
        async with http.get(f"{depot.url}/me", headers={"X-Request-Id": "seven"}) as reply:
            assert reply.headers["X-Request-Id"] == "seven"
        # The line is written after the answer has left.
        wait_until(lambda: '"seven"' in depot.log.read_text())
        (line,) = [line for line in depot.lines() if line.get("request_id") == "seven"]
        assert {"time", "ms"} < set(line)
        assert (line["level"], line["event"]) == ("info", "request")
        assert (line["method"], line["route"], line["status"]) == ("GET", "/me", 401)


class TestLogin:
    async def test_the_right_password_opens_a_protected_route(
        self, v2: Unpacked, database: str, start: Start, http: aiohttp.ClientSession
    ) -> None:
        depot = start(v2, database)
        token = await log_in(http, depot.url)
        status, body = await answer(http, "GET", f"{depot.url}/me", headers=token)
        assert (status, body["user"]) == (200, "ada")

    async def test_wrong_forged_and_expired_credentials_are_refused(
        self, v2: Unpacked, database: str, start: Start, http: aiohttp.ClientSession
    ) -> None:
        depot = start(v2, database)
        for user, password in (("ada", "wrong horse battery"), ("eve", PASSWORD)):
            status, _ = await answer(
                http, "POST", f"{depot.url}/login", json={"user": user, "password": password}
            )
            assert status == 401
        valid = issue_token("ada", 2**40, SECRET.encode())
        refused = {
            "expired": issue_token("ada", 1, SECRET.encode()),
            "forged": issue_token("ada", 2**40, b"another secret"),
            "altered": "A" + valid[1:],
            "cut": valid[:-1],
            "none": "",
        }
        assert (await answer(http, "GET", f"{depot.url}/me", headers={"Authorization": f"Bearer {valid}"}))[
            0
        ] == 200
        for what, token in refused.items():
            status, _ = await answer(
                http, "GET", f"{depot.url}/me", headers={"Authorization": f"Bearer {token}"}
            )
            assert status == 401, what

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "/me"),
            ("GET", "/documents"),
            ("POST", "/documents"),
            ("GET", "/documents/1"),
            ("DELETE", "/documents/1"),
            ("GET", "/search?q=a"),
            ("GET", "/documents/1/labels"),
            ("PUT", "/documents/1/labels"),
            ("POST", "/files"),
            ("GET", "/files/1"),
            ("GET", "/files/1/meta"),
            ("DELETE", "/files/1"),
            ("POST", "/logout"),
            ("POST", "/exports"),
            ("GET", "/exports/" + "0" * 32),
            ("GET", "/hooks/1"),
            ("GET", "/integrations"),
            ("POST", "/ofrep/v1/evaluate/flags"),
            ("POST", "/ofrep/v1/evaluate/flags/exports"),
        ],
    )
    async def test_nothing_is_open_without_a_token(
        self, shared: str, http: aiohttp.ClientSession, method: str, path: str
    ) -> None:
        assert (await answer(http, method, shared + path))[0] == 401


class TestDocuments:
    async def test_a_document_is_put_read_listed_and_removed(
        self, shared: str, http: aiohttp.ClientSession
    ) -> None:
        token = await log_in(http, shared)
        new = {"title": "Permit", "body": "for the crane in Turku"}
        status, made = await answer(http, "POST", f"{shared}/documents", json=new, headers=token)
        assert status == 201
        assert made["owner"] == "ada"
        one = f"{shared}/documents/{made['id']}"
        assert await answer(http, "GET", one, headers=token) == (200, made)
        _, listed = await answer(http, "GET", f"{shared}/documents?limit=1", headers=token)
        assert [document["id"] for document in listed["documents"]] == [made["id"]]
        assert (await answer(http, "DELETE", one, headers=token))[0] == 204
        assert (await answer(http, "GET", one, headers=token))[0] == 404
        assert (await answer(http, "DELETE", one, headers=token))[0] == 404

    @pytest.mark.parametrize(
        "body",
        [
            b'{"title": "a\\u0000b", "body": ""}',
            b'{"title": "\\ud800", "body": ""}',
            b'{"title": "", "body": ""}',
            b'{"title": 1}',
            b"{",
            b"\xff",
        ],
    )
    async def test_what_cannot_be_stored_is_the_clients_error(
        self, shared: str, http: aiohttp.ClientSession, body: bytes
    ) -> None:
        token = await log_in(http, shared)
        headers = {**token, "Content-Type": "application/json"}
        status, _ = await answer(http, "POST", f"{shared}/documents", data=body, headers=headers)
        assert status in {400, 422}

    @pytest.mark.parametrize(
        "path", ["/documents/0", f"/documents/{2**63}", "/documents/x", "/search?q=%00", "/documents?limit=0"]
    )
    async def test_what_cannot_be_asked_is_the_clients_error(
        self, shared: str, http: aiohttp.ClientSession, path: str
    ) -> None:
        token = await log_in(http, shared)
        assert (await answer(http, "GET", shared + path, headers=token))[0] == 422

    async def test_search_finds_words_in_any_form_and_narrows_to_a_label(
        self, shared: str, http: aiohttp.ClientSession
    ) -> None:
        token = await log_in(http, shared)
        numbers = []
        for title in ("Zebras crossing", "A zebra", "Nothing of the kind"):
            _, made = await answer(
                http, "POST", f"{shared}/documents", json={"title": title, "body": "text"}, headers=token
            )
            numbers.append(made["id"])
        _, found = await answer(http, "GET", f"{shared}/search?q=zebra", headers=token)
        assert {row["id"] for row in found["results"]} == set(numbers[:2])
        labels = f"{shared}/documents/{numbers[1]}/labels"
        for wanted in (["striped", "old"], ["striped"]):
            reply = await answer(http, "PUT", labels, json={"labels": wanted}, headers=token)
            assert reply == (200, {"labels": sorted(wanted)})
        assert await answer(http, "GET", labels, headers=token) == (200, {"labels": ["striped"]})
        _, found = await answer(http, "GET", f"{shared}/search?q=zebra&label=striped", headers=token)
        assert [(row["id"], row["labels"]) for row in found["results"]] == [(numbers[1], ["striped"])]
        _, found = await answer(http, "GET", f"{shared}/search?q=zebra&label=old", headers=token)
        assert found["results"] == []
        for method in ("GET", "PUT"):
            status, _ = await answer(
                http, method, f"{shared}/documents/{2**62}/labels", json={"labels": []}, headers=token
            )
            assert status == 404


class TestFiles:
    async def test_a_file_comes_back_byte_by_byte(self, shared: str, http: aiohttp.ClientSession) -> None:
        token = await log_in(http, shared)
        content = bytes(range(256)) * 300
        digest = hashlib.sha256(content).hexdigest()
        sent = form(content, "application/octet-stream")
        status, made = await answer(http, "POST", f"{shared}/files", data=sent, headers=token)
        assert status == 201
        one = f"{shared}/files/{made['id']}"
        async with http.get(one, headers=token) as reply:
            assert await reply.read() == content
            assert reply.headers["X-Content-SHA256"] == digest
            assert reply.headers["Content-Type"] == "application/octet-stream"
        _, meta = await answer(http, "GET", f"{one}/meta", headers=token)
        assert (meta["name"], meta["size"], meta["sha256"]) == ("plan.bin", len(content), digest)
        assert (await answer(http, "DELETE", one, headers=token))[0] == 204
        assert (await answer(http, "GET", one, headers=token))[0] == 404

    async def test_a_type_that_a_browser_would_run_is_refused(
        self, shared: str, http: aiohttp.ClientSession
    ) -> None:
        token = await log_in(http, shared)
        sent = form(b"<script>", "text/html")
        assert (await answer(http, "POST", f"{shared}/files", data=sent, headers=token))[0] == 415
        assert (await answer(http, "POST", f"{shared}/files", json={}, headers=token))[0] == 415

    async def test_a_form_without_the_file_is_refused(self, shared: str, http: aiohttp.ClientSession) -> None:
        token = await log_in(http, shared)
        with aiohttp.MultipartWriter("form-data") as writer:
            part = writer.append("text")
            part.set_content_disposition("form-data", name="other")
        assert (await answer(http, "POST", f"{shared}/files", data=writer, headers=token))[0] == 422

    async def test_a_file_just_too_large_is_refused(self, shared: str, http: aiohttp.ClientSession) -> None:
        token = await log_in(http, shared)
        for size, expected in ((100_000, 201), (100_001, 413)):
            sent = form(bytes(size), "application/octet-stream")
            assert (await answer(http, "POST", f"{shared}/files", data=sent, headers=token))[0] == expected

    @pytest.mark.parametrize("framing", ["Content-Length: 99999999999", "Transfer-Encoding: chunked"])
    async def test_a_file_much_too_large_is_refused_before_it_is_read(
        self, shared: str, http: aiohttp.ClientSession, framing: str
    ) -> None:
        token = await log_in(http, shared)
        port = int(shared.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head = (
            f"POST /files HTTP/1.1\r\nHost: depot\r\nAuthorization: {token['Authorization']}\r\n"
            f"Content-Type: multipart/form-data; boundary=b\r\n{framing}\r\n\r\n"
        )
        writer.write(head.encode())
        if "chunked" in framing:
            part = b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n' + bytes(
                120_000
            )
            writer.write(b"%x\r\n%b\r\n" % (len(part), part))
        async with asyncio.timeout(10):
            status = (await reader.readline()).split()[1]
        writer.close()
        assert status == b"413"


class TestSchema:
    async def test_the_old_release_works_on_the_new_schema_and_after_it(
        self, v1: Unpacked, v2: Unpacked, empty_database: str, start: Start, http: aiohttp.ClientSession
    ) -> None:
        url = empty_database
        assert v1.migrate(url, "current") == "none"
        assert v1.migrate(url, "up") == "0001"
        assert v1.run("adduser", "ada", stdin=PASSWORD + "\n", DATABASE_URL=url).returncode == 0
        old = start(v1, url)
        token = await log_in(http, old.url)

        async def work() -> int:
            new = {"title": "Memo", "body": "about cranes"}
            status, made = await answer(http, "POST", f"{old.url}/documents", json=new, headers=token)
            assert status == 201
            _, found = await answer(http, "GET", f"{old.url}/search?q=crane", headers=token)
            assert made["id"] in {row["id"] for row in found["results"]}
            return int(made["id"])

        await work()
        assert v2.migrate(url, "up") == "0002"
        assert v1.migrate(url, "current") == "0002"
        number = await work()
        new = start(v2, url)
        labels = f"/documents/{number}/labels"
        assert (await answer(http, "GET", old.url + labels, headers=token))[0] == 404
        wanted = {"labels": ["urgent"]}
        # The token was given by the old release: both sides of a launch accept each other's.
        assert (await answer(http, "PUT", new.url + labels, json=wanted, headers=token))[0] == 200
        assert (await answer(http, "DELETE", f"{old.url}/documents/{number}", headers=token))[0] == 204
        assert v2.migrate(url, "down", "--to", "0001") == "0001"
        await work()
        status, body = await answer(http, "GET", f"{new.url}/search?q=crane", headers=token)
        assert (status, "migrate up" in body["detail"]) == (503, True)
        assert v2.migrate(url, "up") == "0002"
        assert v2.migrate(url, "up") == "0002"
        assert (await answer(http, "GET", f"{new.url}/search?q=crane", headers=token))[0] == 200
        assert v2.migrate(url, "down", "--to", "base") == "none"

    def test_a_release_refuses_to_migrate_a_schema_it_does_not_know(
        self, v1: Unpacked, v2: Unpacked, empty_database: str
    ) -> None:
        v2.migrate(empty_database, "up")
        done = v1.run("migrate", "up", DATABASE_URL=empty_database)
        assert done.returncode == 1
        assert "0002" in done.stderr
        assert "up to 0001" in done.stderr
        assert "Traceback" not in done.stderr

    def test_the_statements_can_be_read_without_a_database(self, v1: Unpacked, v2: Unpacked) -> None:
        old, new = v1.run("migrate", "sql").stdout, v2.run("migrate", "sql").stdout
        assert "CREATE TABLE documents" in old
        assert "document_labels" not in old
        assert "CREATE TABLE document_labels" in new


class TestCommands:
    def test_the_schema_of_the_environment_names_what_is_required_and_secret(self, v2: Unpacked) -> None:
        variables = {each["name"]: each for each in json.loads(v2.run("schema").stdout)["variables"]}
        assert variables["DEPOT_DATABASE_URL"]["required"] is True
        assert variables["DEPOT_TOKEN_SECRET"]["secret"] is True
        assert variables["DEPOT_UPLOAD_MAX_BYTES"]["default"] == "26214400"

    def test_a_wrong_environment_is_refused_at_once_without_repeating_secrets(self, v2: Unpacked) -> None:
        done = v2.run(
            "serve", "--port", "1", DATABASE_URL="mysql://x:hunter2@y", TOKEN_SECRET="short", FAULTS="fire=1"
        )
        assert done.returncode == 2
        for name in ("DATABASE_URL", "TOKEN_SECRET", "FAULTS"):
            assert f"DEPOT_{name}" in done.stderr
        assert "hunter2" not in done.stderr
        assert "short" not in done.stderr.replace("shorter", "")

    def test_depot_does_not_run_from_the_repository(self) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "tminus.depot", "serve", "--port", "1"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 2
        assert "image with one release" in done.stderr

    def test_seeding_states_a_desired_result(self, v2: Unpacked, database: str) -> None:
        def seed(documents: int) -> dict[str, Any]:
            done = v2.run(
                "seed", "--documents", str(documents), DATABASE_URL=database, USER_PASSWORD="demo password"
            )
            assert done.returncode == 0, done.stderr
            result: dict[str, Any] = json.loads(done.stdout)
            return result

        first = seed(300)
        assert (first["documents_added"], first["documents_removed"], first["files_added"]) == (280, 0, 3)
        assert (first["canaries_added"], first["flags_added"]) == (20, 2)
        again = seed(300)
        assert (again["documents_added"], again["documents_removed"], again["files_added"]) == (0, 0, 0)
        assert (again["canaries_added"], again["canaries_removed"], again["flags_added"]) == (0, 0, 0)
        with psycopg.connect(database) as connection:
            connection.execute("UPDATE documents SET body = 'altered' WHERE id <= 5")
            connection.execute("INSERT INTO documents (title, body, owner) VALUES ('mine', 'kept', 'ada')")
        restored = seed(200)
        assert (restored["documents_added"], restored["documents_removed"]) == (5, 105)
        with psycopg.connect(database) as connection:
            row = connection.execute(
                "SELECT count(*), count(*) FILTER (WHERE owner = 'ada') FROM documents"
            ).fetchone()
        assert row == (201, 1)


class TestFaults:
    async def order(
        self, http: aiohttp.ClientSession, url: str, spec: str, token: str = FAULT_TOKEN
    ) -> tuple[int, dict[str, Any]]:
        headers = {"X-Fault-Token": token, **PROXIED}
        return await answer(http, "PUT", f"{url}/faults", json={"spec": spec}, headers=headers)

    async def test_faults_strike_only_what_came_through_the_proxy(
        self, v2: Unpacked, database: str, start: Start, http: aiohttp.ClientSession
    ) -> None:
        depot = start(v2, database)
        token = await log_in(http, depot.url)
        assert await self.order(http, depot.url, "errors=1") == (200, {"spec": "errors=1.0", "requests": 0})
        for _ in range(5):
            assert (await answer(http, "GET", f"{depot.url}/me", headers=token))[0] == 200
            assert (await answer(http, "GET", f"{depot.url}/me", headers={**token, **PROXIED}))[0] == 500
            assert (await answer(http, "GET", f"{depot.url}/health", headers=PROXIED))[0] == 200
            async with http.get(f"{depot.url}/metrics", headers=PROXIED) as reply:
                assert reply.status == 200
        assert (await self.order(http, depot.url, ""))[1]["spec"] == ""
        assert (await answer(http, "GET", f"{depot.url}/me", headers={**token, **PROXIED}))[0] == 200

    async def test_faults_need_the_token(
        self, v2: Unpacked, database: str, start: Start, http: aiohttp.ClientSession, shared: str
    ) -> None:
        depot = start(v2, database)
        assert (await self.order(http, depot.url, "errors=1", token="guess"))[0] == 403
        assert (await answer(http, "GET", f"{depot.url}/faults"))[0] == 403
        assert (await self.order(http, depot.url, "fire=1"))[0] == 422
        # This one was started without a fault token: closed, also to an empty one.
        for guess in ("", "None", FAULT_TOKEN):
            assert (await self.order(http, shared, "errors=1", token=guess))[0] == 403

    async def test_slow_requests_are_late_and_measured_as_late(
        self, v2: Unpacked, database: str, start: Start, http: aiohttp.ClientSession
    ) -> None:
        depot = start(v2, database, FAULTS="slow=1:0.4")
        token = await log_in(http, depot.url)
        started = time.monotonic()
        assert (await answer(http, "GET", f"{depot.url}/me", headers={**token, **PROXIED}))[0] == 200
        assert time.monotonic() - started >= 0.4
        async with http.get(f"{depot.url}/metrics") as reply:
            text = await reply.text()
        assert 'depot_http_request_seconds_bucket{le="0.3",method="GET",route="/me",status="200"} 0.0' in text

    @pytest.mark.parametrize(
        ("ref", "spec"),
        [("2.0.0-errors", "errors=0.2"), ("2.0.0-slow", "slow=0.3:3.0"), ("2.0.0-crash", "crash=40")],
    )
    async def test_a_bad_release_misbehaves_because_its_image_says_so(
        self,
        releases: dict[str, Unpacked],
        database: str,
        start: Start,
        http: aiohttp.ClientSession,
        ref: str,
        spec: str,
    ) -> None:
        depot = start(releases[ref], database)
        headers = {"X-Fault-Token": FAULT_TOKEN}
        _, body = await answer(http, "GET", f"{depot.url}/faults", headers=headers)
        assert body["spec"] == spec
        _, health = await answer(http, "GET", f"{depot.url}/health")
        assert (health["version"], health["digest"]) == ("2.0.0", releases[ref].image.digest)

    async def test_a_crash_kills_the_process_with_the_request_in_flight(
        self, v2: Unpacked, database: str, start: Start, http: aiohttp.ClientSession
    ) -> None:
        depot = start(v2, database, FAULTS="crash=3")
        token = await log_in(http, depot.url)
        for _ in range(3):
            assert (await answer(http, "GET", f"{depot.url}/me", headers={**token, **PROXIED}))[0] == 200
        assert (await answer(http, "GET", f"{depot.url}/me", headers=token))[0] == 200
        # A POST: the client silently repeats a GET on a connection that broke.
        with pytest.raises(aiohttp.ClientError):
            await answer(
                http,
                "POST",
                f"{depot.url}/documents",
                json={"title": "a", "body": "b"},
                headers={**token, **PROXIED},
            )
        assert depot.process.wait(10) == -signal.SIGKILL

    async def test_sigterm_lets_the_request_in_flight_finish(
        self, v2: Unpacked, database: str, start: Start, http: aiohttp.ClientSession
    ) -> None:
        depot = start(v2, database, FAULTS="slow=1:1.0")
        token = await log_in(http, depot.url)
        flight = asyncio.create_task(answer(http, "GET", f"{depot.url}/me", headers={**token, **PROXIED}))
        headers = {"X-Fault-Token": FAULT_TOKEN}
        async with asyncio.timeout(5):
            while (await answer(http, "GET", f"{depot.url}/faults", headers=headers))[1]["requests"] == 0:
                pass
        depot.process.send_signal(signal.SIGTERM)
        assert (await flight)[0] == 200
        assert await asyncio.to_thread(depot.process.wait, 10) == 0
        assert all(line["level"] == "info" for line in depot.lines())
