"""Real parts that several integration tests share."""

import asyncio
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tminus.demo.machine import ThisMachine
from tminus.demo.packages import locate

if TYPE_CHECKING:
    from tests.integration import line_world
else:
    import line_world


def _postgres_program(name: str) -> str:
    candidates = [
        shutil.which(name),
        *sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True),
    ]
    found = next((str(candidate) for candidate in candidates if candidate), None)
    if found is None:
        pytest.skip(f"PostgreSQL's {name} is neither on PATH nor below /usr/lib/postgresql")
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """Finds a loopback port that nothing listens on now."""
    return _free_port


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The address of an empty PostgreSQL cluster that ends with the session."""
    initdb, pg_ctl = _postgres_program("initdb"), _postgres_program("pg_ctl")
    # PostgreSQL refuses to run as root; the folder lies directly below /tmp so that its user can reach it.
    user = "postgres" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="tminus-pg-") as name:
        folder, port = Path(name), _free_port()
        if user:
            shutil.chown(folder, user)
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"

        def run(*command: str) -> None:
            with (Path(name) / "commands.log").open("ab") as log:
                subprocess.run(command, check=True, user=user, cwd="/", stdout=log, stderr=log, timeout=60)

        data = str(folder / "data")
        run(initdb, "-D", data, "-A", "trust", "-U", "postgres", "-N", "-E", "UTF8", "--locale=C.UTF-8")
        run(pg_ctl, "-D", data, "-w", "-l", str(folder / "server.log"), "-o", options, "start")
        try:
            yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
        finally:
            run(pg_ctl, "-D", data, "-w", "-m", "immediate", "stop")


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[line_world.World]:
    """The stage that all lines are judged on; a test puts back what it broke."""
    binaries = locate(ThisMachine())
    if binaries is None:
        pytest.skip("a program of the stage is not installed")
    built = asyncio.run(line_world.build(tmp_path_factory.mktemp("world"), binaries))
    yield built
    asyncio.run(built.stage.remove())
