"""Receives HAProxy's log lines over TCP, and loses none while tminus restarts.

HAProxy's ring keeps lines while nobody listens. Lines that were on their way to a tminus that was killed (about one at
75 requests a second) are fetched once more with `recover`.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from types import TracebackType
from typing import Self

from tminus.errors import PartError
from tminus.haproxy.lines import Frames, FramingError, Line, Numbers, parse
from tminus.haproxy.runtime import Runtime

GRACE_SECONDS = 10.0
"""How long a missing number is awaited; longer than the slowest answer that HAProxy waits for."""
HAND_OVER_SECONDS = 2.0
"""How long a stopping listener waits for lines that are on their way."""
WAITING_LINES = 20_000
"""How many lines wait for `take`; beyond that HAProxy's ring has to keep them."""


class LogListener:
    """Listens on a fixed loopback port, and gives the lines in order of arrival.

    `stored` are the numbers of the trace so far: holes in it and after it are counted as if we had never been
    away. It trusts whoever reaches the loopback address.
    """

    def __init__(self, port: int, *, stored: Iterable[int] = (), grace: float = GRACE_SECONDS) -> None:
        self.port = port
        self.received = 0
        """Lines of requests since the start of this listener."""
        self.unserved = 0
        """Those among them that no server took: the proxy itself answered 503."""
        self.malformed = 0
        """What never became a whole HTTP request (the proxy said 400 or 408); not counted, and not given."""
        self.unreadable = 0
        """Lines and connections that are not in our format; a number above 0 needs a person."""
        self._stored, self._grace = list(stored), grace
        self._waiting: asyncio.Queue[Line] = asyncio.Queue(WAITING_LINES)
        self._readers: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._server: asyncio.Server | None = None
        self._numbers = Numbers(grace)
        self._last = 0.0

    async def start(self) -> None:
        """Listen; raises `PartError` when the port is taken."""
        self._last = _now()
        self._numbers = Numbers(self._grace, self._stored, now=self._last)
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
        """Whether a HAProxy is connected now."""
        return bool(self._readers)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:  # never: asyncio runs this in a task
            raise AssertionError
        self._readers[task] = writer
        try:
            await self._read(reader)
        except FramingError:
            self.unreadable += 1
        except ConnectionError:
            return  # HAProxy died; its next start connects again, and the numbers tell what was lost
        finally:
            del self._readers[task]
            writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        frames = Frames()
        while data := await reader.read(65_536):
            for payload in frames.feed(data):
                await self._receive(payload)

    async def _receive(self, payload: bytes, *, only_missing: bool = False) -> None:
        try:
            line = parse(payload)
        except ValueError:
            self.unreadable += not only_missing
            return
        number = line.outcome.number
        if number is None:
            self.malformed += not only_missing
            return
        if not self._numbers.plausible(number):
            self.unreadable += 1
            return
        if only_missing and not self._numbers.awaits(number):
            return
        self._last = _now()
        if self._numbers.seen(number, self._last):
            self.received += 1
            self.unserved += line.unserved
            await self._waiting.put(line)


def _now() -> float:
    return asyncio.get_running_loop().time()
