"""What the tests of depot share: its releases unpacked, databases, and processes that end with the test."""

import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import pytest

from tminus import oci
from tminus.demo.images import BLUE, build_releases

if TYPE_CHECKING:
    from tests.integration.depot.depot_world import (
        FAULT_TOKEN,
        PASSWORD,
        SECRET,
        RedisServer,
        Running,
        Start,
        Unpacked,
        create_database,
        wait_until,
    )
else:
    from depot_world import (
        FAULT_TOKEN,
        PASSWORD,
        SECRET,
        RedisServer,
        Running,
        Start,
        Unpacked,
        create_database,
        wait_until,
    )


@pytest.fixture(scope="session")
def releases() -> Iterator[dict[str, Unpacked]]:
    with tempfile.TemporaryDirectory() as name:
        layout = Path(name) / "layout"
        digests = build_releases(layout)
        yield {
            ref: Unpacked(oci.unpack(layout, digest, Path(name) / ref), oci.verify(layout, digest))
            for ref, digest in digests.items()
        }


@pytest.fixture(scope="session")
def v1(releases: dict[str, Unpacked]) -> Unpacked:
    return releases[BLUE]


@pytest.fixture(scope="session")
def v2(releases: dict[str, Unpacked]) -> Unpacked:
    return releases["2.0.0"]


@pytest.fixture
def empty_database(postgres_url: str) -> str:
    return create_database(postgres_url)


@pytest.fixture(scope="session")
def migrated(postgres_url: str, v2: Unpacked) -> str:
    """The name of a database with the schema of the newest release and one user, to copy from."""
    url = create_database(postgres_url)
    v2.migrate(url, "up")
    added = v2.run("adduser", "ada", stdin=PASSWORD + "\n", DATABASE_URL=url)
    assert added.returncode == 0, added.stderr
    return url.rpartition("/")[2]


@pytest.fixture
def database(postgres_url: str, migrated: str) -> str:
    return create_database(postgres_url, migrated)


@pytest.fixture
def start(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Start]:
    running: list[Running] = []

    def run(release: Unpacked, url: str, **depot: str) -> Running:
        port = free_port()
        log = tmp_path / f"depot-{port}.log"
        with log.open("wb") as stream:
            process = subprocess.Popen(
                release.command("serve", "--port", str(port)),
                cwd=release.root / "app",
                env=release.environment(
                    DATABASE_URL=url, TOKEN_SECRET=SECRET, FAULT_TOKEN=FAULT_TOKEN, **depot
                ),
                stdout=stream,
                stderr=stream,
            )
        running.append(Running(process, f"http://127.0.0.1:{port}", log))
        wait_until(lambda: process.poll() is not None or "Uvicorn running" in log.read_text())
        assert process.poll() is None, log.read_text()
        return running[-1]

    yield run
    for each in running:
        each.process.kill()
        each.process.wait(10)


@pytest.fixture
def start_worker(tmp_path: Path) -> Iterator[Start]:
    running: list[Running] = []

    def run(release: Unpacked, url: str, **depot: str) -> Running:
        log = tmp_path / f"worker-{len(running)}.log"
        with log.open("wb") as stream:
            process = subprocess.Popen(
                release.command("worker"),
                cwd=release.root / "app",
                env=release.environment(DATABASE_URL=url, TOKEN_SECRET=SECRET, **depot),
                stdout=stream,
                stderr=stream,
            )
        running.append(Running(process, "", log))
        wait_until(lambda: process.poll() is not None or "worker started" in log.read_text())
        assert process.poll() is None, log.read_text()
        return running[-1]

    yield run
    for each in running:
        each.process.kill()
        each.process.wait(10)


@pytest.fixture
def redis(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[RedisServer]:
    """An empty Redis."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not on PATH")
    server = RedisServer(program, tmp_path, free_port())
    server.start()
    yield server
    server.kill()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    timeout = aiohttp.ClientTimeout(total=15)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        yield session


@pytest.fixture(scope="module")
def shared(
    v2: Unpacked,
    postgres_url: str,
    migrated: str,
    free_port: Callable[[], int],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """One depot for tests that only ask."""
    url = create_database(postgres_url, migrated)
    port = free_port()
    log = tmp_path_factory.mktemp("shared") / "depot.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            v2.command("serve", "--port", str(port)),
            cwd=v2.root / "app",
            env=v2.environment(DATABASE_URL=url, TOKEN_SECRET=SECRET, UPLOAD_MAX_BYTES="100000"),
            stdout=stream,
            stderr=stream,
        )
    try:
        wait_until(lambda: "Uvicorn running" in log.read_text())
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait(10)
