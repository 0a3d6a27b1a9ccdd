"""Serve a release over HTTP until told to stop."""

import signal
import sys
from types import FrameType

import uvicorn

from .app import create_app
from .release import Release
from .settings import Settings

SHUTDOWN_SECONDS = 10
"""After SIGTERM, requests in flight have this long."""
KEEP_ALIVE_SECONDS = 75
"""Longer than a proxy keeps an idle connection: closing first would fail the request it just sent on it."""


def serve(release: Release, settings: Settings, host: str, port: int) -> None:
    """Answer requests; SIGTERM lets those in flight finish and then exits with 0."""
    # uvicorn restores this handler after a clean shutdown and raises the signal again.
    signal.signal(signal.SIGTERM, _exit)
    config = uvicorn.Config(
        create_app(release, settings),
        host=host,
        port=port,
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    uvicorn.Server(config).run()


def _exit(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)
