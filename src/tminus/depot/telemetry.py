"""What depot tells about each request: a histogram, a counter and one JSON line on standard output."""

import json
import logging
import re
import sys
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BUCKETS = (0.1, 0.3, 0.5, 1.0, 2.0)
"""Seconds; the latency limits of a launch lie on bucket borders, where a quantile is exact."""

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

logger = logging.getLogger("depot")


class Metrics:
    """The registry of one app; not the global one, so that two apps in a process do not collide."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self.seconds = Histogram(
            "depot_http_request_seconds",
            "Time from the first to the last byte of a request",
            labels,
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.requests = Counter("depot_http_requests", "Requests answered", labels, registry=self.registry)
        self.limit_skipped = Counter(
            "depot_rate_limit_skipped", "Requests not counted while Redis was away", registry=self.registry
        )
        self.dependency_up = _gauge(self, "depot_dependency_up", "Whether a dependency answers", "dependency")
        self.backlog = _gauge(self, "depot_backlog", "Jobs and events that are not done", "kind")
        self.backlog_seconds = _gauge(
            self, "depot_backlog_oldest_seconds", "Age of the oldest that is not done", "kind"
        )
        self.jobs = _gauge(self, "depot_jobs_total", "Jobs by what became of them", "outcome")


def _gauge(metrics: Metrics, name: str, about: str, label: str) -> Gauge:
    """A figure that is read when Prometheus asks, and absent while it cannot be read."""
    return Gauge(name, about, (label,), registry=metrics.registry)


class Telemetry:
    """ASGI middleware that measures and logs every request, also one that ends in an exception."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on and record how it ended."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500
        started = time.perf_counter()
        request_id = _request_id(Headers(scope=scope).get("x-request-id", ""))

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        try:
            await self._app(scope, receive, send_marked)
        finally:
            self._record(scope, request_id, status, time.perf_counter() - started)

    def _record(self, scope: Scope, request_id: str, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        # The template and not the path: a label per document would grow without end.
        route = getattr(scope.get("route"), "path", "(none)")
        labels = (method, route, str(status))
        self._metrics.seconds.labels(*labels).observe(seconds)
        self._metrics.requests.labels(*labels).inc()
        fields = {
            "request_id": request_id,
            "method": method,
            "route": route,
            "status": status,
            "ms": round(seconds * 1000, 2),
        }
        logger.info("request", extra={"fields": fields})


class JsonFormatter(logging.Formatter):
    """One JSON object per line: time, level, event, who says it, then what belongs to the event."""

    def __init__(self, release: str, instance: str) -> None:
        super().__init__()
        self._said_by = {"release": release, "instance": instance}

    def format(self, record: logging.LogRecord) -> str:
        """The line of one log record."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **self._said_by,
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def log_to_stdout(release: str, instance: str) -> None:
    """Send every log line of the process, uvicorn's too, to standard output as JSON.

    `release` is the version that runs, `instance` what tells this process from others of it.
    """
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter(release, instance))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


def _request_id(given: str) -> str:
    return given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
