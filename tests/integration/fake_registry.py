"""A registry that answers as a test wants it to: honest from a layout, but for the answers that are replaced."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from tminus import loopback
from tminus.oci import Repository
from tminus.oci.layout import INDEX_TYPE, MANIFEST_TYPE, blob_path

NOTHING = b'{"schemaVersion": 2, "manifests": []}'
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Fake:
    """A registry of one repository, `depot`, which holds the blobs of a layout."""

    layout: Path
    port: int
    instead: dict[str, Answer] = field(default_factory=dict)
    """By the last part of a path: who answers in the place of the honest registry."""
    listed: dict[str, bytes] | None = None
    """By subject: the list of what refers to it; nothing for a registry that does not know the question."""
    by_path: dict[str, bytes] = field(default_factory=dict)
    """By whole path: what is there, whoever else answers to its last part."""
    tagged: dict[str, bytes] = field(default_factory=dict)
    """By tag: its manifest."""
    asked: list[str] = field(default_factory=list)
    """Method and last part of the path of every request."""

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def repository(self) -> Repository:
        return Repository.at(f"http://{self.host}/depot")

    def fetched(self) -> list[str]:
        """The blobs and manifests that were asked for."""
        return [asked.removeprefix("GET ") for asked in self.asked if asked.startswith("GET sha256:")]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        last = request.path.rpartition("/")[2]
        self.asked.append(f"{request.method} {last}")
        if request.path in self.by_path:
            return web.Response(body=self.by_path[request.path], content_type=MANIFEST_TYPE)
        if last in self.instead:
            return await self.instead[last](request)
        found = self._found(request.path, last)
        if found is None:
            return web.json_response({"errors": [{"code": "BLOB_UNKNOWN"}]}, status=404)
        return web.Response(body=found[0], content_type=found[1])

    def _found(self, path: str, last: str) -> tuple[bytes, str] | None:
        """What an honest registry has there, and its type."""
        if "/referrers/" in path:
            return None if self.listed is None else (self.listed.get(last, NOTHING), INDEX_TYPE)
        if last in self.tagged:
            return self.tagged[last], INDEX_TYPE
        file = blob_path(self.layout, last)
        if not last.startswith("sha256:") or not file.is_file():
            return None
        kind = MANIFEST_TYPE if "/manifests/" in path else "application/octet-stream"
        return file.read_bytes(), kind


@asynccontextmanager
async def fake(layout: Path) -> AsyncIterator[Fake]:
    """A registry on the loopback address, while the context lasts."""
    registry = Fake(layout, loopback.free_port())
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", registry.answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", registry.port).start()
        yield registry
    finally:
        await runner.cleanup()


def saying(status: int, body: bytes = b"", **headers: str) -> Answer:
    """Always this answer; `_` in a header's name stands for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def give(_request: web.Request) -> web.Response:
        return web.Response(status=status, body=body, headers=named)

    return give
