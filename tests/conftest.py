"""A real PostgreSQL for the tests that need one."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
import pytest
from dbos import DBOS
from hypothesis import HealthCheck, settings

from tminus import loopback
from tminus.store import connect, prepare

if TYPE_CHECKING:
    from tests import s3_stand_in
else:
    import s3_stand_in

settings.register_profile(
    "unhurried",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    # The gate asks the same of every commit; whoever works here draws new examples each time.
    derandomize="SAME_EXAMPLES" in os.environ,
)
settings.load_profile(
    "unhurried"
)  # how soon an example is judged depends on the machine, and belongs in benchmarks

_MISSING = re.compile(r"is not installed|on PATH")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test whose part is missing on this machine fails: what nobody ran has not passed."""
    report = yield
    if report.skipped and _MISSING.search(str(report.longrepr)):
        report.outcome = "failed"
        report.longrepr = f"{report.longrepr}\n`tminus demo --install-only` installs every part"
    return report


def _postgres_program(name: str) -> str:
    candidates = [
        shutil.which(name),
        *sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True),
    ]
    found = next((str(candidate) for candidate in candidates if candidate), None)
    if found is None:
        pytest.fail(f"PostgreSQL's {name} is neither on PATH nor below /usr/lib/postgresql")
    return found


@dataclass(frozen=True, slots=True)
class Cluster:
    """A PostgreSQL cluster that a test may stop and start."""

    folder: Path
    port: int
    user: str | None
    """PostgreSQL refuses to run as root."""

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def run(self, program: str, *arguments: str) -> None:
        command = (_postgres_program(program), "-D", str(self.folder / "data"), *arguments)
        with (self.folder / "commands.log").open("ab") as log:
            subprocess.run(command, check=True, user=self.user, cwd="/", stdout=log, stderr=log, timeout=60)

    def start(self) -> None:
        where = f"-c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder}"
        options = f"-p {self.port} {where} -c fsync=off"
        self.run("pg_ctl", "-w", "-l", str(self.folder / "server.log"), "-o", options, "start")

    def stop(self) -> None:
        self.run("pg_ctl", "-w", "-m", "immediate", "stop")

    def database(self, template: str = "template1") -> str:
        """The address of a new database, empty by default, as SQLAlchemy writes it."""
        return self._create(f"t{uuid4().hex}", template)

    def engine_database(self) -> str:
        """The same with the tables of the engine, which take it seconds to make."""
        with psycopg.connect(self.url, connect_timeout=10) as connection:
            there = connection.execute("select 1 from pg_database where datname = 'engine'").fetchone()
        if there is None:
            url = self._create("engine", "template1")
            engine = connect(url)
            prepare(engine, lambda: DBOS.migrate(url))
            engine.dispose()
        return self.database("engine")

    def _create(self, name: str, template: str) -> str:
        with psycopg.connect(self.url, autocommit=True, connect_timeout=10) as connection:
            connection.execute(f"create database {name} template {template}".encode())
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{name}"


@contextmanager
def _cluster() -> Iterator[Cluster]:
    user = "postgres" if os.geteuid() == 0 else None
    # The folder lies directly below /tmp so that PostgreSQL's user can reach it.
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="tminus-pg-") as name:
        made = Cluster(Path(name), loopback.free_port(), user)
        if user:
            shutil.chown(made.folder, user)
        made.run("initdb", "-A", "trust", "-U", "postgres", "-N", "-E", "UTF8", "--locale=C.UTF-8")
        made.start()
        try:
            yield made
        finally:
            made.stop()


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """Finds a loopback port that nothing listens on now."""
    return loopback.free_port


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """An empty PostgreSQL cluster that ends with the session."""
    with _cluster() as made:
        yield made


@pytest.fixture(scope="session")
def postgres_url(postgres: Cluster) -> str:
    """Its address."""
    return postgres.url


@pytest.fixture
def own_postgres() -> Iterator[Cluster]:
    """A cluster of one test, which may stop and start it; it must run at the end."""
    with _cluster() as made:
        yield made


@pytest.fixture(scope="session")
def s3_server() -> Iterator[s3_stand_in.StandIn]:
    """A stand-in for S3 that ends with the session."""
    with s3_stand_in.running() as server:
        yield server


@pytest.fixture
def s3(s3_server: s3_stand_in.StandIn, monkeypatch: pytest.MonkeyPatch) -> s3_stand_in.StandIn:
    """The same, with the environment of who uses it."""
    s3_stand_in.surroundings(monkeypatch, s3_server.url)
    return s3_server
