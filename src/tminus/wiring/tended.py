"""A worker that a page keeps beside itself: started, started again when it ends, and ended with the page.

It is a process of its own, so that neither can harm the other, and it holds the reading end of a pipe from us: however
we end, also by `kill -9`, it sees that pipe close and stops (`tminus worker --tied`). No worker is ever left behind.
"""

import asyncio
import signal
import sys
from asyncio import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread

from tminus import files
from tminus.control.ports import Clock
from tminus.engine.durable import new_executor
from tminus.errors import Exit
from tminus.picture.tending import Post, Tending
from tminus.picture.words import plural
from tminus.wiring.working import lock_of

COMMAND = (sys.executable, "-P", "-m", "tminus", "worker", "--tied")
"""A worker of this very tminus, in this environment."""
LASTS = 60.0
"""Seconds after which a worker that ends counts as one that worked."""
LONGEST = 8.0
"""Seconds of the longest pause before a start: when a database is back, a worker is there within ten."""
STOP_SECONDS = 15.0
"""How long a worker may take to leave its launches to others before it is killed."""
LAST_WORDS = 4096
"""Bytes of what it said last that are kept to say why it ended."""
REMEMBERED = 4
"""Of how many workers that ended the next one is told."""
_LEFT = 2.0
"""Seconds in which the last words of a worker that has ended must have come: its children may keep the pipe open."""


class OwnWorker:
    """Keeps one worker for as long as `keep` runs; `say` takes what happens, a line each."""

    def __init__(
        self, database_url: str, clock: Clock, say: Callable[[str], None], command: Sequence[str] = COMMAND
    ) -> None:
        self._lock = lock_of(database_url)
        self._clock = clock
        self._say = say
        self._command = command
        self._ended: list[str] = []
        """The names of the last workers of ours, which have ended."""
        self.tending = Tending(Post.DOWN, clock.now())
        """How it stands now."""

    async def keep(self) -> None:
        """Have a worker run, until this is cancelled: then it is told to stop, and waited for."""
        loop, falls = asyncio.get_running_loop(), 0
        while True:
            began = loop.time()
            code, said = await self._run(falls)
            lock = self._lock if code == Exit.REFUSED else None
            if lock is not None:
                await self._until_free(lock)
            falls = 0 if loop.time() - began >= LASTS else falls + 1
            if lock is None:
                self._fell(falls, _ending(code, said))
            await self._clock.sleep(pause(falls))

    async def _run(self, falls: int) -> tuple[int, str]:
        """One worker from its start to its end: its exit code, and its last words."""
        name = new_executor()
        after = [word for one in self._ended for word in ("--after", one)]
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                *("--name", name, *after),
                stdin=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C on our terminal is ours to pass on
            )
        except OSError as error:
            return Exit.UNKNOWN, f"it cannot be started: {error.strerror}"
        before = self.tending
        self.tending = Tending(Post.RUNS, self._clock.now(), process.pid, before.ends, before.last, falls)
        self._say(f"its worker runs as process {process.pid}")
        said: list[bytes] = []
        listening = asyncio.create_task(_pass_on(process.stderr, said))
        try:
            code = await process.wait()
            # Nobody has to wait until its heart is seen to stand still. The one before may not have taken over yet.
            self._ended = [*self._ended, name][-REMEMBERED:]
            await asyncio.wait({listening}, timeout=_LEFT)
        finally:
            await _end(process)
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
        return code, b"".join(said)[-LAST_WORDS:].decode(errors="replace")

    async def _until_free(self, lock: Path) -> None:
        """Wait until the worker that has the SQLite file ends, however it does; nobody is asked again and again."""
        self._stand(Post.ELSEWHERE, "another worker has the SQLite file; its own begins when that one ends")
        loop, free = asyncio.get_running_loop(), asyncio.Event()

        def wait() -> None:
            with files.locked(lock), suppress(RuntimeError):  # we have ended meanwhile
                loop.call_soon_threadsafe(free.set)

        Thread(target=wait, name="tminus place", daemon=True).start()
        await free.wait()
        self._say("the other worker has ended")

    def _fell(self, falls: int, ending: str) -> None:
        seconds = pause(falls)
        before, now = self.tending, self._clock.now()
        again = now + seconds if seconds else None
        self.tending = Tending(Post.DOWN, now, 0, before.ends + 1, ending, falls, again)
        often = f" ({plural(falls, 'end')} one soon after the other)" if falls > 1 else ""
        when = f"in {seconds:g} s" if seconds else "at once"
        self._say(f"its worker {ending}{often}; the next starts {when}")

    def _stand(self, post: Post, words: str) -> None:
        self.tending = Tending(post, self._clock.now(), 0, self.tending.ends, self.tending.last)
        self._say(words)


def pause(falls: int) -> float:
    """Seconds before the next start, after this many ends one soon after the other: none, then 1, 2, 4, 8."""
    return 0.0 if falls < 2 else min(LONGEST, 2.0 ** (falls - 2))


def _ending(code: int, said: str) -> str:
    """How a worker ended, in words that go on from its name."""
    if code < 0:
        return f"was killed ({signal.Signals(-code).name})"
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    why = next((line for line in reversed(lines) if line.startswith("tminus: ")), lines[-1] if lines else "")
    return f"ended with {code}" + (f": {why.removeprefix('tminus: ')}" if why else "")


async def _pass_on(source: asyncio.StreamReader | None, said: list[bytes]) -> None:
    """Let people see what it says of errors, and keep the end of it."""
    assert source is not None  # noqa: S101 - it was asked for
    while piece := await source.read(LAST_WORDS):
        # A worker whose words nobody takes any more would stand still with a full pipe.
        with suppress(OSError):
            sys.stderr.write(piece.decode(errors="replace"))
            sys.stderr.flush()
        said[:] = [b"".join(said)[-LAST_WORDS:], piece]


async def _end(process: subprocess.Process) -> None:
    """End a worker that still runs: ask it, and kill it when it does not."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
