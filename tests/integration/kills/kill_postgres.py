"""A PostgreSQL cluster of its own, with a database for each launch."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from tminus.errors import PartError


@dataclass(frozen=True, slots=True)
class PostgresCluster:
    """A running cluster on loopback."""

    port: int
    name: str = "PostgreSQL"

    async def url(self, folder: Path) -> str:
        """See `Database.url`."""
        name = f"launch_{folder.name}".replace("-", "_")
        address = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        async with await psycopg.AsyncConnection.connect(address, autocommit=True) as connection:
            await connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{name}"

    @staticmethod
    @contextmanager
    def running(*, durable: bool = False) -> Iterator["PostgresCluster"]:
        """A new cluster, which is ended and gone afterwards; `durable` keeps what it has committed over a power cut."""
        initdb, pg_ctl = _program("initdb"), _program("pg_ctl")
        # PostgreSQL refuses to run as root; the folder lies directly below /tmp so that its user can reach it.
        user = "postgres" if os.geteuid() == 0 else None
        with tempfile.TemporaryDirectory(dir="/tmp", prefix="tminus-pg-") as name, socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
            probe.close()
            if user:
                shutil.chown(name, user)
            options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={name}"
            options += f" -c fsync={'on' if durable else 'off'} -c max_connections=300"

            def run(*command: str) -> None:
                with (Path(name) / "commands.log").open("ab") as log:
                    subprocess.run(
                        command, check=True, user=user, cwd="/", stdout=log, stderr=log, timeout=60
                    )

            data = f"{name}/data"
            run(initdb, "-D", data, "-A", "trust", "-U", "postgres", "-N", "-E", "UTF8", "--locale=C.UTF-8")
            run(pg_ctl, "-D", data, "-w", "-l", f"{name}/server.log", "-o", options, "start")
            try:
                yield PostgresCluster(port)
            finally:
                run(pg_ctl, "-D", data, "-w", "-m", "immediate", "stop")


def _program(name: str) -> str:
    below = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    found = shutil.which(name) or next(map(str, below), None)
    if found is None:
        raise PartError(
            f"PostgreSQL's {name} is neither on PATH nor below /usr/lib/postgresql", hint="install postgresql"
        )
    return found
