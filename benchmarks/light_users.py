"""Users who count: each keeps a connection as long as it may, sends one POST after the other, and tries none again.

A request that got no whole answer, or one that is no 2xx, is lost. On SIGTERM each finishes its request, and the counts
are printed as JSON. Called with host, port, how many users, and for how many seconds each rests after an answer.
"""

import asyncio
import json
import signal
import sys
from collections import Counter
from typing import cast

import httptools
import uvloop

ANSWER_SECONDS = 15.0
"""How long a user waits: longer than the proxy does."""
_REQUEST = b"POST /documents HTTP/1.1\r\nHost: x\r\nX-Client: poster-%d\r\nContent-Length: 2\r\n\r\n{}"


class Answer(asyncio.Protocol):
    """One connection and the answer that is awaited on it."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self._awaited: asyncio.Future[int] | None = None
        self._parser = httptools.HttpResponseParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Read on."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._settle(error)

    def connection_lost(self, exc: Exception | None) -> None:
        """No answer comes here any more."""
        self.transport = None
        self._settle(exc or ConnectionResetError("closed without an answer"))

    def on_message_complete(self) -> None:
        """The answer is whole."""
        status, keep = self._parser.get_status_code(), self._parser.should_keep_alive()
        self._parser = httptools.HttpResponseParser(self)
        if not keep and self.transport is not None:
            self.transport.close()
            self.transport = None
        self._settle(status)

    async def ask(self, request: bytes) -> int:
        """The status of the answer to this request."""
        assert self.transport is not None
        self._awaited = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        async with asyncio.timeout(ANSWER_SECONDS):
            return await self._awaited

    def _settle(self, what: int | Exception) -> None:
        if self._awaited is None or self._awaited.done():
            return
        if isinstance(what, Exception):
            self._awaited.set_exception(what)
        else:
            self._awaited.set_result(what)


async def user(
    number: int, where: tuple[str, int], pause: float, over: asyncio.Event, found: Counter[str]
) -> None:
    """One user, until it is over; every request is counted by how it ended."""
    request, answer = _REQUEST % number, Answer()
    loop = asyncio.get_running_loop()
    while not over.is_set():
        try:
            if answer.transport is None:
                _, answer = await loop.create_connection(Answer, *where)
            status = await answer.ask(request)
        except (OSError, TimeoutError, httptools.HttpParserError) as error:
            found[f"{type(error).__name__}: {error}"[:80]] += 1
            answer = Answer()
        else:
            found["answered" if 200 <= status < 300 else f"status {status}"] += 1
        await asyncio.sleep(pause)


async def _main(host: str, port: int, users: int, pause: float) -> None:
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    found: Counter[str] = Counter()
    await asyncio.gather(*(user(number, (host, port), pause, over, found) for number in range(users)))
    print(json.dumps(found))


if __name__ == "__main__":
    uvloop.run(_main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
