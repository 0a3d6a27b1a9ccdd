"""The line about ConfigMaps: a stand-in cluster, one thing broken in each way; nothing here needs Vault."""

import re
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
import yaml

from tminus.domain.evidence import Claim, Verdict
from tminus.kubernetes.rights import rights
from tminus.standins.kubernetes.kinds import named

if TYPE_CHECKING:
    from tests.integration.line_register import line
    from tests.integration.line_world import fails, shows
    from tests.kubernetes_world import NAMESPACE
    from tests.secrets_world import (
        MAPS,
        Json,
        Shop,
        ago,
        api,
        container,
        from_map,
        map_of,
        maps,
        plan,
        workload,
    )
    from tests.vault_world import Bao
else:
    from line_register import line
    from line_world import fails, shows

    from kubernetes_world import NAMESPACE
    from secrets_world import MAPS, Json, Shop, ago, api, container, from_map, map_of, maps, plan, workload
    from vault_world import Bao

LINE = "cfg.configmaps"
NOWHERE = Bao("http://127.0.0.1:1")


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with maps(tmp_path, NOWHERE) as made:
        yield made


def rendered(folder: Path, *things: Json) -> str:
    """A folder of manifests as a pipeline leaves it; its path."""
    place = folder / "rendered"
    place.mkdir(exist_ok=True)
    (place / "all.yaml").write_text(yaml.safe_dump_all(things))
    return str(place)


def changed(name: str, *, without: Iterable[str] = (), **data: Any) -> Json:
    """One of the shop's maps with other values."""
    found = next(one for one in MAPS if one["metadata"]["name"] == name)
    kept = {key: value for key, value in found["data"].items() if key not in without}
    return {**found, "data": {**kept, **data}}


@line(LINE, "passed", "each map and key that workloads name is there, and as it was rendered")
async def test_maps_that_are_there_and_as_rendered_pass(shop: Shop, tmp_path: Path) -> None:
    claim = await shop.judge(LINE, manifests=rendered(tmp_path, *MAPS, api()))
    shows(claim, Verdict.PASSED, "5 ConfigMaps with 8 keys, named by 4 workloads")


async def test_what_was_seen_has_digests_and_no_values(shop: Shop) -> None:
    await shop.judge(LINE)
    seen = cast("Any", shop.claims[-1].data["seen"])
    kept = seen["maps"]["api-config"]
    assert kept["uid"]
    assert kept["resource_version"]
    assert {len(one) for one in kept["sha256"].values()} == {64}
    assert "db.shop.svc" not in str(shop.claims[-1].data)


Break = Callable[[Shop, Path], dict[str, Any] | None]


@dataclass(frozen=True)
class Way:
    """One way to break it, and what must be said then."""

    number: int
    how: str
    breaking: Break
    words: tuple[str, ...]
    verdict: Verdict = Verdict.FAILED
    silent: tuple[str, ...] = ()
    """What must not be said."""

    @property
    def shown(self) -> str:
        """As the register has it: what is warned of has passed."""
        return "passed" if self.verdict is Verdict.WARNED else self.verdict.value


def extra(shop: Shop, folder: Path) -> dict[str, Any]:
    del folder
    shop.put(map_of("prices", CURRENCY="EUR"))
    shop.calm()
    shop.remove("ConfigMap", "prices")
    return {"names": ["prices"]}


def gone(name: str) -> Break:
    def breaking(shop: Shop, folder: Path) -> None:
        del folder
        shop.remove("ConfigMap", name)

    return breaking


def suffixed(shop: Shop, folder: Path) -> dict[str, Any]:
    shop.put(map_of("shop-config-61c2", A="1"))
    shop.calm()
    wish = workload(
        "Deployment",
        "api",
        {"containers": [container("api", envFrom=[{"configMapRef": {"name": "shop-config-7d9f"}}])]},
    )
    return {"manifests": rendered(folder, wish), "names": ["shop-config-61c2"]}


def elsewhere(shop: Shop, folder: Path) -> None:
    del folder
    found = shop.find("ConfigMap", "api-config")
    shop.remove("ConfigMap", "api-config")
    shop.put({**found, "metadata": {"name": "api-config", "namespace": "default"}})


def replaced(thing: Json) -> Break:
    def breaking(shop: Shop, folder: Path) -> None:
        del folder
        name = thing["metadata"]["name"]
        shop.cluster.store.remove(named("ConfigMap"), shop.find("ConfigMap", name))
        shop.put(thing)
        shop.calm()

    return breaking


def optional(shop: Shop, folder: Path) -> None:
    del folder
    env = [from_map("A", "api-flags", "COLOUR", optional=True), from_map("B", "api-flags", "SIZE")]
    shop.put(workload("Deployment", "more", {"containers": [container("more", env=env)]}))


def edited(shop: Shop, folder: Path) -> dict[str, Any]:
    found = shop.find("ConfigMap", "api-config")
    found["data"]["WORKERS"] = "64"
    shop.put(found, manager="kubectl-edit")
    shop.calm()
    return {"manifests": rendered(folder, *MAPS)}


def added(shop: Shop, folder: Path) -> dict[str, Any]:
    found = shop.find("ConfigMap", "api-config")
    found["data"]["DEBUG"] = "on"
    shop.put(found, manager="kubectl-edit")
    shop.calm()
    return {"manifests": rendered(folder, *MAPS)}


def binary(shop: Shop, folder: Path) -> dict[str, Any]:
    def with_store(last: bytes) -> Json:
        found = map_of("api-config", **MAPS[0]["data"])
        return {**found, "binaryData": {"trust.jks": b64encode(b"\x00\xff" * 40 + last).decode()}}

    shop.put(with_store(b"\x01"))
    shop.calm()
    return {"manifests": rendered(folder, with_store(b"\x02"), *MAPS[1:])}


def unapplied(shop: Shop, folder: Path) -> dict[str, Any]:
    del shop
    new = changed("api-config", DB_HOST="db2.shop.svc", PAYMENT_URL="https://pay2.example", WORKERS="16")
    return {"manifests": rendered(folder, new, *MAPS[1:])}


def left(shop: Shop, folder: Path) -> None:
    del folder
    shop.put(map_of("old-config", A="1"), map_of("kube-root-ca.crt", **{"ca.crt": "-"}))
    shop.calm()


def fresh(shop: Shop, folder: Path) -> dict[str, Any]:
    thing = shop.find("ConfigMap", "api-config")
    entries = thing["metadata"]["managedFields"]
    entries.append({**entries[0], "manager": "argocd-controller", "time": ago(minutes=10)})
    entries[-1]["fieldsV1"] = {"f:data": {"f:WORKERS": {}}}
    shop.cluster.store.mark(named("ConfigMap"), thing, managedFields=entries)
    return {"manifests": rendered(folder, *MAPS)}


def changeable(shop: Shop, folder: Path) -> dict[str, Any]:
    del folder
    for name in ("api-flags", "api-files", "api-init", "report-config"):
        shop.put({**shop.find("ConfigMap", name), "immutable": True})
    shop.calm()
    return {"immutable": ["*"]}


def unrightful(shop: Shop, folder: Path) -> None:
    del folder
    role, *others = rights(NAMESPACE)
    rules = [rule for rule in role["rules"] if rule["resources"] != ["configmaps"]]
    shop.put({**role, "rules": rules}, *others)


def away(shop: Shop, folder: Path) -> None:
    del folder
    shop.cluster.orders.away = True


def busy(shop: Shop, folder: Path) -> None:
    del folder
    shop.cluster.orders.status = 503


def empty(shop: Shop, folder: Path) -> dict[str, Any]:
    del shop
    (folder / "rendered").mkdir()
    return {"manifests": str(folder / "rendered")}


def hooked(shop: Shop, folder: Path) -> dict[str, Any]:
    shop.cluster.orders.webhook_down = "policy.example"
    return {"manifests": rendered(folder, *MAPS)}


FILE = "server:\n  port: 8080\n  owner: {}\n  url: https://pay.example\n"
WAYS = (
    Way(
        300, "a map that the plan names was deleted", extra, ("no ConfigMap prices", NAMESPACE, "plan names")
    ),
    Way(
        301,
        "a map that only a workload's envFrom names is not there",
        gone("api-config"),
        ("no ConfigMap api-config", r"Deployment/api \(container api, envFrom\)"),
    ),
    Way(
        302,
        "the new build names a map with another suffix",
        suffixed,
        ("no ConfigMap shop-config-7d9f", "Deployment/api"),
    ),
    Way(303, "the map is in another namespace", elsewhere, ("no ConfigMap api-config", NAMESPACE)),
    Way(
        304,
        "a key was renamed that a container still asks for",
        replaced(changed("api-flags", without=["LOG_LEVEL"], LOGLEVEL="info")),
        ("api-flags lacks the key LOG_LEVEL", "container api, env LOG_LEVEL"),
    ),
    Way(
        305,
        "a mounted file is no longer in the map",
        replaced(map_of("api-files", **{"app.yaml": "a: 1"})),
        ("api-files lacks the key application.yaml", "volume files"),
    ),
    Way(
        306,
        "a map that a projected volume alone names is not there",
        gone("api-files"),
        ("no ConfigMap api-files", "volume files"),
    ),
    Way(
        307,
        "an init container names a map that is not there",
        gone("api-init"),
        ("no ConfigMap api-init", "container setup"),
    ),
    Way(
        307,
        "a CronJob names a map that is not there",
        gone("report-config"),
        ("no ConfigMap report-config", "CronJob/report"),
    ),
    Way(
        308,
        "of two missing keys one is optional",
        optional,
        ("api-flags lacks the key SIZE",),
        silent=("COLOUR",),
    ),
    Way(
        309,
        "a value is still changeme",
        replaced(changed("api-config", PAYMENT_URL="https://changeme.internal-77/pay")),
        ("api-config", "'changeme'", "PAYMENT_URL"),
        silent=("internal-77",),
    ),
    Way(
        310,
        "a line of a file says TODO",
        replaced(map_of("api-files", **{"application.yaml": FILE.format("TODO")})),
        ("api-files", "'TODO'", "application.yaml"),
    ),
    Way(
        310,
        "a line of a file says [Name]",
        replaced(map_of("api-files", **{"application.yaml": FILE.format("[Name]")})),
        ("api-files", r"'\[Name\]'", "application.yaml"),
    ),
    Way(
        311,
        "an address names staging's host",
        replaced(changed("api-config", PAYMENT_URL="https://pay-staging.example/v1")),
        ("api-config", "pay-staging.example", "PAYMENT_URL"),
    ),
    Way(
        312,
        "the database's host is localhost",
        replaced(changed("api-config", DB_HOST="localhost")),
        ("api-config", "'localhost'", "DB_HOST"),
    ),
    Way(
        313,
        "a value was edited in the cluster",
        edited,
        ("api-config has another WORKERS than all.yaml", "sha256 [0-9a-f]{12}…, rendered [0-9a-f]{12}…"),
        silent=("64",),
    ),
    Way(
        314,
        "a key was added in the cluster by another manager",
        added,
        ("api-config has the key DEBUG, which all.yaml:\\d+ has not",),
    ),
    Way(
        315,
        "one byte of a binary key differs",
        binary,
        ("api-config has another trust.jks", "rendered [0-9a-f]{12}…"),
    ),
    Way(316, "the manifest was never applied", unapplied, ("DB_HOST", "PAYMENT_URL", "WORKERS")),
    Way(
        317,
        "a map that nothing names was left behind",
        left,
        ("nothing names the ConfigMap old-config",),
        Verdict.WARNED,
        silent=("kube-root-ca",),
    ),
    Way(
        318,
        "a key was changed ten minutes ago",
        fresh,
        ("api-config was changed 10 min ago in the key WORKERS, by argocd-controller", "environment"),
        Verdict.WARNED,
    ),
    Way(
        319,
        "one map can still be changed, against the policy",
        changeable,
        ("api-config is not immutable",),
        Verdict.WARNED,
    ),
    Way(
        320,
        "tminus may not read ConfigMaps",
        unrightful,
        ('cannot list resource "configmaps"', "Role"),
        Verdict.ERROR,
        silent=("there is no",),
    ),
    Way(321, "the API server hangs up", away, ("does not answer", "127.0.0.1"), Verdict.ERROR),
    Way(321, "the API server answers 503", busy, ("503", "127.0.0.1"), Verdict.ERROR),
    Way(322, "the folder of manifests holds nothing", empty, ("holds no manifest",), Verdict.INCONCLUSIVE),
    Way(323, "an admission webhook is down", hooked, ("policy.example", "webhook"), Verdict.ERROR),
)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way.number}-{way.how.replace(' ', '_')}")
async def test_each_way_to_break_a_map_is_told(shop: Shop, tmp_path: Path, way: Way) -> None:
    arguments = way.breaking(shop, tmp_path) or {}
    claim = await shop.judge(LINE, **arguments)
    told(claim, way)


def told(claim: Claim, way: Way) -> None:
    if way.verdict is Verdict.FAILED:
        fails(claim, plan(), *way.words)
    else:
        shows(claim, way.verdict, *way.words)
    for word in way.silent:
        assert not re.search(rf"\b{re.escape(word)}", claim.why), claim.why


for _way in WAYS:
    _how = f"(warned) {_way.how}" if _way.verdict is Verdict.WARNED else _way.how
    line(LINE, _way.shown, _how, mutation=_way.number)(test_each_way_to_break_a_map_is_told)


@line(LINE, "inconclusive", "no workload of the namespace names a map")
async def test_a_namespace_without_maps_shows_nothing(shop: Shop) -> None:
    for kind, name in (
        ("Deployment", "api"),
        ("Deployment", "web"),
        ("StatefulSet", "queue"),
        ("CronJob", "report"),
    ):
        shop.remove(kind, name)
    claim = await shop.judge(LINE)
    shows(claim, Verdict.INCONCLUSIVE, "none of the 0 workloads")


async def test_maps_that_all_are_optional_and_absent_show_nothing(shop: Shop) -> None:
    env = [from_map("A", "absent", "a", optional=True)]
    shop.put(workload("Deployment", "more", {"containers": [container("more", env=env)]}))
    shows(await shop.judge(LINE, workloads=["more"]), Verdict.INCONCLUSIVE, "all are optional")


@line(LINE, "error", "the kubeconfig's cluster does not listen")
async def test_a_cluster_that_does_not_listen_is_an_error(shop: Shop) -> None:
    text = shop.config.read_text()
    shop.config.write_text(re.sub(r"http://127.0.0.1:\d+", "http://127.0.0.1:1", text))
    shows(await shop.judge(LINE), Verdict.ERROR, "127.0.0.1")


async def test_a_look_changes_nothing(shop: Shop, tmp_path: Path) -> None:
    before = shop.cluster.store.version
    await shop.judge(LINE, manifests=rendered(tmp_path, *MAPS, api()))
    assert shop.cluster.store.version == before


async def test_values_that_are_right_all_the_same_are_allowed(shop: Shop) -> None:
    replaced(changed("api-config", DB_HOST="localhost"))(shop, Path())
    shows(await shop.judge(LINE, allowed=["api-config/DB_*"]), Verdict.PASSED)


async def test_hosts_that_the_plan_calls_staging_are_found(shop: Shop) -> None:
    replaced(changed("api-config", PAYMENT_URL="https://pay.qa-farm.example/v1"))(shop, Path())
    shows(await shop.judge(LINE), Verdict.PASSED)
    fails(await shop.judge(LINE, staging=["qa-farm.example"]), plan(), "pay.qa-farm.example")


async def test_manifests_that_cannot_be_read_support_no_verdict(shop: Shop, tmp_path: Path) -> None:
    place = tmp_path / "rendered"
    place.mkdir()
    (place / "map.yaml").write_text("kind: ConfigMap\napiVersion: v1\nmetadata: {{ name }}\n")
    shows(
        await shop.judge(LINE, manifests=str(place)), Verdict.INCONCLUSIVE, r"map.yaml:3: no YAML", "render"
    )


async def test_a_value_that_is_no_text_is_told_before_the_cluster_refuses_it(
    shop: Shop, tmp_path: Path
) -> None:
    wish = changed("api-config", WORKERS=8)
    claim = await shop.judge(LINE, manifests=rendered(tmp_path, wish, *MAPS[1:]))
    fails(claim, plan(), "no text for WORKERS")


async def test_an_immutable_map_that_was_rendered_anew_cannot_be_applied(shop: Shop, tmp_path: Path) -> None:
    shop.put({**shop.find("ConfigMap", "api-config"), "immutable": True})
    shop.calm()
    wish = {**changed("api-config", WORKERS="9"), "immutable": True}
    claim = await shop.judge(LINE, manifests=rendered(tmp_path, wish, *MAPS[1:]))
    fails(claim, plan(), "cannot be applied to the ConfigMap api-config", "immutable")


async def test_what_the_cluster_cannot_try_is_no_fault_of_the_map(shop: Shop, tmp_path: Path) -> None:
    shop.cluster.orders.webhook_not_dry = "policy.example"
    claim = await shop.judge(LINE, manifests=rendered(tmp_path, *MAPS))
    shows(claim, Verdict.INCONCLUSIVE, "policy.example", "does not support dry run")


async def test_workloads_that_the_plan_names_alone_count(shop: Shop) -> None:
    shop.remove("ConfigMap", "report-config")
    assert (await shop.judge(LINE, workloads=["api"])).verdict is Verdict.PASSED
    claim = await shop.judge(LINE, workloads=["nobody"])
    shows(claim, Verdict.INCONCLUSIVE, "no workload nobody")
