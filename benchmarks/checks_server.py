"""Web servers that many checks ask: as little work as an answer can be, in a process of their own.

Prints its ports once they listen. `/slow` is answered after `SLOW_SECONDS`.
"""

import asyncio
import sys

from tminus.loopback import free_port

SLOW_SECONDS = 10.0
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"
_END = b"\r\n\r\n"


class Server(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._held = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`; none of these requests has a body."""
        self._held += data
        while _END in self._held:
            head, _, self._held = self._held.partition(_END)
            if head.startswith(b"GET /slow"):
                asyncio.get_running_loop().call_later(SLOW_SECONDS, self._answer)
            else:
                self._answer()

    def _answer(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(_ANSWER)


async def main(count: int) -> None:
    """Listen until the end."""
    loop = asyncio.get_running_loop()
    servers = [await loop.create_server(Server, "127.0.0.1", free_port(), backlog=1024) for _ in range(count)]
    print(" ".join(str(server.sockets[0].getsockname()[1]) for server in servers), flush=True)
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
