"""How depot is: `/health` for proxies and launches, `/metrics` for Prometheus."""

import asyncio
import time

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from .database import Ping
from .parts import Parts, Wired

router = APIRouter()


@router.get("/health")
async def health(parts: Wired) -> Response:
    """Version, digest and dependencies; 503 when the database is away, since then nothing can be served.

    Redis away is told and no reason to take depot out of service: most of it works without.
    """
    pings = await _ping_all(parts)
    body = {
        "status": "ok" if all(ping.ok for ping in pings.values()) else "degraded",
        "version": parts.release.version,
        "digest": parts.digest,
        "dependencies": {name: {"ok": ping.ok, "ms": ping.ms} for name, ping in pings.items()},
        "maintenance": parts.maintenance.order is not None,
        "uptime_seconds": round(time.monotonic() - parts.started, 3),
    }
    return JSONResponse(body, 200 if pings["database"].ok else 503)


@router.get("/metrics")
async def metrics(parts: Wired) -> Response:
    """The metrics of this process in Prometheus's text format, and the backlogs that all processes share."""
    await _measure(parts)
    return Response(generate_latest(parts.metrics.registry), media_type=CONTENT_TYPE_LATEST)


async def _ping_all(parts: Parts) -> dict[str, Ping]:
    """Every configured dependency, asked at the same time."""
    asked = {"database": parts.database.ping()}
    if parts.keystore is not None:
        asked["redis"] = parts.keystore.ping()
    return dict(zip(asked, await asyncio.gather(*asked.values()), strict=True))


async def _measure(parts: Parts) -> None:
    metrics = parts.metrics
    for gauge in (metrics.dependency_up, metrics.backlog, metrics.backlog_seconds, metrics.jobs):
        gauge.clear()
    pings, queue, outbox = await asyncio.gather(
        _ping_all(parts), parts.backlogs.queue(), parts.backlogs.outbox()
    )
    for name, ping in pings.items():
        metrics.dependency_up.labels(name).set(ping.ok)
    if queue is not None:
        metrics.backlog.labels("jobs_waiting").set(queue.waiting)
        metrics.backlog.labels("jobs_processing").set(queue.processing)
        metrics.backlog.labels("jobs_dead").set(queue.dead)
        metrics.backlog_seconds.labels("jobs").set(queue.oldest_seconds)
        for outcome, count in queue.counts.items():
            metrics.jobs.labels(outcome).set(count)
    if outbox is not None:
        metrics.backlog.labels("outbox").set(outbox.waiting)
        metrics.backlog_seconds.labels("outbox").set(outbox.oldest_seconds)
