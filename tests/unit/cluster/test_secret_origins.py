"""Who writes a Secret and from which Vault: what operators' objects and annotations say, and what nobody can tell."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from tminus.errors import DeniedError
from tminus.kubernetes import Api
from tminus.kubernetes.injected import of_agents, of_class
from tminus.kubernetes.keys import Written
from tminus.kubernetes.operated import MANAGER, PKI, Door, Doors, of_operated, operated
from tminus.kubernetes.operators import Operators
from tminus.kubernetes.origins import Limits, Origin, externals, of_external
from tminus.kubernetes.provenance import Provenance, Wanted
from tminus.kubernetes.workloads import Asked, Named
from tminus.standins.kubernetes.store import instant

Json = dict[str, Any]
NOW = 1_800_000_000.0
LIMITS = Limits(NOW, 3600)
READY = {"type": "Ready", "status": "True", "reason": "SecretSynced"}
STORE = {
    "spec": {"provider": {"vault": {"server": "https://vault.example", "path": "secret"}}},
    "status": {"conditions": [READY]},
}
STORES = {("SecretStore", "s"): STORE}


def external(name: str = "x", *, past: float = 60.0, synced: str = "1-abc", **spec: Any) -> Json:
    return {
        "kind": "ExternalSecret",
        "metadata": {"name": name, "generation": 1, "uid": f"uid-{name}"},
        "spec": {
            "secretStoreRef": {"name": "s"},
            "data": [{"secretKey": "a", "remoteRef": {"key": "app", "property": "a"}}],
            **spec,
        },
        "status": {
            "conditions": [READY],
            "refreshTime": instant(NOW - past),
            "syncedResourceVersion": synced,
        },
    }


def test_an_external_secret_that_was_changed_and_not_synced_proves_nothing() -> None:
    thing = external()
    assert of_external(thing, STORES, LIMITS).problems == ()
    thing["metadata"]["generation"] = 7
    assert of_external(thing, STORES, LIMITS).problems == (
        "ExternalSecret/x was changed and has not been synced since",
    )
    thing["spec"]["refreshPolicy"] = "CreatedOnce"
    found = of_external(thing, STORES, LIMITS)
    assert found.problems == ()
    assert any("changed" in one for one in found.remarks)


@pytest.mark.parametrize(
    ("interval", "past", "words"),
    [
        ("1h0m0s", 3603, ""),
        ("1h0m0s", 3700, "longer than the plan allows"),
        ("2h", 10, "refreshed every 2h"),
        ("2h", 4000, "67 min ago, longer"),
        ("30m", 3700, "twice its interval"),
    ],
)
def test_a_refresh_in_its_time_is_no_remark_and_the_same_at_each_look(
    interval: str, past: float, words: str
) -> None:
    found = of_external(external(past=past, refreshInterval=interval), STORES, LIMITS).remarks
    assert bool(found) is bool(words)
    assert words in " ".join(found)


@pytest.mark.parametrize("kind", ["VaultDynamicSecret", "ClusterGenerator"])
def test_a_generator_that_may_be_vault_s_is_told_and_not_looked_at(kind: str) -> None:
    entry = {"sourceRef": {"generatorRef": {"kind": kind, "name": "g"}}}
    found = of_external(external(dataFrom=[entry], data=[]), STORES, LIMITS)
    assert (found.places, found.problems) == ((), ())
    assert f"{kind}/g" in " ".join(found.remarks)


def test_where_no_place_could_be_looked_at_nothing_is_said_to_be_there() -> None:
    made = Provenance(Named((), (), ()), LIMITS, Wanted())
    made._add("x", Origin("ExternalSecret/x", remarks=("takes from a generator",)))
    with pytest.raises(Exception, match="no place of Vault could be looked at: takes from a generator"):
        made.observation()


def test_a_property_of_the_metadata_is_no_key() -> None:
    remote = {"key": "app", "property": "owner", "metadataPolicy": "Fetch"}
    found = of_external(external(data=[{"secretKey": "a", "remoteRef": remote}]), STORES, LIMITS)
    assert [one.keys for one in found.places] == [frozenset()]


def test_every_external_secret_that_aims_at_a_secret_is_found() -> None:
    merging = {"name": "x", "creationPolicy": "Merge"}
    things = [external("a", target={"name": "x"}), external("b", target=merging), external("c")]
    secret = {
        "name": "x",
        "labels": {"reconcile.external-secrets.io/managed": "true"},
        "ownerReferences": [{"uid": "uid-a"}],
    }
    assert [one["metadata"]["name"] for one in externals(things, secret)] == ["a", "b"]


def held(by: str, ago: float, *others: str) -> Written:
    return Written(by, NOW - ago, frozenset({by, *others}))


def judged(by: Written, *origins: Origin, wrote: float = 100.0) -> tuple[list[str], list[str]]:
    made = Provenance(Named((), (), ()), LIMITS, Wanted())
    entry = {"manager": "op", "time": instant(NOW - wrote), "fieldsV1": {"f:metadata": {}}}
    made._overwritten("a", by, {"name": "x", "managedFields": [entry]}, list(origins))
    return made.problems, made.remarks


@pytest.mark.parametrize("manager", ["k9s", "Mozilla", "node-fetch", "rancher", "kubectl-edit"])
def test_whoever_is_not_the_operator_has_written_by_hand(manager: str) -> None:
    problems, _ = judged(held(manager, 10), Origin("E/x", managers=("op",)))
    assert problems == [f"the key a of the Secret x was last written by {manager}, not by E/x"]


def test_what_the_operator_took_over_with_the_same_value_is_remarked() -> None:
    problems, remarks = judged(held("kubectl-create", 5000), Origin("E/x", managers=("op",)))
    assert problems == []
    assert "still held by kubectl-create" in remarks[0]
    refreshed = Origin("E/x", managers=("other",), refreshed=NOW - 100)
    assert judged(held("kubectl-create", 5000), refreshed) == ([], remarks)


def test_what_the_operator_holds_too_is_its_own() -> None:
    assert judged(held("kubectl", 10, "op"), Origin("E/x", managers=("op",))) == ([], [])


def test_a_key_that_no_origin_gives_is_nobody_s_and_each_origin_gives_its_own() -> None:
    one = Origin("E/x", managers=("op",), proven=frozenset({"b"}))
    other = Origin("E/y", managers=("op",), proven=frozenset({"a"}))
    assert judged(held("op", 500), one, other) == ([], [])
    problems, _ = judged(held("kubectl-create", 5000), one)
    assert problems == ["the key a of the Secret x is not among those of E/x: kubectl-create wrote it last"]


def test_the_name_of_a_long_external_secret_as_a_manager_is_a_digest() -> None:
    name = "a-name-that-is-longer-than-managers-may-be"
    managers = of_external(external(name), STORES, LIMITS).managers
    assert any(one.startswith("externalsecrets.external-secrets.io/sha3/") for one in managers)


class Cluster:
    """Objects by their path; the paths that are closed."""

    def __init__(self, things: dict[str, Json], closed: tuple[str, ...] = ()) -> None:
        self.things, self.closed = things, closed

    async def get(self, path: str) -> Json | None:
        if any(one in path for one in self.closed):
            raise DeniedError("no", hint="none")
        return self.things.get(path)


ROOT = "/apis/secrets.hashicorp.com/v1beta1/namespaces"
AUTH = {f"{ROOT}/shop/vaultauths/own": {"spec": {"vaultConnectionRef": "far/conn", "namespace": "team"}}}
CONNECTION = {f"{ROOT}/far/vaultconnections/conn": {"spec": {"address": "https://vault.staging.example"}}}


async def door(reference: str, things: dict[str, Json], *closed: str) -> Door:
    thing = {"kind": "VaultStaticSecret", "metadata": {"name": "x"}, "spec": {"vaultAuthRef": reference}}
    return await Doors(cast("Api", Cluster(things, closed)), "shop").of(thing)


async def test_which_vault_the_operator_takes_from_stands_in_its_connection() -> None:
    assert await door("own", {**AUTH, **CONNECTION}) == Door("https://vault.staging.example", "team")
    assert await door("", {}) == Door()
    assert await door("own", AUTH, "/far/") == Door("", "team")
    assert await door("own", {f"{ROOT}/shop/vaultauths/own": {"spec": {}}}) == Door("", "")
    assert await door("far/shared", {}, "/far/") == Door()
    assert "no VaultAuth/own" in (await door("own", {})).problems[0]
    assert "no VaultConnection/conn" in (await door("own", AUTH)).problems[0]
    with pytest.raises(DeniedError):
        await door("own", AUTH, "/shop/")


def operator(kind: str = "VaultStaticSecret", **spec: Any) -> Json:
    destination = {"name": "x", "create": True}
    return {
        "kind": kind,
        "metadata": {"name": "x", "generation": 1, "uid": "u"},
        "spec": {"mount": "secret", "path": "app", "destination": destination, **spec},
        "status": {"lastGeneration": 1},
    }


def test_the_operator_s_namespace_and_address_are_those_of_its_door() -> None:
    found = of_operated(operator(), Door("https://vault.example", "team"), LIMITS)
    assert (found.servers, found.places[0].namespace) == (("https://vault.example",), "team")
    assert of_operated(operator(namespace="own"), Door("", "team"), LIMITS).places[0].namespace == "own"
    assert of_operated(operator(), Door(), LIMITS).places[0].namespace is None
    staging = of_operated(operator(), Door("https://vault.staging.example"), LIMITS)
    assert "another environment's" in staging.problems[0]


@pytest.mark.parametrize(
    ("spec", "never"),
    [
        ({}, False),
        ({"refreshAfter": "0s"}, False),
        ({"hmacSecretData": False}, True),
        ({"hmacSecretData": False, "refreshAfter": "0s"}, True),
        ({"hmacSecretData": False, "refreshAfter": "1m"}, False),
        ({"hmacSecretData": False, "syncConfig": {"instantUpdates": True}}, False),
    ],
)
def test_what_the_operator_never_asks_for_again_is_told(spec: Json, *, never: bool) -> None:
    found = of_operated(operator(**spec), Door(), LIMITS)
    assert bool(found.remarks) is never


def test_a_secret_that_the_operator_did_not_make_is_known_by_its_name() -> None:
    filled = operator(destination={"name": "x"})
    assert operated([filled, operator()], {"name": "x"}) == [filled]
    assert MANAGER in of_operated(filled, Door(), LIMITS).managers


def test_a_certificate_of_the_operator_counts_until_it_runs_out() -> None:
    thing = operator(PKI, role="web")
    thing["status"] = {"serialNumber": "17:67", "expiration": int(NOW) + 60, "valid": True}
    found = of_operated(thing, Door(), LIMITS)
    assert (found.problems, found.places[0].told, found.places[0].made) == ((), "secret/issue/web", True)
    thing["status"]["expiration"] = int(NOW) - 600
    assert "ran out 10 min ago" in of_operated(thing, Door(), LIMITS).problems[0]
    thing["status"] = {}
    assert "has not been given a certificate" in of_operated(thing, Door(), LIMITS).problems[0]


def agent(prefix: str = "vault.hashicorp.com/", inject: str = "true", **given: str) -> list[Origin]:
    words = {f"{prefix}agent-{key.replace('_', '-')}": value for key, value in given.items()}
    annotations = {f"{prefix}agent-inject": inject, **words}
    pod = {"kind": "Pod", "metadata": {"name": "p", "annotations": annotations}, "spec": {"containers": []}}
    return of_agents(pod)


@pytest.mark.parametrize("prefix", ["vault.hashicorp.com/", "openbao.openbao.org/"])
@pytest.mark.parametrize("yes", ["true", "True", "1", "t"])
def test_both_agents_annotations_are_read_as_they_read_them(prefix: str, yes: str) -> None:
    (found,) = agent(prefix, yes, inject_secret_db="secret/data/db")
    assert ([one.told for one in found.places], found.problems) == (["secret/data/db"], ())
    assert found.servers == ("",)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"configmap": "own"}, "ConfigMap own"),
        ({"configmap": "own", "inject_secret_db": "secret/data/db"}, "ConfigMap own"),
        ({"inject_template_file_db": "/t.ctmpl"}, "template in a file"),
        (
            {"inject_template_db": '{{ with secret (printf "secret/data/%s" .) }}x{{ end }}'},
            "makes up a path",
        ),
        ({"inject_template_db": "{{ with $path | secret }}x{{ end }}"}, "makes up a path"),
        ({"role": "web"}, "name no secret"),
    ],
)
def test_what_an_agent_takes_and_no_annotation_tells_is_remarked(given: dict[str, str], words: str) -> None:
    (found,) = agent(**given)
    assert (found.places, found.problems) == ((), ())
    assert words in found.remarks[0]


def test_each_secret_of_a_template_is_a_place_and_keys_are_those_of_the_only_one() -> None:
    two = (
        '{{ with secret "kv/data/db" }}{{ .Data.data.user }}{{ end }} the secret is'
        "{{ with secret `kv/data/api` }}{{ .Data.data.token }}{{ end }}{{/* secret of old */}}"
    )
    (found,) = agent(inject_template_x=two, inject_secret_x="unused")
    assert [(one.told, one.keys) for one in found.places] == [
        ("kv/data/db", frozenset()),
        ("kv/data/api", frozenset()),
    ]
    assert found.remarks == ()
    other = {"inject_template_x": "[[ with secret `kv/data/a` ]][[ .Data.data.k ]][[ end ]]"}
    (found,) = agent(**other, template_left_delim_x="[[", template_right_delim_x="]]")
    assert [(one.told, one.keys) for one in found.places] == [("kv/data/a", frozenset({"k"}))]


def test_an_address_that_stands_elsewhere_is_remarked_unless_the_plan_takes_any() -> None:
    given = {"objects": "- {objectName: a, secretPath: secret/data/a, secretKey: a}"}
    origin = of_class({"spec": {"provider": "vault", "parameters": given}}, "keys", LIMITS)
    for servers, told in (((), 1), (("*",), 0)):
        made = Provenance(Named((), (), ()), LIMITS, Wanted(servers=servers))
        made._add("x", origin)
        made._same("https://vault.example")
        assert len([one for one in made.remarks if "stands in no object" in one]) == told


async def test_a_store_of_no_secret_that_is_looked_at_is_not_asked_for() -> None:

    path = "/apis/external-secrets.io/v1/namespaces/shop/secretstores/s"
    operators = Operators(cast("Api", Cluster({path: STORE}, ("clustersecretstores",))), Asked("shop"))
    mine, other = external("x"), external("y", secretStoreRef={"name": "c", "kind": "ClusterSecretStore"})
    operators.externals = [mine, other]
    named = cast("Named", SimpleNamespace(of=lambda _: []))
    (found,) = await operators.origins(
        {"name": "x", "ownerReferences": [{"uid": "uid-x"}]}, [], LIMITS, named
    )
    assert found.proof == "ExternalSecret/x"
