"""tminus's own figures, for Prometheus: what a process does, and how the common database stands.

`Metrics` is put together by the process that has the figures and shown by whoever serves it: the mission page does at
`/metrics`; a process without a page opens `served`, on this machine alone.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from threading import Thread

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    MetricsHandler,
)
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from tminus.domain.health import Survey
from tminus.errors import PartError

CONTENT_TYPE = CONTENT_TYPE_LATEST
LOOPBACK = "127.0.0.1"
LATE = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Seconds that bound the histogram of lateness; 2 is what a milestone may be late, 60 what a restart may take."""
METRICS_SECONDS = 5.0
"""How long the common database may take to answer for /metrics: half of what Prometheus waits by default."""
SLOW_SECONDS = 10
"""How long one who asks may take to say what."""

Look = Callable[[], Survey]
"""Looks at the common database, with a limit of its own; raises `PartError` when it does not answer."""


class Metrics:
    """The figures of one process; a `Meter` of its engine, where it has one."""

    def __init__(self, look: Look) -> None:
        self._registry = CollectorRegistry()
        self._steps = Counter(
            "tminus_steps_done", "Steps that this process has acted.", ("result",), registry=self._registry
        )
        self._errors = Counter(
            "tminus_errors", "Steps that broke, or were given up in doubt.", registry=self._registry
        )
        self._late = Histogram(
            "tminus_wait_late_seconds",
            "How long after its instant a wait for a milestone ended.",
            buckets=LATE,
            registry=self._registry,
        )
        for result in ("done", "failed"):
            self._steps.labels(result)
        self._registry.register(_Database(look))

    def heart(self, silent: Callable[[], float]) -> None:
        """Show for how many seconds this process's own heart has been silent."""
        gauge = Gauge(
            "tminus_heartbeat_age_seconds",
            "Seconds since the newest heartbeat of this process was begun.",
            registry=self._registry,
        )
        gauge.set_function(silent)

    def step(self, *, failed: bool) -> None:
        """See `engine.meter.Meter`."""
        self._steps.labels("failed" if failed else "done").inc()

    def broke(self) -> None:
        """See `engine.meter.Meter`."""
        self._errors.inc()

    def woke(self, late: float) -> None:
        """See `engine.meter.Meter`."""
        self._late.observe(late)

    def text(self) -> bytes:
        """Everything in Prometheus's text format; it looks at the database, so it may take as long as that."""
        return generate_latest(self._registry)

    @contextmanager
    def served(self, port: int) -> Iterator[int]:
        """Answer on this machine alone while the context is open; gives the port, a free one for 0.

        Raises `PartError` when it cannot listen there.
        """
        try:
            server = ThreadingHTTPServer((LOOPBACK, port), _handler(self._registry))
        except OSError as error:
            raise PartError(
                f"/metrics cannot listen on {LOOPBACK}:{port}: {error.strerror}", hint="name another port"
            ) from error
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, name="tminus metrics", daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def _handler(registry: CollectorRegistry) -> type[MetricsHandler]:
    class Handler(MetricsHandler):
        """Answers only those who ask for this machine by its own name: a foreign page that points here is refused."""

        timeout = SLOW_SECONDS

        def do_GET(self) -> None:  # noqa: N802 - the name is http.server's
            host = (self.headers.get("host") or "").partition(":")[0]
            if host in {LOOPBACK, "localhost"}:
                super().do_GET()
            else:
                self.send_error(421)

    Handler.registry = registry
    return Handler


class _Database(Collector):
    """The common database, looked at whenever somebody asks for figures."""

    def __init__(self, look: Look) -> None:
        self._look = look

    def describe(self) -> Iterator[Metric]:
        """Nothing: so that making the figures does not look at the database."""
        yield from ()

    def collect(self) -> Iterator[Metric]:
        try:
            seen: Survey | None = self._look()
        except PartError:
            seen = None
        yield GaugeMetricFamily(
            "tminus_database_up", "Whether the common database answers.", value=float(seen is not None)
        )
        if seen is not None:
            right = float(seen.schema.right)
            yield GaugeMetricFamily(
                "tminus_schema_right", "Whether its tables are those of this tminus.", value=right
            )
            says = "Seconds by which this machine's clock is ahead of the database's."
            yield GaugeMetricFamily("tminus_clock_ahead_seconds", says, value=seen.ahead)
            yield from _workers(seen)
            yield from _waiting(seen)
            yield from _launches(seen)


def _workers(seen: Survey) -> Iterator[Metric]:
    if seen.hearts is not None:
        says = (
            "Seconds since the newest heartbeat of each worker that has not ended, by the database's clock."
        )
        ages = GaugeMetricFamily("tminus_worker_heartbeat_age_seconds", says, labels=("executor",))
        for heart in seen.hearts:
            if not heart.buried:
                ages.add_metric((heart.executor,), heart.age)
        yield ages


def _waiting(seen: Survey) -> Iterator[Metric]:
    if seen.queues is not None:
        depth = GaugeMetricFamily("tminus_queue_depth", "Launches that wait for a worker.", labels=("queue",))
        oldest = GaugeMetricFamily(
            "tminus_queue_oldest_seconds", "The longest wait among them.", labels=("queue",)
        )
        for name, waiting in seen.queues.items():
            depth.add_metric((name,), waiting.count)
            oldest.add_metric((name,), waiting.oldest)
        yield from (depth, oldest)
    if seen.outbox is not None:
        says = "Orders that their launch has not heard yet."
        yield GaugeMetricFamily("tminus_outbox_depth", says, value=seen.outbox.count)
        says = "The longest wait among them."
        yield GaugeMetricFamily("tminus_outbox_oldest_seconds", says, value=seen.outbox.oldest)


def _launches(seen: Survey) -> Iterator[Metric]:
    if seen.launches is not None:
        late = [found[1] for launch in seen.launches if (found := launch.late(seen.now)) is not None]
        yield GaugeMetricFamily(
            "tminus_launches_open", "Launches that have not ended.", value=len(seen.launches)
        )
        says = "Those of them with a milestone past its time."
        yield GaugeMetricFamily("tminus_launches_late", says, value=len(late))
        says = "How late the latest of them is; 0 when none is."
        yield GaugeMetricFamily("tminus_launches_latest_seconds", says, value=max(late, default=0.0))
