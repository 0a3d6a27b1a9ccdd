"""The worker that a page keeps: started again with growing pauses, ended with the page, never a second on one file."""

import asyncio
import errno
import io
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from tminus import files
from tminus.picture.tending import Post
from tminus.processes import wait_until
from tminus.wiring import tended
from tminus.wiring.tended import OwnWorker, pause
from tminus.wiring.working import lock_of

POSTGRES = "postgresql://127.0.0.1/none"
"""A database with many places; these workers never ask it anything."""


@dataclass
class Waits:
    """A clock whose pauses are over at once, and are counted."""

    pauses: list[float] = field(default_factory=list)

    def now(self) -> float:
        return 1_800_000_000.0

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(0)


@dataclass
class Kept:
    """A worker that is kept, the clock that it is kept by, and what was said."""

    worker: OwnWorker
    clock: Waits
    said: list[str]
    keeping: asyncio.Task[None]

    async def when(self, true: Callable[[], bool], what: str) -> None:
        async def seen() -> bool:
            if self.keeping.done():
                self.keeping.result()
            return true()

        await wait_until(seen, 60, what)

    async def runs(self) -> psutil.Process:
        """Its process, once there is one."""
        await self.when(lambda: self.worker.tending.post is Post.RUNS, "a worker")
        return psutil.Process(self.worker.tending.pid)

    async def end(self) -> None:
        self.keeping.cancel()
        await asyncio.gather(self.keeping, return_exceptions=True)


@asynccontextmanager
async def kept(url: str, *command: str) -> AsyncIterator[Kept]:
    clock, said = Waits(), list[str]()
    worker = OwnWorker(url, clock, said.append, command)
    one = Kept(worker, clock, said, asyncio.create_task(worker.keep()))
    try:
        yield one
    finally:
        await one.end()


def test_the_first_start_after_an_end_is_at_once_and_later_ones_wait_longer_up_to_a_limit() -> None:
    assert [pause(falls) for falls in range(8)] == [0, 0, 1, 2, 4, 8, 8, 8]


async def test_one_that_ends_at_once_each_time_is_started_with_growing_pauses_and_says_why() -> None:
    script = "echo 'tminus: the store is away' >&2; echo '  what to do: look' >&2; exit 4"
    async with kept(POSTGRES, "/bin/sh", "-c", script) as one:
        await one.when(lambda: len(one.clock.pauses) >= 6, "six ends")
        assert one.clock.pauses[:6] == [0, 1, 2, 4, 8, 8]
        ends = [words for words in one.said if "ended" in words]
        assert ends[0] == "its worker ended with 4: the store is away; the next starts at once"
        assert ends[1].endswith("(2 ends one soon after the other); the next starts in 1 s")
        assert one.worker.tending.ends >= 6
        assert one.worker.tending.last == "ended with 4: the store is away"


async def test_one_that_has_lasted_is_started_again_at_once_however_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tended, "LASTS", 0.0)
    async with kept(POSTGRES, "/bin/sh", "-c", "exit 70") as one:
        await one.when(lambda: len(one.clock.pauses) >= 4, "four ends")
        assert one.clock.pauses[:4] == [0, 0, 0, 0]


async def test_one_that_is_killed_is_followed_by_another() -> None:
    async with kept(POSTGRES, "/bin/sh", "-c", "exec cat") as one:
        first = await one.runs()
        first.kill()
        await one.when(lambda: one.worker.tending.pid not in {0, first.pid}, "the next worker")
        assert "its worker was killed (SIGKILL); the next starts at once" in one.said
        assert (one.worker.tending.ends, one.worker.tending.falls) == (1, 1)


async def test_the_next_is_told_the_names_of_those_that_ended(tmp_path: Path) -> None:
    said = tmp_path / "said"
    async with kept(POSTGRES, "/bin/sh", "-c", f'echo "$@" >> {said}; exit 70', "sh") as one:
        await one.when(lambda: len(one.clock.pauses) >= 7, "seven ends")
    starts = [line.split() for line in said.read_text().splitlines()]
    names = [words[1] for words in starts]
    assert len(set(names)) == len(names)
    for number, words in enumerate(starts):
        ended = names[max(0, number - tended.REMEMBERED) : number]
        assert words == ["--name", names[number], *(word for name in ended for word in ("--after", name))]


async def test_a_program_that_cannot_be_started_is_said_and_tried_again(tmp_path: Path) -> None:
    async with kept(POSTGRES, str(tmp_path / "none")) as one:
        await one.when(lambda: len(one.clock.pauses) >= 2, "two tries")
        assert "it cannot be started: No such file or directory" in one.said[0]


class Deaf(io.StringIO):
    """An output that nobody reads any more."""

    def write(self, _text: str) -> int:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")


async def test_one_that_says_much_goes_on_also_when_nobody_reads_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", Deaf())
    said = tmp_path / "said"
    # More than a pipe holds.
    script = f"head -c 500000 /dev/zero | tr '\\0' x >&2; echo > {said}; exec cat"
    async with kept(POSTGRES, "/bin/sh", "-c", script) as one:
        await one.when(said.exists, "all of it to be said")
        assert one.worker.tending.post is Post.RUNS


async def test_it_is_told_to_stop_when_the_page_ends_and_is_waited_for(tmp_path: Path) -> None:
    said = tmp_path / "said"
    script = f"trap 'echo stopped > {said}; exit 0' TERM; echo up > {said}; while :; do read line; done"
    async with kept(POSTGRES, "/bin/sh", "-c", script) as one:
        process = await one.runs()
        await one.when(said.exists, "its trap")
        await one.end()
        assert not process.is_running()
        assert said.read_text() == "stopped\n"


async def test_one_that_does_not_stop_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tended, "STOP_SECONDS", 0.1)
    up = tmp_path / "up"
    script = f"trap '' TERM; echo > {up}; while :; do read line; done"
    async with kept(POSTGRES, "/bin/sh", "-c", script) as one:
        process = await one.runs()
        await one.when(up.exists, "its trap")
        await one.end()
        assert not process.is_running()


async def test_a_file_that_another_worker_has_is_waited_for_and_not_asked_again_and_again(
    tmp_path: Path,
) -> None:
    starts = tmp_path / "starts"
    script = f"echo >> {starts}; exit 3"
    with files.locked_at_once(tmp_path / "tminus.db.worker"):
        async with kept(f"sqlite:///{tmp_path / 'tminus.db'}", "/bin/sh", "-c", script) as one:
            await one.when(lambda: one.worker.tending.post is Post.ELSEWHERE, "it to be refused")
            assert one.worker.tending.ends == 0, "to be refused is no death"
            assert one.clock.pauses == []
            assert starts.read_text() == "\n"


async def test_its_own_worker_begins_when_the_other_one_ends(tmp_path: Path) -> None:
    starts = tmp_path / "starts"
    script = f"echo >> {starts}; [ $(wc -l < {starts}) = 1 ] && exit 3; exec cat"
    lock = files.locked_at_once(tmp_path / "tminus.db.worker")
    with lock:
        keeping = kept(f"sqlite:///{tmp_path / 'tminus.db'}", "/bin/sh", "-c", script)
        one = await keeping.__aenter__()
        await one.when(lambda: one.worker.tending.post is Post.ELSEWHERE, "it to be refused")
    await one.runs()
    assert one.said[-2:] == [
        "the other worker has ended",
        f"its worker runs as process {one.worker.tending.pid}",
    ]
    await keeping.__aexit__(None, None, None)


STILL = """
import asyncio, threading
from tminus.cli import worker
worker.GRACE_SECONDS = 0.1
async def main():
    worker.tie(asyncio.Event())
    print("tied", flush=True)
    threading.Event().wait()
asyncio.run(main())
"""


async def test_a_tied_worker_whose_loop_stands_still_ends_too_when_its_page_is_gone() -> None:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", STILL, stdin=pipe, stdout=pipe)
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        assert await asyncio.wait_for(process.stdout.readline(), 120) == b"tied\n"
        process.stdin.close()
        assert await asyncio.wait_for(process.wait(), 60) == 4
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
            await process.wait()


def test_a_file_has_one_place_by_whichever_name(tmp_path: Path) -> None:
    (tmp_path / "tminus.db").touch()
    (tmp_path / "linked.db").symlink_to(tmp_path / "tminus.db")
    assert lock_of(f"sqlite:///{tmp_path / 'linked.db'}") == lock_of(f"sqlite:///{tmp_path / 'tminus.db'}")
