"""The addresses of the mission page: the list of launches, one launch, one of its lines, its stream.

Every one is read-only. `build` makes the application; `serve` runs it on this machine alone.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from fastapi.staticfiles import StaticFiles

from tminus.errors import PartError, TminusError, UsageError
from tminus.metrics import CONTENT_TYPE, Metrics
from tminus.picture.reading import Plans, folder_of, launches
from tminus.picture.watched import Limits
from tminus.web import render
from tminus.web.evidence import drawer
from tminus.web.live import Watched, readable
from tminus.web.safety import Safety

LOOPBACK = "127.0.0.1"
"""The only address that it listens on, as long as it has no login."""
MOST_STREAMS = 64
"""Browsers that may watch at once; more would be a mistake, or an attack."""
MOST_CONNECTIONS = 256
"""Connections at once, streams and slow askers included; whoever comes later is told to wait."""
AGAIN = 2
"""Seconds after which a browser asks again for a launch that cannot be shown yet."""
GRACE = 1
"""Seconds that open streams are given when the page is stopped."""


@dataclass(slots=True)
class Mission:
    """What the page is made of."""

    home: Path
    plans: Plans
    limits: Limits
    now: Callable[[], float]
    metrics: Metrics | None = None
    """What `/metrics` shows; there is none without."""
    streams: int = 0
    _watched: dict[str, Watched] = field(default_factory=dict)

    def watched(self, launch: str) -> Watched:
        """The launch of this name; raises `UsageError` for one that is not kept here."""
        folder = folder_of(self.home, launch)
        if launch not in self._watched:
            self._watched[launch] = Watched(folder, self.plans, self.limits, self.now)
        return self._watched[launch]

    async def stream(self, launch: str, after: int) -> AsyncIterator[str]:
        """The messages for one browser, counted while it listens; none where too many came at the same moment."""
        if self.streams >= MOST_STREAMS:
            return
        self.streams += 1
        try:
            async for message in self.watched(launch).stream(after):
                yield message
        finally:
            self.streams -= 1


def build(mission: Mission) -> FastAPI:
    """The application."""
    app = FastAPI(title="tminus mission page", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Safety)
    app.mount("/static", StaticFiles(directory=render.STATIC), name="static")
    app.add_exception_handler(TminusError, _failed)

    @app.get("/", response_class=HTMLResponse)
    async def start() -> Response:
        found = launches(mission.home)
        if len(found) == 1:
            return RedirectResponse(f"/launches/{found[0]}")
        return HTMLResponse(render.listed(found))

    @app.get("/launches/{launch}", response_class=HTMLResponse)
    async def page(launch: str, line: str = "") -> Response:
        picture = await mission.watched(launch).look()
        with readable():
            opened = drawer(picture.course, picture.lines, line) if line else None
            return HTMLResponse(render.whole(picture, opened))

    @app.get("/launches/{launch}/lines/{line}", response_class=HTMLResponse)
    async def one_line(launch: str, line: str) -> Response:
        picture = await mission.watched(launch).look()
        with readable():
            opened = drawer(picture.course, picture.lines, line)
        if opened is None:
            raise UsageError(f"the launch has no line {line!r}", hint="its board names every line")
        return HTMLResponse(render.drawn(opened, launch))

    @app.get("/launches/{launch}/stream")
    async def stream(request: Request, launch: str, after: int = -1) -> Response:
        mission.watched(launch)
        if mission.streams >= MOST_STREAMS:
            return Response(status_code=503, headers={"retry-after": "5"})
        last = request.headers.get("last-event-id", "")
        seen = int(last) if last.isascii() and last.isdigit() else after
        return StreamingResponse(mission.stream(launch, seen), media_type="text/event-stream")

    _show_figures(app, mission.metrics)
    return app


def _show_figures(app: FastAPI, metrics: Metrics | None) -> None:
    if metrics is not None:

        @app.get("/metrics")
        async def figures() -> Response:
            return Response(await asyncio.to_thread(metrics.text), media_type=CONTENT_TYPE)


async def _failed(_: Request, error: Exception) -> Response:
    assert isinstance(error, TminusError)  # noqa: S101 - it is registered for this alone
    status = 404 if isinstance(error, UsageError) else 503
    # What is not there yet, or cannot be read now, is asked for again by the browser itself.
    again = {"refresh": f"{AGAIN}"} if status == 503 else {}
    return HTMLResponse(render.failed(str(error), error.hint), status_code=status, headers=again)


async def serve(mission: Mission, port: int, started: Callable[[int], None]) -> None:
    """Answer on 127.0.0.1 until the process is told to end; port 0 takes a free one, which `started` is told."""
    listening = _listen(port)
    config = uvicorn.Config(
        build(mission),
        log_level="warning",
        access_log=False,
        server_header=False,
        ws="none",
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=GRACE,
    )
    server = uvicorn.Server(config)
    with closing(listening):
        started(int(listening.getsockname()[1]))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            # Cut off in the middle it would leave its connections open.
            server.should_exit = True
            await serving
            raise


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server((LOOPBACK, port))
    except OSError as error:
        raise PartError(
            f"the page cannot listen on {LOOPBACK}:{port}: {error.strerror}",
            hint="name another port with --port, or none for a free one",
        ) from error
