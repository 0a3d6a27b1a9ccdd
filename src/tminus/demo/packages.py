"""Which programs the stage needs, where they are, and how the missing ones are installed on Debian.

Installing starts no system service, now or at the next boot, and changes no setting: what is put in the way while apt
runs is taken back byte for byte, on errors and on Ctrl-C at once, and after a kill by the next start, out of a small
journal.
"""

import base64
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tminus.demo.machine import Machine
from tminus.errors import PartError

FOR_TESTS: Mapping[str, tuple[str, ...]] = {
    "chromium": ("chromium", "fonts-inter"),
    "faketime": ("faketime",),
}
"""What tests need beside the stage, by the program that shows that it is there: a browser for the mission page, with
the letters that its picture shows; a clock that can be set for one process."""
POSTGRES_PROGRAMS = ("initdb", "postgres", "pg_dump", "pg_restore")
POLICY = Path("/usr/sbin/policy-rc.d")
"""Debian asks this program before a package starts a service; its exit code 101 forbids it (invoke-rc.d(8))."""
CLUSTER_SETTINGS = Path("/etc/postgresql-common/createcluster.conf")
"""Says whether installing PostgreSQL makes and starts a database cluster (pg_createcluster(8))."""
UNITS = Path("/lib/systemd/system")
"""Where Debian's packages put the services that systemd would start at the next boot; each is named as its package."""
QUOTED_LINES = 15


_INSTALLERS: Mapping[str, str] = {
    "brew": "brew install haproxy postgresql@17 prometheus redis",
    "dnf": "sudo dnf install haproxy postgresql-server redis",
    "apk": "sudo apk add haproxy postgresql prometheus alertmanager redis",
    "pacman": "sudo pacman -S haproxy postgresql prometheus alertmanager redis",
    "zypper": "sudo zypper install haproxy postgresql-server redis",
}
"""What other systems' own packages surely bring; the rest is named by its programs."""


@dataclass(frozen=True, slots=True)
class Supply:
    """One Debian package, and the programs that it brings."""

    package: str
    programs: Mapping[str, tuple[str, ...]]
    """By its name in `Binaries`: what a program is called on PATH, on Debian first."""


SUPPLIES = (
    Supply("haproxy", {"haproxy": ("haproxy",)}),
    Supply("prometheus", {"prometheus": ("prometheus",), "promtool": ("promtool",)}),
    Supply(
        "prometheus-alertmanager",
        {"alertmanager": ("prometheus-alertmanager", "alertmanager"), "amtool": ("amtool",)},
    ),
    Supply(
        "prometheus-blackbox-exporter",
        {"blackbox_exporter": ("prometheus-blackbox-exporter", "blackbox_exporter")},
    ),
    Supply("prometheus-node-exporter", {"node_exporter": ("prometheus-node-exporter", "node_exporter")}),
    Supply(
        "prometheus-postgres-exporter",
        {"postgres_exporter": ("prometheus-postgres-exporter", "postgres_exporter")},
    ),
    Supply("prometheus-redis-exporter", {"redis_exporter": ("prometheus-redis-exporter", "redis_exporter")}),
    Supply("redis-server", {"redis_server": ("redis-server",)}),
    Supply("docker-registry", {"docker_registry": ("docker-registry", "registry")}),
)
"""Every package of the stage but PostgreSQL's, whose programs must all come from one folder. A further part of the
stage is a row here and a field of `Binaries`."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """Where the programs of the stage are."""

    haproxy: Path
    prometheus: Path
    promtool: Path
    alertmanager: Path
    amtool: Path
    blackbox_exporter: Path
    node_exporter: Path
    postgres_exporter: Path
    redis_exporter: Path
    redis_server: Path
    docker_registry: Path
    initdb: Path
    postgres: Path
    pg_dump: Path
    pg_restore: Path


@dataclass(frozen=True, slots=True)
class Missing:
    """What has to be installed before a stage can be built."""

    packages: tuple[str, ...]
    """Debian packages; none when nothing is missing."""

    def __bool__(self) -> bool:
        return bool(self.packages)

    @property
    def named(self) -> str:
        """The packages, in words."""
        *others, last = self.packages
        return f"{', '.join(others)} and {last}" if others else last

    @property
    def command(self) -> str:
        """What a person would type to install them."""
        return f"sudo apt-get install -y --no-install-recommends {' '.join(self.packages)}"


def locate(machine: Machine, versions: Path = Path("/usr/lib/postgresql")) -> Binaries | None:
    """The programs of the stage, PostgreSQL's all from one folder, of the newest version; none when one is missing."""
    found: dict[str, Path] = {}
    for supply in SUPPLIES:
        found |= _programs(machine, supply)
    folder = _postgres_folder(machine, versions)
    if folder is None or any(not supply.programs.keys() <= found.keys() for supply in SUPPLIES):
        return None
    return Binaries(**found, **{program: folder / program for program in POSTGRES_PROGRAMS})


def plan_installation(
    machine: Machine, versions: Path = Path("/usr/lib/postgresql"), *, tests: bool = False
) -> Missing:
    """Which packages are missing; raises `PartError` with the command to type when this is not Debian."""
    packages = [
        supply.package
        for supply in SUPPLIES
        if not supply.programs.keys() <= _programs(machine, supply).keys()
    ]
    if _postgres_folder(machine, versions) is None:
        packages.append("postgresql")
    for program, needed in FOR_TESTS.items() if tests else ():
        packages += needed if machine.which(program) is None else ()
    missing = Missing(tuple(packages))
    if missing and machine.which("apt-get") is None:
        raise PartError(
            f"this machine lacks {missing.named}, and can install only Debian packages by itself",
            hint=_foreign_hint(machine),
        )
    return missing


def install(missing: Missing, machine: Machine, journal: Path) -> None:
    """Install packages without starting a service; `journal` lets the next start undo what a kill left.

    Raises `PartError` without root or passwordless sudo, and with apt's last lines when apt fails.
    """
    if not missing:
        return
    administrator = _Administrator(machine, missing)
    undo(machine, journal)
    with _replaced(administrator, journal, POLICY, b"#!/bin/sh\nexit 101\n", 0o755):
        administrator.apt("update")
        first = ["postgresql-common" if name == "postgresql" else name for name in missing.packages]
        administrator.apt("install", "-y", "--no-install-recommends", *first)
        if "postgresql" in missing.packages:
            settings = _without_cluster(machine.read(CLUSTER_SETTINGS) or b"")
            with _replaced(administrator, journal, CLUSTER_SETTINGS, settings, 0o644):
                administrator.apt("install", "-y", "--no-install-recommends", "postgresql")
        _keep_from_booting(administrator, missing)


def undo(machine: Machine, journal: Path) -> bool:
    """Put back what an installation that was killed had replaced; whether there was anything."""
    entries = _entries(journal)
    if not entries:
        return False
    administrator = _Administrator(machine, Missing(()))
    for path in reversed(list(entries)):
        _put_back(administrator, journal, Path(path))
    return True


class _Administrator:
    """Runs commands as root, directly or through sudo without a password."""

    def __init__(self, machine: Machine, missing: Missing) -> None:
        self.machine = machine
        self._missing = missing
        self._prefix: tuple[str, ...] = () if machine.is_root() else ("sudo", "-n")
        if self._prefix and machine.run(["sudo", "-n", "true"]).code != 0:
            raise PartError(
                "installing needs root, or sudo without a password",
                hint=f"type: {missing.command}" if missing else "run this again with sudo",
            )

    def run(self, *argv: str) -> None:
        finished = self.machine.run([*self._prefix, *argv])
        if finished.code != 0:
            quoted = "\n".join(finished.output.splitlines()[-QUOTED_LINES:])
            raise PartError(
                f"`{_short(argv)}` failed with {finished.code}\n{quoted}",
                hint=f"mend what it says, or type: {self._missing.command}",
            )

    def apt(self, *argv: str) -> None:
        # needrestart (Ubuntu) would restart services that use an upgraded library
        quiet = ("DEBIAN_FRONTEND=noninteractive", "NEEDRESTART_SUSPEND=1", "LC_ALL=C.UTF-8")
        patient = ("-q", "-o", "DPkg::Lock::Timeout=120", "-o", "Dpkg::Use-Pty=0")
        self.run("env", *quiet, "apt-get", *patient, *argv)


def _keep_from_booting(administrator: _Administrator, missing: Missing) -> None:
    """What was installed for a stage must not start as a service at the machine's next boot either.

    PostgreSQL's stays as it is: without a cluster it starts nothing.
    """
    machine = administrator.machine
    if machine.which("systemctl") is None:
        return
    units = [f"{name}.service" for name in missing.packages if name != "postgresql"]
    installed = [unit for unit in units if machine.read(UNITS / unit) is not None]
    if installed:
        administrator.run("systemctl", "disable", "--quiet", *installed)


@contextmanager
def _replaced(
    administrator: _Administrator, journal: Path, path: Path, content: bytes, mode: int
) -> Iterator[None]:
    """Have other content in a file for a while."""
    before = administrator.machine.read(path)
    mode, owner, group = (mode, 0, 0) if before is None else administrator.machine.stat(path)
    entries = _entries(journal)
    entries[str(path)] = None if before is None else (base64.b64encode(before).decode(), mode, owner, group)
    _write(journal, entries)
    try:
        _put(administrator, journal, path, content, (mode | 0o111 if path == POLICY else mode, owner, group))
        yield
    finally:
        _put_back(administrator, journal, path)


def _put_back(administrator: _Administrator, journal: Path, path: Path) -> None:
    entries = _entries(journal)
    saved = entries.pop(str(path))
    if saved is None:
        administrator.run("rm", "-f", str(path))
    else:
        content, mode, owner, group = saved
        _put(administrator, journal, path, base64.b64decode(content), (mode, owner, group))
    _write(journal, entries)


def _put(
    administrator: _Administrator, journal: Path, path: Path, content: bytes, rights: tuple[int, int, int]
) -> None:
    draft = journal.with_suffix(".draft")
    draft.write_bytes(content)
    mode, owner, group = rights
    # a new file renamed over the old one: nobody ever sees half of it
    arguments = ("-m", f"{mode:o}", "-o", str(owner), "-g", str(group))
    administrator.run("install", *arguments, str(draft), f"{path}.tminus-new")
    administrator.run("mv", "-f", f"{path}.tminus-new", str(path))
    draft.unlink()


def _entries(journal: Path) -> dict[str, tuple[str, int, int, int] | None]:
    if not journal.exists():
        return {}
    entries: dict[str, tuple[str, int, int, int] | None] = json.loads(journal.read_text())
    return entries


def _write(journal: Path, entries: Mapping[str, object]) -> None:
    """Have the journal on the disk before anything it speaks of happens."""
    if not entries:
        journal.unlink(missing_ok=True)
        return
    journal.parent.mkdir(parents=True, exist_ok=True)
    draft = journal.with_suffix(".new")
    with draft.open("w") as file:
        json.dump(entries, file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(journal)


def _short(argv: Sequence[str]) -> str:
    """A command as a person would say it: without its environment."""
    words = [word for word in argv[1:] if "=" not in word and word != "-o"] if argv[0] == "env" else argv
    return " ".join(words)


def _without_cluster(settings: bytes) -> bytes:
    return settings.rstrip(b"\n") + b"\n\ncreate_main_cluster = false\n"


def _postgres_folder(machine: Machine, versions: Path) -> Path | None:
    """The folder with all of PostgreSQL's programs: the newest version first, then wherever PATH leads."""
    numbered = [path for path in versions.glob("*/bin") if path.parent.name.isdigit()]
    candidates = sorted(numbered, key=lambda path: int(path.parent.name), reverse=True)
    found = machine.which("initdb")
    if found is not None:
        candidates += [found.parent, found.resolve().parent]
    whole = (path for path in candidates if all((path / program).exists() for program in POSTGRES_PROGRAMS))
    return next(whole, None)


def _programs(machine: Machine, supply: Supply) -> dict[str, Path]:
    """Those programs of a package that are there, under whichever of their names."""
    found = {}
    for program, names in supply.programs.items():
        places = (machine.which(name) for name in names)
        if place := next((place for place in places if place is not None), None):
            found[program] = place
    return found


def _foreign_hint(machine: Machine) -> str:
    absent = [
        names[-1]
        for supply in SUPPLIES
        for program, names in supply.programs.items()
        if program not in _programs(machine, supply)
    ]
    rest = f"have on PATH what is then still missing of: {', '.join((*absent, *POSTGRES_PROGRAMS))}"
    for tool, command in _INSTALLERS.items():
        if machine.which(tool) is not None:
            return f"type: {command}; and {rest}"
    return f"install HAProxy (2.6 or newer), PostgreSQL's server programs and the others, and {rest}"
