"""The addresses of the mission page: the list of launches and its stream, one launch, one of its lines, its stream.

Every one is read-only, but for the one at which programs report (`hooks.py`). `build` makes the application; `serve`
runs it on this machine alone.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from fastapi.staticfiles import StaticFiles

from tminus.control.ports import EvidenceStore
from tminus.domain.words import shown_files
from tminus.errors import PartError, SwappedError, TminusError, UsageError
from tminus.evidence import beside
from tminus.metrics import CONTENT_TYPE, Metrics
from tminus.picture.common import CommonDatabase, CommonTail
from tminus.picture.reading import Plans, launches, plan_digest
from tminus.picture.roster import Lookout
from tminus.picture.tending import Tending
from tminus.picture.watched import LOOK, Doubt, Limits, undoubted
from tminus.web import render
from tminus.web.evidence import drawer
from tminus.web.hooks import Report, add_hook
from tminus.web.live import Watched, listed, readable
from tminus.web.safety import Safety

LOOPBACK = "127.0.0.1"
"""The only address that it listens on, as long as it has no login."""
MOST_STREAMS = 64
"""Browsers that may watch at once; more would be a mistake, or an attack."""
MOST_CONNECTIONS = 256
"""Connections at once, streams and slow askers included; whoever comes later is told to wait."""
AGAIN = 2
"""Seconds after which a browser asks again for a launch that cannot be shown yet."""
MOST_WATCHED = 64
"""Launches that are kept in memory for those who come back to them."""
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
    common: CommonDatabase | None = None
    """Whose launches are shown beside those of the home; those of the home alone without."""
    evidence: EvidenceStore | None = None
    """Where all machines keep what people show; none where it lies beside the record of its launch."""
    tending: Callable[[], Tending | None] = lambda: None
    """How the worker stands that is kept beside the page; none where nobody says anything of one."""
    doubt: Callable[[str], Doubt] = lambda _: undoubted
    """By launch: what says why its record is not to be believed."""
    token: str = field(default="", repr=False)
    """What programs have to show that report something; none may where it is empty."""
    report: Report | None = None
    """Takes what they report."""
    streams: int = 0
    _watched: dict[str, Watched] = field(default_factory=dict)
    _lookout: Lookout | None = None

    @property
    def lookout(self) -> Lookout:
        """Who looks for all launches."""
        if self._lookout is None:
            self._lookout = Lookout(self.home, self.common, self.now, self.doubt)
        return self._lookout

    async def watched(self, launch: str) -> Watched:
        """The launch of this name; raises `UsageError` for one that is not here, `PartError` if nobody can tell."""
        known = self._watched.pop(launch, None)
        if known is None:
            known = await self._found(launch)
            known.doubt = self.doubt(launch)
        self._watched[launch] = known
        if len(self._watched) > MOST_WATCHED:
            # Whoever watches it now keeps it; who asks for it later reads it again.
            del self._watched[next(iter(self._watched))]
        return known

    async def _found(self, launch: str) -> Watched:
        folder = self.home / "launches" / launch
        if launch in await asyncio.to_thread(launches, self.home):
            return Watched(folder, self.plans, self.limits, self.now)
        if self.common is None or not await self.common.holds(launch):
            raise UsageError(
                f"there is no launch {launch!r} here", hint="the list of launches is at /launches"
            )
        tail = CommonTail(self.common, launch, LOOK)
        await tail.read()
        plan = await self.common.plan(launch, plan_digest(tail.events))
        plans = self.plans if plan is None else Plans(self.plans.files, known=(plan,))
        return Watched(folder, plans, self.limits, self.now, tail)

    async def shown(self, launch: str, digest: str) -> tuple[str, bytes]:
        """A file that somebody showed with their word in this launch: what it was called, and what is in it.

        Raises `UsageError` for one that nobody showed, or that is not kept, `SwappedError` for one that is another now.
        """
        picture = await (await self.watched(launch)).look()
        name = shown_files(picture.course.events).get(digest)
        if name is None:
            raise UsageError(
                "nobody showed such a file in this launch", hint="a line's page links what was shown"
            )
        store = self.evidence or beside(self.home / "launches" / launch)
        content = await store.get(digest)
        if content is None:
            raise UsageError(
                f"{name} is not in {store.where}",
                hint="it lies where it was shown; TMINUS_EVIDENCE names one place for all machines",
            )
        return name, content

    async def stream(self, launch: str, after: int) -> AsyncIterator[str]:
        """The messages for one browser, counted while it listens; none where too many came at the same moment."""
        watched = await self.watched(launch)
        async for message in self._counted(lambda: watched.stream(after)):
            yield message

    async def stream_list(self) -> AsyncIterator[str]:
        """The same for one that watches the list."""
        async for message in self._counted(lambda: listed(self.lookout, self.tending, self.now)):
            yield message

    async def _counted(self, messages: Callable[[], AsyncIterator[str]]) -> AsyncIterator[str]:
        if self.streams >= MOST_STREAMS:
            return
        self.streams += 1
        try:
            async for message in messages():
                yield message
        finally:
            self.streams -= 1


def build(mission: Mission) -> FastAPI:
    """The application."""
    app = FastAPI(title="tminus mission page", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Safety)
    app.mount("/static", StaticFiles(directory=render.STATIC), name="static")
    app.add_exception_handler(TminusError, _failed)

    _show_list(app, mission)

    @app.get("/launches/{launch}", response_class=HTMLResponse)
    async def page(launch: str, line: str = "") -> Response:
        picture = await (await mission.watched(launch)).look()
        with readable():
            opened = drawer(picture.course, picture.lines, line) if line else None
            return HTMLResponse(render.whole(picture, opened))

    @app.get("/launches/{launch}/lines/{line}", response_class=HTMLResponse)
    async def one_line(launch: str, line: str) -> Response:
        picture = await (await mission.watched(launch)).look()
        with readable():
            opened = drawer(picture.course, picture.lines, line)
        if opened is None:
            raise UsageError(f"the launch has no line {line!r}", hint="its board names every line")
        return HTMLResponse(render.drawn(opened, launch))

    @app.get("/launches/{launch}/evidence/{digest}")
    async def file(launch: str, digest: str) -> Response:
        return _saved(*await mission.shown(launch, digest))

    @app.get("/launches/{launch}/stream")
    async def stream(request: Request, launch: str, after: int = -1) -> Response:
        await mission.watched(launch)
        if mission.streams >= MOST_STREAMS:
            return _too_many()
        last = request.headers.get("last-event-id", "")
        seen = int(last) if last.isascii() and last.isdigit() else after
        return StreamingResponse(mission.stream(launch, seen), media_type="text/event-stream")

    _show_figures(app, mission.metrics)
    if mission.token and mission.report:
        add_hook(app, mission.token, mission.report)
    return app


def _saved(name: str, content: bytes) -> Response:
    """A stranger's file, for the viewer's disk: shown here, it would speak in the name of the page."""
    called = quote(name.rstrip("/").rpartition("/")[2] or "evidence", safe="")
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{called}"}
    return Response(content, media_type="application/octet-stream", headers=headers)


def _show_list(app: FastAPI, mission: Mission) -> None:
    @app.get("/", response_class=HTMLResponse)
    async def start() -> Response:
        found = await asyncio.to_thread(launches, mission.home)
        # A demo's page, as ever; where launches are shared, people come for the list.
        if len(found) == 1 and not (mission.common and mission.common.made):
            return RedirectResponse(f"/launches/{found[0]}")
        return RedirectResponse("/launches")

    @app.get("/launches", response_class=HTMLResponse)
    async def every() -> Response:
        roster = await mission.lookout.look()
        return HTMLResponse(render.listed(roster, mission.tending(), mission.now()))

    @app.get("/stream")
    async def stream() -> Response:
        if mission.streams >= MOST_STREAMS:
            return _too_many()
        return StreamingResponse(mission.stream_list(), media_type="text/event-stream")


def _too_many() -> Response:
    return Response(status_code=503, headers={"retry-after": "5"})


def _show_figures(app: FastAPI, metrics: Metrics | None) -> None:
    if metrics is not None:

        @app.get("/metrics")
        async def figures() -> Response:
            return Response(await asyncio.to_thread(metrics.text), media_type=CONTENT_TYPE)


async def _failed(_: Request, error: Exception) -> Response:
    assert isinstance(error, TminusError)  # noqa: S101 - it is registered for this alone
    status = 404 if isinstance(error, UsageError) else 409 if isinstance(error, SwappedError) else 503
    # What is not there yet, or cannot be read now, is asked for again by the browser itself.
    again = {"refresh": f"{AGAIN}"} if status == 503 else {}
    return HTMLResponse(render.failed(str(error), error.hint), status_code=status, headers=again)


class _Server(uvicorn.Server):
    """Leaves signals to whoever started it, who has more to end than the page."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing is captured."""
        yield


async def serve(mission: Mission, port: int, started: Callable[[int], None]) -> None:
    """Answer on 127.0.0.1 until it is cancelled; port 0 takes a free one, which `started` is told."""
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
    server = _Server(config)
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
