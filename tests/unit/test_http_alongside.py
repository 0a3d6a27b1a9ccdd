"""Connections that checks of the same moment have in common, and no others."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tminus import http
from tminus.errors import UnreachableError
from tminus.http import alongside

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: who=first\r\n\r\nok"


class Site:
    """A server that counts its connections, and may hang up after each answer though it promised not to."""

    def __init__(self) -> None:
        self.connections = 0
        self.heads: list[bytes] = []
        self.hangs_up = False
        self.silent = False
        self.address = ""

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.heads.append(head)
                if self.silent:
                    continue
                writer.write(_ANSWER)
                await writer.drain()
                if self.hangs_up:
                    break
        except asyncio.IncompleteReadError:
            pass  # the other side has closed it
        finally:
            writer.close()


@asynccontextmanager
async def serving() -> AsyncIterator[Site]:
    site = Site()
    server = await asyncio.start_server(site.talk, "127.0.0.1", 0)
    site.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield site
    finally:
        server.close()
        await server.wait_closed()


async def asked(address: str) -> int:
    async with alongside(address) as site:
        return (await site.get("/")).status


async def test_checks_of_the_same_moment_share_connections_and_a_later_one_makes_its_own() -> None:
    async with serving() as site:
        async with alongside(site.address):
            assert [await asked(site.address) for _ in range(5)] == [200] * 5
            assert site.connections == 1
        assert await asked(site.address) == 200
        assert await asked(site.address) == 200
    assert site.connections == 3


async def test_nothing_that_one_check_was_given_is_shown_by_another() -> None:
    async with serving() as site, alongside(site.address):
        await asked(site.address)
        await asked(site.address)
    assert len(site.heads) == 2
    assert not any(b"cookie" in head.lower() for head in site.heads)


async def test_a_shared_connection_that_was_dropped_is_no_failure_of_the_site() -> None:
    async with serving() as site, alongside(site.address):
        site.hangs_up = True
        assert [await asked(site.address) for _ in range(4)] == [200] * 4
    assert site.connections == 4


async def test_one_that_is_given_up_leaves_the_others_what_they_share(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http, "SECONDS", 0.2)
    async with serving() as site, serving() as other, alongside(site.address):
        other.silent = True
        with pytest.raises(UnreachableError):
            await asked(other.address)
        assert await asked(site.address) == 200
