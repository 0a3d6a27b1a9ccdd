"""A cluster among a plan's systems: by its own address, or by that of the target that the plan has."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.small_plan import SMALL
else:
    from small_plan import SMALL

from tminus.domain.plan import Plan
from tminus.errors import InconclusiveError, PartError
from tminus.planfile import loaded, parse
from tminus.probes import kubernetes
from tminus.wiring.appraisal import DESK, afar
from tminus.wiring.clusters import makers

NOBODY = Path("trust.json")
"""A trust root that is not there."""
TARGET = """\
target:
  address: "env:KUBE"
  namespace: shop
  image: registry.example/shop
  blue: shop-blue
  green: shop-green
  route: shop
  back_up: [shop, back-up]
  migrate: [shop, migrate]
  smoke: [shop, smoke]
  traffic:
    requests: 'http_requests_total{service="${side}"}'
    seconds: 'http_request_seconds_bucket{service="${side}"}'
"""
LINE = """\
    - {id: own.maps, line: Maps, due: T-2h, owner: devops, probe: kubernetes.configmaps, expect: empty, hint: see them}
"""


def text(address: str = "", target: str = TARGET) -> str:
    systems = (
        '  prom: {kind: prometheus, address: "env:PROM"}\n'
        f'  kubernetes: {{kind: kubernetes, address: "{address}"}}\n'
        '  vault: {kind: vault, address: "env:V"}\n'
    )
    small = SMALL.replace("roles:", f"{systems}roles:", 1).replace("  Launch:\n", f"{LINE}  Launch:\n", 1)
    return small + target


def plan(address: str = "") -> Plan:
    found, told = parse(text(address))
    assert found is not None, told
    return found


def made(of: Plan, address: str) -> kubernetes.System:
    environment = {"KUBE": "/kube/config", "V": "https://:t@vault.example"}
    addresses = {"vault": environment["V"]}
    system = makers(of, addresses, environment, lambda: 0.0)["kubernetes"](address)
    assert isinstance(system, kubernetes.System)
    return system


def test_the_target_s_cluster_has_the_target_s_names_and_another_has_none() -> None:
    here, other = made(plan(), "/kube/config"), made(plan(), "/another/config")
    assert (here.namespace, other.namespace) == ("shop", "")
    assert here.vaults == {"vault": "https://:t@vault.example"}
    assert "vault.example" not in repr(here)


async def test_a_system_without_an_address_is_asked_where_the_target_is(tmp_path: Path) -> None:
    of = plan()
    environment = {
        "KUBE": str(tmp_path / "none"),
        "V": "https://:t@vault.example",
        "SITE": "http://127.0.0.1:1",
    }
    check = of.check("own.maps")
    with pytest.raises(PartError, match="kubeconfig") as told:
        await afar(of, environment, DESK, {}, trust=NOBODY).observe(check, check.arguments or {})
    assert str(tmp_path) not in str(told.value)


async def test_without_target_and_namespace_nothing_is_looked_at() -> None:
    of = replace(plan("env:KUBE"), target=None)
    check = of.check("own.maps")
    with pytest.raises(InconclusiveError, match="which namespace"):
        await afar(of, {"KUBE": "in-cluster"}, DESK, {}, trust=NOBODY).observe(check, check.arguments or {})


def test_an_address_is_to_fill_where_there_is_no_target() -> None:
    def said(document: str) -> list[str]:
        return [one.what for one in loaded(document, Path("p.yaml")).to_fill]

    assert not any("kubernetes" in one for one in said(text()))
    assert any("system kubernetes: `address` is empty" in one for one in said(text(target="")))
