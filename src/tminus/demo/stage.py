"""The stage: one folder with PostgreSQL, HAProxy, registry, blue, green and their users, which outlives tminus.

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
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Self

from tminus import processes
from tminus.demo import parts, postgres, registry
from tminus.demo.packages import Binaries
from tminus.demo.page import stop_page
from tminus.demo.parts import SUPPORTING, Setting
from tminus.demo.parts import registry as registry_part
from tminus.demo.registry import Entry
from tminus.demo.supervisor import AGAIN, Part, Supervisor, Told, together
from tminus.demo.worker import Serving, Worker
from tminus.domain.traffic import Side
from tminus.errors import PartError, RolloutError, UnreachableError
from tminus.haproxy import (
    SECRET_VARIABLE,
    Desired,
    Proxy,
    Runtime,
    Start,
    desired_state,
    leave_state,
    next_socket,
    render,
    settle,
    state_file,
    take_over,
)
from tminus.processes import Process
from tminus.wiring import SystemClock
from tminus.wiring.keys import Keys

PARTS = ("load", "worker", *SUPPORTING, "haproxy", "blue", "green", "registry", "postgres")
"""Everything that runs on a stage, in the order in which it is stopped: users first, then who watches, data last."""
_PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH")


@dataclass
class Stage:
    """One stage, owned by this process until it is removed, released, or the process ends."""

    home: Path
    _entry: Entry
    _lock: IO[bytes] = field(repr=False)

    def __post_init__(self) -> None:
        self._supervisor = Supervisor(self.folder)
        self._desired = desired_state(self.folder)

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
            ports = registry.choose_ports(home, public_port)
            entry = Entry(
                id=identifier,
                folder=str(folder),
                log_secret=secrets.token_urlsafe(24),
                support_ports=registry.choose_support_ports(home, ports.values()),
                secrets=registry.new_secrets(),
                binaries={name: str(path) for name, path in asdict(binaries).items()},
                **ports,
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
    def log_secret(self) -> str:
        """What the proxy's log lines are known by: not for logs, records or summaries."""
        return self._entry.log_secret

    @property
    def generation(self) -> int:
        """How often this stage has started HAProxy."""
        return self._entry.generation

    @property
    def blue_port(self) -> int:
        """Promised to blue; nothing else of tminus uses it."""
        return self._entry.blue_port

    @property
    def green_port(self) -> int:
        """Promised to green; nothing else of tminus uses it."""
        return self._entry.green_port

    @property
    def registry(self) -> str:
        """The repository from which releases are pulled."""
        return registry_part.address(self._entry.registry_port)

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

    async def start_registry(self) -> Process:
        """Have the registry answer, empty at the first start; one that ends is started again with what it held."""
        program, port = self._entry.binaries["docker_registry"], self._entry.registry_port
        return await self._supervisor.start(
            registry_part.registry(self.folder, program, port, _environment())
        )

    async def start_postgres(self) -> Process:
        """Have PostgreSQL answer on the loopback address, with an empty cluster at the first start.

        One that ends by itself is not started again: that users come to harm by it is what has to be seen.
        """
        user, env = postgres.system_user(), _environment()
        part = self.folder / "postgres"

        async def prepare() -> None:
            await postgres.make_cluster(part, self._entry.binaries["initdb"], env)

        command = [self._entry.binaries["postgres"], *postgres.arguments(part, self._entry.database_port)]
        return await self._supervisor.start(
            Part(
                "postgres",
                command,
                env,
                answers=self._database_answers,
                prepare=prepare,
                user=user,
            )
        )

    async def create_database(self, name: str) -> str:
        """Have a database and a user of the same name that owns it and may make others; its DSN."""
        password = (self.folder / "postgres" / "password").read_text()
        await postgres.make_database(self.dsn("postgres", administrator=True), name, password)
        return self.dsn(name)

    @property
    def setting(self) -> Setting:
        """What the supporting parts have to know of this stage."""
        watched = self._entry.database_port, "postgres", postgres.MONITOR, self._entry.secrets["monitor"]
        return Setting(
            folder=self.folder,
            binaries=self._entry.binaries,
            ports=self._entry.support_ports,
            secrets=self._entry.secrets,
            environment=_environment(),
            public=self.url,
            sides={Side.BLUE: self.blue_port, Side.GREEN: self.green_port},
            monitor=postgres.address(*watched),
            confirm=partial(Keys(self.home).confirmed, SystemClock().now),
        )

    async def start_supporting(self, *names: str) -> None:
        """Have these supporting parts answer, all when none is named, and again whenever one ends; PostgreSQL must run.

        They are started at once. Prometheus takes some six seconds until it measures, the others less than one.
        """
        password = self._entry.secrets["monitor"]
        await postgres.make_monitor(self.dsn("postgres", administrator=True), password)
        known = parts.supporting(self.setting)
        await together(*(self._supervisor.start(known[name]) for name in names or SUPPORTING))

    async def start_haproxy(self, wanted: Desired | None = None) -> Process:
        """Have HAProxy divide the traffic; a running one is left as it is, and one that ends is started again.

        A fresh one begins with what is wanted, or else with what the target last had of the one before; at the very
        first with all traffic on blue.
        """
        if wanted is not None or self._desired.read() is None:
            processes.make_part_folder(self.folder, "haproxy")
            self._desired.write(wanted or Desired(0, {Side.BLUE: self.blue_port}))
        await settle(self.folder, Runtime(self.admin))
        return await self._supervisor.start(
            Part(
                "haproxy",
                self._proxy_command,
                self._proxy_environment,
                answers=self._proxy_answers,
                prepare=self._start_proxy_alone,
                look=self._note_weights,
                restarts=AGAIN,
            )
        )

    async def reload_haproxy(self) -> Process:
        """Have another HAProxy take the place of the running one, without a request lost; see `haproxy.take_over`.

        It reads its configuration anew, and its servers stand as they stood. Raises as `take_over` does.
        """
        proxy = Runtime(self.admin)
        await self._note_weights()
        await leave_state(self.folder, proxy)
        await self._configure_haproxy(again=True)
        start = Start(self.generation, self._proxy_command, self._proxy_environment)
        with self._supervisor.replacing("haproxy"):
            return await take_over(self.folder, start, proxy, self.log_port)

    async def start_worker(self, serving: Serving) -> Process:
        """Have depot's worker run, of the release that serves everybody; one that ends is started again."""
        worker = Worker(self.folder, serving, self._supervisor.renew)
        return await self._supervisor.start(await worker.part())

    async def start_load(self, rate: float, user: str, password: str, max_seconds: float = 1800) -> Process:
        """Send users to the proxy; running ones go on."""
        argv = [sys.executable, "-P", "-m", "tminus.demo.load", "--url", self.url, "--rate", str(rate)]
        argv += ["--out", str(self.load_summary), "--max-seconds", str(max_seconds)]
        argv += ["--user", user, "--password-env", "TMINUS_LOAD_PASSWORD"]
        env = {**_environment(), "TMINUS_LOAD_PASSWORD": password}
        return await self._supervisor.start(Part("load", argv, env))

    def missing(self, now: float) -> str:
        """Which supporting part or worker is not there, in words; empty while all are (see `docs/adr/0015`)."""
        gone = self._supervisor.missing(now)
        return "; ".join(text for name, text in gone.items() if name in {"worker", *SUPPORTING})

    async def look_after(self, told: Told, now: Callable[[], float]) -> None:
        """Watch every part that was started by this process, and start again what may be; without end."""
        await self._supervisor.watch(told, now)

    async def stop_all(self) -> None:
        """End everything that runs, users first and data last; then the page, which shows the end."""
        for name in PARTS:
            await self._supervisor.stop(name, by=signal.SIGINT if name == "postgres" else signal.SIGTERM)
        await stop_page(self.folder)

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

    @property
    def _proxy_command(self) -> list[str]:
        return [self._entry.binaries["haproxy"], "-db", "-f", str(self.folder / "haproxy" / "haproxy.cfg")]

    @property
    def _proxy_environment(self) -> dict[str, str]:
        return {**_environment(), SECRET_VARIABLE: self.log_secret}

    async def _start_proxy_alone(self) -> None:
        """Prepare a start that takes nobody's place: one that was killed in the middle of a reload may be left."""
        await processes.end_strays(self.folder / "haproxy")
        await self._configure_haproxy()

    async def _configure_haproxy(self, *, again: bool = False) -> None:
        """Write the configuration of the next start, which has a count of its own; `again`: it takes a place."""
        self._entry.generation += 1
        registry.save(self.home, self._entry)
        wanted = self._desired.read() or Desired()
        proxy = Proxy(
            public_port=self.public_port,
            log_port=self.log_port,
            metrics_port=self._entry.support_ports["proxy-metrics"],
            admin=next_socket(self.folder, self.generation) if again else self.admin,
            blue_port=wanted.ports.get(Side.BLUE),
            green_port=wanted.ports.get(Side.GREEN),
            percent=wanted.percent,
            generation=self._entry.generation,
            state=state_file(self.folder) if again else None,
        )
        part = self.folder / "haproxy"
        (part / "haproxy.cfg").write_text(render(proxy))
        check = [self._entry.binaries["haproxy"], "-c", "-f", "haproxy.cfg"]
        await processes.must_run(part, check, env=self._proxy_environment)

    async def _note_weights(self) -> None:
        """Keep in mind that somebody gave green less by hand, so that a proxy started again does not give it back."""
        before = self._desired.read()
        try:
            weights = await Runtime(self.admin).get_weights()
        except (UnreachableError, RolloutError):
            return  # it is ending; what it did last is known from the look before
        if before is not None and self._desired.read() == before and weights.green < before.percent:
            self._desired.lower(weights.green)

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
