import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from tminus import processes
from tminus.errors import PartError

SLEEPER = [sys.executable, "-c", "import time; time.sleep(300)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(300)",
]
ENV = {"PATH": os.environ["PATH"]}


@pytest.fixture(autouse=True)
async def _nothing_stays_behind(tmp_path: Path) -> AsyncIterator[None]:
    yield
    await processes.end_strays(tmp_path)


async def _until_it_prints(process: processes.Process, word: str) -> None:
    async def printed() -> bool:
        return word in process.log.read_text()

    await processes.wait_until(printed, 10, word)


async def test_a_started_process_is_found_again_with_the_same_start(tmp_path: Path) -> None:
    started = processes.start(tmp_path, "blue", SLEEPER, env=ENV)
    found = processes.find(tmp_path, "blue")
    assert found is not None
    assert (found.pid, found.started) == (started.pid, started.started)
    assert found.alive()


async def test_a_restart_shows_in_the_start_time(tmp_path: Path) -> None:
    first = processes.start(tmp_path, "blue", SLEEPER, env=ENV)
    await first.kill()
    second = processes.start(tmp_path, "blue", SLEEPER, env=ENV)
    assert second.started > first.started


async def test_it_lives_in_a_session_and_a_folder_of_its_own(tmp_path: Path) -> None:
    process = processes.start(tmp_path, "blue", SLEEPER, env=ENV)
    assert os.getsid(process.pid) == process.pid
    assert psutil.Process(process.pid).cwd() == str(tmp_path / "blue")


async def test_a_polite_one_takes_the_time_that_others_leave(tmp_path: Path) -> None:
    process = processes.start(tmp_path, "trial", processes.polite(SLEEPER), env=ENV)

    async def yielded() -> bool:
        return psutil.Process(process.pid).nice() == 15

    await processes.wait_until(yielded, 10, "a polite process")
    assert _session_of(process.pid).endswith("nice 15")


def _session_of(pid: int) -> str:
    """How much its session gets, as Linux tells; elsewhere `nice` is all there is."""
    told = Path(f"/proc/{pid}/autogroup")
    return told.read_text().strip() if told.exists() else "nice 15"


async def test_it_outlives_the_one_who_started_it(tmp_path: Path) -> None:
    code = (
        "import os, pathlib; from tminus import processes;"
        f"processes.start(pathlib.Path({str(tmp_path)!r}), 'blue', {SLEEPER!r}, env={ENV!r});"
        "os.kill(os.getpid(), 9)"
    )
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
    assert await parent.wait() == -signal.SIGKILL
    found = processes.find(tmp_path, "blue")
    assert found is not None
    await found.stop(5)
    assert processes.find(tmp_path, "blue") is None


async def test_a_number_that_was_used_again_by_somebody_else_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "blue").mkdir()
    (tmp_path / "blue" / "pid").write_text(f"{os.getpid()}\n")
    assert processes.find(tmp_path, "blue") is None


@pytest.mark.parametrize("text", ["", "no number", "999999999\n"])
async def test_a_pid_file_that_names_nobody_finds_nobody(tmp_path: Path, text: str) -> None:
    (tmp_path / "blue").mkdir()
    (tmp_path / "blue" / "pid").write_text(text)
    assert processes.find(tmp_path, "blue") is None


async def test_a_zombie_is_not_alive_and_is_reaped(tmp_path: Path) -> None:
    process = processes.start(tmp_path, "blue", SLEEPER, env=ENV)
    os.kill(process.pid, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(process.pid)], timeout=0)

    async def dead() -> bool:
        return not process.alive()

    await processes.wait_until(dead, 10, "its death")
    assert not psutil.pid_exists(process.pid)


async def test_a_deaf_process_is_killed_after_the_grace(tmp_path: Path) -> None:
    process = processes.start(tmp_path, "blue", STUBBORN, env=ENV)
    await _until_it_prints(process, "deaf")
    await process.stop(0.1)
    assert not process.alive()


async def test_stopping_twice_is_no_error(tmp_path: Path) -> None:
    process = processes.start(tmp_path, "blue", SLEEPER, env=ENV)
    await process.stop(5)
    await process.stop(5)
    await process.kill()
    assert not process.alive()


async def test_everything_it_prints_is_appended_to_its_log(tmp_path: Path) -> None:
    for word in ("one", "two"):
        process = processes.start(tmp_path, "blue", ["/bin/sh", "-c", f"echo {word} >&2; sleep 300"], env=ENV)
        await _until_it_prints(process, word)
        await process.kill()
    assert (tmp_path / "blue" / "log").read_text() == "one\ntwo\n"


async def test_strays_are_found_by_folder_and_ended_even_when_the_folder_is_gone(tmp_path: Path) -> None:
    folder = tmp_path / "stage"
    folder.mkdir()
    inside = processes.start(folder, "green", ["/bin/sh", "-c", "sleep 300 & sleep 300"], env=ENV)
    outside = processes.start(tmp_path, "other", SLEEPER, env=ENV)

    async def two() -> bool:
        return len(processes.strays(folder)) >= 2

    await processes.wait_until(two, 10, "the second process")
    assert {stray.name for stray in processes.strays(folder)} == {"green"}
    for file in (folder / "green").iterdir():
        file.unlink()
    (folder / "green").rmdir()
    folder.rmdir()
    assert await processes.end_strays(folder) >= 2
    assert not inside.alive()
    assert outside.alive()


TAKES_A_TERMINAL = """
import fcntl, os, termios, time
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
print("tty", flush=True)
time.sleep(300)
"""


async def test_a_person_on_a_terminal_is_no_stray(tmp_path: Path) -> None:
    main, side = os.openpty()
    person = await asyncio.create_subprocess_exec(
        sys.executable, "-c", TAKES_A_TERMINAL, cwd=tmp_path, stdin=side, stdout=asyncio.subprocess.PIPE
    )
    assert person.stdout is not None
    try:
        assert await person.stdout.readline() == b"tty\n"
        assert processes.strays(tmp_path) == []
    finally:
        person.kill()
        await person.wait()
        os.close(main)
        os.close(side)


async def test_an_early_end_is_an_error_that_quotes_the_log(tmp_path: Path) -> None:
    process = processes.start(
        tmp_path, "blue", ["/bin/sh", "-c", "echo no such table; sleep 0.05; exit 3"], env=ENV
    )

    async def never() -> bool:
        return False

    with pytest.raises(PartError, match="blue ended while it was starting\nno such table"):
        await process.ready(never, 10)


async def test_waiting_in_vain_names_what_and_quotes_the_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("".join(f"line {index}\n" for index in range(50)))

    async def never() -> bool:
        return False

    with pytest.raises(PartError, match=r"0.05 s in vain for the moon\nline 38\n") as caught:
        await processes.wait_until(never, 0.05, "the moon", log=log)
    assert str(log) in caught.value.hint


async def test_what_a_short_command_said_and_how_it_ended(tmp_path: Path) -> None:
    ended = await processes.run(["/bin/sh", "-c", "pwd; echo no >&2; exit 3"], env=ENV, folder=tmp_path)
    assert ended == processes.Ended(3, f"{tmp_path}\nno\n")
    assert await processes.must_run(tmp_path, ["/bin/echo", "yes"], env=ENV) == "yes\n"
    with pytest.raises(PartError, match=r"false failed with 1"):
        await processes.must_run(tmp_path, ["/bin/false"], env=ENV)


async def test_a_short_command_that_does_not_end_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    command = ["/bin/sh", "-c", "echo begun; sleep 300 & sleep 300"]
    ended = await processes.run(command, env=ENV, folder=tmp_path, seconds=0.3)
    assert ended == processes.Ended(None, "begun\n")
    assert processes.strays(tmp_path) == []
    with pytest.raises(PartError, match=r"did not end in 0.1 s"):
        await processes.must_run(tmp_path, command, env=ENV, seconds=0.1)


async def test_a_short_command_never_outlives_the_one_who_gave_up_waiting(tmp_path: Path) -> None:
    flag = tmp_path / "begun"
    work = asyncio.create_task(
        processes.run(["/bin/sh", "-c", f"touch {flag}; sleep 300"], env=ENV, folder=tmp_path)
    )

    async def begun() -> bool:
        return flag.exists()

    await processes.wait_until(begun, 10, "its beginning")
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work

    async def over() -> bool:
        return not processes.strays(tmp_path)

    # A grandchild that was killed is seen until the system has had the time to end it.
    await processes.wait_until(over, 10, "the end of what it had started")


async def test_a_command_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PartError, match="no-such-program cannot be run: No such file"):
        await processes.run(["no-such-program"], env=ENV, folder=tmp_path)


async def test_a_process_that_outlives_us_on_purpose_is_no_warning(tmp_path: Path) -> None:
    code = (
        "import pathlib; from tminus import processes;"
        f"processes.start(pathlib.Path({str(tmp_path)!r}), 'blue', {SLEEPER!r}, env={ENV!r})"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-X", "dev", "-W", "always", "-c", code, stderr=asyncio.subprocess.PIPE
    )
    _, said = await parent.communicate()
    assert (parent.returncode, said) == (0, b"")
    assert processes.find(tmp_path, "blue") is not None


async def test_a_child_that_ended_unasked_is_reaped_by_the_next_start(tmp_path: Path) -> None:
    first = processes.start(tmp_path, "blue", SLEEPER, env=ENV)
    os.kill(first.pid, signal.SIGKILL)

    async def ended() -> bool:
        return psutil.Process(first.pid).status() == psutil.STATUS_ZOMBIE

    await processes.wait_until(ended, 10, "its death")
    processes.start(tmp_path, "green", SLEEPER, env=ENV)
    assert not psutil.pid_exists(first.pid)


async def test_an_unknown_user_is_named(tmp_path: Path) -> None:
    with pytest.raises(PartError, match="no user 'nobody-such'"):
        processes.start(tmp_path, "blue", SLEEPER, env=ENV, user="nobody-such")


def _groups(pid: int) -> list[str]:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(line for line in status.splitlines() if line.startswith("Groups:")).split()[1:]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start a process as another user")
async def test_root_starts_a_process_as_another_user() -> None:
    folder = Path("/tmp") / f"tminus-test-{os.getpid()}"
    folder.mkdir(mode=0o755)
    try:
        process = processes.start(folder, "postgres", ["sleep", "300"], env=ENV, user="nobody")
        assert psutil.Process(process.pid).username() == "nobody"
        assert _groups(process.pid) == []
        await process.stop(5)
    finally:
        await processes.end_strays(folder)
        for file in (folder / "postgres").iterdir():
            file.unlink()
        (folder / "postgres").rmdir()
        folder.rmdir()
