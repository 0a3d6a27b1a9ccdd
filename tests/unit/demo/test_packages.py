import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tminus.demo import packages
from tminus.demo.machine import Finished, ThisMachine
from tminus.demo.packages import CLUSTER_SETTINGS, POLICY, Missing
from tminus.errors import Exit, PartError

SETTINGS = b"#create_main_cluster = true\nssl = on\n"


class FakeMachine:
    """A Debian machine in memory, with the commands that installing uses."""

    def __init__(
        self, *, root: bool = True, sudo: bool = False, programs: Sequence[str] = ("apt-get",)
    ) -> None:
        self.root, self.sudo, self.programs = root, sudo, set(programs)
        self.files: dict[Path, tuple[bytes, int, int, int]] = {}
        self.ran: list[str] = []
        self.seen: list[tuple[bytes | None, bytes | None]] = []
        self.on_apt: Callable[[str], Finished] = lambda _: Finished(0, "")

    def run(self, argv: Sequence[str]) -> Finished:
        self.ran.append(" ".join(argv))
        words = list(argv)
        if words[:2] == ["sudo", "-n"]:
            if not self.sudo:
                return Finished(1, "sudo: a password is required")
            words = words[2:]
        elif not self.root:
            return Finished(1, "denied")
        return self._act(words)

    def _act(self, words: list[str]) -> Finished:
        match words:
            case ["true"]:
                return Finished(0, "")
            case ["rm", "-f", path]:
                self.files.pop(Path(path), None)
            case ["install", "-m", mode, "-o", owner, "-g", group, source, target]:
                self.files[Path(target)] = (Path(source).read_bytes(), int(mode, 8), int(owner), int(group))
            case ["mv", "-f", source, target]:
                self.files[Path(target)] = self.files.pop(Path(source))
            case ["systemctl", "disable", "--quiet", *_]:
                return Finished(0, "")
            case ["env", *rest]:
                return self._apt(" ".join(rest))
            case _:
                return Finished(127, f"no such command: {words}")
        return Finished(0, "")

    def _apt(self, command: str) -> Finished:
        if "postgresql-common" in command:
            self.files.setdefault(CLUSTER_SETTINGS, (SETTINGS, 0o640, 0, 7))
        self.seen.append((self.read(POLICY), self.read(CLUSTER_SETTINGS)))
        return self.on_apt(command)

    def which(self, program: str) -> Path | None:
        return Path("/usr/bin") / program if program in self.programs else None

    def read(self, path: Path) -> bytes | None:
        return self.files[path][0] if path in self.files else None

    def stat(self, path: Path) -> tuple[int, int, int]:
        return self.files[path][1:]

    def is_root(self) -> bool:
        return self.root


EVERYTHING = sorted(names[0] for supply in packages.SUPPLIES for names in supply.programs.values())
"""Every program on PATH but PostgreSQL's, by Debian's names."""
BOTH = Missing(("haproxy", "postgresql"))


def test_no_service_can_start_while_apt_runs_and_everything_is_as_before_afterwards(tmp_path: Path) -> None:
    machine = FakeMachine()
    machine.files[POLICY] = (b"#!/bin/sh\nexit 0\n", 0o744, 3, 4)
    packages.install(BOTH, machine, tmp_path / "journal")
    assert [policy for policy, _ in machine.seen] == [b"#!/bin/sh\nexit 101\n"] * 3
    assert machine.seen[-1][1] == SETTINGS.rstrip() + b"\n\ncreate_main_cluster = false\n"
    assert machine.files == {
        POLICY: (b"#!/bin/sh\nexit 0\n", 0o744, 3, 4),
        CLUSTER_SETTINGS: (SETTINGS, 0o640, 0, 7),
    }
    assert list(tmp_path.iterdir()) == []


def test_apt_updates_once_and_installs_postgresql_last(tmp_path: Path) -> None:
    machine = FakeMachine()
    packages.install(BOTH, machine, tmp_path / "journal")
    acts = [command.split("Dpkg::Use-Pty=0 ")[1] for command in machine.ran if "apt-get" in command]
    assert acts == [
        "update",
        "install -y --no-install-recommends haproxy postgresql-common",
        "install -y --no-install-recommends postgresql",
    ]
    assert POLICY not in machine.files


def test_what_was_installed_does_not_start_at_the_next_boot_either(tmp_path: Path) -> None:
    machine = FakeMachine(programs=["apt-get", "systemctl"])
    for unit in ("haproxy", "redis-server", "prometheus"):
        machine.files[packages.UNITS / f"{unit}.service"] = (b"", 0o644, 0, 0)
    packages.install(
        Missing(("haproxy", "amtool", "redis-server", "postgresql")), machine, tmp_path / "journal"
    )
    disabled = [command for command in machine.ran if "systemctl" in command]
    assert disabled == ["systemctl disable --quiet haproxy.service redis-server.service"]


def test_where_there_is_no_systemd_nothing_is_asked_of_it(tmp_path: Path) -> None:
    machine = FakeMachine()
    machine.files[packages.UNITS / "haproxy.service"] = (b"", 0o644, 0, 0)
    packages.install(BOTH, machine, tmp_path / "journal")
    assert not any("systemctl" in command for command in machine.ran)


def test_haproxy_alone_leaves_postgresql_s_settings_alone(tmp_path: Path) -> None:
    machine = FakeMachine()
    packages.install(Missing(("haproxy",)), machine, tmp_path / "journal")
    assert not any("postgresql" in command for command in machine.ran)


def test_nothing_missing_runs_nothing(tmp_path: Path) -> None:
    machine = FakeMachine()
    packages.install(Missing(()), machine, tmp_path / "journal")
    assert machine.ran == []


def test_apt_s_last_lines_are_quoted_and_everything_is_put_back(tmp_path: Path) -> None:
    machine = FakeMachine()
    machine.on_apt = lambda command: (
        Finished(100, "noise\n" * 99 + "E: no route") if command.endswith(" postgresql") else Finished(0, "")
    )
    with pytest.raises(PartError, match=r"failed with 100\n(noise\n){14}E: no route") as caught:
        packages.install(BOTH, machine, tmp_path / "journal")
    assert str(caught.value).startswith("`apt-get -q install -y --no-install-recommends postgresql` failed")
    assert caught.value.code is Exit.UNKNOWN
    assert machine.files == {CLUSTER_SETTINGS: (SETTINGS, 0o640, 0, 7)}
    assert list(tmp_path.iterdir()) == []


def _interrupt(_: str) -> Finished:
    raise KeyboardInterrupt


def test_an_interrupt_puts_everything_back(tmp_path: Path) -> None:
    machine = FakeMachine()
    machine.on_apt = _interrupt
    with pytest.raises(KeyboardInterrupt):
        packages.install(BOTH, machine, tmp_path / "journal")
    assert machine.files == {}


class Killed(BaseException):
    """Stands for SIGKILL: nothing of ours runs after it."""


def test_the_next_start_undoes_what_a_kill_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine, journal = FakeMachine(), tmp_path / "journal"
    machine.files[POLICY] = (b"mine", 0o755, 0, 0)

    def killed(command: str) -> Finished:
        if command.endswith(" postgresql"):
            raise Killed
        return Finished(0, "")

    machine.on_apt = killed
    with monkeypatch.context() as patch:
        patch.setattr(packages, "_put_back", lambda *_: None)
        with pytest.raises(Killed):
            packages.install(BOTH, machine, journal)
    assert machine.read(POLICY) == b"#!/bin/sh\nexit 101\n"
    assert set(json.loads(journal.read_text())) == {str(POLICY), str(CLUSTER_SETTINGS)}

    assert packages.undo(machine, journal)
    assert machine.files == {POLICY: (b"mine", 0o755, 0, 0), CLUSTER_SETTINGS: (SETTINGS, 0o640, 0, 7)}
    assert not packages.undo(machine, journal)


def test_without_root_passwordless_sudo_is_used(tmp_path: Path) -> None:
    machine = FakeMachine(root=False, sudo=True)
    packages.install(BOTH, machine, tmp_path / "journal")
    assert all(command.startswith("sudo -n ") for command in machine.ran)
    assert machine.files == {CLUSTER_SETTINGS: (SETTINGS, 0o640, 0, 7)}


def test_without_root_and_sudo_the_command_to_type_is_given_and_nothing_changes(tmp_path: Path) -> None:
    machine = FakeMachine(root=False)
    with pytest.raises(PartError) as caught:
        packages.install(BOTH, machine, tmp_path / "journal")
    assert caught.value.hint == "type: sudo apt-get install -y --no-install-recommends haproxy postgresql"
    assert machine.ran == ["sudo -n true"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("tool", "command"),
    [("brew", "brew install"), ("dnf", "sudo dnf"), ("apk", "sudo apk"), ("pacman", "sudo pacman")],
)
def test_elsewhere_the_command_of_that_platform_is_given(tmp_path: Path, tool: str, command: str) -> None:
    with pytest.raises(PartError, match=r"haproxy, prometheus, .* and postgresql") as caught:
        packages.plan_installation(FakeMachine(programs=[tool]), tmp_path)
    assert caught.value.hint.startswith(f"type: {command}")


def test_elsewhere_each_program_that_is_still_missing_is_named_as_its_makers_call_it(tmp_path: Path) -> None:
    with pytest.raises(PartError) as caught:
        packages.plan_installation(FakeMachine(programs=["brew", "alertmanager", "redis-server"]), tmp_path)
    named = caught.value.hint.partition("missing of: ")[2].split(", ")
    assert {"blackbox_exporter", "promtool", "amtool", "initdb"} <= set(named)
    assert not {"alertmanager", "redis-server"} & set(named)


def test_a_program_is_found_under_the_name_of_its_makers_too(tmp_path: Path) -> None:
    _version(tmp_path, "15")
    upstream = [names[-1] for supply in packages.SUPPLIES for names in supply.programs.values()]
    found = packages.locate(FakeMachine(programs=upstream), tmp_path)
    assert found is not None
    assert found.alertmanager == Path("/usr/bin/alertmanager")
    assert found.node_exporter == Path("/usr/bin/node_exporter")


def test_half_a_package_is_a_missing_package(tmp_path: Path) -> None:
    _version(tmp_path, "15")
    machine = FakeMachine(programs=sorted({*EVERYTHING, "apt-get"} - {"amtool"}))
    assert packages.plan_installation(machine, tmp_path).packages == ("prometheus-alertmanager",)
    assert packages.locate(machine, tmp_path) is None


def _version(folder: Path, number: str, programs: Sequence[str] = packages.POSTGRES_PROGRAMS) -> Path:
    binaries = folder / number / "bin"
    binaries.mkdir(parents=True)
    for program in programs:
        (binaries / program).touch()
    return binaries


def test_the_newest_whole_version_is_chosen(tmp_path: Path) -> None:
    for number in ("9", "15"):
        _version(tmp_path, number)
    _version(tmp_path, "17", ["pg_dump", "pg_restore"])
    machine = FakeMachine(programs=EVERYTHING)
    found = packages.locate(machine, tmp_path)
    assert found is not None
    assert found.postgres == tmp_path / "15" / "bin" / "postgres"
    assert found.haproxy == Path("/usr/bin/haproxy")
    assert not packages.plan_installation(machine, tmp_path)


def test_only_what_is_missing_is_planned(tmp_path: Path) -> None:
    assert packages.plan_installation(FakeMachine(programs=[*EVERYTHING, "apt-get"]), tmp_path).packages == (
        "postgresql",
    )
    _version(tmp_path, "15")
    lacking = FakeMachine(programs=sorted({*EVERYTHING, "apt-get"} - {"haproxy"}))
    assert packages.plan_installation(lacking, tmp_path).packages == ("haproxy",)
    assert packages.locate(lacking, tmp_path) is None


def test_what_tests_need_is_planned_only_when_it_is_asked_for(tmp_path: Path) -> None:
    _version(tmp_path, "15")
    bare = FakeMachine(programs=[*EVERYTHING, "apt-get"])
    assert not packages.plan_installation(bare, tmp_path)
    assert packages.plan_installation(bare, tmp_path, tests=True).packages == (
        "chromium",
        "fonts-inter",
        "faketime",
    )
    with_one = FakeMachine(programs=[*EVERYTHING, "apt-get", "chromium", "faketime"])
    assert not packages.plan_installation(with_one, tmp_path, tests=True)


def test_an_interrupt_waits_for_the_command_and_then_goes_on(tmp_path: Path) -> None:
    # the child reports for duty, we are interrupted, and it must still be able to finish
    done = tmp_path / "done"
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    code = f"import os; p = {str(fifo)!r}; open(p, 'w').close(); os.read(os.open(p, 0), 1); open({str(done)!r}, 'w')"

    def interrupt() -> None:
        fifo.open().close()
        signal.raise_signal(signal.SIGINT)
        fifo.open("w").close()

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        ThisMachine().run([sys.executable, "-c", code])
    thread.join(10)
    assert done.exists()


def test_a_command_that_does_not_exist_ends_with_127() -> None:
    assert ThisMachine().run(["/no/such/program"]).code == 127
