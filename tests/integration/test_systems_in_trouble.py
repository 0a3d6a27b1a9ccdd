"""What becomes of a line whose system is in trouble: never passed, in words that say which trouble, and in time.

A system that is added later is one row of `ROWS`; a test fails while a system that is asked over a network has none.
"""

import gc
import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import pytest

from tminus import http, postgres, probes
from tminus.alerting.crosscheck import PrometheusAlerts
from tminus.alerting.inboxes import Inbox, Mailbox, PagerDuty, Slack
from tminus.control.readiness import Readiness
from tminus.domain.canonical import JsonValue
from tminus.domain.evidence import Claim, Verdict
from tminus.domain.expectation import parse
from tminus.domain.plan import Check, Kind, Severity
from tminus.grafana import api as grafana_api
from tminus.kubernetes import api as kubernetes_api
from tminus.oci import remote
from tminus.planfile import freshness
from tminus.postgres import Tools
from tminus.probes import (
    alertmanager,
    depot,
    flags,
    grafana,
    kubernetes,
    logs,
    pagerduty,
    prometheus,
    redis,
    registry,
    vault,
    website,
)
from tminus.probes import postgres as postgres_probes
from tminus.store.unkept import UnkeptRecord
from tminus.vault import api as vault_api
from tminus.wiring import SystemClock, Systems

if TYPE_CHECKING:
    from tests.integration.trouble_servers import RETRY_AFTER, TROUBLES, Trouble, troubled
else:
    from trouble_servers import RETRY_AFTER, TROUBLES, Trouble, troubled

CALL_SECONDS = 0.4
"""What one call may take here."""
SECONDS = 8.0
"""What a whole line may take here, on a busy machine too."""
DIGEST = f"sha256:{'0' * 64}"
TOKEN = "canary-token-7f3a9c"
"""What opens a system whose address does not hold it."""
NOT_ASKED = {"local", "plan", "traffic", "release", "staging"}
"""Systems that are looked at without a network: files, a plan, a trace, processes of this machine."""

UNKNOWN = frozenset({Verdict.ERROR, Verdict.INCONCLUSIVE})
_NO_ANSWER = frozenset({Verdict.ERROR})
_FAILED = frozenset({Verdict.FAILED})


@dataclass(frozen=True)
class Row:
    """One probe and how its system is made from an address."""

    probe: str
    system: Callable[[str], object]
    arguments: Mapping[str, JsonValue] = field(default_factory=dict)
    expect: str = "empty"
    scheme: str = ""
    """Another scheme than http, for a system that is not asked over HTTP."""
    path: str = ""
    by_file: bool = False
    """Whether its address is the path of a file that names the server: a kubeconfig."""
    answers: frozenset[Verdict] = frozenset()
    """What its own answers may mean besides nothing: a service whose answers are what is judged fails by them."""


async def _token() -> str:
    return TOKEN


def _alertmanager(address: str) -> alertmanager.System:
    inboxes: dict[str, Inbox] = {
        "pager": PagerDuty(address),
        "chat": Slack(f"{address}?channel=C1"),
        "mail": Mailbox(address),
    }
    return alertmanager.System(address, SystemClock().now, inboxes, PrometheusAlerts(address))


def _kubernetes(kubeconfig: str) -> kubernetes.System:
    return kubernetes.System(kubeconfig, SystemClock().now, namespace="shop")


def _logs(kind: str, address: str) -> logs.System:
    return logs.System(f"{kind}+{address}", SystemClock().now, site=address)


_DEPOT = partial(Row, system=lambda address: depot.System(address, "user", TOKEN), answers=_FAILED)
_ORIGINS: Mapping[str, JsonValue] = {"origins": ["https://app.example"], "methods": ["GET"], "headers": []}
_CLIENTS: Mapping[str, JsonValue] = {"client": {"x": "1"}, "other": {"x": "2"}}

ROWS = (
    Row("prometheus.alert", prometheus.System, {"measure": "errors", "above": "1%"}),
    Row("prometheus.errors", prometheus.System, {"seconds": 60}, "< 1%"),
    Row("prometheus.p95", prometheus.System, {"seconds": 60}, "< 500 ms"),
    Row("prometheus.baseline", prometheus.System, {"seconds": 60}, ">= 1"),
    Row("alertmanager.firing", _alertmanager),
    Row("alertmanager.routes", _alertmanager),
    Row("alertmanager.drill", _alertmanager, {"receivers": ["pager", "chat", "mail"], "seconds": 1}),
    Row("grafana.dashboard", grafana.System, {"kind": "application"}),
    Row("kubernetes.configmaps", _kubernetes, {"names": ["shop"]}, by_file=True),
    Row("kubernetes.secrets", _kubernetes, {"names": ["shop"]}, by_file=True),
    Row("vault.snapshot", lambda address: vault.System(address, SystemClock().now), {"automatic": "daily"}),
    Row("logs.arrived", partial(_logs, "loki"), {"labels": {"app": "shop"}, "instances": 1}),
    Row(
        "logs.arrived",
        partial(_logs, "elasticsearch"),
        {"labels": {"app": "shop"}, "instances": 1},
        path="/logs-*",
    ),
    Row(
        "pagerduty.sms",
        lambda address: pagerduty.System(address, SystemClock().now),
        {"service": "P1", "sender": "a@shop.example"},
    ),
    Row("registry.image", registry.System, {"digest": DIGEST}, path="/team/service"),
    Row(
        "flags.evaluate",
        lambda address: flags.System(address, _token),
        {"expected": [{"flag": "new", "value": True}]},
    ),
    Row("website.answer", website.System, {"path": "/"}, "== 204", answers=_FAILED),
    Row("website.health", website.System, {"path": "/health", "digest": DIGEST}, answers=_FAILED),
    Row("website.cors", website.System, {"path": "/", **_ORIGINS}, answers=_FAILED),
    Row(
        "website.ratelimit",
        website.System,
        {"path": "/", **_CLIENTS, "limit_requests": 2, "window_seconds": 0.3},
        answers=_FAILED,
    ),
    _DEPOT("depot.login"),
    _DEPOT("depot.search"),
    _DEPOT("depot.upload"),
    _DEPOT("depot.smoke"),
    Row("redis.snapshot", redis.System, scheme="redis"),
    Row(
        "postgres.schema",
        lambda address: postgres_probes.System(Tools(Path("/nowhere"), f"{address}/depot"), Path("/nowhere")),
        {"revision_expected": "0001"},
        scheme="postgresql",
    ),
)


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits that are as short as a test wants them; that they are kept is what is shown."""
    monkeypatch.setattr(http, "SECONDS", CALL_SECONDS)
    monkeypatch.setattr(remote, "SECONDS", CALL_SECONDS)
    monkeypatch.setattr(remote, "IDLE_SECONDS", CALL_SECONDS)
    monkeypatch.setattr(remote, "LONGEST_WAIT", CALL_SECONDS)
    for one in (grafana_api, kubernetes_api, vault_api):
        monkeypatch.setattr(one, "SECONDS", CALL_SECONDS)
    monkeypatch.setattr(redis, "ANSWER_SECONDS", CALL_SECONDS)
    monkeypatch.setattr(postgres, "CONNECT_SECONDS", 2)  # libpq knows no shorter one


async def judged(row: Row, address: str, folder: Path) -> Claim:
    """The line's claim, by the product's own path: probe, expectation, record."""
    line = Check(
        id="line",
        text="the line",
        section="Lines",
        kind=Kind.PROBE,
        due=0.0,
        owner="devops",
        severity=Severity.REQUIRED,
        fresh=freshness("live 15min"),
        probe=row.probe,
        arguments={**row.arguments, "system": "it"},
        expect=parse(row.expect),
        hint="see what is wrong with it",
    )
    where = row.scheme + address[address.index(":") :] if row.scheme else address
    where = str(_kubeconfig(address, folder)) if row.by_file else where + row.path
    systems = Systems({"it": row.system(where)}, {})
    readiness = Readiness([line], UnkeptRecord("2026-01-01T00:00:00.000Z"), systems, SystemClock())
    await readiness.observe([line], "now")
    return (await readiness.claims())["line"]


def _kubeconfig(address: str, folder: Path) -> Path:
    """A kubeconfig of the server at an address."""
    path = folder / "kubeconfig"
    told = {
        "clusters": [{"name": "it", "cluster": {"server": address}}],
        "users": [{"name": "robot", "user": {"token": TOKEN}}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "robot"}}],
        "current-context": "it",
    }
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "Config", **told}), encoding="utf-8")
    return path


def _allowed(row: Row, trouble: Trouble) -> frozenset[Verdict]:
    if not trouble.status:
        return _NO_ANSWER
    if row.answers:
        return UNKNOWN | row.answers
    return _NO_ANSWER if trouble.status in {401, 403, 429} else UNKNOWN


@pytest.mark.parametrize("row", ROWS, ids=[f"{number} {row.probe}" for number, row in enumerate(ROWS)])
@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.name)
async def test_a_system_in_trouble_never_passes_and_says_which_trouble_in_time(
    row: Row, trouble: Trouble, tmp_path: Path
) -> None:
    if row.scheme and trouble.over_http:
        return  # a trouble of HTTP, and this system is not asked over it
    async with troubled(trouble, tmp_path) as address:
        began = monotonic()
        claim = await judged(row, address, tmp_path)
        took = monotonic() - began
    assert claim.verdict in _allowed(row, trouble), claim.why
    assert took < SECONDS
    assert "broke:" not in claim.why, "the probe itself has broken by this answer"
    assert len(claim.why.rpartition("; ")[2].split()) >= 3, f"nothing to do for a person: {claim.why}"
    if trouble.status >= 400 and not row.answers:
        assert str(trouble.status) in claim.why
    if trouble.status == 429 and not row.answers:
        assert f"Retry-After: {RETRY_AFTER}" in claim.why
    if "in the middle" in trouble.name:
        assert not _left_open()


def _left_open() -> list[str]:
    """The connections that nobody has closed and nobody holds any more."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", ResourceWarning)
        gc.collect()
    return [str(one.message) for one in told if issubclass(one.category, ResourceWarning)]


def test_every_system_that_is_asked_over_a_network_has_a_row() -> None:
    own = {name for name in probes.systems() if probes.is_own(name)}
    assert own - NOT_ASKED == {row.probe.partition(".")[0] for row in ROWS}


def test_every_probe_of_those_systems_has_a_row_or_is_made_of_others() -> None:
    made_of_others = {"depot.integration", "depot.integrations", "postgres.backup", "postgres.restored"}
    every = {
        name for system in {row.probe.partition(".")[0] for row in ROWS} for name in probes.names(system)
    }
    assert every - made_of_others == {row.probe for row in ROWS}
