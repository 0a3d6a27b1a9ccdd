"""The list of stages under `<home>/stages`: where each one is, which ports are its own, and whose it is.

A stage is owned by the process that holds the lock on its entry; the kernel lets go of it when that process ends,
however it ends. Only `tminus.demo.stage` uses this.
"""

import fcntl
import json
import secrets
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

import psutil

from tminus import loopback
from tminus.errors import PartError

_PORTS = ("public_port", "log_port", "database_port", "blue_port", "green_port", "registry_port")
SUPPORT_PORTS = (
    "grafana",
    "prometheus",
    "alertmanager",
    "blackbox",
    "node-exporter",
    "postgres-exporter",
    "redis-exporter",
    "redis",
    "partner",
    "shipper",
    "sinks",
    "mail",
    "proxy-metrics",
)
"""What the supporting parts listen with, by part, or by what else it is for; see `tminus.demo.parts`."""
_SECRETS = ("redis", "monitor", "routing-key", "hook", "reader", "partner", "message", "grafana")


@dataclass(slots=True)
class Entry:
    """What the list says of one stage."""

    id: str
    folder: str
    public_port: int
    log_port: int
    database_port: int
    blue_port: int
    green_port: int
    registry_port: int
    log_secret: str = field(repr=False)
    """What HAProxy's log lines are known by; nobody else on this machine can write one."""
    support_ports: dict[str, int]
    """The ports of the supporting parts, by the names in `SUPPORT_PORTS`."""
    secrets: dict[str, str] = field(repr=False)
    """What the supporting parts are opened by: `redis` and `monitor` (of PostgreSQL) are passwords, `routing-key` and
    `hook` are what pages and messages are sent with, `reader` reads them back; depot signs what it sends to its partner
    with `partner`, and its partner what it sends to depot with `message`; dashboards are read with `grafana`."""
    binaries: dict[str, str]
    """The programs it was built with, by name."""
    generation: int = 0
    """How often its HAProxy has been started."""


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """Change the list while no other tminus does; held for milliseconds."""
    (home / "stages").mkdir(parents=True, exist_ok=True, mode=0o700)
    with (home / "stages" / "list.mutex").open("ab") as mutex:
        fcntl.flock(mutex, fcntl.LOCK_EX)
        yield


def choose_ports(home: Path, public_port: int | None) -> dict[str, int]:
    """Ports that no stage in the list has and nobody listens on; call it `alone`."""
    given = {} if public_port is None else {"public_port": public_port}
    return given | _choose(home, [name for name in _PORTS if name not in given], set(given.values()))


def choose_support_ports(home: Path, taken: Collection[int]) -> dict[str, int]:
    """Ports for the supporting parts, other than those just taken; call it `alone`."""
    return _choose(home, SUPPORT_PORTS, taken)


def _choose(home: Path, names: Sequence[str], taken: Collection[int]) -> dict[str, int]:
    promised = set(taken)
    for entry in (read(path) for path in (home / "stages").glob("*.json")):
        promised |= {getattr(entry, name) for name in _PORTS} | set(entry.support_ports.values())
    chosen: dict[str, int] = {}
    for name in names:
        chosen[name] = loopback.free_port(promised | set(chosen.values()))
    return chosen


def new_secrets() -> dict[str, str]:
    """Secrets of a stage's own; 32 characters each, as PagerDuty's keys have."""
    return {name: secrets.token_hex(16) for name in _SECRETS}


def require_free(port: int) -> None:
    """Raise `PartError` when somebody listens on this port, naming who if that can be known."""
    if loopback.port_in_use(port):
        raise PartError(f"port {port} is in use{_holder(port)}", hint="choose another with --port")


def save(home: Path, entry: Entry) -> None:
    """Write an entry whole."""
    path = index_path(home, entry.id)
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    draft.touch(0o600)
    draft.write_text(json.dumps(asdict(entry)))
    draft.replace(path)


def read(path: Path) -> Entry:
    """The entry in a file; raises `PartError` when it is none."""
    try:
        return Entry(**json.loads(path.read_text()))
    except (ValueError, TypeError) as error:
        raise PartError(
            f"{path} does not describe a stage", hint="remove this file, and its stage's folder, by hand"
        ) from error


def own(home: Path, identifier: str) -> IO[bytes] | None:
    """The lock of a stage, held until it is closed; none while another process holds it."""
    file = _lock_path(home, identifier).open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def forget(home: Path, identifier: str) -> None:
    """Take a stage off the list; call it `alone`."""
    for path in (index_path(home, identifier), _lock_path(home, identifier)):
        path.unlink(missing_ok=True)
        path.with_suffix(".new").unlink(missing_ok=True)


def identifiers(home: Path) -> list[str]:
    """Every stage in the list, also one whose making was cut off before it had an entry."""
    return sorted({path.stem for path in (home / "stages").glob("*.lock")})


def index_path(home: Path, identifier: str) -> Path:
    """The file of one entry."""
    return home / "stages" / f"{identifier}.json"


def _lock_path(home: Path, identifier: str) -> Path:
    return home / "stages" / f"{identifier}.lock"


def _holder(port: int) -> str:
    """Who listens on a port, as far as this user may know."""
    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:
        return ""  # macOS tells only root
    pids = [c.pid for c in connections if c.laddr and c.laddr.port == port and c.status == psutil.CONN_LISTEN]
    try:
        return f" (by pid {pids[0]}, {psutil.Process(pids[0]).name()})" if pids and pids[0] else ""
    except psutil.NoSuchProcess:
        return ""
