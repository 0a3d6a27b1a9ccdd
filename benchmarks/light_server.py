"""A side of a release that costs little: it answers at once or after a while, and fails by order.

`GET /health` says which release it is. `POST /faults` takes the share of `errors`, and for the time of each answer its
`median_ms`, the `spread` of its logarithm, and how many `times` that is now. Without an order every other GET is
answered at once, every other POST after 50 ms. A SIGTERM ends it that instant, whatever it was doing: only who has
drained it loses nothing.
"""

import asyncio
import json
import os
import random
import signal
import sys
from typing import cast

import httptools
import uvloop

HANDLER_SECONDS = 0.05
"""How long a POST takes."""


class Side:
    """What the server is, and how it fails."""

    def __init__(self, digest: str, version: str, seed: int) -> None:
        self.identity = json.dumps({"status": "ok", "digest": digest, "version": version}).encode()
        self.errors = 0.0
        self.times = 1.0
        self.base: tuple[float, float] = (0.0, 0.0)
        self.dice = random.Random(seed)

    def order(self, body: bytes) -> None:
        """Fail as ordered from now on; what is not named stays as it is."""
        wanted = json.loads(body)
        self.errors = wanted.get("errors", self.errors)
        self.times = wanted.get("times", self.times)
        if "median_ms" in wanted:
            self.base = (wanted["median_ms"] / 1000, wanted["spread"])

    def seconds(self, method: bytes) -> float:
        """How long the next answer takes: the handler's time, or one drawn where a median was ordered."""
        median, spread = self.base
        if not median:
            return HANDLER_SECONDS if method == b"POST" else 0.0
        return median * self.dice.lognormvariate(0.0, spread) * self.times


class Connection(asyncio.Protocol):
    """One connection: requests one after the other."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Read on."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.close()

    def on_message_begin(self) -> None:
        """Another request."""
        self._url = self._body = b""

    def on_url(self, url: bytes) -> None:
        """See `HttpRequestParser`."""
        self._url += url

    def on_body(self, body: bytes) -> None:
        """See `HttpRequestParser`."""
        self._body += body

    def on_message_complete(self) -> None:
        """Answer, or do as ordered."""
        keep, method = int(self._parser.should_keep_alive()), self._parser.get_method()
        if self._url == b"/health":
            self._answer(200, self._side.identity, keep)
            return
        if self._url == b"/faults":
            self._side.order(self._body)
            self._answer(200, b"{}", keep)
            return
        seconds = self._side.seconds(method)
        status = 500 if self._side.dice.random() < self._side.errors else 200
        if seconds:
            asyncio.get_running_loop().call_later(seconds, self._answer, status, b"done", keep)
        else:
            self._answer(status, b"done", keep)

    def _answer(self, status: int, body: bytes, keep: int) -> None:
        how = b"keep-alive" if keep else b"close"
        head = b"HTTP/1.1 %d X\r\nContent-Length: %d\r\nConnection: %b\r\n\r\n" % (status, len(body), how)
        self._transport.write(head + body)
        if not keep:
            self._transport.close()


async def _serve(port: int, side: Side) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(side), "127.0.0.1", port, backlog=1024)
    loop.add_signal_handler(signal.SIGTERM, os._exit, 0)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), Side(sys.argv[2], sys.argv[3], int(sys.argv[4]))))
