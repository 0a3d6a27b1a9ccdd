"""The list of stages under `<home>/stages`: where each one is, which ports are its own, and whose it is.

A stage is owned by the process that holds the lock on its entry; the kernel lets go of it when that process ends,
however it ends. Only `tminus.demo.stage` uses this.
"""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

import psutil

from tminus import processes
from tminus.errors import PartError

_PORTS = ("public_port", "log_port", "database_port", "blue_port", "green_port", "registry_port")


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
    entries = [asdict(read(path)) for path in (home / "stages").glob("*.json")]
    taken = {entry[name] for entry in entries for name in _PORTS}
    chosen: dict[str, int] = {} if public_port is None else {"public_port": public_port}
    for name in _PORTS:
        if name not in chosen:
            chosen[name] = processes.free_port(taken | set(chosen.values()))
    return chosen


def require_free(port: int) -> None:
    """Raise `PartError` when somebody listens on this port, naming who if that can be known."""
    if processes.port_in_use(port):
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
