"""What opens a system, as it stands in its address: a login as Basic, a token alone as Bearer; neither is shown."""

import asyncio
from base64 import b64encode
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from tminus.errors import UnreachableError
from tminus.http import Http, alongside, connect

_WAYS = pytest.mark.parametrize("way", [connect, alongside])
Way = Callable[[str], AbstractAsyncContextManager[Http]]


async def _heard(way: Way, login: str) -> str:
    """What a server is told by `Authorization` of whoever asks it at an address with this login."""
    heads: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        async with way(f"http://{login}127.0.0.1:{server.sockets[0].getsockname()[1]}") as http:
            assert (await http.get("/")).status == 200
    finally:
        server.close()
        await server.wait_closed()
    told = [line for line in heads[0].decode().splitlines() if line.startswith("Authorization: ")]
    return told[0].removeprefix("Authorization: ") if told else ""


@_WAYS
@pytest.mark.parametrize(
    ("login", "told"),
    [
        ("", ""),
        (":to%2Fken@", "Bearer to/ken"),
        ("ada:word@", f"Basic {b64encode(b'ada:word').decode()}"),
        ("ada:@", f"Basic {b64encode(b'ada:').decode()}"),
        ("ada:p%C3%A4ss%E2%82%AC@", f"Basic {b64encode('ada:päss€'.encode()).decode()}"),
    ],
)
async def test_a_token_alone_is_a_bearer_s(way: Way, login: str, told: str) -> None:
    assert await _heard(way, login) == told


@_WAYS
async def test_what_opens_it_is_not_shown_when_nobody_answers(way: Way) -> None:
    async with way("http://:token7@127.0.0.1:1") as http:
        with pytest.raises(UnreachableError) as told:
            await http.get("/x")
    assert "token7" not in f"{told.value} {told.value.hint}"


@_WAYS
async def test_a_token_does_not_follow_to_another_host(way: Way) -> None:
    heads: list[bytes] = []

    async def there(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    other = await asyncio.start_server(there, "127.0.0.1", 0)
    port = other.sockets[0].getsockname()[1]

    async def here(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(
            f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{port}/x\r\n"
            "Content-Length: 0\r\nConnection: close\r\n\r\n".encode()
        )
        await writer.drain()
        writer.close()

    first = await asyncio.start_server(here, "127.0.0.1", 0)
    try:
        async with way(f"http://:token7@127.0.0.1:{first.sockets[0].getsockname()[1]}") as http:
            assert (await http.get("/")).status == 200
    finally:
        for server in (first, other):
            server.close()
            await server.wait_closed()
    assert [b"token7" in head for head in heads] == [True, False]
