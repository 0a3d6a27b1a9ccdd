"""How depot is: `/health` for proxies and launches, `/metrics` for Prometheus."""

import time

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from .parts import Wired

router = APIRouter()


@router.get("/health")
async def health(parts: Wired) -> Response:
    """Version, digest and dependencies; 503 as soon as one dependency does not answer."""
    ping = await parts.database.ping()
    body = {
        "status": "ok" if ping.ok else "degraded",
        "version": parts.release.version,
        "digest": parts.digest,
        "dependencies": {"database": {"ok": ping.ok, "ms": ping.ms}},
        "uptime_seconds": round(time.monotonic() - parts.started, 3),
    }
    return JSONResponse(body, 200 if ping.ok else 503)


@router.get("/metrics")
async def metrics(parts: Wired) -> Response:
    """The metrics of this process in Prometheus's text format."""
    return Response(generate_latest(parts.metrics.registry), media_type=CONTENT_TYPE_LATEST)
