"""depot as a launch meets it: unpacked images, real processes, a real PostgreSQL and a real Redis."""

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import aiohttp
import psycopg
from psycopg import sql
from redis import Redis
from redis.exceptions import RedisError

from tminus import oci

SECRET = "a secret for these tests"
PASSWORD = "correct horse battery"
FAULT_TOKEN = "let it fail"
PROXIED = {"X-Forwarded-For": "192.0.2.7"}


@dataclass(frozen=True)
class Unpacked:
    """An image as a target unpacks it."""

    root: Path
    image: oci.Image

    def environment(self, **depot: str) -> dict[str, str]:
        given = {f"DEPOT_{name}": value for name, value in depot.items()}
        return {**self.image.env, "PYTHONPATH": str(self.root / "app"), "PATH": os.environ["PATH"], **given}

    def command(self, *arguments: str) -> list[str]:
        assert self.image.entrypoint[0] == "python"
        return [sys.executable, *self.image.entrypoint[1:], *arguments]

    def run(self, *arguments: str, stdin: str = "", **depot: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            cwd=self.root / "app",
            env=self.environment(**depot),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def migrate(self, url: str, *arguments: str) -> str:
        done = self.run("migrate", *arguments, DATABASE_URL=url)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@dataclass
class Running:
    """A depot process and where it answers."""

    process: "subprocess.Popen[bytes]"
    url: str
    log: Path

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@dataclass
class RedisServer:
    """A Redis of its own, which can die and come back at the same address."""

    program: str
    folder: Path
    port: int
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        address = ("--bind", "127.0.0.1", "--port", str(self.port))
        with (self.folder / "redis.log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.program, *address, "--dir", str(self.folder), "--save", "", "--daemonize", "no"],
                stdout=log,
                stderr=log,
            )
        wait_until(self._answers)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)

    def ask(self) -> Redis:
        return Redis.from_url(self.url, decode_responses=True)

    def _answers(self) -> bool:
        with self.ask() as client:
            try:
                return bool(client.ping())
            except RedisError:
                return False


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        threading.Event().wait(0.05)


def create_database(postgres_url: str, template: str = "template1") -> str:
    name = f"depot_{uuid.uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
    return postgres_url.removesuffix("postgres") + name


Start = Callable[..., Running]


async def answer(
    http: aiohttp.ClientSession, method: str, url: str, **options: Any
) -> tuple[int, dict[str, Any]]:
    async with http.request(method, url, **options) as reply:
        text = await reply.text()
        return reply.status, json.loads(text) if text else {}


async def log_in(http: aiohttp.ClientSession, url: str) -> dict[str, str]:
    status, body = await answer(http, "POST", f"{url}/login", json={"user": "ada", "password": PASSWORD})
    assert status == 200, body
    return {"Authorization": f"Bearer {body['token']}"}


def close_connections(postgres_url: str, database: str) -> None:
    """End depot's connections to one database, as a restart of PostgreSQL does."""
    with psycopg.connect(postgres_url) as admin:
        closed = admin.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE application_name = 'depot' AND datname = %s",
            (database.rpartition("/")[2],),
        )
        assert closed.fetchall()


def form(content: bytes, media_type: str) -> aiohttp.FormData:
    data = aiohttp.FormData()
    data.add_field("file", content, filename="plan.bin", content_type=media_type)
    return data


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - processes and servers set no event
            await asyncio.sleep(0.02)


def query(url: str, statement: LiteralString, *values: object) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def admit(postgres_url: str, database: str, *, connections: bool) -> None:
    """Have PostgreSQL refuse new connections to one database, or take them again."""
    name = sql.Identifier(database.rpartition("/")[2])
    statement = sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS {}").format(name, sql.Literal(connections))
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(statement)
