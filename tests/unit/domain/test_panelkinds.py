"""What a panel is about, by what it asks and not by what it is called."""

import pytest

from tminus.domain import panelkinds
from tminus.domain.dashboard import Panel, Query, Source


def panel(title: str, *expressions: str, hidden: bool = False) -> Panel:
    queries = [
        Query(chr(65 + number), Source(), hidden, {"expr": text}) for number, text in enumerate(expressions)
    ]
    return Panel(1, title, "timeseries", tuple(queries))


@pytest.mark.parametrize(
    ("expression", "meaning"),
    [
        ("sum(rate(http_requests_total[5m]))", "rate"),
        ("sum(irate(nginx_ingress_controller_requests[2m]))", "rate"),
        ("sum(rate(http_request_duration_seconds_count[5m]))", "rate"),
        ('sum(rate(http_requests_total{status=~"5.."}[5m])) / sum(rate(http_requests_total[5m]))', "errors"),
        ('sum(rate(http_requests_total{code="500"}[5m]))', "errors"),
        ('sum(rate(http_requests_total{status!~"[4-5].*"}[5m]))', "errors"),
        ("rate(app_errors_total[5m])", "errors"),
        ('rate(grpc_server_handled_total{grpc_code!="OK"}[5m])', "errors"),
        ("histogram_quantile(0.95, sum(rate(http_request_duration_seconds_bucket[5m])) by (le))", "duration"),
        (
            "rate(http_request_duration_seconds_sum[5m]) / rate(http_request_duration_seconds_count[5m])",
            "duration",
        ),
        ('rpc_duration_seconds{quantile="0.99"}', "duration"),
        ("http_requests_in_flight", "saturation"),
        ("max by (kind) (depot_backlog)", "saturation"),
        ("db_pool_in_use / db_pool_size", "saturation"),
        ('1 - avg(rate(node_cpu_seconds_total{mode="idle"}[5m]))', "cpu"),
        ("sum(container_memory_working_set_bytes)", "memory"),
        ("node_filesystem_avail_bytes / node_filesystem_size_bytes", "disk"),
        ("rate(node_network_receive_bytes_total[5m])", "network"),
        ("rate(container_network_transmit_bytes_total[5m])", "network"),
        ("increase(kube_pod_container_status_restarts_total[1h])", "restarts"),
        ("changes(process_start_time_seconds[1h])", "restarts"),
        ("sum(pg_stat_activity_count)", "connections"),
        ("redis_connected_clients", "connections"),
        ('rate(login_attempts_total{result="failed"}[5m])', "logins"),
        ("keycloak_failed_login_attempts", "logins"),
        ('rate(http_requests_total{status=~"401|403"}[5m])', "denied"),
        ("rate(haproxy_frontend_requests_denied_total[5m])", "denied"),
        ("rate(modsec_blocked_total[5m])", "blocked"),
        ('rate(http_requests_total{status="429"}[5m])', "blocked"),
        ("rate(vault_audit_log_request_count[5m])", "audit"),
        ("sum by (severity) (trivy_image_vulnerabilities)", "vulnerabilities"),
    ],
)
def test_a_query_says_what_it_is_about(expression: str, meaning: str) -> None:
    assert panelkinds.shows(panel("Untitled", expression), meaning)


def test_a_query_is_about_one_golden_signal_alone() -> None:
    share = panel("x", 'rate(http_requests_total{status=~"5.."}[5m]) / rate(http_requests_total[5m])')
    assert panelkinds.about(share) & panelkinds.SIGNALS == {"errors"}
    both = panel("x", "rate(http_requests_total[5m])", 'rate(http_requests_total{status=~"5.."}[5m])')
    assert panelkinds.about(both) & panelkinds.SIGNALS == {"rate", "errors"}


def test_a_title_counts_only_where_the_queries_say_nothing_known() -> None:
    assert not panelkinds.shows(panel("Error rate", "rate(http_requests_total[5m])"), "errors")
    assert panelkinds.shows(panel("Error rate", "shop:bad:ratio"), "errors")
    assert panelkinds.shows(panel("Response time p95", "shop:slowness"), "duration")


def test_a_machines_start_is_no_duration() -> None:
    assert not panelkinds.shows(panel("x", "node_boot_time_seconds"), "duration")
    assert not panelkinds.shows(panel("x", "sum(rate(http_request_duration_seconds_count[5m]))"), "duration")


def test_a_word_that_nobody_knows_is_looked_for_in_title_and_query() -> None:
    found = panel("Orders paid", "sum(rate(shop_orders_total[5m]))")
    assert panelkinds.shows(found, "orders")
    assert panelkinds.shows(found, "paid")
    assert not panelkinds.shows(found, "refunds")


def test_what_is_switched_off_still_promises_what_it_would_show() -> None:
    assert panelkinds.promises(panel("CPU", "node_load1", hidden=True), "cpu")
    assert panelkinds.promises(panel("Disk"), "disk")
    assert not panelkinds.promises(panel("Disk"), "cpu")


def test_every_kind_demands_what_is_known() -> None:
    known = {**panelkinds._SIGNALS, **panelkinds._RESOURCES}
    for meanings in panelkinds.KINDS.values():
        assert set(meanings) <= set(known)
    assert set(panelkinds.KINDS["security"]) > panelkinds.EVENTS


@pytest.mark.parametrize(
    "expression",
    [
        "sum(rate(node_network_receive_bytes_total[5m]))",
        "rate(container_network_transmit_bytes_total[5m])",
        "rate(kubelet_http_requests_total[5m])",
        "rate(kubelet_errors_total[5m])",
        'go_gc_duration_seconds{quantile="0.5"}',
        "histogram_quantile(0.9, sum by (le) (rate(kubelet_runtime_operations_duration_seconds_bucket[5m])))",
        "rate(process_network_receive_bytes_total[5m])",
        "node_memory_MemAvailable_bytes",
        "rate(shop_bytes_total[5m])",
        "rate(prometheus_http_requests_total[5m])",
    ],
)
def test_what_a_machine_does_is_no_golden_signal(expression: str) -> None:
    assert not panelkinds.about(panel("x", expression)) & panelkinds.SIGNALS
    titled = panelkinds.about(panel("Error rate", expression)) & panelkinds.SIGNALS
    assert titled == ({"errors", "rate"} if "shop" in expression else set()), "whatever its title says"


@pytest.mark.parametrize(
    ("expression", "meaning"),
    [
        ('sum(rate(http_requests_total{app="queue-api"}[5m]))', "rate"),
        ('sum(rate(http_requests_total{handler!="/error"}[5m]))', "rate"),
        ('rate(http_server_requests_seconds_count{exception="None"}[5m])', "rate"),
        ('rate(http_server_requests_seconds_count{exception!="None"}[5m])', "errors"),
        ('rate(http_server_requests_seconds_count{outcome="SERVER_ERROR"}[5m])', "errors"),
        ("sum by (pool) (rate(http_requests_total[5m]))", "rate"),
        ('label_replace(rate(http_requests_total[5m]), "queue", "$1", "error", "(.*)")', "rate"),
        ('sum(rate({app="shop"} |= "error" [5m]))', "errors"),
        ('process_resident_memory_bytes{job="shop"}', "saturation"),
    ],
)
def test_labels_say_where_and_not_what(expression: str, meaning: str) -> None:
    assert panelkinds.about(panel("x", expression)) & panelkinds.SIGNALS == {meaning}


def test_what_was_done_tells_of_rare_events() -> None:
    asked = 'rate(http_requests_total{route="/login",status=~"4.."}[5m])'
    assert panelkinds.shows(panel("x", asked), "logins")
    assert not panelkinds.shows(panel("x", 'rate(http_requests_total{app="login-api"}[5m])'), "logins")
    assert not panelkinds.shows(panel("x", 'rate(http_requests_total{route!="/login"}[5m])'), "logins")


def test_only_rare_events_alone_are_rare() -> None:
    denied, requests = 'rate(http_requests_total{status="403"}[5m])', "rate(http_requests_total[5m])"
    assert panelkinds.rare(panel("x", denied))
    assert panelkinds.rare(panel("Failed logins", "shop:refused"))
    assert not panelkinds.rare(panel("x", denied, requests))
    assert not panelkinds.rare(panel("x", denied, "shop:thing"))
    assert not panelkinds.rare(panel("Logins and CPU", "shop:refused"))
