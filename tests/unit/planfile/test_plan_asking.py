"""What no system could be asked, however it stands: `plan check` says it before a launch does."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tminus.planfile import loaded

if TYPE_CHECKING:
    from tests.unit import small_plan
else:
    import small_plan

SYSTEMS = """\
  kubernetes: {kind: kubernetes, real: true, address: "env:KUBECONFIG"}
  vault: {kind: vault, real: true, address: "https://vault.example"}
  logs: {kind: logs, real: true, address: "loki+https://logs.example"}
  alertmanager: {kind: alertmanager, real: true, address: "env:ALERTS"}
  prometheus: {kind: prometheus, real: true, address: "env:METRICS"}
  pagerduty: {kind: pagerduty, real: true, address: "env:PAGER"}
  grafana: {kind: grafana, real: true, address: "env:GRAFANA"}
  sms: {kind: twilio, real: true, address: "env:SMS"}
  chat: {kind: slack, real: true, address: "env:CHAT"}
"""
LINES = """\
    - {id: cfg.secrets, line: Secrets, due: T-2h, owner: devops, probe: kubernetes.secrets, expect: empty, hint: look,
       with: {namespace: shop, vault: vault}}
    - {id: ok.logs, line: Logs, due: T+1h, owner: devops, probe: logs.arrived, expect: empty, hint: look,
       with: {labels: {side: green}, lag: 90s}}
    - {id: dash.app, line: Dashboard, due: T-2h, owner: devops, probe: grafana.dashboard, expect: empty, hint: look,
       with: {copy: dashboards/app.json, filled: 90%}}
    - {id: route.all, line: Routes, due: T-2h, owner: devops, probe: alertmanager.routes, expect: empty, hint: look}
    - {id: t1.alerts, line: Alerts, due: T+1h, owner: devops, probe: alertmanager.drill, expect: empty, hint: look,
       with: {receivers: [pagerduty, chat]}}
    - {id: route.sms, line: SMS, due: T-2h, owner: devops, probe: pagerduty.sms, expect: empty, hint: look,
       with: {service: P1, provider: sms}}
"""
TEXT = small_plan.SMALL.replace("roles:", f"{SYSTEMS}roles:", 1).replace(
    "  Launch:\n", f"{LINES}  Launch:\n", 1
)


def told(old: str, new: str) -> list[str]:
    assert TEXT.count(old) == 1, old
    changed = TEXT.replace(old, new)
    return small_plan.problems(changed)


def test_what_can_be_asked_is_taken() -> None:
    assert small_plan.problems(TEXT) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "filled: 90%",
            "filled: most",
            "dash.app: the argument 'filled' is 'most'; write a share such as 95%",
        ),
        (
            "copy: dashboards/app.json",
            "copy: ../app.json",
            "dash.app: `copy` goes up with `..` in '../app.json'; write a path below the folder, or an absolute one",
        ),
        ("lag: 90s", "lag: soon", "ok.logs: the argument 'lag' is 'soon'; write a time such as 5min"),
        (
            "lag: 90s",
            "lag: 10min",
            (
                "ok.logs: with `lag: 10min` and `late: 5min` lines are lost before they are late; "
                "write a `late` above `lag`"
            ),
        ),
        (
            "namespace: shop",
            "namespace: Shop_1",
            (
                "cfg.secrets: 'Shop_1' is no name of a namespace; "
                "write small letters, digits and `-`, as `shop-1`"
            ),
        ),
        (
            "[pagerduty, chat]",
            "[]",
            "t1.alerts: the argument 'receivers' is an empty list; write one entry at least",
        ),
        ("lag: 90s", "requests: 0", "ok.logs: the argument 'requests' is 0; write 1 or more"),
        ("filled: 90%", "minutes: 0", "dash.app: the argument 'minutes' is 0; write 1 or more"),
        ('"env:CHAT"', '"env:"', "system chat: `env:` names nothing; write env:NAME or file:PATH"),
        ('"env:CHAT"', '"file:"', "system chat: `file:` names nothing; write env:NAME or file:PATH"),
        (
            '"env:METRICS"',
            '"https://prom.example:9090x"',
            (
                "system prometheus: the address has a port that is no number from 1 to 65535; "
                "correct what stands behind the last colon of the host"
            ),
        ),
        (
            '"env:GRAFANA"',
            '"https://graf ana.example"',
            "system grafana: the address has a blank in its host; take it out",
        ),
        ("lag: 90s", "late: 300", "ok.logs: the argument 'late' is 300; write a time such as 5min"),
        (
            "vault: vault}",
            "vault: valt}",
            "cfg.secrets: 'valt' is no system of kind vault; did you mean 'vault'?",
        ),
        ("vault: vault}", "vault: chat}", "cfg.secrets: 'chat' is no system of kind vault; there are vault"),
        (
            "[pagerduty, chat]",
            "[pagerduty, prometheus]",
            "t1.alerts: 'prometheus' is no system of kind pagerduty or slack or mail; there are pagerduty, chat",
        ),
        ("provider: sms", "provider: chat", "route.sms: 'chat' is no system of kind twilio; there are sms"),
        (
            "with: {namespace: shop, vault: vault}",
            "with: {vault: vault}",
            "cfg.secrets: nobody says which namespace is meant; write `namespace: NAME` under `with`",
        ),
        (
            '"env:KUBECONFIG"',
            '"https://10.0.0.1:6443"',
            (
                "system kubernetes: such an address is none of kind kubernetes; "
                "write the path of a kubeconfig, which holds the cluster's address, or `in-cluster`"
            ),
        ),
        (
            "loki+https://logs.example",
            "loki://logs.example",
            (
                "system logs: such an address is none of kind logs; "
                "write loki+https://…, elasticsearch+https://…, opensearch+https://…, journal: or files:/…"
            ),
        ),
        (
            "https://vault.example",
            "vault.example:8200",
            "system vault: such an address is none of kind vault; write for example https://vault.example",
        ),
        (
            '  prometheus: {kind: prometheus, real: true, address: "env:METRICS"}\n',
            "",
            "route.all: alertmanager.routes needs a system of kind prometheus beside; add it under systems",
        ),
    ],
)
def test_what_nobody_could_ask_is_told_with_what_to_write(old: str, new: str, said: str) -> None:
    (only,) = told(old, new)
    assert only.partition(": ")[2] == said


@pytest.mark.parametrize("address", ["", "TBD", "env:X", "file:/run/x", "vault:kv/x#y"])
def test_a_reference_and_what_is_to_fill_is_judged_when_it_is_known(address: str) -> None:
    assert told("loki+https://logs.example", address) == []


@pytest.mark.parametrize("name", ["TBD", "${pager}"])
def test_names_that_are_to_fill_or_bound_are_not_looked_for(name: str) -> None:
    assert told("[pagerduty, chat]", f'[pagerduty, "{name}"]') == []


def test_the_addresses_of_systems_that_lines_name_are_to_fill_too() -> None:
    text = TEXT
    for name in ("CHAT", "SMS", "METRICS"):
        text = text.replace(f'"env:{name}"', '""')
    found = {entry.what for entry in loaded(text, Path("plan.yaml")).to_fill}
    assert found == {f"system {name}: `address` is empty" for name in ("chat", "sms", "prometheus")}


def test_a_drill_of_a_side_needs_the_rules_that_look_at_it() -> None:
    text = TEXT.replace("[pagerduty, chat]", "[pagerduty, chat], side: green")
    assert small_plan.problems(text) == []
    text = text.replace('  prometheus: {kind: prometheus, real: true, address: "env:METRICS"}\n', "")
    assert [problem.partition(": ")[2].partition(";")[0] for problem in small_plan.problems(text)] == [
        "route.all: alertmanager.routes needs a system of kind prometheus beside",
        "t1.alerts: alertmanager.drill needs a system of kind prometheus beside",
    ]


def test_a_scheme_may_be_written_in_capitals() -> None:
    assert told("https://vault.example", "HTTPS://vault.example") == []


def test_a_port_that_is_none_is_told_of_any_kind() -> None:
    text = TEXT.replace(
        "roles:", '  cache: {kind: redis, real: true, address: "redis://localhost:99999/0"}\nroles:', 1
    )
    (only,) = small_plan.problems(text)
    assert "system cache: the address has a port that is no number from 1 to 65535" in only
