"""The four dashboards of the built-in plan, described: what they show and how Prometheus is asked for it.

The requests are the service's own metrics, by default those of the reference service. Everything else is written for
the exporters that most teams run: node exporter, HAProxy, PostgreSQL and Redis exporters, Vault's telemetry, Trivy's.
"""

import re
from dataclasses import dataclass, field

from tminus.alerting.figures import COUNTER, FAILED, HISTOGRAM, Names
from tminus.grafana.describing import Board, Line, Sketch

OVER = "[$__rate_interval]"


@dataclass(frozen=True, slots=True)
class Service:
    """How a service's requests are measured."""

    names: Names = field(default_factory=Names)
    label: str = "side"
    """The label that tells blue from green."""

    @property
    def own(self) -> bool:
        """Whether it is measured as the reference service is."""
        return self.names == Names(COUNTER, FAILED, HISTOGRAM)

    def answered(self, pattern: str) -> str:
        """The matcher of answers with these statuses, by the label that tells failures."""
        found = re.match(r"\w+", self.names.failed)
        return f'{found[0] if found else "status"}=~"{pattern}"'

    def rate(self, *matchers: str, by: str = "") -> str:
        """How many requests a second, of those with these matchers; 0 and not nothing where there was none of them.

        A counter of failures is born with the first failure. Before it, and while requests come, there are none.
        """
        labels = ", ".join((self.label, by) if by else (self.label,))
        every = f"sum by ({labels}) (rate({self.names.counter}{OVER}))"
        if not matchers:
            return every
        name, brace, rest = self.names.counter.partition("{")
        some = f"{name}{{{','.join(matchers)}{',' + rest if brace else '}'}"
        return f"sum by ({labels}) (rate({some}{OVER})) or 0 * {every}"

    def quantile(self, share: float) -> str:
        """The time within which this share of requests is answered."""
        return (
            f"histogram_quantile({share:g}, sum by ({self.label}, le) (rate({self.names.histogram}{OVER})))"
        )


def boards(service: Service) -> tuple[Board, ...]:
    """The dashboards; the business one only for the reference service, since nobody else can know a team's figures."""
    found = (_application(service), _infrastructure(), _security(service))
    return (*found, _business(service)) if service.own else found


def _application(service: Service) -> Board:
    side = f"{{{{{service.label}}}}}"
    failed = service.rate(service.names.failed)
    return Board(
        "application",
        "Application",
        (
            Sketch(
                "rate",
                "Requests",
                "Requests answered in a second, by side. Both sides together are what users ask.",
                "reqps",
                (Line(service.rate(), side),),
            ),
            Sketch(
                "errors",
                "Failed requests",
                "The share of requests that ended in a server error. The critical alert is at 1 %.",
                "percentunit",
                (Line(f"({failed}) / clamp_min({service.rate()}, 0.001)", side),),
            ),
            Sketch(
                "duration",
                "Time to answer",
                "Half, 95 % and 99 % of the requests take no longer. The critical alert is at a p95 of 500 ms.",
                "s",
                tuple(Line(service.quantile(q), f"p{q * 100:.0f} {side}") for q in (0.5, 0.95, 0.99)),
            ),
            Sketch(
                "saturation",
                "Work that waits",
                "Jobs and events that are not done. What only grows will not be done in time.",
                "short",
                (
                    *(
                        [Line(f"max by ({service.label}, kind) (depot_backlog)", f"{{{{kind}}}} {side}")]
                        * service.own
                    ),
                    Line("sum by (proxy) (haproxy_backend_current_queue)", "queue of {{proxy}}"),
                    Line("max by (job) (process_open_fds / process_max_fds)", "files open of {{job}}, share"),
                ),
            ),
        ),
    )


def _infrastructure() -> Board:
    return Board(
        "infrastructure",
        "Infrastructure",
        (
            Sketch(
                "cpu",
                "CPU in use",
                "The share of all processors that is at work.",
                "percentunit",
                (
                    Line(
                        f'1 - avg by (instance) (rate(node_cpu_seconds_total{{mode="idle"}}{OVER}))',
                        "{{instance}}",
                    ),
                ),
            ),
            Sketch(
                "memory",
                "Memory in use",
                "What no process could get any more. The critical alert is at 85 %.",
                "percentunit",
                (Line("1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes", "{{instance}}"),),
            ),
            Sketch(
                "disk",
                "Disk in use",
                "By file system, as `df` counts. The critical alert is at 80 %.",
                "percentunit",
                (
                    Line(
                        "1 - node_filesystem_avail_bytes / (node_filesystem_size_bytes - node_filesystem_free_bytes"
                        " + node_filesystem_avail_bytes)",
                        "{{mountpoint}}",
                    ),
                ),
            ),
            Sketch(
                "network",
                "Network",
                "Bytes in a second, in and out, by interface.",
                "Bps",
                (
                    Line(f'rate(node_network_receive_bytes_total{{device!="lo"}}{OVER})', "in {{device}}"),
                    Line(f'rate(node_network_transmit_bytes_total{{device!="lo"}}{OVER})', "out {{device}}"),
                    Line(f"sum(rate(haproxy_frontend_bytes_in_total{OVER}))", "in, users"),
                    Line(f"sum(rate(haproxy_frontend_bytes_out_total{OVER}))", "out, users"),
                ),
            ),
            Sketch(
                "restarts",
                "Restarts within an hour",
                "Anything but 0 that nobody did on purpose is a fault.",
                "short",
                (
                    Line("changes(pg_postmaster_start_time_seconds[1h])", "PostgreSQL"),
                    Line("changes(redis_start_time_seconds[1h])", "Redis"),
                    Line("changes(process_start_time_seconds[1h])", "{{job}} {{instance}}"),
                    Line(
                        "sum by (namespace) (increase(kube_pod_container_status_restarts_total[1h]))",
                        "{{namespace}}",
                    ),
                ),
            ),
            Sketch(
                "connections",
                "Connections",
                "PostgreSQL's as a share of its maximum: the critical alert is at 80 %. Redis' clients beside it.",
                "short",
                (
                    Line(
                        "sum(pg_stat_activity_count) / max(pg_settings_max_connections)", "PostgreSQL, share"
                    ),
                    Line("redis_connected_clients", "Redis, clients"),
                    Line("sum by (proxy) (haproxy_frontend_current_sessions)", "sessions of {{proxy}}"),
                ),
            ),
        ),
    )


def _security(service: Service) -> Board:
    side = f"{{{{{service.label}}}}}"
    return Board(
        "security",
        "Security",
        (
            *([_logins(service)] * service.own),
            Sketch(
                "denied",
                "Requests without permission",
                "Answers 401 and 403 in a second.",
                "reqps",
                (Line(service.rate(service.answered("401|403")), side),),
            ),
            Sketch(
                "blocked",
                "Requests that were stopped",
                "Refused by the service's rate limits (429), and by the proxy's rules.",
                "reqps",
                (
                    Line(service.rate(service.answered("429")), side),
                    Line(f"sum by (proxy) (rate(haproxy_frontend_requests_denied_total{OVER}))", "{{proxy}}"),
                ),
            ),
            Sketch(
                "audit",
                "Audit log",
                "Requests that Vault has written to its audit log in a second, and those that it could not write.",
                "reqps",
                (
                    Line(f"sum(rate(vault_audit_log_request_count{OVER}))", "written"),
                    Line(f"sum(rate(vault_audit_log_request_failure{OVER}))", "failed"),
                ),
            ),
            Sketch(
                "vulnerabilities",
                "Known vulnerabilities",
                "What the scanner knows of the images that run, by severity. None is critical or high at a launch.",
                "short",
                (Line("sum by (severity) (trivy_image_vulnerabilities)", "{{severity}}"),),
            ),
        ),
    )


def _logins(service: Service) -> Sketch:
    """Of the reference service alone: where another lets people in, nobody else knows."""
    return Sketch(
        "logins",
        "Failed logins",
        "Logins that were refused, in a second. A hill that nobody knows of is somebody trying passwords.",
        "reqps",
        (Line(service.rate('route="/login"', service.answered("4..")), f"{{{{{service.label}}}}}"),),
    )


def _business(service: Service) -> Board:
    side = f"{{{{{service.label}}}}}"

    def done(title: str, about: str, *matchers: str) -> Sketch:
        return Sketch("", title, about, "reqps", (Line(service.rate(*matchers), side),))

    return Board(
        "business",
        "Business",
        (
            done(
                "Documents stored",
                "New documents in a second.",
                'route="/documents"',
                'method="POST"',
                'status="201"',
            ),
            done(
                "Documents found",
                "Searches that were answered, in a second.",
                'route="/search"',
                'status="200"',
            ),
            done(
                "Files uploaded", "New files in a second.", 'route="/files"', 'method="POST"', 'status="201"'
            ),
            done(
                "People who log in",
                "Logins that were granted, in a second.",
                'route="/login"',
                'status="200"',
            ),
            Sketch(
                "",
                "Exports",
                "Exports since the queue was made, by what became of them.",
                "short",
                (Line("max by (outcome) (depot_jobs_total)", "{{outcome}}"),),
            ),
        ),
    )
