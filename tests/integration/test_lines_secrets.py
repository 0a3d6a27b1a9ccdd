"""The line about Secrets: a stand-in cluster whose Secrets come from a real OpenBao, one thing broken in each way."""

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import aiohttp
import pytest
import typer
from aiohttp import web
from typer.testing import CliRunner

from tminus import loopback
from tminus.cli.check import check
from tminus.domain.evidence import Verdict
from tminus.kubernetes.rights import rights
from tminus.standins.clock import wall_clock
from tminus.standins.kubernetes.kinds import named
from tminus.standins.kubernetes.store import instant

if TYPE_CHECKING:
    from tests.integration.line_register import line
    from tests.integration.line_world import fails, shows
    from tests.kubernetes_world import NAMESPACE
    from tests.secrets_world import (
        PLAN,
        Json,
        Shop,
        ago,
        container,
        external,
        from_secret,
        of_operator,
        plan,
        shop,
        store,
        workload,
    )
    from tests.vault_world import ROOT, Bao, bao
else:
    from line_register import line
    from line_world import fails, shows

    from kubernetes_world import NAMESPACE
    from secrets_world import (
        PLAN,
        Json,
        Shop,
        ago,
        container,
        external,
        from_secret,
        of_operator,
        plan,
        shop,
        store,
        workload,
    )
    from vault_world import ROOT, Bao, bao

LINE = "cfg.secrets"
OTHER = """
storage "inmem" {}
disable_mlock = true
listener "tcp" {
  address = "127.0.0.1:PORT"
  tls_disable = true
}
"""
"""A server that nobody has initialised."""


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    with bao(tmp_path_factory.mktemp("bao")) as made:
        yield made


@pytest.fixture
async def world(tmp_path: Path, vault: Bao, caplog: pytest.LogCaptureFixture) -> AsyncIterator[Shop]:
    """The shop; whatever a test did to it, no value and no token is found in what was written."""
    caplog.set_level(logging.DEBUG)
    async with shop(tmp_path, vault) as made:
        yield made
    written = json.dumps([[event.data, event.key] for event in made.claims], default=str) + caplog.text
    assert made.claims
    for planted in ("canary-", made.vault.token, ROOT):
        assert planted not in written, planted


def plain(name: str, **values: str) -> Json:
    """A Secret that somebody made by hand, with its values in the annotation that `kubectl apply` keeps, too."""
    kept = json.dumps({"stringData": values})
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": name,
            "namespace": NAMESPACE,
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": kept},
        },
        "stringData": values,
    }


@line(LINE, "passed", "each Secret comes from Vault: by both operators, the agent and a provider class")
async def test_secrets_that_come_from_vault_in_each_way_pass(world: Shop) -> None:
    claim = await world.judge(LINE)
    shows(claim, Verdict.PASSED, "6 Secrets and 4 workloads take from 7 places of Vault")
    seen = cast("Any", world.claims[-1].data["seen"])["secrets"]
    assert seen["api-db"]["keys"] == ["password", "username"]
    assert seen["api-db"]["owners"] == ["ExternalSecret/api-db"]
    (origin,) = seen["api-db"]["from"]
    assert (origin["proof"], origin["store"]) == ("ExternalSecret/api-db", "SecretStore/vault-shop")
    (place,) = origin["places"]
    assert (place["path"], place["version"]) == (f"secret/{world.paths}/db", 1)
    assert place["created_at"]


async def test_a_rotation_is_another_claim_and_a_second_look_is_not(world: Shop) -> None:
    first, second = await world.judge(LINE), await world.judge(LINE)
    assert first.fingerprint == second.fingerprint
    world.vault.write(f"{world.paths}/db", username="api", password="canary-new")
    third = await world.judge(LINE)
    assert third.fingerprint != first.fingerprint


async def test_the_policy_that_is_documented_lets_nobody_read_a_value(world: Shop) -> None:
    shows(await world.judge(LINE), Verdict.PASSED)
    with pytest.raises(AssertionError, match="403"):
        world.vault.ask("GET", f"secret/data/{world.paths}/db", token=world.vault.token)


Break = Callable[[Shop], Any]


@dataclass(frozen=True)
class Way:
    """One way to break it, and what must be said then; what breaking gives are the line's arguments."""

    number: int
    how: str
    breaking: Break
    words: tuple[str, ...]
    verdict: Verdict = Verdict.FAILED
    silent: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        return "passed" if self.verdict is Verdict.WARNED else self.verdict.value


def never_made(world: Shop) -> None:
    world.cluster.orders.unsynced["api-db"] = "SecretSyncedError"
    world.remove("Secret", "api-db")


def by_hand(world: Shop) -> None:
    world.remove("ExternalSecret", "api-db")
    world.put(plain("api-db", username="api", password="canary-by-hand"))


def unowned(world: Shop) -> None:
    found = world.find("Secret", "api-db")
    world.cluster.orders.operators_idle = True
    world.remove("ExternalSecret", "api-db")
    del found["metadata"]["ownerReferences"]
    world.put(found)


def foreign_owner(world: Shop) -> None:
    world.cluster.orders.idle = True
    found = world.find("Secret", "api-db")
    found["metadata"]["ownerReferences"][0]["uid"] = "00000000-0000-0000-0000-000000000000"
    world.put(found)


def other_target(world: Shop) -> None:
    world.remove("ExternalSecret", "api-db")
    wish = external("api-db", f"{world.paths}/db", ["username", "password"])
    wish["spec"]["target"]["name"] = "api-db-v2"
    world.put(wish, plain("api-db", username="api", password="canary-by-hand"))


def copied(world: Shop) -> None:
    world.remove("ExternalSecret", "api-db")
    world.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "staging"}})
    wish = external("api-db", f"{world.paths}/db", ["username", "password"], "ClusterSecretStore")
    wish["metadata"]["namespace"] = "staging"
    world.put(wish, plain("api-db", username="api", password="canary-by-hand"))


def merged(world: Shop) -> None:
    world.remove("ExternalSecret", "api-db")
    wish = external("api-db", f"{world.paths}/db", ["username"])
    wish["spec"]["target"]["creationPolicy"] = "Merge"
    world.put(plain("api-db", password="canary-by-hand"), wish)


def uninstalled(world: Shop) -> None:
    world.cluster.orders.unserved = {"external-secrets.io", "secrets.hashicorp.com"}


def not_synced(world: Shop) -> None:
    world.cluster.orders.unsynced["api-db"] = "SecretSyncedError"
    world.cluster.settle()


def never_seen(world: Shop) -> None:
    world.status("ExternalSecret", "api-db", conditions=[])


def late(world: Shop) -> None:
    world.status("ExternalSecret", "api-db", refreshTime=ago(hours=5))


def old_condition(world: Shop) -> None:
    condition = {
        "type": "Ready",
        "status": "True",
        "reason": "SecretSynced",
        "lastTransitionTime": ago(days=21),
    }
    world.status("ExternalSecret", "api-db", refreshTime=ago(hours=3), conditions=[condition])


def specified(**spec: Any) -> Break:
    def breaking(world: Shop) -> None:
        found = world.find("ExternalSecret", "api-db")
        found["spec"] |= spec
        world.put(found)

    return breaking


def daily(world: Shop) -> None:
    specified(refreshInterval="24h0m0s")(world)
    world.status("ExternalSecret", "api-db", refreshTime=ago(hours=20))
    world.vault.write(f"{world.paths}/db", username="api", password="canary-rotated")


def store_lost(world: Shop) -> None:
    world.cluster.orders.store_reasons["vault-shop"] = "InvalidProviderConfig"
    world.cluster.settle()


def store_gone(world: Shop) -> None:
    world.cluster.orders.operators_idle = True
    world.remove("ClusterSecretStore", "vault")


def provided(**provider: Any) -> Break:
    def breaking(world: Shop) -> None:
        found = world.find("SecretStore", "vault-shop")
        found["spec"]["provider"] = provider
        world.put(found)

    return breaking


def other_vault(world: Shop) -> None:
    found = world.find("SecretStore", "vault-shop")
    found["spec"]["provider"]["vault"]["server"] = "https://vault.second.example"
    world.put(found)


def deleted(world: Shop) -> None:
    world.vault.ask("DELETE", f"secret/metadata/{world.paths}/db")


def newest_deleted(world: Shop) -> None:
    world.vault.write(f"{world.paths}/db", username="api", password="canary-second")
    world.vault.ask("DELETE", f"secret/data/{world.paths}/db")


def destroyed(world: Shop) -> None:
    world.vault.ask("PUT", f"secret/destroy/{world.paths}/db", {"versions": [1]})


def pinned(world: Shop) -> None:
    path = f"{world.paths}/db"
    for number in range(2, 6):
        world.vault.write(path, username="api", password=f"canary-{number}")
    world.vault.ask("PUT", f"secret/destroy/{path}", {"versions": [3]})
    found = world.find("ExternalSecret", "api-db")
    for one in found["spec"]["data"]:
        one["remoteRef"]["version"] = "3"
    world.put(found)


def mounted_elsewhere(world: Shop) -> Json:
    mounts = world.vault.ask("GET", "sys/mounts")["data"]
    if "team/" not in mounts:
        Bao(world.vault.url).mount("team")
    found = world.find("SecretStore", "vault-shop")
    found["spec"]["provider"]["vault"]["path"] = "team"
    world.put(found)
    return {"address": Bao(world.vault.url).address}


def field_renamed(world: Shop) -> None:
    world.vault.write(f"{world.paths}/db", username="api", db_password="canary-renamed")


def key_missing(world: Shop) -> None:
    world.remove("ExternalSecret", "api-db")
    world.put(external("api-db", f"{world.paths}/db", ["username"]))


def one_optional(world: Shop) -> None:
    env = [from_secret("A", "absent", "a", optional=True), from_secret("B", "needed", "b")]
    world.put(workload("Deployment", "more", {"containers": [container("more", env=env)]}))


def unsynced_static(world: Shop) -> None:
    failed = {"type": "SecretSynced", "status": "False", "reason": "VaultClientConfigError"}
    world.status("VaultStaticSecret", "report-db", lastGeneration=0, conditions=[failed])


def revoked(world: Shop) -> None:
    lease = world.find("VaultDynamicSecret", "queue-login")["status"]["secretLease"]["id"]
    world.vault.ask("PUT", "sys/leases/revoke", {"lease_id": lease})


def annotated_above(world: Shop) -> None:
    found = world.find("Deployment", "web")
    meta = found["spec"]["template"]["metadata"]
    found["metadata"]["annotations"] = meta.pop("annotations")
    world.put(found)


def not_injected(world: Shop) -> None:
    found = world.find("Deployment", "web")
    found["spec"]["template"]["metadata"]["annotations"]["vault.hashicorp.com/agent-inject"] = "false"
    world.put(found)


def other_provider(world: Shop) -> None:
    found = world.find("SecretProviderClass", "web-keys")
    found["spec"]["provider"] = "azure"
    world.put(found)


def class_gone(world: Shop) -> None:
    world.remove("SecretProviderClass", "web-keys")


def own_password(world: Shop) -> None:
    world.remove("ExternalSecret", "registry-pull")
    world.put(plain("registry-pull", **{".dockerconfigjson": "canary-my-own"}))


def stranger(world: Shop) -> Json:
    return {"address": Bao(world.vault.url, "hvs.canary-expired-token-1234567").address}


def first_version(world: Shop) -> Json:
    mounts = world.vault.ask("GET", "sys/mounts")["data"]
    if "old/" not in mounts:
        world.vault.ask("POST", "sys/mounts/old", {"type": "kv", "options": {"version": "1"}})
    world.vault.ask("POST", f"old/{world.paths}/db", {"username": "api", "password": "canary-old"})
    found = world.find("SecretStore", "vault-shop")
    found["spec"]["provider"]["vault"] |= {"path": "old", "version": "v1"}
    world.put(found)
    return {"address": Bao(world.vault.url).address}


def down(world: Shop) -> Json:
    del world
    return {"address": Bao("http://127.0.0.1:1").address, "servers": ["*"]}


def unlisted(world: Shop) -> None:
    role, *others = rights(NAMESPACE)
    rules = [rule for rule in role["rules"] if rule["resources"] != ["externalsecrets"]]
    world.put({**role, "rules": rules}, *others)


def nothing_secret(world: Shop) -> Json:
    world.put(workload("Deployment", "plain", {"containers": [container("plain")]}))
    return {"workloads": ["plain"]}


HERE = "secret/shop\\d+/db"
WAYS = (
    Way(324, "an ExternalSecret never made its Secret", never_made, ("no Secret api-db", "Deployment/api")),
    Way(325, "the Secret was replaced by a plain one", by_hand, ("api-db is not from Vault",)),
    Way(326, "the ExternalSecret was deleted, and the Secret stayed", unowned, ("api-db is not from Vault",)),
    Way(
        327,
        "the owner that the Secret names is another one",
        foreign_owner,
        ("api-db is not from Vault", "ExternalSecret/api-db", "not there"),
    ),
    Way(
        328,
        "the ExternalSecret of its name writes another Secret",
        other_target,
        ("api-db is not from Vault", "ExternalSecret/api-db writes api-db-v2"),
    ),
    Way(329, "the ExternalSecret is in another namespace", copied, ("api-db is not from Vault", NAMESPACE)),
    Way(
        330,
        "one key of it comes from Vault, the others from nowhere",
        merged,
        ("password", "ExternalSecret/api-db"),
    ),
    Way(
        331,
        "the operators were uninstalled",
        uninstalled,
        ("api-db is not from Vault", "report-db is not from Vault", "knows no ExternalSecret"),
    ),
    Way(
        332,
        "the ExternalSecret is not synced, the old Secret is there",
        not_synced,
        ("ExternalSecret/api-db is not ready: SecretSyncedError",),
    ),
    Way(
        333,
        "the ExternalSecret has no condition",
        never_seen,
        ("ExternalSecret/api-db has not been looked at",),
    ),
    Way(
        334,
        "the operator stopped five hours ago",
        late,
        ("ExternalSecret/api-db was refreshed 300 min ago, .*1h0m0s",),
        Verdict.WARNED,
    ),
    Way(
        335,
        "the refresh is late, whatever the condition's age",
        old_condition,
        ("ExternalSecret/api-db was refreshed 180 min ago",),
        Verdict.WARNED,
    ),
    Way(
        336,
        "the interval is 0",
        specified(refreshInterval="0"),
        ("written once and never refreshed",),
        Verdict.WARNED,
    ),
    Way(
        337,
        "refreshed once a day, and rotated in between",
        daily,
        ("refreshed 1200 min ago, longer than the plan allows", "before the newest version"),
        Verdict.WARNED,
    ),
    Way(
        338,
        "refreshPolicy is CreatedOnce",
        specified(refreshPolicy="CreatedOnce"),
        ("never refreshed",),
        Verdict.WARNED,
    ),
    Way(
        339,
        "the SecretStore is not ready",
        store_lost,
        ("SecretStore/vault-shop is not ready: InvalidProviderConfig",),
    ),
    Way(340, "the ClusterSecretStore was deleted", store_gone, ("there is no ClusterSecretStore/vault",)),
    Way(
        341,
        "the store's provider is not Vault",
        provided(fake={"data": []}),
        ("SecretStore/vault-shop is no store of Vault but of fake",),
    ),
    Way(
        342,
        "the store takes from another Vault",
        other_vault,
        ("vault.second.example", "127.0.0.1"),
        Verdict.INCONCLUSIVE,
    ),
    Way(343, "the path was deleted with its metadata", deleted, (f"Vault has nothing at {HERE}",)),
    Way(344, "the newest version was deleted", newest_deleted, ("version 2 was deleted in Vault", HERE)),
    Way(345, "the newest version was destroyed", destroyed, ("version 1 was destroyed in Vault", HERE)),
    Way(346, "the version that is pinned was destroyed", pinned, ("version 3 was destroyed", HERE)),
    Way(347, "the store's mount was changed", mounted_elsewhere, ("Vault has nothing at team/shop\\d+/db",)),
    Way(348, "a field was renamed in Vault", field_renamed, (f"Vault has no key password at {HERE}",)),
    Way(349, "the Secret lacks a key", key_missing, ("api-db lacks the key password", "Deployment/api")),
    Way(
        350, "of two missing Secrets one is optional", one_optional, ("no Secret needed",), silent=("absent",)
    ),
    Way(
        354,
        "a VaultStaticSecret was never synced",
        unsynced_static,
        ("VaultStaticSecret/report-db", "VaultClientConfigError|not been synced"),
    ),
    Way(355, "a lease was revoked", revoked, ("no lease any more", "VaultDynamicSecret/queue-login")),
    Way(356, "the agent's annotations do not stand on the pods", annotated_above, ("Deployment/web", "pod")),
    Way(
        356, "the agent's annotations say false", not_injected, ("Deployment/web", "agent-inject is not true")
    ),
    Way(
        357,
        "the provider class is not of Vault",
        other_provider,
        ("SecretProviderClass/web-keys takes from azure",),
    ),
    Way(357, "the provider class was deleted", class_gone, ("there is no SecretProviderClass/web-keys",)),
    Way(
        358,
        "the Secret that pulls images was made by hand",
        own_password,
        ("registry-pull is not from Vault", "imagePullSecrets"),
    ),
    Way(
        360,
        "the token has run out",
        stranger,
        ("refuses us", "metadata"),
        Verdict.ERROR,
        silent=("nothing at",),
    ),
    Way(
        361,
        "the mount is KV version 1",
        first_version,
        ("KV version 1", "metadata"),
        Verdict.INCONCLUSIVE,
        silent=("nothing at",),
    ),
    Way(362, "Vault does not answer", down, ("127.0.0.1:1",), Verdict.ERROR),
    Way(
        363,
        "tminus may not list ExternalSecrets",
        unlisted,
        ("externalsecrets", "Role"),
        Verdict.ERROR,
        silent=("not from Vault",),
    ),
    Way(
        364,
        "no workload that is looked at names a Secret",
        nothing_secret,
        ("names a Secret",),
        Verdict.INCONCLUSIVE,
    ),
)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way.number}-{way.how.replace(' ', '_')}")
async def test_each_way_to_break_a_secret_is_told(world: Shop, way: Way) -> None:
    arguments = way.breaking(world) or {}
    told(await world.judge(LINE, **arguments), way.verdict, way.words, way.silent)


def told(claim: Any, verdict: Verdict, words: tuple[str, ...], silent: tuple[str, ...] = ()) -> None:
    if verdict is Verdict.FAILED:
        fails(claim, plan(), *words)
    else:
        shows(claim, verdict, *words)
    for word in silent:
        assert not re.search(rf"\b{re.escape(word)}", claim.why), claim.why


for _way in WAYS:
    _how = f"(warned) {_way.how}" if _way.verdict is Verdict.WARNED else _way.how
    line(LINE, _way.shown, _how, mutation=_way.number)(test_each_way_to_break_a_secret_is_told)


@line(LINE, "failed", "Vault is sealed", mutation=351)
async def test_a_sealed_vault_fails(world: Shop, tmp_path: Path) -> None:
    with bao(tmp_path / "own") as own:
        own.ask("PUT", "sys/seal")
        fails(await world.judge(LINE, own.address, servers=["*"]), plan(), "Vault is sealed")


@line(LINE, "failed", "Vault was set up anew and is not initialised", mutation=352)
async def test_a_vault_that_is_not_initialised_fails(world: Shop, tmp_path: Path) -> None:
    with bao(tmp_path / "own", configuration=OTHER) as own:
        fails(await world.judge(LINE, own.address, servers=["*"]), plan(), "Vault is not initialised")


Answer = Callable[[web.Request, int, bytes], Awaitable[tuple[int, bytes]]]


@asynccontextmanager
async def before(vault: Bao, answer: Answer) -> AsyncIterator[str]:
    """The address of something that stands before Vault and may answer otherwise."""
    async with aiohttp.ClientSession() as session:

        async def pass_on(request: web.Request) -> web.Response:
            kept = {key: value for key, value in request.headers.items() if key.startswith("X-Vault")}
            async with session.request(
                request.method, f"{vault.url}{request.path_qs}", headers=kept, data=await request.read()
            ) as reply:
                status, body = await answer(request, reply.status, await reply.read())
            return web.Response(status=status, body=body)

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", pass_on)
        runner = web.AppRunner(app)
        await runner.setup()
        port = loopback.free_port()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
            yield Bao(f"http://127.0.0.1:{port}", vault.token).address
        finally:
            await runner.cleanup()


@line(LINE, "failed", "a standby answers, which is well, and a path was deleted", mutation=353)
@pytest.mark.parametrize("status", [429, 473])
async def test_a_standby_is_no_fault(world: Shop, status: int) -> None:
    async def standby(request: web.Request, code: int, body: bytes) -> tuple[int, bytes]:
        return (status if request.path.endswith("/sys/health") else code), body

    async with before(world.vault, standby) as address:
        shows(await world.judge(LINE, address, servers=["*"]), Verdict.PASSED)
        deleted(world)
        claim = await world.judge(LINE, address, servers=["*"])
    told(claim, Verdict.FAILED, (f"Vault has nothing at {HERE}",), ("standby", str(status)))


@line(LINE, "passed", "(warned) a version is older than the policy allows", mutation=359)
async def test_a_version_that_is_too_old_is_warned_of(world: Shop) -> None:
    old = instant(wall_clock() - 200 * 86400)

    async def aged(request: web.Request, code: int, body: bytes) -> tuple[int, bytes]:
        if request.path.endswith(f"/metadata/{world.paths}/db"):
            body = re.sub(rb'"created_time":"[^"]*"', f'"created_time":"{old}"'.encode(), body)
        return code, body

    async with before(world.vault, aged) as address:
        claim = await world.judge(LINE, address, servers=["*"], rotated_days=90)
    told(claim, Verdict.WARNED, (HERE, "200 days ago", "90"))


@line(LINE, "inconclusive", "the plan has no Vault that anybody could ask")
async def test_a_plan_without_a_vault_proves_nothing(world: Shop) -> None:
    claim = await world.judge(LINE, vault="another")
    shows(claim, Verdict.INCONCLUSIVE, "which Vault is meant")


async def test_a_redirect_is_told_and_the_token_goes_nowhere_else(world: Shop) -> None:
    async def moved(request: web.Request, code: int, body: bytes) -> tuple[int, bytes]:
        return (code, body) if request.path.endswith("/sys/health") else (307, b"")

    async with before(world.vault, moved) as address:
        shows(await world.judge(LINE, address, servers=["*"]), Verdict.ERROR, "sends us elsewhere")


async def test_a_key_that_was_overwritten_by_hand_is_found(world: Shop) -> None:
    world.cluster.orders.operators_idle = True
    found = world.find("Secret", "api-db")
    found["data"]["password"] = "Y2FuYXJ5LW92ZXJ3cml0dGVu"
    world.put(found, manager="kubectl-edit")
    fails(await world.judge(LINE), plan(), "password of the Secret api-db was last written by kubectl-edit")


async def test_a_secret_that_was_taken_over_with_its_value_is_warned_of_until_somebody_changes_it(
    world: Shop,
) -> None:
    world.remove("ExternalSecret", "api-db")
    values = {key: world.cluster.orders.secret_values[key] for key in ("username", "password")}
    world.put(plain("api-db", **values), manager="kubectl-create")
    held = world.find("Secret", "api-db")["metadata"]["managedFields"]
    before = [{**one, "time": ago(days=40)} for one in held]
    world.cluster.store.mark(named("Secret"), world.find("Secret", "api-db"), managedFields=before)
    world.put(external("api-db", f"{world.paths}/db", ["username", "password"]))
    shows(await world.judge(LINE), Verdict.WARNED, "password .* still held by kubectl-create")
    world.cluster.orders.operators_idle = True
    found = world.find("Secret", "api-db")
    found["data"]["password"] = "Y2FuYXJ5LW92ZXJ3cml0dGVu"
    world.put(found, manager="k9s")
    fails(await world.judge(LINE), plan(), "password of the Secret api-db was last written by k9s")


async def test_every_external_secret_of_a_secret_is_judged(world: Shop) -> None:
    extra = external("api-extra", f"{world.paths}/web", ["token"])
    extra["spec"]["target"] = {"name": "api-db", "creationPolicy": "Merge"}
    world.put(extra)
    shows(await world.judge(LINE), Verdict.PASSED)
    world.cluster.orders.unsynced["api-extra"] = "SecretSyncedError"
    world.cluster.settle()
    fails(await world.judge(LINE), plan(), "ExternalSecret/api-extra is not ready")


async def test_an_external_secret_that_was_changed_while_its_operator_slept_fails(world: Shop) -> None:
    world.cluster.orders.operators_idle = True
    specified(refreshInterval="30m")(world)
    fails(await world.judge(LINE), plan(), "ExternalSecret/api-db was changed and has not been synced")


async def test_a_vault_of_another_environment_behind_the_operator_proves_nothing(world: Shop) -> None:
    connection = world.find("VaultConnection", "shop")
    connection["spec"]["address"] = "https://vault.second.example"
    world.put(connection)
    shows(await world.judge(LINE), Verdict.INCONCLUSIVE, "takes from https://vault.second.example")
    connection = world.find("VaultConnection", "shop")
    connection["spec"]["address"] = "https://vault.staging.example"
    world.put(connection)
    fails(await world.judge(LINE), plan(), "vault.staging.example, which is another environment's")


async def test_an_operator_whose_vault_stands_elsewhere_is_warned_of(world: Shop) -> None:
    wish = of_operator("VaultStaticSecret", "report-db", "secret", f"{world.paths}/report", type="kv-v2")
    del wish["spec"]["vaultAuthRef"]
    world.put(wish)
    shows(await world.judge(LINE), Verdict.WARNED, "which Vault VaultStaticSecret/report-db takes from")
    shows(await world.judge(LINE, servers=["*"]), Verdict.PASSED)


async def test_a_secret_that_the_operator_fills_and_did_not_make_is_from_vault(world: Shop) -> None:
    world.remove("VaultStaticSecret", "report-db")
    world.put(plain("report-db", other="canary-old"))
    wish = of_operator("VaultStaticSecret", "report-db", "secret", f"{world.paths}/report", type="kv-v2")
    wish["spec"]["destination"] = {"name": "report-db", "create": False}
    world.put(wish)
    shows(await world.judge(LINE), Verdict.PASSED)


async def test_a_certificate_that_the_operator_was_given_is_from_vault(world: Shop) -> None:
    wish = of_operator("VaultPKISecret", "web-tls", "secret", "", role="web")
    del wish["spec"]["path"]
    source = [{"secretRef": {"name": "web-tls"}}]
    world.put(wish, workload("Deployment", "tls", {"containers": [container("tls", envFrom=source)]}))
    shows(await world.judge(LINE), Verdict.PASSED)
    claim = await world.judge(LINE, Bao(world.vault.url, world.vault.token).address)
    shows(claim, Verdict.PASSED)


async def test_what_an_engine_makes_without_a_lease_is_never_said_to_be_absent(world: Shop) -> None:
    world.status("VaultDynamicSecret", "queue-login", secretLease={"id": "", "duration": 0})
    shows(await world.judge(LINE), Verdict.ERROR, "does not tell what is mounted at ssh/creds/once")
    shows(await world.judge(LINE, Bao(world.vault.url).address), Verdict.PASSED)


async def test_a_store_of_no_secret_that_is_looked_at_need_not_be_readable(world: Shop) -> None:
    role, *others = rights(NAMESPACE, stores=["vault"])
    other = store("ClusterSecretStore", "of-others", world.vault.url)
    wish = external("unused", f"{world.paths}/db", ["username"])
    wish["spec"]["secretStoreRef"] = {"name": "of-others", "kind": "ClusterSecretStore"}
    world.put(role, *others, other, wish)
    shows(await world.judge(LINE), Verdict.PASSED)


async def test_a_secret_of_another_origin_is_warned_of(world: Shop) -> None:
    own_password(world)
    claim = await world.judge(LINE, other_origin=["registry-pull"])
    shows(claim, Verdict.WARNED, "registry-pull is not from Vault, as the plan says")


async def test_a_place_that_leads_elsewhere_is_never_asked_for(world: Shop) -> None:
    world.put(of_operator("VaultStaticSecret", "report-db", "secret", "../../sys/seal", type="kv-v2"))
    fails(await world.judge(LINE), plan(), "no path in Vault")


@pytest.mark.parametrize("number", range(len(rights(NAMESPACE)[0]["rules"])))
async def test_nothing_in_the_role_can_be_left_out(world: Shop, number: int, tmp_path: Path) -> None:
    role, *others = rights(NAMESPACE)
    rules = [rule for index, rule in enumerate(role["rules"]) if index != number]
    world.put({**role, "rules": rules}, *others)
    place = tmp_path / "map.json"
    place.write_text(json.dumps(world.find("ConfigMap", "api-config")))
    verdicts = {(await world.judge(LINE)).verdict}
    verdicts.add((await world.judge("cfg.configmaps", manifests=str(place))).verdict)
    assert Verdict.ERROR in verdicts


async def test_the_shared_stores_have_to_be_readable_too(world: Shop) -> None:
    world.cluster.store.remove(named("ClusterRole"), world.find("ClusterRole", "tminus-looking"))
    shows(await world.judge(LINE), Verdict.ERROR, "clustersecretstores")


async def test_tminus_check_looks_at_both_lines_and_prints_no_value(
    world: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_hand(world)
    file = tmp_path / "shop.yaml"
    file.write_text(PLAN, encoding="utf-8")
    monkeypatch.setenv("KUBE", str(world.config))
    monkeypatch.setenv("VAULT", world.vault.address)
    command = typer.Typer()
    command.command()(check)
    words = [str(file), "--only", LINE, "--only", "cfg.configmaps", "--json"]
    result = await asyncio.to_thread(CliRunner().invoke, command, words)
    assert result.exit_code == 1, result.output
    assert "api-db is not from Vault" in result.output
    assert "5 ConfigMaps with 8 keys" in result.output
    for planted in ("canary-", world.vault.token, ROOT):
        assert planted not in result.output
    await world.judge(LINE)
