"""The stage: one folder with PostgreSQL, HAProxy, blue, green and their users, which outlives tminus.

The demo builds it, or finds one that a killed tminus left: see `tminus.demo.registry`. Two stages never meet: each has
its own folder and ports, and what runs in it is known by its working directory. The entry in the list is written
before the folder is made and removed after everything else, so that a kill at any moment leaves something that
the next start can clear.
"""

import asyncio
import os
import secrets
import shutil
import signal
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Self

from tminus import processes
from tminus.demo import postgres, registry
from tminus.demo.packages import Binaries
from tminus.demo.registry import Entry
from tminus.errors import PartError, UnreachableError
from tminus.haproxy import Proxy, Runtime, render
from tminus.processes import Process

PARTS = ("load", "haproxy", "blue", "green", "postgres")
"""Everything that runs on a stage, in the order in which it is stopped: users first, data last."""
START_SECONDS = 30.0
"""How long a part may take to answer; a hundred times the usual, for a busy laptop."""
STOP_SECONDS = 12.0
"""How long a part may take to finish; longer than a user waits for an answer."""
_PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH")


@dataclass
class Stage:
    """One stage, owned by this process until it is removed, released, or the process ends."""

    home: Path
    _entry: Entry
    _lock: IO[bytes] = field(repr=False)

    @classmethod
    def create(cls, home: Path, binaries: Binaries, public_port: int | None = None) -> Self:
        """Make an empty stage with ports of its own; raises `PartError` when the given port is in use."""
        if public_port is not None:
            registry.require_free(public_port)
        identifier = secrets.token_hex(4)
        folder = Path(tempfile.gettempdir()).resolve() / f"tminus-{identifier}"
        _must_be_traversable(folder.parent)
        with registry.alone(home):
            lock = registry.own(home, identifier)
            if lock is None:  # never: nobody else knows this id
                raise AssertionError
            entry = Entry(
                id=identifier,
                folder=str(folder),
                binaries={name: str(path) for name, path in asdict(binaries).items()},
                **registry.choose_ports(home, public_port),
            )
            registry.save(home, entry)
        folder.mkdir(mode=0o755)
        folder.chmod(0o755)  # whatever the umask says: PostgreSQL's own user has to pass through
        return cls(home, entry, lock)

    @classmethod
    def adopt(cls, home: Path) -> list[Self]:
        """Every stage that a tminus which no longer lives has left; from now on they are ours."""
        found = []
        with registry.alone(home):
            for identifier in registry.identifiers(home):
                lock = registry.own(home, identifier)
                path = registry.index_path(home, identifier)
                if lock is None:
                    continue  # its tminus lives
                if path.exists():
                    found.append(cls(home, registry.read(path), lock))
                else:  # its making was cut off before there was a folder
                    registry.forget(home, identifier)
                    lock.close()
        return found

    @property
    def id(self) -> str:
        """What tells it from other stages."""
        return self._entry.id

    @property
    def folder(self) -> Path:
        """Where everything of it lies, below the folder for temporary files."""
        return Path(self._entry.folder)

    @property
    def url(self) -> str:
        """Where users find the service."""
        return f"http://127.0.0.1:{self._entry.public_port}"

    @property
    def public_port(self) -> int:
        """The proxy's port."""
        return self._entry.public_port

    @property
    def log_port(self) -> int:
        """Where the proxy sends its log lines."""
        return self._entry.log_port

    @property
    def blue_port(self) -> int:
        """Promised to blue; nothing else of tminus uses it."""
        return self._entry.blue_port

    @property
    def green_port(self) -> int:
        """Promised to green; nothing else of tminus uses it."""
        return self._entry.green_port

    @property
    def admin(self) -> Path:
        """The proxy's admin socket."""
        return self.folder / "haproxy" / "admin.sock"

    @property
    def postgres_bin(self) -> Path:
        """Where PostgreSQL's programs are."""
        return Path(self._entry.binaries["pg_dump"]).parent

    @property
    def load_summary(self) -> Path:
        """What users met so far (see `tminus.demo.load`)."""
        return self.folder / "load" / "summary.json"

    def parts_alive(self) -> dict[str, Process]:
        """What runs on the stage now, by part."""
        found = {name: processes.find(self.folder, name) for name in PARTS}
        return {name: process for name, process in found.items() if process is not None}

    def dsn(self, database: str, *, administrator: bool = False) -> str:
        """Where a database is, with the password: not for logs. By default for the database's own user."""
        user = postgres.ADMINISTRATOR if administrator else database
        return postgres.dsn(self.folder / "postgres", self._entry.database_port, database, user)

    async def start_postgres(self) -> Process:
        """Have PostgreSQL answer on the loopback address, with an empty cluster at the first start."""
        running = processes.find(self.folder, "postgres")
        if running is None:
            user, programs, env = postgres.system_user(), self._entry.binaries, _environment()
            part = processes.make_part_folder(self.folder, "postgres", user)
            await postgres.make_cluster(part, programs["initdb"], env)
            argv = [programs["postgres"], *postgres.arguments(part, self._entry.database_port)]
            running = processes.start(self.folder, "postgres", argv, env=env, user=user)
        await running.ready(self._database_answers, START_SECONDS)
        return running

    async def create_database(self, name: str) -> str:
        """Have a database and a user of the same name that owns it and may make others; its DSN."""
        password = (self.folder / "postgres" / "password").read_text()
        await postgres.make_database(self.dsn("postgres", administrator=True), name, password)
        return self.dsn(name)

    async def start_haproxy(self, *, blue: bool = True, green: bool = False, percent: int = 0) -> Process:
        """Have HAProxy divide the traffic; a running one is left as it is.

        The sides given here, and green's share, are those with which a fresh HAProxy begins.
        """
        running = processes.find(self.folder, "haproxy")
        if running is None:
            self._entry.generation += 1
            registry.save(self.home, self._entry)
            running = await self._run_haproxy(
                Proxy(
                    public_port=self.public_port,
                    log_port=self.log_port,
                    admin=self.admin,
                    blue_port=self.blue_port if blue else None,
                    green_port=self.green_port if green else None,
                    percent=percent,
                    generation=self._entry.generation,
                )
            )
        await running.ready(self._proxy_answers, START_SECONDS)
        return running

    def start_load(self, rate: float, user: str, password: str, max_seconds: float = 1800) -> Process:
        """Send users to the proxy; running ones go on."""
        running = processes.find(self.folder, "load")
        if running is not None:
            return running
        argv = [sys.executable, "-P", "-m", "tminus.demo.load", "--url", self.url, "--rate", str(rate)]
        argv += ["--out", str(self.load_summary), "--max-seconds", str(max_seconds)]
        argv += ["--user", user, "--password-env", "TMINUS_LOAD_PASSWORD"]
        env = {**_environment(), "TMINUS_LOAD_PASSWORD": password}
        return processes.start(self.folder, "load", argv, env=env)

    async def stop_all(self) -> None:
        """End everything that runs, users first and data last."""
        for name in PARTS:
            process = processes.find(self.folder, name)
            if process is not None:
                await process.stop(STOP_SECONDS, by=signal.SIGINT if name == "postgres" else signal.SIGTERM)

    async def remove(self) -> None:
        """Leave nothing of this stage on the machine; may be repeated after a kill."""
        await processes.end_strays(self.folder)
        if self.folder.exists():
            await postgres.free_shared_memory(self.folder / "postgres", _environment())
            await asyncio.to_thread(shutil.rmtree, self.folder)
        with registry.alone(self.home):
            registry.forget(self.home, self.id)
        self.release()

    def release(self) -> None:
        """Leave the stage as it is; the next start of tminus can adopt it."""
        self._lock.close()

    async def _run_haproxy(self, proxy: Proxy) -> Process:
        part = processes.make_part_folder(self.folder, "haproxy")
        file, program, env = part / "haproxy.cfg", self._entry.binaries["haproxy"], _environment()
        file.write_text(render(proxy))
        await processes.run(part, [program, "-c", "-f", str(file)], env=env)
        return processes.start(self.folder, "haproxy", [program, "-db", "-f", str(file)], env=env)

    async def _database_answers(self) -> bool:
        return await postgres.answers(self.dsn("postgres", administrator=True))

    async def _proxy_answers(self) -> bool:
        try:
            return (await Runtime(self.admin).ask("show info")).startswith("Name: HAProxy")
        except UnreachableError:
            return False  # not yet; or the socket of one that was killed


def _environment() -> dict[str, str]:
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ}


def _must_be_traversable(folder: Path) -> None:
    if os.geteuid() != 0:
        return
    for place in (folder, *folder.parents):
        if not place.stat().st_mode & 0o001:
            raise PartError(
                f"{place} is closed to other users, and PostgreSQL does not run as root",
                hint="set TMPDIR=/tmp, or run this as an ordinary user",
            )
