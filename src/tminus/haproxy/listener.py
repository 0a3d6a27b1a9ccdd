"""Receives HAProxy's log lines over TCP, and loses none while tminus restarts.

HAProxy's ring keeps lines while nobody listens. Lines that were on their way to a tminus that was killed (about one at
75 requests a second) are fetched once more with `recover`.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

from tminus.errors import PartError
from tminus.haproxy.lines import Frames, FramingError, Line, Numbers, StrangerError, parse
from tminus.haproxy.runtime import Runtime

GRACE_SECONDS = 10.0
"""How long a missing number is awaited; longer than the slowest answer that HAProxy waits for."""
HAND_OVER_SECONDS = 2.0
"""How long a stopping listener waits for lines that are on their way."""
WAITING_LINES = 20_000
"""How many lines wait for `take`; beyond that HAProxy's ring has to keep them."""


class LogListener:
    """Listens on a fixed loopback port, and gives the lines in order of arrival.

    `stored` are the numbers of the trace so far, `runs` the same as stretches without a hole: holes, and what is
    missing after them, are counted as if we had never been away. Anybody on this machine reaches the port; only lines
    with the `secret` are believed.
    """

    def __init__(
        self,
        port: int,
        secret: str,
        *,
        stored: Iterable[int] = (),
        runs: Sequence[range] = (),
        grace: float = GRACE_SECONDS,
    ) -> None:
        if not secret:
            raise ValueError("without a secret anybody could write log lines")
        self.port = port
        self._secret = secret
        self.received = 0
        """Lines of requests since the start of this listener."""
        self.unserved = 0
        """Those among them that reached no side, and that no one side can be blamed for."""
        self.malformed = 0
        """What never became a whole HTTP request (the proxy said 400 or 408); not counted, and not given."""
        self.unreadable = 0
        """Lines and connections that are not in our format; a number above 0 needs a person."""
        self.refused = 0
        """Lines without the secret: somebody on this machine tried to write our log."""
        self._stored, self._runs, self._grace = list(stored), runs, grace
        self._waiting: asyncio.Queue[Line] = asyncio.Queue(WAITING_LINES)
        self._readers: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._proven: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._numbers = Numbers(grace)
        self._last = 0.0

    async def start(self) -> None:
        """Listen; raises `PartError` when the port is taken."""
        self._last = _now()
        self._numbers = Numbers(self._grace, self._stored, now=self._last)
        for run in self._runs:
            self._numbers.skip(run, self._last)
        try:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        except OSError as error:
            raise PartError(
                f"port {self.port}, where HAProxy sends its log lines, cannot be opened: {error.strerror}",
                hint=f"end the process that listens there: `ss -ltnp 'sport = :{self.port}'`",
            ) from error

    async def stop(self) -> None:
        """Take no new lines, after every line that is on its way has arrived.

        We close our half first; HAProxy sees that, sends what it has begun, and keeps the rest in its ring.
        """
        if self._server is None:
            return
        self._server.close()
        for writer in self._readers.values():
            if writer.can_write_eof():
                writer.write_eof()
        if self._readers:
            await asyncio.wait(self._readers, timeout=HAND_OVER_SECONDS)
        for task in list(self._readers):
            task.cancel()
        await asyncio.gather(*self._readers, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def recover(self, runtime: Runtime) -> int:
        """Fetch missing lines out of HAProxy's ring, which also keeps what it has sent; how many were found.

        For the start after a kill, and whenever something is `pending` or `lost`; costs nothing otherwise. Raises
        `UnreachableError` when HAProxy does not answer.
        """
        before = self.received
        for payload in await runtime.kept_lines():
            with suppress(StrangerError):  # counted; nobody but HAProxy writes into its ring
                await self._receive(payload, only_missing=True)
        return self.received - before

    async def take(self, seconds: float) -> list[Line]:
        """Everything that waits, as soon as there is something; nothing when the time passes without a line."""
        try:
            async with asyncio.timeout(seconds):
                lines = [await self._waiting.get()]
        except TimeoutError:
            return []
        while not self._waiting.empty():
            lines.append(self._waiting.get_nowait())
        return lines

    async def lines(self) -> AsyncIterator[Line]:
        """Every line in order of arrival, without end."""
        while True:
            yield await self._waiting.get()

    @property
    def lost(self) -> int:
        """Requests that HAProxy counted and of which no line came within the grace."""
        return self._numbers.lost(_now())

    @property
    def pending(self) -> int:
        """Requests whose line is missing, but not for long."""
        return self._numbers.pending(_now())

    @property
    def quiet_seconds(self) -> float:
        """How long no line has come (since the start, if none ever came)."""
        return _now() - self._last

    @property
    def connected(self) -> bool:
        """Whether our HAProxy is connected now: somebody who has sent a line with the secret."""
        return bool(self._proven)

    @property
    def generation(self) -> int:
        """Which start of HAProxy was heard last; 0 before the first line."""
        return self._numbers.generation

    @property
    def cut_off(self) -> int:
        """Requests under way that ended with a HAProxy that died, as far as its count tells."""
        return self._numbers.cut_off

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:  # never: asyncio runs this in a task
            raise AssertionError
        self._readers[task] = writer
        try:
            await self._read(reader, task)
        except FramingError:
            self.unreadable += 1
        except StrangerError:
            return  # counted; whoever does not know the secret has nothing more to say
        except ConnectionError:
            return  # HAProxy died; its next start connects again, and the numbers tell what was lost
        finally:
            del self._readers[task]
            self._proven.discard(task)
            writer.close()

    async def _read(self, reader: asyncio.StreamReader, task: asyncio.Task[None]) -> None:
        frames = Frames()
        while data := await reader.read(65_536):
            for payload in frames.feed(data):
                if await self._receive(payload):
                    self._proven.add(task)

    async def _receive(self, payload: bytes, *, only_missing: bool = False) -> bool:
        """Take one line; whether it is our HAProxy's. Raises `StrangerError` for one without the secret."""
        try:
            line = parse(payload, self._secret)
        except StrangerError:
            self.refused += 1
            raise
        except ValueError:
            self.unreadable += not only_missing
            return False
        number = line.outcome.number
        if number is None:
            self.malformed += not only_missing
        elif not self._numbers.plausible(number):
            self.unreadable += 1
        elif not only_missing or self._numbers.awaits(number):
            await self._keep(line, number)
        return True

    async def _keep(self, line: Line, number: int) -> None:
        self._last = _now()
        if self._numbers.seen(number, self._last):
            self.received += 1
            self.unserved += line.unserved
            await self._waiting.put(line)


def _now() -> float:
    return asyncio.get_running_loop().time()
