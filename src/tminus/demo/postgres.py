"""PostgreSQL on a stage: a cluster of its own with passwords, and no trace of it after a kill.

Only `tminus.demo.stage` uses this.
"""

import os
import secrets
import shutil
from pathlib import Path

import psycopg
from psycopg import sql

from tminus import processes
from tminus.errors import PartError

ADMINISTRATOR = "postgres"
"""The cluster's superuser, and the system user as whom PostgreSQL runs when we are root."""

MONITOR = "monitor"
"""The user that PostgreSQL's exporter watches with."""


def system_user() -> str | None:
    """As whom PostgreSQL has to run: it refuses root."""
    return ADMINISTRATOR if os.geteuid() == 0 else None


async def make_cluster(part: Path, initdb: str, env: dict[str, str]) -> None:
    """Make the cluster beside its place and move it there whole, so that a kill leaves none or a good one."""
    if _made(part):
        return
    draft, password = part / "data.new", part / "password"
    _prepare(draft, password)
    argv = [initdb, "-D", str(draft), "--username", ADMINISTRATOR, "--auth", "scram-sha-256"]
    argv += ["--pwfile", str(password), "--encoding", "UTF8", "--no-locale"]
    await processes.must_run(part, argv, env=env, user=system_user())
    draft.rename(part / "data")


def arguments(part: Path, port: int) -> list[str]:
    """PostgreSQL's command line.

    `dynamic_shared_memory_type=mmap` keeps its shared memory in the stage's folder: `posix` leaves files in
    /dev/shm after a kill. Without `fsync` a kill still loses nothing, only a machine that loses its power; a stage does
    not outlive that, and a disk that stalls is not to be taken for a slow release.
    """
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": str(part),
        "dynamic_shared_memory_type": "mmap",
        "fsync": "off",
    }
    return [
        "-D",
        str(part / "data"),
        *(word for name, value in settings.items() for word in ("-c", f"{name}={value}")),
    ]


def dsn(part: Path, port: int, database: str, user: str) -> str:
    """Where a database is, with the password: not for logs."""
    return address(port, database, user, (part / "password").read_text())


def address(port: int, database: str, user: str, password: str) -> str:
    """Where a database is for a user with a password of its own: not for logs."""
    return f"postgresql://{user}:{password}@127.0.0.1:{port}/{database}"


async def answers(address: str) -> bool:
    """Whether a query is answered."""
    try:
        async with await psycopg.AsyncConnection.connect(address, connect_timeout=2) as connection:
            await connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


async def make_database(address: str, name: str, password: str) -> None:
    """Have a database and a user of the same name that owns it and may make others."""
    owner = sql.Identifier(name)
    role = sql.SQL("CREATE ROLE {} LOGIN CREATEDB PASSWORD {}").format(owner, sql.Literal(password))
    database = sql.SQL("CREATE DATABASE {} OWNER {}").format(owner, owner)
    try:
        async with await psycopg.AsyncConnection.connect(
            address, autocommit=True, connect_timeout=5
        ) as connection:
            known = await connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name])
            if await known.fetchone() is None:
                await connection.execute(role)
            known = await connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
            if await known.fetchone() is None:
                await connection.execute(database)
    except psycopg.Error as error:
        raise PartError(
            f"the database {name} cannot be made: {error}", hint="see PostgreSQL's log in the stage's folder"
        ) from error


async def make_monitor(address: str, password: str) -> None:
    """Have a user who may see how PostgreSQL is, and no row of anybody's."""
    name = sql.Identifier(MONITOR)
    try:
        async with await psycopg.AsyncConnection.connect(
            address, autocommit=True, connect_timeout=5
        ) as connection:
            known = await connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [MONITOR])
            if await known.fetchone() is None:
                role = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} IN ROLE pg_monitor")
                await connection.execute(role.format(name, sql.Literal(password)))
    except psycopg.Error as error:
        raise PartError(
            f"the user {MONITOR} cannot be made: {error}", hint="see PostgreSQL's log in the stage's folder"
        ) from error


async def free_shared_memory(part: Path, env: dict[str, str]) -> None:
    """Free the System V segment that a killed PostgreSQL leaves; its key and number are its pid file's 7th line.

    Only where the kernel still shows that very segment with nobody attached. Where it shows none (macOS),
    56 bytes stay until the next boot.
    """
    number = _left_segment(part / "data" / "postmaster.pid", Path("/proc/sysvipc/shm"))
    if number is not None:
        await processes.must_run(part, ["ipcrm", "-m", number], env=env)


def _left_segment(pid_file: Path, table: Path) -> str | None:
    if not pid_file.exists() or not table.exists():
        return None
    lines = pid_file.read_text().splitlines()
    ours = lines[6].split() if len(lines) > 6 else []
    rows = [row.split() for row in table.read_text().splitlines()[1:]]
    return ours[1] if any(row[:2] == ours and row[6] == "0" for row in rows) else None


def _made(part: Path) -> bool:
    return (part / "data").exists()


def _prepare(draft: Path, password: Path) -> None:
    shutil.rmtree(draft, ignore_errors=True)  # what a kill left
    if password.exists():
        return
    new = password.with_suffix(".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(24))
    user = system_user()
    if user is not None:
        shutil.chown(new, user)
    new.replace(password)
